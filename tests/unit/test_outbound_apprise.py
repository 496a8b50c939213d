"""Channels of apprise: sent by a process whose connections are checked, whatever the service tries."""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from analytics.base.errors import InvalidInput
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.apprise import MISSING, _environment
from analytics.notify.outbound.apprise_process import _Guard
from analytics.notify.outbound.outside import Outside
from analytics.notify.outbound.sending import checked_to, send
from tests.support.channels import outbound_message, outside
from tests.support.factories import NOW
from tests.support.receiver import Receiver, answer, raw, receiving

pytestmark = pytest.mark.slow  # each starts processes that load apprise

MESSAGE = outbound_message("Nobody is here", type="alert.firing", priority="urgent", text="None")
NOWHERE = Outside((), None, ssl.create_default_context())
BLOCKED = "blocked_address: an address that is not public; FOOTFALL_ALLOWED_TARGETS may allow it"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def sent(url: str, settings: Outside) -> ChannelAnswer:
    return send(NotificationChannel(1, 1, "apprise", "", url, ""), MESSAGE, settings, NOW)


def test_a_service_gets_the_message(receiver):
    assert sent(f"json://127.0.0.1:{receiver.port}/x", outside()) == ChannelAnswer(True, None, "accepted by JSON")
    (received,) = receiver.received
    assert json.loads(received.body) == {
        "version": "1.0",
        "title": "Nobody is here",
        "message": "None\n\nSite: example.com\nPriority: urgent\nTime: 2027-01-15 08:00 UTC",
        "attachments": [],
        "type": "failure",
    }


def test_a_refusal_is_tried_again_and_says_why(receiver):
    receiver.replies = [answer(500, "down")]
    refused = sent(f"json://127.0.0.1:{receiver.port}/x", outside())
    assert (refused.sent, refused.final) == (False, False)
    assert "500" in refused.text


def test_an_address_that_leads_inwards_is_refused_when_used(receiver):
    assert sent(f"json://127.0.0.1:{receiver.port}/x", NOWHERE) == ChannelAnswer(False, None, BLOCKED, final=True)
    assert sent(f"json://localhost:{receiver.port}/x", NOWHERE) == ChannelAnswer(False, None, BLOCKED, final=True)
    assert receiver.connections == 0


@pytest.mark.parametrize("option", ["", "?redirect=yes"])
def test_a_redirect_leads_nowhere(receiver, option):
    with receiving(host="127.0.0.2") as inside:
        receiver.replies = [answer(307, "", Location=f"{inside.url}/secret")]
        settings = outside(allowed=[ipaddress.ip_network("127.0.0.1")])
        assert not sent(f"json://127.0.0.1:{receiver.port}/x{option}", settings).sent
        assert inside.connections == 0


def test_no_file_of_the_machine_is_read(tmp_path):
    """The service of Microsoft's workflows sends what it finds in a template, which is a file."""
    template, tls = tmp_path / "template.json", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    template.write_text('{"type": "message", "attachments": [{"contentType": "x", "content": "hunter2"}]}')
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with receiving(tls) as receiver:
        url = f"workflow://127.0.0.1:{receiver.port}/{'a' * 32}/{'b' * 43}/?verify=no"
        assert sent(url, outside()).sent
        assert not sent(f"{url}&template={template}", outside()).sent
        assert len(receiver.received) == 1


def test_proxies_and_settings_of_the_environment_do_not_reach_the_service(receiver, monkeypatch):
    """A proxy would make the connection to the address that is refused here."""
    for name in ("http_proxy", "HTTPS_PROXY", "all_proxy", "FOOTFALL_SECRET_KEY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{receiver.port}")
    assert not {name for name in _environment() if "proxy" in name.lower() or "FOOTFALL" in name}
    with receiving(host="127.0.0.2") as inside:
        settings = outside(allowed=[ipaddress.ip_network("127.0.0.1")])
        assert sent(f"json://127.0.0.2:{inside.port}/x", settings).text == BLOCKED
    assert receiver.connections == 0


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("open", ("{prefix}/data/secret_key", "r", os.O_RDONLY)),
        ("open", ("{packages}/apprise/added.pth", "w", os.O_WRONLY | os.O_CREAT)),
        ("os.rename", ("{packages}/apprise/__init__.py", "/tmp/x", -1, -1)),
        ("os.system", ("id",)),
        ("subprocess.Popen", ("id", [], None, None)),
        ("socket.connect", (None, ("169.254.169.254", 80))),
        ("socket.connect", (None, "/run/postgresql/.s.PGSQL.5432")),
    ],
)
def test_what_a_service_may_not_do_is_refused(event, args):
    packages = Path(pytest.__file__).parents[1]
    filled = tuple(
        one.format(prefix=sys.prefix, packages=packages) if isinstance(one, str) and one[0] in "{/" else one
        for one in args
    )
    guard = _Guard([], packages)
    with pytest.raises(PermissionError):
        guard.check(event, filled)
    guard.check("open", (f"{packages}/apprise/__init__.py", "r", os.O_RDONLY | os.O_CLOEXEC))


def test_an_answer_without_an_end_does_not_fill_the_memory_of_the_machine(receiver):
    receiver.replies = [raw(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * (1 << 20), for_s=20)]
    assert not sent(f"json://127.0.0.1:{receiver.port}/x", outside()).sent


def test_an_address_is_checked_when_it_is_saved():
    assert checked_to("apprise", " tgram://123456789:abcdefg_hijklmnop/12345678/ ", NOWHERE).startswith("tgram://")
    for url, why in (
        ("json://127.0.0.1/x", "to: 127.0.0.1 leads to an address that is not public"),
        ("gotify://localhost/token", "to: localhost leads to an address that is not public"),
        ("nothing://here", "to: apprise knows no such address"),
        ("hooks.example.com", "to: apprise knows no such address"),
        ("syslog://", "to: this service of apprise is for desktops"),
        ("dbus://", "to: this service of apprise is for desktops"),
    ):
        with pytest.raises(InvalidInput, match=f"^{why}"):
            checked_to("apprise", url, NOWHERE)


def test_without_the_package_one_line_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python knows a package that is not there
    assert sent("tgram://a/b", NOWHERE) == ChannelAnswer(False, None, MISSING, final=True)
    with pytest.raises(InvalidInput, match="the package apprise is not installed"):
        checked_to("apprise", "tgram://a/b", NOWHERE)


def test_the_address_of_any_kind_is_checked_when_it_is_saved():
    settings = Outside((), None, ssl.create_default_context(), lambda host, port: ["93.184.216.34"])
    assert checked_to("webhook", " https://hooks.example.com/x ", settings) == "https://hooks.example.com/x"
    assert checked_to("email", " Ann@Example.com", settings) == "ann@example.com"
    for kind, to, why in (
        ("pager", "x", "kind: there is no 'pager'; there are webhook, slack, discord, email, apprise"),
        ("email", "ann", "'ann' is no e-mail address"),
        ("slack", "http://127.0.0.1/", "127.0.0.1 leads to an address that is not public"),
        ("discord", "discord://x", "'discord://x' is no address to send to"),
    ):
        with pytest.raises(InvalidInput, match=f"^{why}"):
            checked_to(kind, to, settings)

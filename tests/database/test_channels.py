"""The channels of sites, on SQLite and on PostgreSQL."""

from __future__ import annotations

import base64
import re
import threading
from functools import partial

import pytest

from analytics.base.errors import InvalidInput
from analytics.notify import channel_json, channels, new_deliveries, rules
from analytics.notify.channel import ChannelKind, NotificationChannel
from analytics.notify.channel_json import ChannelInput
from analytics.notify.channels import UnknownChannel
from analytics.notify.kinds.event import EventArrives
from analytics.notify.outbound import sending
from analytics.notify.outbound.outside import Outside
from analytics.notify.outbound.sending import OTHER_TESTS, send_test
from analytics.notify.rule import Notify
from analytics.notify.rule_json import RuleInput
from analytics.storage import schema
from tests.support.channels import added_channel, outside
from tests.support.factories import added_site, rows
from tests.support.receiver import receiving, silent
from tests.support.serving import eventually

NOW = 1_800_000_000
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
HOOK = ChannelInput(ChannelKind.WEBHOOK, "https://hooks.example.com/a", SECRET, "The shop")
MAIL = ChannelInput(ChannelKind.EMAIL, "ann@example.com")
HOSTS = {"hooks.example.com": ["93.184.216.34"], "inwards.example.com": ["93.184.216.34", "10.0.0.1"]}


def resolve(host: str, _port: int) -> list[str]:
    if host in HOSTS:
        return HOSTS[host]
    raise OSError


check = partial(sending.checked_to, outside=Outside((), None, None, resolve))
add = partial(channels.add, check=check, now=NOW)


def wrong(given) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        channel_json.read(given)
    return refused.value.fields


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_channels_are_read_and_written():
    given = {"kind": "webhook", "to": " https://a.example/x ", "secret": SECRET, "name": "A"}
    assert channel_json.read(given) == ChannelInput(ChannelKind.WEBHOOK, "https://a.example/x", SECRET, "A")
    assert channel_json.read({"kind": "slack", "to": "x"}) == ChannelInput(ChannelKind.SLACK, "x")
    channel = NotificationChannel(1, 7, "webhook", "A", "https://a.example/x", SECRET)
    assert channel_json.plain(channel) == given | {"to": "https://a.example/x"}
    assert channel_json.plain(channel._replace(kind="slack", secret="", name="")) == {
        "kind": "slack",
        "to": "https://a.example/x",
        "name": "",
    }


def test_every_wrong_field_is_named():
    assert wrong({"kind": "pigeon", "adress": "x", "secret": "x", "name": "x" * 121}) == {
        "adress": "unknown field; known: kind, to, secret, name",
        "to": "is required",
        "kind": "one of webhook, slack, discord, email, apprise",
        "secret": "give whsec_ and 24 to 64 bytes in Base64",
        "name": "a text of 0 to 120 characters",
    }
    assert wrong({"kind": "email", "to": "a@b.example", "secret": SECRET}) == {"secret": "only webhooks are signed"}
    assert wrong([]) == {"channel": "an object with kind, to, secret, name"}
    assert list(wrong({"kind": "webhook", "to": "https://a.example/\0"})) == ["to"]


@pytest.mark.parametrize("size", [24, 64])
def test_secrets_have_24_to_64_bytes(size):
    for bytes_of, refused in ((size, False), (23, True), (65, True)):
        secret = "whsec_" + base64.b64encode(b"k" * bytes_of).decode()
        given = {"kind": "webhook", "to": "https://a.example", "secret": secret}
        if refused:
            assert list(wrong(given)) == ["secret"]
        else:
            assert channel_json.read(given).secret == secret


# ── the store ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_channels_are_kept_by_site(database):
    hook = add(database, 7, HOOK)
    other, mail = add(database, 8, MAIL), add(database, 7, MAIL)
    assert hook == NotificationChannel(hook.id, 7, "webhook", "The shop", "https://hooks.example.com/a", SECRET)
    assert mail == NotificationChannel(mail.id, 7, "email", "", "ann@example.com", "")
    assert channels.of_site(database, 7) == [hook, mail]
    assert channels.all_channels(database) == [hook, other, mail]
    assert channels.get(database, mail.id, 7) == mail


def test_a_webhook_without_a_secret_gets_one_and_keeps_it(database):
    hook, another = (add(database, 7, HOOK._replace(secret="")) for _ in range(2))
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", hook.secret)
    assert hook.secret != another.secret
    to = "https://hooks.example.com/b"
    changed = channels.change(database, hook.id, HOOK._replace(secret="", to=to), 7, check=check)
    assert changed == hook._replace(address=to)
    assert channels.change(database, hook.id, HOOK, check=check).secret == SECRET
    assert channels.change(database, hook.id, MAIL, check=check) == NotificationChannel(
        hook.id, 7, "email", "", "ann@example.com", ""
    )


def test_a_secret_that_is_rotated_while_a_channel_is_changed_stays(database):
    hook = add(database, 7, HOOK)
    rotated = []

    def rotating(kind: str, to: str) -> str:
        rotated.append(channels.rotate(database, hook.id).secret)
        return check(kind, to)

    changed = channels.change(database, hook.id, HOOK._replace(secret=""), 7, check=rotating)
    assert changed.secret == rotated[0]
    assert rotated[0].split()[1] == SECRET


def test_a_channel_of_another_site_is_not_there(database):
    hook = add(database, 7, HOOK)
    for refused in (
        lambda: channels.get(database, hook.id, 8),
        lambda: channels.change(database, hook.id, MAIL, 8, check=check),
        lambda: channels.disable(database, hook.id, site_id=8, now=NOW),
        lambda: channels.enable(database, hook.id, 8),
        lambda: channels.remove(database, hook.id, 8),
        lambda: channels.get(database, 99),
    ):
        with pytest.raises(UnknownChannel, match=r"there is no channel \d+; `channel list` shows them"):
            refused()
    assert channels.all_channels(database) == [hook]


@pytest.mark.parametrize(
    ("kind", "to"),
    [
        *(("webhook", to) for to in ("http://127.0.0.1:8050/x", "https://[::1]/", "http://2130706433/", "http://10.1.2.3")),
        *(("webhook", to) for to in ("https://inwards.example.com", "file:///etc/passwd", "https://a@hooks.example.com")),
        *(("slack", "http://169.254.169.254/"), ("discord", "gopher://hooks.example.com/"), ("email", "ann")),
    ],
)  # fmt: skip
def test_addresses_that_lead_inwards_or_nowhere_are_refused(database, kind, to):
    hook = add(database, 7, HOOK)
    given = ChannelInput(ChannelKind(kind), to)
    for refused in (
        lambda: add(database, 7, given),
        lambda: channels.change(database, hook.id, given, check=check),
    ):
        with pytest.raises(InvalidInput) as error:
            refused()
        assert list(error.value.fields) == ["to"]
    assert channels.of_site(database, 7) == [hook]


def test_a_host_that_is_not_known_now_is_checked_when_it_is_used(database):
    hook = add(database, 7, HOOK._replace(to="https://not-yet.example.com/x"))
    assert hook.address == "https://not-yet.example.com/x"


def test_a_site_has_20_channels_at_most(database):
    for _ in range(20):
        add(database, 7, MAIL)
    with pytest.raises(InvalidInput, match="at most 20 channels; remove one first"):
        add(database, 7, MAIL)
    add(database, 8, MAIL)
    assert len(channels.of_site(database, 7)) == 20


def waiting(database, channel: NotificationChannel) -> None:
    with database.transaction() as connection:
        new_deliveries.add(connection, channel.site_id, channel.id, None, due_at=NOW, now=NOW)


def test_a_channel_is_switched_off_and_on(database):
    hook, other = add(database, 7, HOOK), add(database, 7, HOOK)
    for one in (hook, other):
        waiting(database, one)
    off = channels.disable(database, hook.id, now=NOW + 5)
    assert off == hook._replace(disabled_at=NOW + 5, disabled_why="switched off")
    assert channels.of_site(database, 7) == [off, other]
    assert rows(database, schema.deliveries, "channel_id", "state", "answer") == [
        (hook.id, "dropped", "the channel is disabled: switched off"),
        (other.id, "waiting", ""),
    ]
    assert channels.enable(database, hook.id) == hook
    channels.disable(database, hook.id, "it is gone", now=NOW + 5)
    assert channels.change(database, hook.id, HOOK, check=check) == hook


def test_a_removed_channel_is_in_no_rule_any_more(database):
    hook, mail = add(database, 7, HOOK), add(database, 7, MAIL)
    notify = Notify(title="x", channels=(hook.id, mail.id))
    rule = rules.add(database, 7, RuleInput("x", EventArrives("x"), notify), now=NOW)
    waiting(database, hook)
    assert channels.remove(database, hook.id, 7) == hook
    assert channels.of_site(database, 7) == [mail]
    assert rules.of_site(database, 7) == [rule._replace(notify=notify._replace(channels=(mail.id,)))]
    assert rows(database, schema.deliveries, "state", "answer") == [("dropped", "the channel was removed")]


def test_tests_that_hang_take_no_more_than_two_threads(database):
    site = added_site(database)
    with receiving() as hanging:
        hanging.replies = [silent(hanging)] * 2
        slow = added_channel(database, hanging.url)
        threads = [threading.Thread(target=send_test, args=(slow, site, outside()), kwargs={"now": NOW}) for _ in "ab"]
        for one in threads:
            one.start()
        eventually(lambda: hanging.connections == 2, within=10)
        assert send_test(slow, site, outside(), now=NOW).text == OTHER_TESTS
        assert hanging.connections == 2
    for one in threads:
        one.join(30)
    with receiving() as receiver:
        assert send_test(added_channel(database, receiver.url), site, outside(), now=NOW).sent


def test_the_channels_of_a_site_get_twenty_tests_a_minute_all_of_them_together(database):
    site, other, settings = added_site(database), added_site(database, "other.example"), outside()
    with receiving() as receiver:
        hooks = [added_channel(database, receiver.url) for _ in range(2)]
        sent = [send_test(hooks[n % 2], site, settings, now=NOW + n).sent for n in range(25)]
        assert sent == [True] * 20 + [False] * 5
        assert len(receiver.received) == 20
        assert send_test(hooks[0], site, settings, now=NOW + 25).text == "this site has had many tests; wait 35 s"
        assert send_test(hooks[0], site, settings, now=NOW + 60).sent
        elsewhere = added_channel(database, receiver.url, site_id=other.id)
        assert send_test(elsewhere, other, settings, now=NOW + 25).sent

"""From a real mail to a snoozed alert, and a person's quiet hours: on a desk, on a phone, and by keyboard alone."""

from __future__ import annotations

import itertools
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from html import unescape

import pytest
from reader import FAINT, OWNER, PASSWORD, PHONE, Reader, add_owner
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from analytics.notify import rules
from analytics.notify.outbound.email import html_of
from analytics.notify.outbound.message import Covered, OutboundMessage
from analytics.notify.rule_json import read
from analytics.storage.database import Database
from tests.support.channels import added_channel
from tests.support.factories import NOW, added_site
from tests.support.mailbox import Mailbox, mail_server
from tests.support.proxy import free_port
from tests.support.serving import SITE, Server, event, heartbeat, pageview, rows, serving

# Texts in smaller letters than 14 px, and buttons that a finger misses.
SMALL = """
const size = (n) => parseFloat(getComputedStyle(n).fontSize), height = (n) => n.getBoundingClientRect().height;
const texts = [...document.querySelectorAll("h1, p, li, th, td, a")].filter((n) => size(n) < 14);
const buttons = [...document.querySelectorAll("a")].filter((n) => height(n) < 44);
return [...texts, ...buttons].map((n) => n.outerHTML);
"""
NUMBERS = itertools.count(1)
EMAIL = "EMAIL"  # stands for the channel's id
SAID = {"priority": "high", "severity": "critical", "title": "{value} people on {site}", "group_s": 0}
CROWD = {"name": "Crowd", "when": {"metric": "active_sessions", "above": 0}, "notify": SAID}
SIGNUPS = {
    "name": "Signups",
    "when": {"event": "Joined"},
    "notify": {"priority": "medium", "title": "{user_name} joined", "channels": [EMAIL], "group_s": 0},
}


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
def server(tmp_path_factory, mailbox) -> Iterator[Server]:
    """A server at a known address, with rules whose messages go to the owner by a real mail server."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    site = added_site(database, SITE, "Europe/Berlin")
    channel = added_channel(database, OWNER, "email")
    for rule in (CROWD, SIGNUPS):
        whole = rule | {"notify": rule["notify"] | {"channels": [channel.id]}}
        rules.add(database, site.id, read(whole), now=NOW)
    database.close()
    with mail_server(mailbox) as mail_port:
        port = free_port()
        settings = {
            "FOOTFALL_BASE_URL": f"http://127.0.0.1:{port}",
            "FOOTFALL_SMTP_URL": f"smtp://127.0.0.1:{mail_port}?from=stats@example.com&tls=off",
        }
        with serving(config, "--port", str(port), **settings) as running:
            add_owner(running)
            yield running


@pytest.fixture(scope="module")
def mail(server, mailbox) -> EmailMessage:
    """The mail about an alert that fires: people are on the site."""
    come(server)
    until(lambda: mailbox.accepted, 30)
    return mailbox.accepted[0][2]


def come(server: Server) -> None:
    page_id = f"page-{next(NUMBERS):05d}"
    assert server.collect([pageview(page_id), heartbeat(page_id)]).status == 202


def link_of(mail: EmailMessage, label: str) -> str:
    """The address of the button with that label."""
    html = mail.get_body(("html",)).get_content()
    (link,) = re.findall(rf'<a href="([^"]+)"[^>]*>{label}</a>', html)
    return unescape(link)


def path_of(link: str, server: Server) -> str:
    assert link.startswith(f"{server.url}/alerts/{SITE}/alert?id=")
    return link.removeprefix(server.url)


def press(reader: Reader, *keys: str) -> None:
    ActionChains(reader.driver).send_keys(*keys).perform()


def tab_to(reader: Reader, wanted: str) -> None:
    """Presses Tab until the element with that id has the focus."""
    for _ in range(80):
        if reader.run("return document.activeElement.id") == wanted:
            return
        press(reader, Keys.TAB)
    raise AssertionError(f"Tab does not lead to {wanted}")


def says(reader: Reader, words: str) -> None:
    until(lambda: any(words in text for text in reader.texts(".ff-form-state")))


def history(reader: Reader, within: str) -> list[str]:
    """The steps, without their moments."""
    return [text.split(": ", 1)[1] for text in reader.texts(f"{within} details:last-of-type li")]


def test_from_the_link_of_a_mail_to_a_snooze_that_is_in_the_history(reader, server, mail):
    path = path_of(link_of(mail, "Snooze"), server)
    assert server.request("GET", path, headers={"Accept": "text/html"}).status == 302, "a mail scanner"
    reader.driver.get("about:blank")
    reader.command("Network.clearBrowserCookies")
    reader.open(path)
    reader.at_sign_in(path)
    reader.type("email", OWNER)
    reader.type("password", PASSWORD)
    press(reader, Keys.ENTER)
    reader.at(path)
    until(lambda: reader.run("return document.activeElement.id") == "snooze-1")
    assert reader.texts("h1") == [f"1 people on {SITE}"]
    assert history(reader, "#one-alert section:last-of-type") == ["fired (1)"], "opening it changed nothing"
    reader.looks_right()
    reader.shoot("one-alert")
    reader.click("#snooze-4")
    says(reader, "Snoozed")
    until(lambda: history(reader, "#one-alert section:last-of-type") == ["fired (1)", f"was snoozed (1), {OWNER}"])
    until(lambda: reader.run("return document.activeElement.id") == "snooze-0")
    reader.shoot("one-alert-snoozed")
    reader.open(f"/alerts/{SITE}")
    until(lambda: "Snoozed until" in " ".join(reader.texts("#alerts-open p")))
    assert history(reader, "#alerts-open") == ["fired (1)", f"was snoozed (1), {OWNER}"]


def test_on_a_phone_and_by_keyboard_the_snooze_is_ended_and_the_alert_acknowledged(reader, server, mail):
    with reader.sized(PHONE):
        reader.open(path_of(link_of(mail, "Snooze"), server))
        until(lambda: reader.run("return document.activeElement.id") == "snooze-1")
        assert reader.too_wide() == []
        small = """return [...document.querySelectorAll('#one-alert button')].map((b) => b.getBoundingClientRect())
            .filter((box) => box.height < 44 || box.left < 0 || box.right > innerWidth).length"""
        assert reader.run(small) == 0, "a finger hits every button"
        tab_to(reader, "snooze-0")
        press(reader, Keys.ENTER)
        says(reader, "The snooze is ended")
        until(lambda: reader.run("return document.activeElement.id") == "snooze-1")
        press(reader, Keys.TAB, Keys.TAB, Keys.TAB)
        assert reader.run("return document.activeElement.textContent") == "Acknowledge"
        press(reader, Keys.ENTER)
        says(reader, "Acknowledged")
        until(lambda: f"was acknowledged (1), {OWNER}" in history(reader, "#one-alert section:last-of-type"))
    assert reader.run("return document.querySelector('#tabs [aria-current]').textContent") == "Alerts"


def test_the_mail_has_no_link_that_acts_by_itself(server, mail):
    html = mail.get_body(("html",)).get_content()
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', html)]
    assert [link.partition("?id=")[0] for link in links] == [f"{server.url}/alerts/{SITE}/alert"] * 2
    text = mail.get_body(("plain",)).get_content()
    assert [link for link in links if link in text] == links


@contextmanager
def without_network(reader: Reader) -> Iterator[None]:
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    reader.command("Network.emulateNetworkConditions", offline=True, **conditions)
    try:
        yield
    finally:
        reader.command("Network.emulateNetworkConditions", offline=False, **conditions)


def show_mail(reader: Reader, html: str) -> None:
    """Opens the HTML of a mail as a mail program does: from nowhere."""
    reader.driver.get(f"data:text/html;charset=utf-8;base64,{b64encode(html.encode()).decode()}")


def test_the_mail_is_read_on_a_phone_without_a_network(reader, mail):
    reader.driver.get("about:blank")
    reader.requests()  # what the page before has asked for
    with without_network(reader):
        with reader.sized(PHONE):
            show_mail(reader, mail.get_body(("html",)).get_content())
            assert (reader.run("return innerWidth"), reader.too_wide()) == (PHONE[0], [])
            assert reader.texts("h1") == [f"1 people on {SITE}"]
            assert reader.texts("th, td")[2:8] == ["Priority", "high", "Severity", "critical", "Rule", "Crowd"]
            assert reader.texts("a") == ["Open in Footfall", "Snooze"]
            assert reader.run(FAINT) == []
            assert reader.run(SMALL) == []
        reader.shoot("mail")
    assert {address.partition(":")[0] for address in reader.requests()} == {"data"}


def test_a_mail_with_words_that_do_not_end_does_not_scroll_sideways(reader):
    long = "x" * 200
    covered = tuple(Covered(number, long, NOW, 1.5, "EUR", "still firing") for number in range(2))
    message = OutboundMessage("msg_1", "alert.firing", f"{long}.example", long, NOW, long, covered=covered)
    message = message._replace(link="https://example.com", link_label=long, open_url="https://example.net/alerts")
    with reader.sized(PHONE):
        show_mail(reader, html_of(message))
        assert reader.too_wide() == []
        assert reader.run(SMALL) == []


def test_quiet_hours_are_set_on_a_phone_by_keyboard(reader):
    with reader.sized(PHONE):
        reader.open("/account")
        until(lambda: reader.text("quiet-days"))
        assert reader.is_hidden("quiet-days")
        assert reader.is_hidden("quiet-digest_at")
        tab_to(reader, "quiet-on")
        press(reader, Keys.SPACE)
        until(lambda: not reader.is_hidden("quiet-days"))
        tab_to(reader, "quiet-day5")
        press(reader, Keys.SPACE)
        tab_to(reader, "quiet-digest")
        press(reader, "O", "n", "c", "e", " ", "a", " ", "w")
        until(lambda: not reader.is_hidden("quiet-digest_day"))
        assert reader.too_wide() == []
        tab_to(reader, "quiet-timezone")
        reader.type("quiet-timezone", "berlin")
        press(reader, Keys.ENTER)
        until(lambda: reader.run("return document.getElementById('quiet-timezone').value") == "Europe/Berlin")
    reader.open("/account")
    until(lambda: reader.text("quiet-days"))
    chosen = "return [...document.querySelectorAll('#quiet-days input')].map((box) => box.checked)"
    assert reader.run(chosen) == [True, True, True, True, True, False, True]
    assert reader.run("return document.getElementById('quiet-digest').value") == "weekly"
    reader.looks_right()
    reader.shoot("account")


def test_what_is_held_is_shown_with_its_moment_and_sent_now(reader, server, mailbox):
    for name, value in (("quiet-on", True), ("quiet-day5", True)):
        reader.open("/account")
        until(lambda: reader.text("quiet-days"))
        box = f"document.getElementById('{name}')"
        if reader.run(f"return {box}.checked") is not value:
            reader.run(f"{box}.click()")
    reader.run("document.getElementById('quiet-digest').value = 'daily'")
    reader.run("document.querySelector('form[data-form=quiet] [type=submit]').click()")
    until(lambda: any("Saved" in text for text in reader.texts("#quiet .ff-form-state")))
    before = len(mailbox.accepted)
    joined = event(f"event-{next(NUMBERS):05d}", site=SITE, name="Joined", user_name="Lena")
    assert server.collect(joined).status == 202
    reader.open("/account")
    until(lambda: "Lena joined" in " ".join(reader.texts("#held-now td")))
    assert len(mailbox.accepted) == before
    reader.looks_right()
    reader.shoot("account-held")
    reader.run("document.querySelector('form[data-form=quiet-now] [type=submit]').click()")
    until(lambda: [one[2]["Subject"] for one in mailbox.accepted[before:]] == [f"[{SITE}] Lena joined"], 20)
    until(lambda: rows(server.config, "SELECT count(*) FROM deliveries WHERE state = 'held'") == [(0,)])


def test_a_rule_on_events_is_snoozed_from_its_mail_on_a_phone_and_woken_in_the_list(reader, server, mailbox):
    (mail,) = (one for _, _, one in mailbox.accepted if "joined" in one["Subject"])
    link = link_of(mail, "Snooze")
    path = link.removeprefix(server.url)
    assert re.fullmatch(rf"/settings/{SITE}/rules\?snooze=\d+", path)
    with reader.sized(PHONE):
        reader.open(path)
        until(lambda: reader.run("return document.activeElement.id") == "snooze-1")
        assert reader.texts("#snooze") == ["Snooze Signups"]
        assert reader.too_wide() == []
        reader.looks_right()
        reader.shoot("rule-snooze")
        reader.click("#snooze-1")
        says(reader, "Snoozed")
        until(lambda: "Snoozed until" in " ".join(reader.texts(".ff-rule .ff-badge")))
        assert reader.too_wide() == []
        reader.shoot("rule-snoozed")
    reader.click(".ff-rule form[data-form=rule-snooze] button")
    says(reader, "The snooze is ended")
    until(lambda: "Snoozed until" not in " ".join(reader.texts(".ff-rule .ff-badge")))

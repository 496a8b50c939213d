"""A day's work of an admin: a rule is made from an example and tested, an event rings the bell, is read and stays read;
an alert is acknowledged, snoozed, and found in the history. With a mouse, by keyboard, and on a phone.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from reader import OWNER, PASSWORD, PHONE, Reader
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stream_server import until

from analytics.access import accounts
from analytics.base.config import Config
from analytics.notify import failed_rules, rules
from analytics.notify.rule_json import read
from analytics.storage.database import Database
from tests.support.factories import added_site
from tests.support.serving import SITE, Server, event, pageview, serving

NUMBERS = itertools.count(1)
FAILED = {"name": "Broken", "when": {"event": "Order"}, "notify": {"priority": "low", "title": "{name}"}}
TITLE = "{name}: {value} {currency}"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database, now = Database(config), int(time.time())
    site = added_site(database, SITE)
    accounts.add_person(
        database, OWNER, "owner", PASSWORD, now=now
    )  # what was notified before is no news for new people
    failed = rules.add(database, site.id, read(FAILED), now=now)
    failed_rules.switch_off_all(database, {failed.id: "it cannot be read"}, now=now)
    database.close()
    with serving(config) as running:
        yield running


def see(reader: Reader, path: str, heading: str) -> None:
    reader.open(path)
    until(lambda: heading in reader.texts("h1, h2"))


def says(reader: Reader, form: str, words: str) -> None:
    until(lambda: any(words in text for text in reader.texts(f"#{form} .ff-form-state, [data-state-of={form}]")))


def choose(reader: Reader, field: str, value: str) -> None:
    Select(reader.driver.find_element(By.ID, field)).select_by_value(value)


def send(reader: Reader, form: str) -> None:
    reader.run("document.querySelector(`form[data-form=${arguments[0]}] [type=submit]`).click()", form)


def press(reader: Reader, *keys: str) -> None:
    for key in keys:
        reader.driver.switch_to.active_element.send_keys(key)


def tab_to(reader: Reader, selector: str) -> None:
    """Presses Tab until an element of the selector has the focus."""
    for _ in range(120):
        if reader.run("return document.activeElement.matches(arguments[0])", selector):
            return
        press(reader, Keys.TAB)
    raise AssertionError(f"Tab does not lead to {selector}")


def value_of(reader: Reader, field: str) -> str:
    return str(reader.run("return document.getElementById(arguments[0]).value", field))


def is_listening(reader: Reader) -> bool:
    return bool(reader.run("return Boolean(document.querySelector('#bell[data-live=true]'))"))


def order(server: Server, value: float) -> None:
    sent = event(f"order-{next(NUMBERS):05d}", "Order", value=value, currency="EUR", user_name="Ann")
    assert server.collect(sent).status == 202


def unread(reader: Reader) -> str:
    return "".join(reader.texts("#bell .ff-unread"))


def notices(reader: Reader) -> list[list[object]]:
    """The titles in the open centre, and whether each is unread."""
    found: list[list[object]] = reader.run("""return [...document.querySelectorAll('#centre .ff-notice')].map(
        (row) => [row.querySelector('b').textContent, row.classList.contains('is-unread')])""")
    return found


def preview(reader: Reader, form: str = "rule-event") -> str:
    return " ".join(reader.texts(f"#{form}-preview"))


def test_a_rule_that_failed_is_in_the_bell_and_is_switched_on_again(reader):
    reader.open(f"/traffic/{SITE}")
    until(lambda: is_listening(reader))
    assert unread(reader) == "1"
    reader.click("#bell")
    until(lambda: notices(reader) == [["High: The rule “Broken” was switched off", True]])
    reader.run("document.querySelector('#centre .ff-notice .ff-link').click()")
    reader.at(f"/settings/{SITE}/rules#rule-1")
    until(lambda: "It failed: it cannot be read" in reader.texts("#rules small"))
    assert reader.texts("#rules tr:has(.ff-rule-wrong) .ff-badge") == ["Off"]
    reader.shoot("rule-failed")
    reader.looks_right()
    reader.click("#rules tr:has(.ff-rule-wrong) form[data-form=rule-switch] button")
    says(reader, "rule-switch", "Broken is on")
    until(lambda: not reader.texts("#rules .ff-rule-wrong"))
    until(lambda: unread(reader) == "")
    reader.run(
        "[...document.querySelectorAll('#rules tr')].find((row) => row.textContent.includes('Broken'))"
        ".querySelector('form[data-form=rule-remove] button').click()"
    )
    reader.click("#confirm-yes")
    says(reader, "rule-remove", "Broken is removed")


def test_a_rule_is_made_from_an_example_and_tested(reader, server):
    order(server, 250)
    see(reader, f"/settings/{SITE}/rules", "Rules")
    reader.shoot("rules")
    link = reader.driver.find_element(By.LINK_TEXT, "A payment over 100")
    link.click()
    until(lambda: "A new rule, from an example" in reader.texts("h2"))
    assert (value_of(reader, "rule-event-event"), value_of(reader, "rule-event-where")) == ("payment", "value > 100")
    until(lambda: "Payment of 149 EUR" in preview(reader))
    assert "this one is invented" in preview(reader)
    reader.type("rule-event-name", "Large orders")
    reader.type("rule-event-event", "Order")
    until(lambda: "Payment of 250 EUR" in preview(reader))
    assert "The newest event that matches" in preview(reader)
    reader.type("rule-event-title", "{price}")
    until(lambda: "unknown field {price}" in preview(reader))
    reader.type("rule-event-title", "Order of {value} {currency}")
    until(lambda: "Order of 250 EUR" in preview(reader))
    reader.shoot("rule-from-example")
    reader.looks_right()
    send(reader, "rule-event")
    says(reader, "rule-event", "The rule is saved")
    send(reader, "rule-event")  # again: it is the same rule
    until(lambda: reader.texts("#rules tr b").count("Large orders") == 1)
    send(reader, "rule-test")
    until(lambda: "It would have told of 1 event among the newest 1." in reader.texts("#rule-tested p"))
    until(lambda: reader.run("return document.activeElement.className") == "ff-rule-test")
    assert "Order of 250 EUR" in " ".join(reader.texts("#rule-tested"))
    reader.shoot("rule-tested")
    reader.looks_right()


def test_what_happens_rings_the_bell_and_stays_read(reader, server):
    reader.open(f"/traffic/{SITE}")
    until(lambda: is_listening(reader))
    order(server, 99)
    order(server, 120)
    until(lambda: reader.texts(".ff-toast b") == ["Medium: Order of 120 EUR"])
    assert unread(reader) == "1"
    tab_to(reader, "#bell")
    press(reader, Keys.ENTER)
    until(lambda: notices(reader)[:1] == [["Medium: Order of 120 EUR", True]])
    tab_to(reader, "#centre .ff-notice button")
    press(reader, Keys.SPACE)
    until(lambda: notices(reader)[:1] == [["Medium: Order of 120 EUR", False]])
    press(reader, Keys.ESCAPE)
    until(lambda: unread(reader) == "")
    reader.driver.refresh()
    until(lambda: is_listening(reader))
    assert unread(reader) == ""
    reader.click("#bell")
    until(lambda: notices(reader)[:1] == [["Medium: Order of 120 EUR", False]])


def test_a_rule_is_made_by_keyboard_on_a_phone(reader, server):
    with reader.sized(PHONE):
        see(reader, f"/settings/{SITE}/rules", "Rules")
        reader.looks_right()
        reader.shoot("rules-phone")
        tab_to(reader, "#rule-examples li:first-child a")
        press(reader, Keys.ENTER)
        until(lambda: "A new rule, from an example" in reader.texts("h2"))
        tab_to(reader, "#rule-event-event")
        press(reader, Keys.CONTROL + "a", "Joined")
        until(lambda: "New signup" in preview(reader))
        reader.looks_right()
        reader.shoot("rule-phone")
        press(reader, Keys.ENTER)
        says(reader, "rule-event", "The rule is saved")
        tab_to(reader, "form[data-form=rule-test] button")
        press(reader, Keys.ENTER)
        until(lambda: "It would have told of 0 events among the newest 3." in reader.texts("#rule-tested p"))
        reader.looks_right()
        reader.shoot("rule-tested-phone")
        until(lambda: is_listening(reader))
        joined = event(f"joined-{next(NUMBERS):05d}", "Joined", user_name="Lena")
        assert server.collect(joined).status == 202
        until(lambda: reader.texts(".ff-toast b") == ["Low: New signup"])
        tab_to(reader, "#bell")
        press(reader, Keys.ENTER)
        until(lambda: ["Low: New signup", True] in notices(reader))
        reader.looks_right()
        reader.shoot("centre-phone")
        press(reader, Keys.ESCAPE)


def test_a_rule_is_made_from_a_blank_form_which_is_blank_again(reader, server):
    see(reader, f"/settings/{SITE}/rules", "Rules")
    assert "A payment over 100" in " ".join(reader.texts("#rules td"))
    reader.type("rule-event-name", "More orders")
    reader.type("rule-event-event", "Order")
    reader.type("rule-event-where", "value > 100 EUR?")
    send(reader, "rule-event")
    says(reader, "rule-event", "Not saved")
    reader.type("rule-event-where", "value > 100")
    choose(reader, "rule-event-priority", "high")
    send(reader, "rule-event")
    says(reader, "rule-event", "The rule is saved")
    fields = ("name", "event", "where", "title", "message", "link")
    assert [value_of(reader, f"rule-event-{field}") for field in fields] == ["", "", "", TITLE, "", ""]
    until(lambda: "“Order” arrives and value > 100" in " ".join(reader.texts("#rules td")))


def test_a_rule_is_switched_off_and_removed(reader):
    see(reader, f"/settings/{SITE}/rules", "Rules")
    send(reader, "rule-switch")
    says(reader, "rule-switch", "is off")
    send(reader, "rule-remove")
    reader.click("#confirm-yes")
    says(reader, "rule-remove", "is removed")


def test_an_alert_is_acknowledged_snoozed_and_found_in_the_history(reader, server):
    see(reader, f"/settings/{SITE}/rules", "Rules")
    reader.type("rule-metric-name", "Crowd")
    choose(reader, "rule-metric-metric", "active_sessions")
    reader.type("rule-metric-threshold", "0")
    reader.type("rule-metric-minutes", "0")
    choose(reader, "rule-metric-severity", "critical")
    send(reader, "rule-metric")
    says(reader, "rule-metric", "The rule is saved")
    assert server.collect(pageview(f"page-{next(NUMBERS):05d}")).status == 202
    reader.open_live(SITE)
    until(lambda: "Active now" in " ".join(reader.texts("#alert-strip")) or reader.texts("#alert-strip b"))
    see(reader, f"/alerts/{SITE}", "Alerts")
    until(lambda: reader.texts("#alerts-open .ff-badge") == ["Critical"])
    reader.looks_right()
    reader.shoot("alerts")
    send(reader, "alert-acknowledge")
    says(reader, "alert-acknowledge", "Acknowledged")
    until(lambda: "Acknowledged by owner@example.com" in " ".join(reader.texts("#alerts-open p")))
    reader.run("document.querySelector('#alerts-open details:last-of-type').open = true")
    assert steps(reader, "#alerts-open") == ["fired (1)", "was acknowledged (1), owner@example.com"]
    tab_to(reader, "form[data-form=alert-snooze] button")
    press(reader, Keys.ENTER)
    says(reader, "alert-snooze", "Snoozed")
    reader.shoot("alert-snoozed")
    see(reader, f"/settings/{SITE}/rules", "Rules")
    assert "Firing" in reader.texts("#rules .ff-badge")
    send(reader, "rule-switch")
    says(reader, "rule-switch", "Crowd is off")
    reader.open(f"/alerts/{SITE}")
    until(lambda: is_over(reader), 30)
    reader.looks_right()
    reader.shoot("alert-over")
    with reader.sized(PHONE):
        reader.looks_right()
        reader.shoot("alert-over-phone")


def steps(reader: Reader, place: str) -> list[str]:
    return [text.split(": ", 1)[1] for text in reader.texts(f"{place} details:last-of-type li")]


def is_over(reader: Reader) -> bool:
    """Whether the alert is in the history of the page, which is opened again until then."""
    if "Crowd" in " ".join(reader.texts("#alerts-over")):
        return True
    reader.driver.refresh()
    until(lambda: "Alerts" in reader.texts("h1"))
    return False


def test_a_channel_is_added_and_one_that_leads_inwards_is_refused(reader):
    see(reader, f"/settings/{SITE}/channels", "Channels")
    choose(reader, "channel-kind", "webhook")
    reader.type("channel-to", "http://127.0.0.1:5432/")
    send(reader, "channel")
    says(reader, "channel", "Not saved")
    choose(reader, "channel-kind", "email")
    reader.type("channel-to", "ops@example.com")
    send(reader, "channel")
    says(reader, "channel", "is added")
    until(lambda: "ops@example.com" in " ".join(reader.texts("#channels td")))
    reader.looks_right()
    reader.shoot("channels")


def test_a_test_of_a_rule_is_sent_to_its_channels_which_answer(reader):
    see(reader, f"/settings/{SITE}/rules", "Rules")
    reader.driver.find_element(By.CSS_SELECTOR, "#rules tr:last-child a").click()
    until(lambda: "Change the rule" in reader.texts("h2"))
    reader.run("document.querySelector('form[data-form=rule-event] [name^=channel-]').click()")
    send(reader, "rule-event")
    says(reader, "rule-event", "The rule is saved")
    reader.click("#rules tr:last-child form[data-form=rule-test] button")
    until(lambda: "Send it as a test to email 1" in reader.texts("#rule-tested button"))
    reader.click("#rule-tested button")
    says(reader, "rule-send", "0 of 1 channel took it")
    assert reader.texts("#rule-tested li .ff-badge") == ["Failed"]
    assert "FOOTFALL_SMTP_URL" in " ".join(reader.texts("#rule-tested li small"))
    reader.looks_right()
    reader.shoot("rule-sent")

"""The page of rules: what it says while the rules take too long, and how a rule on events is snoozed from a message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.notify import rule_json, rules, unchecked_events
from analytics.notify.snooze import tomorrow

SITE, OTHER = "example.com", "other.example"
PAGE = f"/settings/{SITE}/rules"
SLOW = "The rules of this site take too long: 1,234 events since"
SIGNUP = {"name": "Signups", "when": {"event": "signup"}, "notify": {"priority": "low", "title": "Signup"}}
CROWD = {"name": "Crowd", "when": {"metric": "visitors", "above": 9}, "notify": {"priority": "low", "title": "Crowd"}}
HOUR = 3600


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path)) as house:
        for domain in (SITE, OTHER):
            house.add_site(domain)
        house.browsers["admin"] = house.join("admin@example.com", "owner")
        yield house


def add(house: House, rule: dict[str, object], site_id: int = 1) -> int:
    return rules.add(house.service.database, site_id, rule_json.read(rule), now=int(time.time())).id


def page(house: House, search: str = "") -> str:
    return house.call(house.browsers["admin"], "root.children", pathname=PAGE, search=search).text


def snoozed_until(house: House, number: int) -> int:
    return rules.get(house.service.database, number).snoozed_until


def test_it_says_how_many_events_no_rule_has_checked(house):
    assert SLOW not in page(house)
    unchecked_events.note(house.service.database, 1, 1_234, int(time.time()))
    assert SLOW in page(house)
    assert SLOW not in house.drawn(house.browsers["admin"], f"/settings/{OTHER}/rules")


def test_the_link_of_a_message_leads_to_the_buttons_that_snooze_and_changes_nothing(house):
    number = add(house, SIGNUP)
    shown = page(house, f"?snooze={number}")
    for said in ("Snooze Signups", "For 1 hour", "For 4 hours", "Until tomorrow, 09:00", '"autoFocus":true'):
        assert said in shown
    assert "End the snooze" not in shown
    assert snoozed_until(house, number) == 0


@pytest.mark.parametrize("of", ["another site", "a metric", "nothing", "text"])
def test_a_link_to_what_cannot_be_snoozed_shows_the_rules(house, of):
    known = {"another site": add(house, SIGNUP, 2), "a metric": add(house, CROWD)}
    shown = page(house, f"?snooze={known.get(of, {'nothing': 99, 'text': 'x'}.get(of))}")
    assert "For 1 hour" not in shown
    assert "From an example" in shown


def test_it_is_snoozed_for_hours_or_until_tomorrow_and_woken(house):
    number, admin, zone = add(house, SIGNUP), house.browsers["admin"], ZoneInfo("UTC")
    for value, until in (("1", lambda now: now + HOUR), ("tomorrow", lambda now: tomorrow(now, zone))):
        before = int(time.time())
        answer = house.send(admin, "rule-snooze", SITE, key=str(number), value=value)
        assert answer == {"message": "Snoozed"}
        assert until(before) <= snoozed_until(house, number) <= until(int(time.time()))
        assert "Snoozed until" in page(house)
        assert "End the snooze" in page(house)
        assert house.service.notifying.rules.event_rules(1)[-1].snoozed_until == snoozed_until(house, number)
    answer = house.send(admin, "rule-snooze", SITE, key=str(number), value="0")
    assert answer == {"message": "The snooze is ended"}
    assert snoozed_until(house, number) == 0
    assert "Snoozed until" not in page(house)


@pytest.mark.parametrize("value", ["", "2", "-1", "now"])
def test_only_what_the_buttons_say_is_a_snooze(house, value):
    number = add(house, SIGNUP)
    answer = house.send(house.browsers["admin"], "rule-snooze", SITE, key=str(number), value=value)
    assert answer["message"] == "hours: a whole number from 0 to 720"
    assert snoozed_until(house, number) == 0

"""The page Alerts: every open alert, and the history, 50 at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from house import CALLS, NOW, House, open_house
from sqlalchemy import insert, select

from analytics.base.config import Config
from analytics.notify.snooze import WAKE
from analytics.storage import schema
from layouts.pages import alerts as layout

SITE, OTHER = "example.com", "other.example"


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    """A site with one old open alert and 120 newer ones that are over, and another site with one."""
    with open_house(Config(data_dir=tmp_path)) as house:
        site_id, other_id = house.add_site(SITE), house.add_site(OTHER)
        add_alerts(house, site_id, "Old and open")
        add_alerts(house, site_id, *[f"Over {number}" for number in range(1, 121)], resolved_at=NOW + 60)
        add_alerts(house, other_id, "Of another site", resolved_at=NOW + 60)
        house.browsers["viewer"] = house.join("viewer@example.com", "viewer")
        yield house


def add_alerts(house: House, site_id: int, *titles: str, **values: int) -> None:
    row = {"site_id": site_id, "rule_id": 5, "severity": "error", "metric": "visitors", "fired_at": NOW, "told_at": NOW}
    with house.service.database.transaction() as connection:
        connection.execute(insert(schema.alerts), [row | {"title": title} | values for title in titles])


def over(*numbers: int) -> list[str]:
    return [f"Over {number}" for number in numbers]


def page(house: House) -> dict[str, Any]:
    """The page's components by id."""
    return by_id(json.loads(house.drawn(house.browsers["viewer"], f"/alerts/{SITE}")))


def by_id(drawn: Any) -> dict[str, Any]:
    return {one["props"]["id"]: one["props"] for one in components(drawn) if isinstance(one["props"].get("id"), str)}


def components(drawn: Any) -> Iterator[dict[str, Any]]:
    if isinstance(drawn, dict) and isinstance(drawn.get("props"), dict):
        yield drawn
    for one in drawn.values() if isinstance(drawn, dict) else drawn if isinstance(drawn, list) else ():
        yield from components(one)


def titles(drawn: Any, kind: str) -> list[str]:
    """The titles within the components of that kind: the links to alerts."""
    found = [one["props"]["children"] for one in components(drawn) if one["type"] == kind]
    return [one["props"]["children"] for one in found if isinstance(one, dict)]


def more(house: House, last: object) -> dict[str, Any]:
    """The answer to "Show more" below the alert with that id."""
    state = {"data-site": SITE, "data": last}
    answer = house.call(house.browsers["viewer"], "alerts-rows.children", n_clicks=1, **state)
    assert answer.status_code == 200, answer.text
    response: dict[str, Any] = answer.json["response"]
    return response


def tick(house: House, last: object, drawn: object = None) -> dict[str, Any]:
    """The answer to the interval of a page that was drawn with these versions."""
    state = {"data-site": SITE, "data": last}
    sent: Any = house.body(house.served["alerts-open.children"], n_intervals=1, **state)
    next(one for one in sent["state"] if isinstance(one, dict) and one["id"] == "alerts-drawn")["value"] = drawn
    answer = house.browsers["viewer"].post(CALLS, json=sent)
    assert answer.status_code == 200, answer.text
    response: dict[str, Any] = answer.json["response"]
    return response


def test_an_old_open_alert_is_shown_with_the_newest_50_that_are_over(house):
    shown = page(house)
    assert titles(shown["alerts-open"], "A") == ["Old and open"]
    assert titles(shown["alerts-rows"], "A") == over(*range(120, 70, -1))
    assert (shown["alerts-more"]["hidden"], shown["alerts-last"]["data"]) == (False, 72)


def test_show_more_reaches_the_end_and_the_first_of_what_came_gets_the_focus(house):
    last = page(house)["alerts-last"]["data"]
    found = []
    while last:
        answer = more(house, last)
        last = answer["alerts-last"]["data"]
        rows = titles(answer["alerts-rows"], "A")
        found.append((rows[0], rows[-1], len(rows), answer["alerts-focus"]["data"], answer["alerts-more"]["hidden"]))
    assert found == [("Over 70", "Over 21", 50, "alert-71", False), ("Over 20", "Over 1", 20, "alert-21", True)]


def test_the_list_is_drawn_again_as_far_back_as_it_is_shown(house):
    assert titles(tick(house, 72)["alerts-over"], "A") == over(*range(120, 70, -1))
    assert titles(tick(house, 22)["alerts-over"], "A") == over(*range(120, 20, -1))
    assert titles(tick(house, 0)["alerts-over"], "A") == over(*range(120, 0, -1))


def test_an_alert_that_ends_moves_to_the_history(house):
    with house.service.database.transaction() as connection:
        connection.execute(schema.alerts.update().where(schema.alerts.c.id == 1).values(resolved_at=NOW + 90))
    answer = tick(house, 0)
    assert titles(answer["alerts-open"], "A") == []
    assert titles(answer["alerts-over"], "A")[-1] == "Old and open"


def test_a_list_in_which_nothing_has_changed_is_not_drawn_again(house):
    drawn = page(house)["alerts-drawn"]["data"]
    assert set(tick(house, 72, drawn)) == {"alerts-drawn"}
    add_alerts(house, 1, "Short", resolved_at=NOW + 120)
    answer = tick(house, 72, drawn)
    assert set(answer) == {"alerts-over", "alerts-drawn"}
    assert titles(answer["alerts-over"], "A")[0] == "Short"
    assert set(tick(house, 72, answer["alerts-drawn"]["data"])) == {"alerts-drawn"}


def test_a_very_long_list_is_left_as_it_is(house):
    add_alerts(house, 1, *over(*range(121, 202)), resolved_at=NOW + 60)
    assert "alerts-over" not in tick(house, 0)
    assert titles(tick(house, 22)["alerts-over"], "A")[-1] == "Over 21"


@pytest.mark.parametrize("last", [None, "72", [], {}, -1, 1.5, 2**31, 10**30, True])
def test_what_no_page_keeps_shows_no_more(house, last):
    answer = more(house, last)
    assert titles(answer["alerts-rows"], "A") == []
    assert (answer["alerts-more"]["hidden"], "alerts-focus" in answer) == (True, False)
    assert tick(house, last)["alerts-over"]


def test_a_snoozed_alert_says_so_in_the_strip_and_its_snooze_is_ended_in_the_list(house):
    admin, now = house.join("snoozer@example.com", "admin"), int(time.time())
    add_alerts(house, house.service.sites.get(SITE).id, "Snoozed one", fired_at=now, snoozed_until=now + 600)
    with house.service.database.read() as connection:
        wanted = select(schema.alerts.c.id).where(schema.alerts.c.title == "Snoozed one")
        number = connection.execute(wanted).scalar_one()
    strip = house.call(admin, "alert-strip.children", n_intervals=1, **{"data-site": SITE}).text
    assert '"snoozed"' in strip
    answer = house.send(admin, layout.SNOOZE, SITE, key=str(number), hours="1", value=WAKE)
    assert answer["message"] == "The snooze is ended"
    assert '"snoozed"' not in house.call(admin, "alert-strip.children", n_intervals=1, **{"data-site": SITE}).text

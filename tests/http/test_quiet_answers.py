"""What pages ask again and again: never twice at once, and nothing is sent where nothing changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from house import CALLS, House, open_house

from analytics.base.config import Config
from collector.ingest.outcomes import Stored
from tests.support.factories import HOME, accepted, stored

SITE = "example.com"


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path / "data", active_window_s=600)) as house:
        house.add_site(SITE)
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        yield house


def come(house: House, *people: int) -> None:
    site_id, now = house.service.sites.get(SITE).id, int(time.time()) - 5
    views = [
        accepted(page_id=f"page-{n:04}", visitor=n, path=f"/{n % 9}", origin=HOME, site_id=site_id, at=now)
        for n in people
    ]
    house.service.hub.publish([one for one in stored(house.service.database, *views) if isinstance(one, Stored)])


def test_every_interval_is_stopped_while_its_question_is_under_way(house):
    ticks, guarded = set(), set()
    for callback in house.app._callback_list:
        ticks |= {one["id"] for one in callback["inputs"] if one["property"] == "n_intervals"}
        running = json.dumps(callback.get("running") or {}, default=str)
        guarded |= {one["id"] for one in callback["inputs"] if f"{one['id']}.disabled" in running}
    assert ticks == guarded
    assert ticks == {
        "tick",
        "activity-tick",
        "rewind-tick",
        "overview-tick",
        "concurrents-tick",
        "sites-tick",
        "traffic-tick",
        "alert-tick",
        "alerts-tick",
        "one-alert-tick",
        "watch-tick",
    }


@pytest.mark.parametrize(
    "path",
    [
        *("/sites", f"/settings/{SITE}/database"),
        *(f"/{one}/{SITE}" for one in ("live", "overview", "concurrents", "traffic", "alerts")),
    ],
)
def test_every_page_names_the_intervals_that_start_again_after_a_call_that_failed(house, path):
    come(house, 1)
    page = house.drawn(house.browsers["owner"], path)
    named = {name for names in _values(json.loads(page), "data-ticks") for name in names.split()}
    intervals = {props["id"] for props in _components(json.loads(page), "Interval")}
    assert named == intervals
    assert len(intervals) == {"/sites": 2, f"/live/{SITE}": 4}.get(path, 1)


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(one)


def _values(page: Any, name: str) -> list[str]:
    return [node[name] for node in _walk(page) if name in node]


def _components(page: Any, kind: str) -> list[dict[str, Any]]:
    return [node["props"] for node in _walk(page) if node.get("type") == kind]


# ───────── Live ─────────


def redraw(house: House, **nudge: Any) -> Any:
    answer = house.call(
        house.browsers["owner"], "active-now.children", data={"search": "", "at": 0, **nudge}, **{"data-site": SITE}
    )
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def test_live_gets_only_the_parts_that_are_not_as_its_last_answer_had_them(house):
    come(house, *range(1, 40))
    first = redraw(house)
    had = first["fallback"]["data"]["parts"]
    assert {"pages", "sources", "map", "trend-figure", "world-figure"} <= set(first)

    quiet = redraw(house, had=had)
    assert set(quiet) - {"trend-figure"} == {"fallback", "rewind", "live"}, "a minute may have passed"
    assert "events" not in quiet["fallback"]["data"]
    assert quiet["fallback"]["data"]["stats"]["active_sessions"] == 39
    assert len(json.dumps(quiet)) < len(json.dumps(first)) / 2

    come(house, 40)
    after = redraw(house, had=quiet["fallback"]["data"]["parts"])
    assert after["active-now"]["children"] == "40"
    assert {"pages", "trend-figure", "world-figure", "split"} <= set(after)
    assert len(after["fallback"]["data"]["events"]) == len(first["fallback"]["data"]["events"])
    assert "trend-of" not in after


@pytest.mark.parametrize("had", [None, 7, [], "pages", {"pages": 7}, {"pages": ["x"]}])
def test_live_sends_everything_for_digests_that_no_page_has(house, had):
    come(house, 1)
    assert {"active-now", "pages", "world-figure", "trend-of"} <= set(redraw(house, had=had))


# ───────── Concurrents ─────────


def draw(house: House, day: date | None, drawn: object, by: str = "concurrents-tick.n_intervals") -> Any:
    """The answer's parts by id; None where nothing is sent."""
    search = f"?day={day}" if day else ""
    output = house.served["concurrents-day.children"]
    body = house.body(output, search=search, data=drawn, **{"data-site": SITE}) | {"changedPropIds": [by]}
    answer = house.browsers["owner"].post(CALLS, json=body)
    assert answer.status_code in (200, 204), answer.text
    return answer.json["response"] if answer.status_code == 200 else None


def drawn_of(house: House, day: date | None) -> Any:
    """What the page has when the whole day is counted."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        answer = draw(house, day, None, "url.search")
        if answer["concurrents-tick"]["interval"] > 1000:
            return answer
    raise AssertionError("the day is still being counted")


def test_a_day_that_is_over_is_not_drawn_again(house):
    come(house, 1, 2)
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    first = drawn_of(house, yesterday)
    kept = first["concurrents-drawn"]["data"]
    assert draw(house, yesterday, kept) is None
    before = yesterday - timedelta(days=1)
    full = drawn_of(house, before)
    of_another_day = {name: full[name] for name in ("concurrents-head", "concurrents-drawn")}
    assert draw(house, before, kept) == of_another_day, "what is not the same on both days"
    after_midnight = {"concurrents-drawn": first["concurrents-drawn"]}
    assert draw(house, yesterday, {**kept, "over": "2026-01-01"}) == after_midnight, "today has another date"


def test_of_today_nothing_is_sent_that_is_the_same(house):
    come(house, 1, 2)
    first = drawn_of(house, None)
    again = draw(house, None, first["concurrents-drawn"]["data"])
    assert set(again) <= {"concurrents-drawn", "concurrents-day", "day-figure", "day-words", "day-table"}
    if datetime.now(UTC).second > 5:  # else a minute may have passed
        assert set(again) == {"concurrents-drawn"}


@pytest.mark.parametrize("drawn", [None, 7, "x", [], {"parts": 7}, {"parts": {"table": 7}, "over": []}])
def test_everything_is_sent_for_what_no_page_keeps(house, drawn):
    come(house, 1)
    assert "concurrents-day" in draw(house, None, drawn)

"""The answers of the callbacks to a request for a second of the past, and for a day."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from house import House, open_house

from analytics.base.config import Config
from tests.support.factories import beat, keep_beats

SITE = "example.com"
HOUR, DAY = 3600, 86_400


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """A site with five people an hour ago and an owner who looks at it."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        site_id = house.add_site(SITE)
        then = int(time.time()) - HOUR
        some = [beat(n, at=then, nth=n, site_id=site_id, visit_id=n + 1, path="/then") for n in range(5)]
        keep_beats(house.service.database, some)
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        yield house


def asked(house: House, data: object) -> dict:
    """What the page gets, by the id of the part."""
    answer = house.call(house.browsers["owner"], "active-now.children", **{"data": data, "data-site": SITE})
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def test_a_second_of_the_past_is_told_with_its_figures_and_named_in_the_same_answer(house):
    at = int(time.time()) - HOUR + 10
    parts = asked(house, {"at": at})
    assert (parts["active-now"]["children"], parts["rewind"]["data-at"]) == ("5", str(at))
    parts["fallback"]["data"].pop("parts")  # digests
    assert parts["fallback"]["data"] == {"at": at, "active": 5, "events": [], "asked": at, "filters": ""}
    assert "/then" in json.dumps(parts["pages"])


def test_what_is_no_second_of_the_past_is_now(house):
    for data in (None, 7, "x", [], {}, {"at": None}, {"at": "x"}, {"at": 1.5}, {"at": []}, {"at": 0}, {"at": -5}):
        parts = asked(house, data)
        assert (parts["active-now"]["children"], parts["rewind"]["data-at"]) == ("0", "")
    for at in (int(time.time()) + HOUR, 10**30):
        parts = asked(house, {"at": at})
        assert (parts["rewind"]["data-at"], parts["fallback"]["data"]["asked"]) == ("", at)


def test_one_goes_back_a_day_and_no_further(house):
    before = int(time.time())
    oldest = int(asked(house, {"at": before - DAY - 60})["rewind"]["data-at"])
    assert before - DAY <= oldest <= int(time.time()) - DAY, "the slider was drawn a minute ago"
    for at in (1, before - DAY - HOUR):
        parts = asked(house, {"at": at})
        assert (parts["rewind"]["data-at"], parts["fallback"]["data"]["asked"]) == ("", at)


def test_the_address_has_the_second_until_the_request_has_another(house):
    at = int(time.time()) - HOUR + 10
    search = f"?at=1&at={at}&at="
    assert asked(house, {"search": search})["rewind"]["data-at"] == str(at)
    assert asked(house, {"search": search, "at": at + 5})["rewind"]["data-at"] == str(at + 5)
    assert asked(house, {"search": search, "at": 0})["rewind"]["data-at"] == ""
    assert said_of(house, search) == "[]"
    owner = house.browsers["owner"]
    file = owner.get(f"/live/{SITE}/places.csv{search}")
    assert (file.status_code, file.text.count("\n")) == (200, 2), "the places of that second"
    assert owner.get(f"/live/{SITE}/places.csv?at=5").status_code == 400


def said_of(house: House, search: object) -> str:
    """What the toolbar says of the address, as JSON."""
    answer = house.call(house.browsers["owner"], "live-chips.chips", **{"search": search, "data-site": SITE})
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json["response"]["live-wrong"]["children"])


@pytest.mark.parametrize("wrong", ["5", "0", "-1", "yesterday", "<b>", "9" * 12, "9" * 5_000, "\u0663", "1.5"])
def test_a_second_that_is_none_is_now_and_the_toolbar_says_so(house, wrong):
    search = f"?at={wrong}"
    assert asked(house, {"search": search})["rewind"]["data-at"] == ""
    line = json.loads(said_of(house, search))[0]["props"]["children"][1]["props"]["children"]
    assert line[0] == (f"This moment is left out: Live shows now. Second {wrong[:40]!r}: none of the last 24 hours. ")
    assert (line[1]["props"]["change"], line[1]["props"]["children"]) == ("at=", "Remove it")


def test_filters_and_second_are_said_to_be_wrong_each_on_a_line_of_its_own(house):
    said = said_of(house, "?at=5&filters=[")
    assert said.index("These filters are left out") < said.index("This moment is left out")


def test_the_slider_begins_with_the_first_beat_and_its_line_has_a_point_each_five_minutes(house):
    answer = house.call(house.browsers["owner"], "rewind-track.data-line", **{"data-site": SITE})
    line = json.loads(answer.json["response"]["rewind-track"]["data-line"])
    assert abs(line["since"] - (time.time() - HOUR)) < 60
    assert (len(line["people"]), max(line["people"]), line["people"][0]) == (288, 5, -1)


@pytest.mark.parametrize(
    ("search", "text"),
    [
        (None, "so far"),
        ("", "so far"),
        ("?day=2020-02-29", "Nothing known of this day"),
        ("?day=2020-02-30", "No such day"),
        ("?day=0001-01-01", "Give a day from 1971-01-01 to 2099-12-31."),
        ("?day=" + "9" * 10_000, "No such day"),
        (["?day=2020-01-01"], "so far"),
        ("?day=" + str((datetime.now(UTC) + timedelta(days=2)).date()), "Still to come"),
    ],
)
def test_a_day_is_shown_or_said_to_be_none(house, search, text):
    answer = house.call(house.browsers["owner"], "concurrents-day.children", **{"search": search, "data-site": SITE})
    assert answer.status_code == 200
    assert text in answer.text
    assert len(answer.text) < 40_000


@pytest.mark.parametrize(
    "relayout",
    [
        None,
        [],
        {"xaxis.range[0]": float("inf"), "xaxis.range[1]": "2026-11-20 13:00"},
        {"xaxis.range[0]": "9999-12-31", "xaxis.range[1]": "9999-12-31"},
        {"xaxis.range": ["x"] * 100_000},
    ],
)
def test_a_range_that_no_reader_can_have_chosen_changes_nothing(house, relayout):
    given = {"relayoutData": relayout, "search": "", "data-site": SITE}
    answer = house.call(house.browsers["owner"], "day-range.children", **given)
    assert answer.status_code == 400 or (answer.status_code, answer.json["response"]) == (200, {})

"""The Live page with filters in its address: what its callbacks answer."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.live.state import Concurrency
from callbacks.pages import live
from collector.ingest.outcomes import Stored
from tests.support.factories import HOME, accepted, stored
from tests.support.serving import eventually

SITE = "example.com"
PORTO = HOME._replace(source="", country="PT", city="Porto", lat=41.1, lon=-8.6)


def filters(*given: object) -> str:
    return "?" + urlencode({"filters": json.dumps(given)})


PORTUGAL, NOWHERE = filters(["is", "country", ["PT"]]), filters(["is", "country", ["JP"]])


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """A site with three people, two from Portugal, and an owner who looks at it."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), active_window_s=600)) as house:
        site_id, now = house.add_site(SITE), int(time.time()) - 5
        common = {"site_id": site_id, "at": now}
        come = [
            accepted(page_id="page-0001", visitor=1, path="/blog", user_id="ann", user_type="supplier", **common),
            accepted(page_id="page-0002", visitor=2, path="/blog", origin=PORTO, **common),
            accepted(page_id="page-0003", visitor=3, path="/pricing", origin=PORTO, **common),
        ]
        house.service.hub.publish([one for one in stored(house.service.database, *come) if isinstance(one, Stored)])
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        yield house


def called(house: House, output: str, **given: Any) -> Any:
    answer = house.call(house.browsers["owner"], output, **given, **{"data-site": SITE})
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def drawn(house: House, search: object, **nudge: Any) -> Any:
    """What the page gets, by the id of the part."""
    return called(house, "active-now.children", data={"search": search, **nudge})


def paths(parts: Any) -> set[str]:
    return {event["path"] for event in parts["fallback"]["data"]["events"]}


@pytest.mark.parametrize("at", [0, -1])
@pytest.mark.parametrize("fresh", [True, False])
def test_everything_counts_only_the_people_who_match(house, at, fresh):
    parts = drawn(house, PORTUGAL, at=int(time.time()) + at if at else 0, fresh=fresh)
    assert parts["active-now"]["children"] == "2"
    assert parts["live"]["data-filters"] == '[["is", "country", ["PT"]]]' == parts["fallback"]["data"]["filters"]
    assert (paths(parts), parts["fallback"]["data"]["active"]) == ({"/blog", "/pricing"}, 2)
    assert '"All visitors"' in json.dumps(parts["facts"])
    assert '" 67% match"' in json.dumps(parts["facts"])
    assert parts["user-types"]["children"] == []
    assert parts["trend-of"]["children"] == "all visitors, each minute"
    assert "Germany" not in json.dumps(parts["map"])
    line = parts["trend-figure"]["figure"]["data"][0]["y"]
    assert line[-1] == 3, "the line is of all"


def test_without_filters_everybody_is_counted(house):
    for search in ("", "?wall=1", None, 7, ["?filters=x"], filters()):
        parts = drawn(house, search)
        assert (parts["active-now"]["children"], parts["trend-of"]["children"]) == ("3", "active, each minute")
        assert paths(parts) == {"/blog", "/pricing"}


def file_of_places(house: House, search: str) -> list[list[str]]:
    answer = house.browsers["owner"].get(f"/live/{SITE}/places.csv{search}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_the_places_on_the_map_are_a_file_of_the_people_who_match(house):
    heads, porto = ["Place", "Country", "People"], ["Porto, Portugal", "PT", "2"]
    everybody = file_of_places(house, "?wall=1")
    assert everybody[:2] == [heads, porto]
    assert [row[1:] for row in everybody[2:]] == [["DE", "1"]]
    assert file_of_places(house, PORTUGAL) == [heads, porto]
    assert file_of_places(house, NOWHERE) == [heads]
    wrong = house.browsers["owner"].get(f"/live/{SITE}/places.csv{filters(['is', 'nothing', ['x']])}")
    assert wrong.status_code == 400


def test_the_line_on_show_is_a_file_of_everybody_before_midnight_too(house, monkeypatch):
    site, midnight = house.service.sites.get(SITE), 1_796_083_200  # 1 December 2026 in UTC
    state = replace(house.service.hub.state(site.id), at=midnight + 65)
    minutes = tuple((midnight + nth * 60, 7 + nth % 2) for nth in range(-40, 2))
    monkeypatch.setattr(house.service.hub, "state", lambda _site_id: state)
    monkeypatch.setattr(house.service.history, "read", lambda _site, _now: Concurrency(minutes, None, None))
    answer = house.browsers["owner"].get(f"/live/{SITE}/minutes.csv{PORTUGAL}")
    name = answer.headers["Content-Disposition"].rpartition("=")[2]
    assert re.fullmatch(r"example\.com-minutes-\d{4}-\d\d-\d\d-\d{4}\.csv", name)
    heads, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert heads == ["Time", "People"]
    assert (rows[0], rows[-1]) == (["2026-11-30T23:32:00+00:00", "7"], ["2026-12-01T00:01:05+00:00", "3"])
    assert [int(people) for _at, people in rows] == [*(7 + nth % 2 for nth in range(-28, 2)), 3]


def test_nobody_who_matches_is_said_so(house):
    parts = drawn(house, NOWHERE)
    assert (parts["active-now"]["children"], paths(parts)) == ("0", set())
    for part in ("pages", "sources", "map"):
        assert "Nobody here matches the filters" in json.dumps(parts[part])


def toolbar(house: House, search: object) -> tuple[list[str], str]:
    parts = called(house, "live-chips.chips", search=search)
    wrong = parts["live-wrong"]["children"]
    return [f"{one['about']} {one['value']}" for one in parts["live-chips"]["chips"]], json.dumps(
        wrong
    ) if wrong else ""


@pytest.mark.parametrize(
    ("search", "why"),
    [
        (filters(["is", "browser", ["Firefox"]]), "The people who are here now cannot be filtered by browser: page"),
        (filters(["is", "colour", ["red"]]), "Dimension 'colour': page"),
        (filters(["likes", "page", ["/"]]), "Operator 'likes'"),
        (filters(["has_done", ["is", "page", ["/"]]]), "What was done before is no filter"),
        (filters(["matches", "page", [f"/{n}*" for n in range(21)]]), "At most 20 patterns filter the people"),
        ("?filters=[", "Filters are JSON like"),
        (f"?filters={'[' * 20_000}", "A question has at most"),
    ],
)
def test_filters_that_make_no_sense_are_left_out_and_the_toolbar_says_why(house, search, why):
    chips, wrong = toolbar(house, search)
    assert chips == []
    assert "These filters are left out: everybody is shown. " + why in wrong
    parts = drawn(house, search)
    assert parts["active-now"]["children"] == "3"


def test_chips_are_those_of_the_address(house):
    several = filters(["is", "country", ["PT", "Germany"]], ["is_not", "signed_in", ["yes"]])
    assert toolbar(house, several) == (["Country is any of Portugal, Germany", "Signed in is not yes"], "")
    assert toolbar(house, "") == toolbar(house, None) == ([], "")


def suggested(house: House, name: str, text: str = "", search: str = "") -> list[tuple[str, str]]:
    found = called(house, "live-filter.suggestions", asked={"by": name, "text": text, "search": search})
    return [(one["label"], one["number"]) for one in found["live-filter"]["suggestions"]["values"]]


def test_values_of_the_people_who_are_here_are_suggested(house):
    assert suggested(house, "country")[:3] == [("Portugal", "2"), ("Germany", "1"), ("Afghanistan", "")]
    assert suggested(house, "source") == [("Direct / None", "2"), ("Google", "1")]
    assert suggested(house, "page", "PRI") == [("/pricing", "1")]
    assert suggested(house, "page", "", PORTUGAL) == [("/blog", "1"), ("/pricing", "1")]
    assert suggested(house, "user_type") == [("(none)", "2"), ("supplier", "1")]
    assert suggested(house, "signed_in") == [("no", "2"), ("yes", "1")]
    for asked in (None, {"by": "browser", "text": "", "search": ""}, {"by": "page", "text": 1, "search": ""}):
        answer = house.call(house.browsers["owner"], "live-filter.suggestions", **{"asked": asked, "data-site": SITE})
        assert answer.status_code == 400, asked


def test_todays_row_and_its_links_have_the_filters(house):
    def of_people(search: str, people: int) -> dict[str, Any]:
        """The first number, once it counts so many: the replica may not have followed yet."""
        text = dict(parse_qsl(search.removeprefix("?"))).get("filters", "")
        stat = called(house, "today.stats", data=text)["today"]["stats"][0]
        return stat if stat["value"] == str(people) else {}

    stat = eventually(lambda: of_people(PORTUGAL, 2))
    assert stat["label"] == "Visitors today"
    assert stat["href"].endswith(
        "period=today&metric=visitors&filters=%5B%5B%22is%22%2C%22country%22%2C%5B%22PT%22%5D%5D%5D"
    )
    assert eventually(lambda: of_people("", 3))


def test_todays_row_says_so_when_it_cannot_be_read(house, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(live, "read_overview", fail)
    answer = called(house, "today.stats", search="")
    assert answer["today"]["stats"] == []
    assert "Today could not be read" in json.dumps(answer["today-failed"]["children"])


def test_the_table_of_places_is_filtered_and_that_of_minutes_is_of_all(house):
    nudge = {"search": PORTUGAL, "at": 0}
    places = json.dumps(called(house, "world-table.children", data=nudge, n_clicks=1))
    assert "Porto" in places
    assert "Berlin" not in places
    assert '"3"' in json.dumps(called(house, "trend-table.children", data=nudge, n_clicks=1))


def test_a_text_that_no_field_holds_is_not_looked_up(house):
    given = {"asked": {"by": "page", "text": "ü." * 200, "search": ""}, "data-site": SITE}
    assert house.call(house.browsers["owner"], "live-filter.suggestions", **given).status_code == 400

"""Saving and removing segments and notes over the forms of the Overview."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.query import segments
from analytics.query.filters import Match
from analytics.sites import notes

SITE = "example.com"
GERMANY = '[["is","country",["DE"]]]'


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path, columnar=False)) as house:
        site = house.add_site(SITE)
        for role in ("viewer", "admin"):
            house.browsers[role] = house.join(f"{role}@example.com", role, [site])
        yield house


def save(house: House, who: str, name: str = "Germany", filters: str = GERMANY, **fields: str) -> dict:
    return house.send(house.browsers[who], "segment", SITE, name=name, filters=filters, **fields)


def menu(house: House, who: str, question: str = "") -> str:
    values = {"data-site": SITE, "search": f"?{question}"}
    answer = house.call(house.browsers[who], "overview-wrong.children", **values)
    shown = answer.json["response"]
    return json.dumps([shown["overview-segments-list"]["children"], shown["segment"]["hidden"]])


def test_a_viewer_saves_segments_of_their_own(house):
    assert menu(house, "viewer") == "[[], true]"
    assert menu(house, "viewer", f"filters={GERMANY}") == "[[], false]"
    assert save(house, "viewer") == {"message": "Germany is saved", "clear": True}
    assert "Germany" in menu(house, "viewer")
    assert "Germany" not in menu(house, "admin")


def test_what_is_everybodys_an_admin_saves_and_removes(house):
    answer = house.call(
        house.browsers["viewer"],
        "segment-answer.data-answer",
        **{"data": {"number": 1, "fields": {"name": "a", "filters": GERMANY, "shared": "on"}}, "data-site": SITE},
    )
    assert answer.status_code == 403
    assert save(house, "admin", shared="on") == {"message": "Germany is saved", "clear": True}
    (one,) = segments.of_site(house.service.database, 1, 0)
    assert one.filters == (Match("is", "country", ("DE",)),)
    refused = house.send(house.browsers["viewer"], "segment-remove", SITE, key=str(one.id))
    assert refused["message"] == "that segment is not here any more, or not yours to remove"
    result = house.send(house.browsers["admin"], "segment-remove", SITE, key=str(one.id))
    assert result == {"message": "Germany is removed"}


@pytest.mark.parametrize("filters", ["", "{", "[" * 9_000, '[["is","colour",["red"]]]', "[]"])
def test_what_is_no_filter_is_not_saved(house, filters):
    assert save(house, "viewer", filters=filters)["message"]
    assert segments.of_site(house.service.database, 1, 0) == []


def test_an_admin_writes_into_the_chart_and_takes_it_away(house):
    assert house.send(house.browsers["admin"], "note", SITE, day="2026-11-01", text="Version 2") == {
        "message": "The note is in the chart",
        "clear": True,
    }
    wrong = house.send(house.browsers["admin"], "note", SITE, day="never", text="")
    assert wrong["wrong"].keys() == {"day", "text"}
    (one,) = notes.of_site(house.service.database, 1, date(2026, 11, 1), date(2026, 11, 1))
    answer = house.send(house.browsers["admin"], "note-remove", SITE, key=str(one.id))
    assert answer == {"message": "The note is removed"}

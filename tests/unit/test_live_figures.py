"""The figures of the Live page: each is one that plotly knows, and shows what is true."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from plotly.graph_objects import Figure

from analytics.live.state import PlaceCount
from layouts.figures import active_minutes, places_map

BERLIN = ZoneInfo("Europe/Berlin")
AT = 1_795_181_528  # Fri 20 Nov 2026, 14:32:08 in Berlin
NEW_YORK, GERMANY = PlaceCount("US", "New York", 40.71, -74, 1_037), PlaceCount("DE", "", 51.2, 10.4, 32)


# ───────── the line ─────────


def test_the_line_is_the_last_half_hour_and_this_moment_on_the_sites_clock():
    points = active_minutes.points(((AT - 1_801, 9), (AT - 120, 3), (AT - 60, 5)), AT, 8)
    line, now = Figure(active_minutes.figure(points, BERLIN)).data
    assert list(zip(line.x, line.y, strict=True)) == [
        ("2026-11-20 14:30:08", 3),
        ("2026-11-20 14:31:08", 5),
        ("2026-11-20 14:32:08", 8),
    ]
    assert (now.x, now.y) == (("2026-11-20 14:32:08",), (8,))


@pytest.mark.parametrize("people", [0, 3, 5_000])
def test_its_scale_begins_at_0_and_holds_the_highest_point(people):
    low, high = active_minutes.figure([(AT, people)], BERLIN)["layout"]["yaxis"]["range"]
    assert low == 0
    assert high >= max(4, people)


def test_minutes_that_are_not_known_are_a_gap():
    line = active_minutes.figure([(AT - 900, 3), (AT, 8)], BERLIN)["data"][0]
    assert line["y"] == [3, None, 8]


def test_the_line_in_words():
    assert (
        active_minutes.words([(AT - 60, 1_200), (AT, 8)])
        == "Active people in each of the last 30 minutes: from 1,200 to 8, between 8 and 1,200."
    )
    alone = active_minutes.words([(AT - 60, 1), (AT, 1)])
    assert alone == "Active people in each of the last 30 minutes: 1 all the time."


# ───────── the map ─────────


def test_places_are_dots_with_names_and_people_the_largest_below():
    rings = Figure(places_map.figure((GERMANY, NEW_YORK))).data[1]
    assert rings.text == ("New York, United States · <b>1,037 people</b>", "Germany · <b>32 people</b>")
    assert (rings.lat, rings.lon) == ((40.71, 51.2), (-74, 10.4))


def test_the_name_of_a_city_is_text():
    hostile = PlaceCount("DE", "<b>X</b><a href='//e'>&amp;", 1, 1, 1)
    rings = places_map.figure((hostile,))["data"][1]
    assert rings["text"] == ["&lt;b&gt;X&lt;/b&gt;&lt;a href='//e'&gt;&amp;amp;, Germany · <b>1 person</b>"]


@pytest.mark.parametrize("most", [1, 7, 446, 1_037, 1_000_000])
def test_areas_are_proportional_to_people_on_one_scale(most):
    a_person = places_map.diameter(most, most) ** 2 / most
    assert places_map.diameter(most, most) <= places_map.MAX_PX
    for people in (1, most // 3, most // 2):
        d = places_map.diameter(people, most)
        assert d == pytest.approx(max(places_map.MIN_PX, (people * a_person) ** 0.5), abs=0.1)


@pytest.mark.parametrize(
    ("most", "rounds"),
    [(1, [1]), (2, [1, 2]), (7, [1, 5]), (32, [1, 5, 20]), (1_037, [50, 200, 1_000]), (5_000, [200, 1_000, 5_000])],
)
def test_the_legend_comes_from_the_data(most, rounds):
    assert places_map.legend(most) == rounds


def test_a_bounded_number_of_places_is_drawn():
    many = tuple(PlaceCount("DE", f"Town {n}", 51, 10, n) for n in range(5_000))
    rings = places_map.figure(many)["data"][1]
    assert (len(rings["lat"]), rings["text"][0]) == (120, "Town 4999, Germany · <b>4,999 people</b>")


@pytest.mark.parametrize(
    ("many", "said"),
    [
        (0, ""),
        (120, ""),
        (121, "Dots: the 120 largest of 121 places"),
        (5_000, "Dots: the 120 largest of 5,000 places"),
    ],
)
def test_a_map_without_dots_for_the_smallest_places_says_so(many, said):
    assert places_map.left_out([PlaceCount("DE", f"Town {n}", 51, 10, n) for n in range(many)]) == said


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ((), "Nobody is on the map."),
        ((GERMANY,), "32 people in 1 place; most in Germany: 32."),
        ((GERMANY, NEW_YORK), "1,069 people in 2 places; most in New York, United States: 1,037."),
    ],
)
def test_the_map_in_words(places, said):
    assert places_map.words(places) == said


def test_a_map_without_people_is_a_map():
    assert Figure(places_map.figure(())).layout.geo.projection.type == "natural earth"

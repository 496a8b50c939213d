"""Places on the live map."""

from __future__ import annotations

import pytest

from layouts.components.world import diameter, position


def test_new_york_stands_where_the_drawing_has_it():
    left, top = position(40.7, -74)
    assert (round(left, 1), round(top, 1)) == (28.3, 28.1)


def test_eleven_degrees_east_is_the_middle_line_at_every_latitude():
    assert {position(lat, 11)[0] for lat in range(-56, 85, 10)} == {50.0}


def test_the_equator_reaches_from_edge_to_edge():
    left, right = position(0, -169)[0], position(0, 190.999)[0]
    assert (left, right) == (pytest.approx(0, abs=0.1), pytest.approx(100, abs=0.1))


@pytest.mark.parametrize(("lat", "same_as"), [(90, 84), (84.1, 84), (-90, -56), (-56.1, -56)])
def test_latitudes_outside_the_map_move_to_its_edge(lat, same_as):
    assert position(lat, 11) == position(same_as, 11)
    assert position(lat, 11)[1] in {0.0, 100.0}


def test_longitudes_may_run_past_the_date_line():
    assert position(10, -170) == position(10, 190) == position(10, -530)


def test_north_is_up_and_east_is_right():
    paris, oslo, moscow = position(48.9, 2.4), position(59.9, 10.8), position(55.8, 37.6)
    assert oslo[1] < moscow[1] < paris[1]
    assert paris[0] < oslo[0] < moscow[0]


@pytest.mark.parametrize(
    ("people", "px"), [(0, 6.0), (1, 10.2), (4, 14.4), (100, 48.0), (190, 63.9), (191, 64.0), (10**9, 64.0)]
)
def test_a_dots_area_grows_with_its_people_up_to_a_limit(people, px):
    assert diameter(people) == px


def test_fewer_than_no_people_is_a_mistake():
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        diameter(-1)

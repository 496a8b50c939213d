"""Time zones by the names that people choose from."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from analytics import zones
from analytics.sites import WrongInput


def test_every_name_is_a_zone_and_comes_once():
    assert set(zones.NAMES) <= available_timezones()
    assert len(set(zones.NAMES)) == len(zones.NAMES) > 400
    assert (zones.NAMES[0], list(zones.NAMES[1:])) == ("UTC", sorted(zones.NAMES[1:]))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("utc", "UTC"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Europe/Oslo", "Europe/Oslo"),
        ("Etc/GMT+3", "Etc/GMT+3"),
    ],
)
def test_a_zone_is_known_by_its_name_an_old_one_and_its_city(typed, meant):
    assert zones.canonical(typed) == meant


@pytest.mark.parametrize("typed", ["", "  ", "Atlantis", "Europe/", "../etc/passwd", "Europe/Berlin\n\nx", "/"])
def test_what_is_no_zone_is_said_so(typed):
    with pytest.raises(WrongInput, match="is no time zone; give one like Europe/Berlin"):
        zones.canonical(typed)

"""The time zones that are offered."""

from __future__ import annotations

import zoneinfo

import pytest

from analytics.base import zones
from analytics.base.errors import InvalidInput


def test_every_zone_that_is_offered_is_one_and_names_a_place():
    names = [zone.name for zone in zones.offered()]
    assert set(names) <= zoneinfo.available_timezones()
    assert names == sorted(set(names))
    assert all("/" in name for name in names)
    assert {"Europe/Berlin", "Europe/Oslo", "America/New_York", "America/Argentina/Buenos_Aires"} <= set(names)


def test_old_names_are_not_offered_and_lead_to_the_zone_that_is():
    by_alias = {alias: zone.name for zone in zones.offered() for alias in zone.aliases}
    names = {zone.name for zone in zones.offered()}
    old = {
        "Asia/Calcutta": "Asia/Kolkata",
        "US/Pacific": "America/Los_Angeles",
        "GB": "Europe/London",
        "Europe/Kiev": "Europe/Kyiv",
        "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    }
    assert {alias: by_alias[alias] for alias in old} == old
    assert not names & by_alias.keys()


def test_every_name_of_a_place_that_the_database_knows_is_offered_or_an_alias():
    """`Etc/…`, and names without a place like `EST`, do not say where a person is."""
    known = {name for zone in zones.offered() for name in (zone.name, *zone.aliases)}
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    assert {name for name in zoneinfo.available_timezones() if name.startswith(areas)} - known == set()


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
    with pytest.raises(InvalidInput, match="is no time zone; give one like Europe/Berlin"):
        zones.canonical(typed)

"""The table of countries and of their time zones."""

from __future__ import annotations

import zoneinfo

import pytest

from analytics.base import countries


def test_there_are_the_249_codes_of_iso_3166_and_kosovo():
    assert len(countries.CODES) == len(set(countries.CODES)) == 250
    assert list(countries.CODES) == sorted(countries.CODES)
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in countries.CODES)
    assert {"US", "DE", "XK", "SS", "BQ", "AX"} < set(countries.CODES)


def test_no_two_countries_share_a_name():
    names = {countries.name(code) for code in countries.CODES}
    assert len(names) == 250
    assert all(name == name.strip() and name[0].isupper() for name in names)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("US", "United States"),
        ("GB", "United Kingdom"),
        ("KR", "South Korea"),
        ("CZ", "Czechia"),
        ("RU", "Russia"),
        ("CI", "Côte d'Ivoire"),
        ("VA", "Vatican City"),
        ("XK", "Kosovo"),
    ],
)
def test_names_are_what_people_say(code, name):
    assert countries.name(code) == name


def test_an_unknown_code_is_its_own_name_and_has_no_middle():
    assert [(countries.name(code), countries.middle(code)) for code in ("ZZ", "us", "")] == [
        ("ZZ", None),
        ("us", None),
        ("", None),
    ]


def test_every_middle_is_on_the_globe():
    for code in countries.CODES:
        lat, lon = countries.middle(code)
        assert -90 < lat < 90, code
        assert -180 < lon < 180, code


BOXES = {  # south, north, west, east
    "US": (38, 41, -101, -96),
    "FR": (45, 48, 1, 4),
    "NO": (59, 62, 6, 12),
    "RU": (54, 58, 50, 65),
    "CA": (44, 54, -114, -75),
    "BR": (-24, -14, -50, -42),
    "AU": (-38, -24, 132, 152),
    "JP": (35, 37, 135, 140),
    "NZ": (-42, -36, 174, 178),
    "MY": (2, 6, 100, 104),
    "SG": (1, 1.5, 103.5, 104.1),
    "KI": (1, 2, 172, 174),
    "GF": (3, 6, -55, -51),
    "FJ": (-19, -16, 177, 180),
}


@pytest.mark.parametrize("code", BOXES)
def test_a_countrys_dot_is_where_its_people_live(code):
    south, north, west, east = BOXES[code]
    lat, lon = countries.middle(code)
    assert south <= lat <= north
    assert west <= lon <= east


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        ("Europe/Berlin", "DE"),
        ("Europe/Oslo", "NO"),
        ("America/Argentina/Buenos_Aires", "AR"),
        ("Asia/Kolkata", "IN"),
        ("Asia/Calcutta", "IN"),
        ("Europe/Kiev", "UA"),
        ("America/Coral_Harbour", "CA"),
        ("Iceland", "IS"),
        ("US/Pacific", "US"),
        ("UTC", ""),
        ("Etc/GMT+5", ""),
        ("CET", ""),
        ("europe/berlin", ""),
        ("", ""),
        ("../../etc/passwd", ""),
    ],
)
def test_a_time_zone_names_its_country(zone, code):
    assert countries.of_timezone(zone) == code


def test_every_zone_of_a_place_has_a_country():
    regions = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    zones = {zone for zone in zoneinfo.available_timezones() if zone.startswith(regions)}
    assert len(zones) > 400
    assert {zone for zone in zones if countries.of_timezone(zone) not in countries.CODES} == set()

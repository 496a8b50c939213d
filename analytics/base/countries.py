"""Countries by their two-letter code: names, positions on the map, and the country of a time zone."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

_DATA = Path(__file__).parent / "data"


class _Country(NamedTuple):
    name: str
    middle: tuple[float, float]


def _rows(file: str) -> list[dict[str, str]]:
    with (_DATA / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


_COUNTRIES = {
    row["code"]: _Country(row["name"], (float(row["lat"]), float(row["lon"]))) for row in _rows("countries.csv")
}
_COUNTRY_OF_ZONE = {row["zone"]: row["country"] for row in _rows("timezones.csv")}
_CODE_OF = {one.name.casefold(): code for code, one in _COUNTRIES.items()} | {
    code.casefold(): code for code in _COUNTRIES
}

CODES = tuple(_COUNTRIES)
"""Every code there is, A to Z: the 249 of ISO 3166-1 alpha-2 and XK (Kosovo)."""


def name(code: str) -> str:
    """The common English name ("South Korea"). A code that is not in `CODES` comes back unchanged."""
    country = _COUNTRIES.get(code)
    return country.name if country else code


def code(text: str) -> str:
    """The code in a code or an English name, whatever their case; another text comes back unchanged."""
    return text if text in _COUNTRIES else _CODE_OF.get(text.strip().casefold(), text)


def middle(code: str) -> tuple[float, float] | None:
    """Latitude and longitude of a country's dot on the map, in degrees with one decimal; None if not in `CODES`.

    It is near where people live, not in the centre of the area: Russia's is in the Urals.
    """
    country = _COUNTRIES.get(code)
    return country.middle if country else None


def of_timezone(zone: str) -> str:
    """The country code of an IANA time zone, old names included ("Asia/Calcutta"); "" for UTC and unknown names."""
    return _COUNTRY_OF_ZONE.get(zone, "")

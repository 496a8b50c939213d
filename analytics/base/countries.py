"""Countries by their two-letter code: what people call them, where their dot stands, whose a time zone is."""

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

CODES = tuple(_COUNTRIES)
"""Every code there is, A to Z: the 249 of ISO 3166-1 alpha-2 and XK (Kosovo)."""


def name(code: str) -> str:
    """The English name as people say it ("South Korea"); a code not in `CODES` comes back as it is."""
    country = _COUNTRIES.get(code)
    return country.name if country else code


def middle(code: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees where a country's dot is expected; None for a code not in `CODES`.

    Nearer to where people live than to the centre of the area: Russia's is in the Urals. One decimal.
    """
    country = _COUNTRIES.get(code)
    return country.middle if country else None


def of_timezone(zone: str) -> str:
    """The country code of an IANA time zone, by old names too ("Asia/Calcutta"); "" for UTC or nonsense."""
    return _COUNTRY_OF_ZONE.get(zone, "")

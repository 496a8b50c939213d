"""Time zones as people choose them: one name for each, and the old names that browsers and people still use."""

from __future__ import annotations

import zoneinfo
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from analytics.base.errors import InvalidInput, message

UTC = "UTC"


class Zone(NamedTuple):
    """A zone's name, `Asia/Kolkata`, and its other names, old ones included: `Asia/Calcutta`."""

    name: str
    aliases: tuple[str, ...]


@cache
def offered() -> tuple[Zone, ...]:
    """The zones of places (Area/City), sorted by name. The other names of the database stand for the same clocks."""
    names = {line.split("\t")[2] for line in _lines("zone.tab")}
    aliases = defaultdict(list)
    for word, *rest in map(str.split, _lines("tzdata.zi")):
        if word == "L" and rest[0] in names and rest[1] not in names:
            aliases[rest[0]].append(rest[1])
    return tuple(Zone(name, tuple(sorted(aliases[name]))) for name in sorted(names))


@cache
def names() -> tuple[str, ...]:
    """UTC, then the names of the offered zones, A to Z."""
    return (UTC, *(zone.name for zone in offered()))


def canonical(text: str) -> str:
    """The zone's name, found by its name in any case, an old name (`Asia/Calcutta`) or the city (`new york`).

    A zone that is not offered comes back unchanged. `InvalidInput` if the text names no zone.
    """
    wanted = text.strip().replace(" ", "_")
    ending = [name for name in names() if name.lower().endswith("/" + wanted.lower())]
    if wanted and len(ending) == 1:
        return ending[0]
    return _by_lower_case().get(wanted.lower()) or checked_zone(wanted)


@cache
def _by_lower_case() -> dict[str, str]:
    old = {alias.lower(): zone.name for zone in offered() for alias in zone.aliases}
    return old | {name.lower(): name for name in names()}


def _lines(name: str) -> list[str]:
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def checked_zone(name: str) -> str:
    """The name, if it is an IANA time zone; else `InvalidInput`."""
    if name not in zoneinfo.available_timezones():
        raise InvalidInput(message("{zone} is no time zone; give one like Europe/Berlin or UTC", zone=repr(name)))
    return name

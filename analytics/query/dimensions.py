"""Dimensions: what numbers can be split and filtered by. Each is defined here, once; `column_sql` has its SQL.

Facts of a visit (source, country …) are the same for all its hits; facts of a hit (page, event …) are not.
A hit is a pageview or an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from analytics.base import countries, idn, paths
from analytics.base.errors import InvalidInput
from analytics.calendar.period import INTERVALS

PROPERTY = "prop:"
TIME = "time:"
MAX_PROPERTY_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension.

    `wire` is its name in Plausible's API. `of` says in which rows it is stored, `column` in which column; an
    empty value there means none, which people read as `none`. `stored` converts a value in either form (letters or
    encoded) to the form in the rows. `entry` is the column of visits that replaces a hit's fact where visits are split
    by it: for the page, the entry page. Visits cannot be split by a hit's fact without `entry`.
    """

    id: str
    label: str
    wire: str
    of: Literal["visit", "hit", "time"]
    column: str
    none: str = "(none)"
    entry: str = ""
    stored: Callable[[str], str] = str

    @property
    def interval(self) -> str:
        """The interval of a dimension of time: `minute` to `month`."""
        return self.id.removeprefix(TIME)


def _visit(name: str, label: str, none: str = "(none)", stored: Callable[[str], str] = str) -> Dimension:
    return Dimension(name, label, f"visit:{name}", "visit", name, none, stored=stored)


def _source(text: str) -> str:
    return idn.in_ascii(text) if "." in text else text  # a host; else a name


def _referrer(text: str) -> str:
    host, slash, path = text.partition("/")
    return _source(host) + slash + paths.readable(path)


_ALL = (
    Dimension("page", "Page", "event:page", "hit", "path", entry="entry_page", stored=paths.readable),
    Dimension("hostname", "Hostname", "event:hostname", "hit", "host", entry="host", stored=idn.in_ascii),
    _visit("entry_page", "Entry page", stored=paths.readable),
    _visit("exit_page", "Exit page", stored=paths.readable),
    _visit("source", "Source", "Direct / None", _source),
    _visit("channel", "Channel", "(none)"),
    _visit("referrer", "Referrer", "Direct / None", _referrer),
    _visit("utm_source", "UTM source"),
    _visit("utm_medium", "UTM medium"),
    _visit("utm_campaign", "UTM campaign"),
    _visit("utm_content", "UTM content"),
    _visit("utm_term", "UTM term"),
    _visit("country", "Country", "(unknown)", countries.code),
    _visit("region", "Region", "(unknown)"),
    _visit("city", "City", "(unknown)"),
    _visit("browser", "Browser", "(unknown)"),
    _visit("browser_version", "Browser version", "(unknown)"),
    _visit("os", "Operating system", "(unknown)"),
    _visit("os_version", "OS version", "(unknown)"),
    _visit("device", "Device", "(unknown)"),
    _visit("screen", "Screen", "(unknown)"),
    _visit("language", "Language", "(unknown)"),
    _visit("user_type", "User type"),
    Dimension("signed_in", "Signed in", "visit:signed_in", "visit", "user_id"),
    Dimension("event", "Event", "event:name", "hit", "name"),
    Dimension("currency", "Currency", "event:currency", "hit", "currency"),
    *(Dimension(f"{TIME}{one}", one.capitalize(), f"{TIME}{one}", "time", "") for one in INTERVALS),
)

DIMENSIONS = {one.id: one for one in _ALL}
_BY_WIRE = {one.wire: one for one in _ALL} | {
    f"visit:{name}_name": DIMENSIONS[name]
    for name in ("region", "city")  # whose values are names anyway
}
_WIRE_PROPERTY = "event:props:"


def dimension(name: str) -> Dimension:
    """The dimension of that id or Plausible name; `prop:plan` is the event property `plan`.

    Raises `InvalidInput` for an unknown one, naming the known ones.
    """
    if found := DIMENSIONS.get(name) or _BY_WIRE.get(name):
        return found
    for start in (PROPERTY, _WIRE_PROPERTY):
        key = name.removeprefix(start)
        if key != name and 0 < len(key) <= MAX_PROPERTY_LENGTH and key.isprintable():
            return Dimension(PROPERTY + key, key, _WIRE_PROPERTY + key, "hit", "props")
    raise InvalidInput(f"dimension {name[:60]!r}: {', '.join(DIMENSIONS)}, or {PROPERTY}NAME")

"""Dimensions: by what numbers can be split and filtered. Each is defined here, once.

Facts of a visit (source, country …) are the same for all that happens in it; facts of a hit (page, event …) are not.
A hit is a pageview or an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, case, cast, func, literal
from sqlalchemy.types import Text

from analytics.base import idn, paths
from analytics.base.errors import InvalidInput
from analytics.calendar.period import INTERVALS
from analytics.query.dialects import prop

PROPERTY = "prop:"
TIME = "time:"
LONGEST_PROPERTY = 300

Value = Callable[[FromClause], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension.

    `wire` is its name in Plausible's API. `value` is its text in the rows it is of: a visit's or a hit's; "" is none,
    which people read as `none`. `stored` makes of a value in either form (letters or encoded) the one that is in the
    rows. `entry` stands for a hit's fact where visits are split by it: for the page, the one
    they entered on; without it they cannot be.
    """

    id: str
    label: str
    wire: str
    of: Literal["visit", "hit", "time"]
    value: Value
    none: str = "(none)"
    entry: Value | None = None
    stored: Callable[[str], str] = str

    @property
    def interval(self) -> str:
        """Of time: `minute` to `month`."""
        return self.id.removeprefix(TIME)


def _column(name: str) -> Value:
    return lambda rows: rows.c[name]


def _visit(name: str, label: str, none: str = "(none)", stored: Callable[[str], str] = str) -> Dimension:
    return Dimension(name, label, f"visit:{name}", "visit", _column(name), none, stored=stored)


def _source(text: str) -> str:
    return idn.in_ascii(text) if "." in text else text  # a host; else a name


def _referrer(text: str) -> str:
    host, slash, path = text.partition("/")
    return _source(host) + slash + paths.readable(path)


def _signed_in(visits: FromClause) -> ColumnElement[Any]:
    return cast(case((visits.c.user_id.is_(None), "no"), else_="yes"), Text)


def _property(name: str, hits: FromClause) -> ColumnElement[Any]:
    return func.coalesce(prop(hits.c.props, literal(name, Text)), "")


def _no_column(_: FromClause) -> ColumnElement[Any]:
    raise TypeError("the buckets of time are made where the period is known")


_ALL = (
    Dimension(
        *("page", "Page", "event:page", "hit", _column("path")), entry=_column("entry_page"), stored=paths.readable
    ),
    Dimension(
        *("hostname", "Hostname", "event:hostname", "hit", _column("host")), entry=_column("host"), stored=idn.in_ascii
    ),
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
    _visit("country", "Country", "(unknown)"),
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
    Dimension("signed_in", "Signed in", "visit:signed_in", "visit", _signed_in),
    Dimension("event", "Event", "event:name", "hit", _column("name")),
    Dimension("currency", "Currency", "event:currency", "hit", _column("currency")),
    *(Dimension(f"{TIME}{one}", one.capitalize(), f"{TIME}{one}", "time", _no_column) for one in INTERVALS),
)

DIMENSIONS = {one.id: one for one in _ALL}
_BY_WIRE = {one.wire: one for one in _ALL} | {
    f"visit:{name}_name": DIMENSIONS[name]
    for name in ("region", "city")  # which are names here anyway
}
_WIRE_PROPERTY = "event:props:"


def dimension(name: str) -> Dimension:
    """The dimension of that id or Plausible name; `prop:plan` is the event property `plan`.

    `InvalidInput` for one that there is not, naming those that there are.
    """
    if found := DIMENSIONS.get(name) or _BY_WIRE.get(name):
        return found
    for start in (PROPERTY, _WIRE_PROPERTY):
        key = name.removeprefix(start)
        if key != name and 0 < len(key) <= LONGEST_PROPERTY and key.isprintable():
            return Dimension(PROPERTY + key, key, _WIRE_PROPERTY + key, "hit", partial(_property, key))
    raise InvalidInput(f"dimension {name[:60]!r}: {', '.join(DIMENSIONS)}, or {PROPERTY}NAME")

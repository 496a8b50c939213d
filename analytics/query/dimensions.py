"""Dimensions: what numbers can be split and filtered by. Each is defined here, once; `column_sql` has its SQL.

Facts of a visit (source, country …) are the same for all its hits; facts of a hit (page, event …) are not.
A hit is a pageview or an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from analytics.base import idn, paths
from analytics.base.errors import InvalidInput, message
from analytics.base.words import N_, _
from analytics.calendar.period import INTERVAL_LABELS

PROPERTY = "prop:"
TIME = "time:"
MAX_PROPERTY_LENGTH = 300
NONE, DIRECT, UNKNOWN = N_("(none)"), N_("Direct / None"), N_("(unknown)")  # for an empty value


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension. `label` and `none` are English, as files and the API have them; people read `shown` and `_(none)`.

    `wire` is its name in Plausible's API. `of` says in which rows it is stored, `column` in which column; an
    empty value there means none, which is written as `none`. `stored` converts a value in either form (letters or
    encoded) to the form in the rows. `entry` is the column of visits that replaces a hit's fact where visits are split
    by it: for the page, the entry page. Visits cannot be split by a hit's fact without `entry`.
    """

    id: str
    label: str
    wire: str
    of: Literal["visit", "hit", "time"]
    column: str
    none: str = NONE
    entry: str = ""
    stored: Callable[[str], str] = str

    @property
    def shown(self) -> str:
        """Its label in the reader's language; a property keeps its name."""
        return self.label if self.id.startswith(PROPERTY) else _(self.label)

    @property
    def interval(self) -> str:
        """The interval of a dimension of time: `minute` to `month`."""
        return self.id.removeprefix(TIME)


def _visit(name: str, label: str, none: str = NONE, stored: Callable[[str], str] = str) -> Dimension:
    return Dimension(name, label, f"visit:{name}", "visit", name, none, stored=stored)


def _source(text: str) -> str:
    return idn.in_ascii(text) if "." in text else text  # a host; else a name


def _referrer(text: str) -> str:
    host, slash, path = text.partition("/")
    return _source(host) + slash + paths.readable(path)


_ALL = (
    Dimension("page", N_("Page"), "event:page", "hit", "path", entry="entry_page", stored=paths.readable),
    Dimension("hostname", N_("Hostname"), "event:hostname", "hit", "host", entry="host", stored=idn.in_ascii),
    _visit("entry_page", N_("Entry page"), stored=paths.readable),
    _visit("exit_page", N_("Exit page"), stored=paths.readable),
    _visit("source", N_("Source"), DIRECT, _source),
    _visit("channel", N_("Channel")),
    _visit("referrer", N_("Referrer"), DIRECT, _referrer),
    _visit("utm_source", N_("UTM source")),
    _visit("utm_medium", N_("UTM medium")),
    _visit("utm_campaign", N_("UTM campaign")),
    _visit("utm_content", N_("UTM content")),
    _visit("utm_term", N_("UTM term")),
    _visit("country", N_("Country"), UNKNOWN),
    _visit("region", N_("Region"), UNKNOWN),
    _visit("city", N_("City"), UNKNOWN),
    _visit("browser", N_("Browser"), UNKNOWN),
    _visit("browser_version", N_("Browser version"), UNKNOWN),
    _visit("os", N_("Operating system"), UNKNOWN),
    _visit("os_version", N_("OS version"), UNKNOWN),
    _visit("device", N_("Device"), UNKNOWN),
    _visit("screen", N_("Screen"), UNKNOWN),
    _visit("language", N_("Language"), UNKNOWN),
    _visit("user_type", N_("User type")),
    Dimension("signed_in", N_("Signed in"), "visit:signed_in", "visit", "user_id"),
    Dimension("event", N_("Event"), "event:name", "hit", "name"),
    Dimension("currency", N_("Currency"), "event:currency", "hit", "currency"),
    *(Dimension(f"{TIME}{one}", label, f"{TIME}{one}", "time", "") for one, label in INTERVAL_LABELS.items()),
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
    wrong = message(
        "dimension {given}: {known}, or {property}",
        given=repr(name[:60]),
        known=", ".join(DIMENSIONS),
        property=f"{PROPERTY}NAME",
    )
    raise InvalidInput(wrong)

"""A watch as the fields of a form: what a page sends, read strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from analytics.activity import gauge, row_filter
from analytics.activity.gauge import GaugeDefinition
from analytics.activity.source import checked_source
from analytics.activity.watch import OPERATIONS, VALUE, WatchDefinition
from analytics.base.errors import checked

TEXTS = ("event", "title", "link", "currency", "user_id", "user_name")
MAX_TEXT = 1_000  # letters of a field; of one of several lines, of each


class WantedWatch(NamedTuple):
    """What a form asks for: the source, what is watched, and gauges."""

    source: str
    definition: WatchDefinition
    gauges: tuple[GaugeDefinition, ...]


def read(fields: Mapping[str, str]) -> WantedWatch:
    """The watch in the fields. `InvalidInput` names each field that is wrong.

    `source`, `table` and `schema` (by default `public`); each of `OPERATIONS`, "on" where it is wanted; `columns` with
    commas; `filters` and `gauges`, one a line; `VALUE` and `TEXTS`.
    """
    checks: dict[str, Callable[[str], object]] = {
        "source": checked_source,
        "filters": lambda text: tuple(map(row_filter.parse, _lines(text))),
        "gauges": lambda text: tuple(map(gauge.parse, _lines(text))),
    }
    valid = checked(checks, {name: fields.get(name, "") for name in checks})
    definition = WatchDefinition(
        _text(fields, "schema") or "public",
        _text(fields, "table"),
        tuple(one for one in OPERATIONS if fields.get(one) == "on"),
        valid["filters"],
        names(fields.get("columns", "")),
        value=_text(fields, VALUE),
        **{name: _text(fields, name) for name in TEXTS},
    )
    return WantedWatch(valid["source"], definition, valid["gauges"])


def names(text: str) -> tuple[str, ...]:
    """The names in a text with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _text(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name, "").strip()[:MAX_TEXT]


def _lines(text: str) -> list[str]:
    return [line.strip()[:MAX_TEXT] for line in text.splitlines() if line.strip()]

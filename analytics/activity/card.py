"""A card of the Live page: which events it counts or lists, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from analytics.base.errors import InvalidInput, checked, message
from analytics.query.metrics import PAGEVIEW

COUNTER, STAT, TICKER, GAUGE = KINDS = ("counter", "stat", "ticker", "gauge")
COUNT, VALUE = MEASURES = ("count", "value")
TODAY, LAST_24H = SPANS = ("today", "24h")
UP, DOWN = WAYS = ("up", "down")  # in which a card moves

MAX_CARDS = 24  # a site
MAX_TITLE, MAX_EVENT = 60, 120
_CURRENCY = re.compile("[A-Z]{3}")


class Card(NamedTuple):
    """One card. `event` is the name of its events, "" for all; `title` is "" where its contents name it.

    `counter`: how many events there were, or what they were worth, in a span. `stat`: the same, compared with earlier
    ones. `ticker`: the newest events. `gauge`: the count or sum that is kept of a table of another database, with its
    number there. A card of values names the one currency that it sums.
    """

    id: int
    kind: str
    title: str = ""
    event: str = ""
    measure: str = COUNT
    currency: str = ""
    span: str = TODAY
    gauge_id: int | None = None


def checked_card(fields: Mapping[str, str]) -> Card:
    """The card that these fields describe, without an id; missing fields have their defaults.

    `InvalidInput` names every field that is wrong. Of a ticker measure, currency and span are ignored, of a gauge all
    but its number and title.
    """
    given = {name: fields.get(name) or default for name, default in _DEFAULTS.items()}
    found = Card(0, **checked(_CHECKS, given))
    if found.kind == GAUGE:
        if found.gauge_id is None:
            wrong = message("choose the gauge")
            raise InvalidInput(wrong, {"gauge_id": wrong})
        return Card(0, GAUGE, found.title, gauge_id=found.gauge_id)
    found = found._replace(gauge_id=None)
    if found.kind == TICKER:
        return found._replace(measure=COUNT, currency="", span=TODAY)
    if found.measure == COUNT:
        return found._replace(currency="")
    if not found.currency:
        wrong = message("values are summed in one currency: name it, like EUR")
        raise InvalidInput(wrong, {"currency": wrong})
    return found


def _one_of(allowed: tuple[str, ...], what: str, given: str) -> str:
    if given not in allowed:
        raise InvalidInput(f"{what} {given[:40]!r}: {', '.join(allowed)}")
    return given


def _title(given: str) -> str:
    text = " ".join(given.split())
    if len(text) > MAX_TITLE or not text.isprintable():
        raise InvalidInput(message("a title has at most {limit} letters", limit=MAX_TITLE))
    return text


def _event(given: str) -> str:
    name = given.strip()
    if len(name) > MAX_EVENT or not name.isprintable():
        raise InvalidInput(message("the name of an event has at most {limit} letters", limit=MAX_EVENT))
    if name == PAGEVIEW:
        raise InvalidInput(message("{name} is no event; cards are about events", name=repr(PAGEVIEW)))
    return name


def _currency(given: str) -> str:
    code = given.strip().upper()
    if code and not _CURRENCY.fullmatch(code):
        raise InvalidInput(message("{code} is no currency; write three letters, like EUR", code=repr(given[:20])))
    return code


def _gauge_id(given: str) -> int | None:
    if not given:
        return None
    if not re.fullmatch("[0-9]{1,9}", given):
        raise InvalidInput(f"gauge {given[:20]!r} is no number")
    return int(given)


_DEFAULTS = {"kind": "", "title": "", "event": "", "measure": COUNT, "currency": "", "span": TODAY, "gauge_id": ""}
_CHECKS = {
    "kind": lambda given: _one_of(KINDS, "kind", given),
    "title": _title,
    "event": _event,
    "measure": lambda given: _one_of(MEASURES, "measure", given),
    "currency": _currency,
    "span": lambda given: _one_of(SPANS, "span", given),
    "gauge_id": _gauge_id,
}

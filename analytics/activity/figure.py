"""What the cards of a site show at one moment."""

from __future__ import annotations

from typing import NamedTuple

from analytics.activity.card import Card

HOUR_S = 3_600


def hour_of(at: int) -> int:
    """The first second of the hour (epoch), for which what a gauge was is kept."""
    return at // HOUR_S * HOUR_S


class TickerEvent(NamedTuple):
    """One event of a ticker: who did what, and what it was worth; `at` in epoch seconds, `id` the row's id as text."""

    id: str
    at: int
    name: str
    description: str
    who: str
    value: float | None
    currency: str


class Figure(NamedTuple):
    """The contents of one card.

    `now` is a count, or an amount in the card's currency; None of a gauge that was not counted yet, or is gone. Of a
    `stat`, `earlier` has the same of yesterday, last week and last month, and `line` that of each of the last 24 whole
    hours, the oldest first. Of a `gauge` they are what it was when the same hour began on those days (None where it was
    not followed), and when each of the last 24 hours began; `changed_at` is when it changed (epoch s). Of a ticker,
    `newest` has its events, the newest first.
    """

    card: Card
    now: float | None = 0
    earlier: tuple[float | None, ...] = ()
    line: tuple[float, ...] = ()
    newest: tuple[TickerEvent, ...] = ()
    changed_at: int | None = None


class Figures(NamedTuple):
    """The contents of all cards, in their order: of events before `until`. Today ends at `ends`. Both epoch seconds."""

    until: int
    ends: int
    cards: tuple[Figure, ...]

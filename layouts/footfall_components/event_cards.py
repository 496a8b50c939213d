"""The cards of a site's business activity; its function is in assets/components/event_cards.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from layouts.footfall_components.own import Id, OwnComponent
from layouts.footfall_components.ranking import EmptyState


class EarlierChange(TypedDict):
    """A change: its CSS class, as it is seen and said, since what, and since what exactly."""

    look: str
    seen: str
    said: str
    since: str
    title: str


class TickerRow(TypedDict):
    """An event of a ticker; `at` in epoch seconds."""

    id: str
    at: int
    name: str
    description: str
    who: str
    value: float | None
    currency: str


class EventCard(TypedDict):
    """A counter, stat, ticker or gauge. `event` "" is every event; `currency` "": a count; `span` is "today" or "24h".

    `gauge` is the number of a gauge, which changed at `changed_at` (epoch s). `value` None is unknown. `spark` has the
    points of a line in a box of 100 × 24, and `spark_said` the line in words.
    """

    key: str
    kind: str
    label: str
    event: str
    currency: str
    span: str
    window: NotRequired[str]
    value: NotRequired[float | None]
    gauge: NotRequired[int | None]
    changed_at: NotRequired[int | None]
    changes: NotRequired[Sequence[EarlierChange]]
    spark: NotRequired[str]
    spark_said: NotRequired[str]
    rows: NotRequired[Sequence[TickerRow]]


class EventFigures(TypedDict):
    """The cards in their order, of events before `until`; today ends at `ends`. Both epoch seconds; `timezone` is that
    of the site. A `note` stands in place of cards that could not be read.
    """

    until: int
    ends: int
    timezone: str
    cards: Sequence[EventCard]
    note: NotRequired[str]


class EventCards(OwnComponent):
    """Counters, stats, tickers and gauges, which the page's live stream (`window.footfall.activity`) changes at once.

    - id: its id in callbacks
    - label: its name for screen readers
    - figures: the cards; a skeleton is shown while they are None
    - past: the cards of a second of the past, which no event changes; None while the page shows now
    - empty: the words in place of cards where there is none
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        label: str = "",
        figures: EventFigures | None = None,
        past: EventFigures | None = None,
        empty: EmptyState | None = None,
    ) -> None:
        super().__init__(id=id, label=label, figures=figures, past=past, empty=empty)

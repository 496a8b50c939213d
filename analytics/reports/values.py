"""The values that an Overview is made of, for pages, files and mail alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple

from analytics.base.words import N_
from analytics.calendar.period import Span
from analytics.query.metrics import Metric
from analytics.query.result import Number
from analytics.reports.lists import LISTS, TIME
from analytics.reports.view import TOP

Numbers = Mapping[str, Number]  # by metric
Bucket = tuple[Span, Number]
ChartNote = tuple[int, str]  # the second (epoch) at which its day begins, and its text


class Chart(NamedTuple):
    """One metric over time: its buckets in order, and the buckets of its comparison in the same order.

    Buckets that begin after `now` are in the future.
    """

    metric: Metric
    interval: str
    buckets: Sequence[Bucket]
    earlier: Sequence[Bucket]
    now: int
    zone: tzinfo
    notes: Sequence[ChartNote] = ()


class Entry(NamedTuple):
    """One row of a listing: how people read it, its value in the dimension ("" where it is none), its numbers."""

    name: str
    value: str
    numbers: tuple[Number, ...]


class Listing(NamedTuple):
    """The rows on show, how many there are in all, and the visitors of the whole question."""

    rows: Sequence[Entry]
    total: int
    everybody: int


def columns_of(of: str) -> tuple[str, ...]:
    """The metrics in the details of a list, or of the chart."""
    return TOP if of == TIME else LISTS[of].metrics


def heading_of(of: str) -> str:
    """The heading of the first column in the details of a list, or of the chart, in English: people read `_` of it."""
    return N_("Time") if of == TIME else LISTS[of].heading

"""Results: the rows that answer a question, and other values that reports are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from analytics.calendar.period import Span
from analytics.query.query import Query

if TYPE_CHECKING:
    from pandas import DataFrame

Number = int | float | None


class Row(NamedTuple):
    """One row of an answer, in the order of the question: texts ("" is none) or seconds at which a bucket begins, and
    numbers.
    """

    dimensions: tuple[str | int, ...]
    metrics: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows in their order, and how many there are without limit and offset (0 for an offset past the last)."""

    rows: list[Row]
    total: int
    query: Query = field(compare=False, repr=False)

    def frame(self) -> DataFrame:
        """The rows as a pandas DataFrame: `analytics.query.frame.frame_of` has its columns, types and zone."""
        from analytics.query.frame import frame_of  # noqa: PLC0415 - pandas takes a second to load

        return frame_of(self.query, self.rows)


class Point(NamedTuple):
    """The numbers of one bucket of time. A bucket that ends after now is not over."""

    span: Span
    metrics: tuple[Number, ...]


class Hour(NamedTuple):
    """An hour of the week: weekday 0 is Monday, hour 0 midnight. `visitors` is None where no such hour has begun."""

    weekday: int
    hour: int
    visitors: float | None


class Usage(NamedTuple):
    """People of one site on one UTC day; `people` is the sum of the other two."""

    site_id: int
    day: str  # YYYY-MM-DD
    people: int
    signed_in: int
    anonymous: int

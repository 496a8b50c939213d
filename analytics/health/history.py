"""The history of metrics: points at steps of time, from samples, minutes or hours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, func, literal_column, select

from analytics.base.errors import InvalidInput, message
from analytics.calendar.period import Span
from analytics.health.sample import is_rate
from analytics.health.samples import MINUTE
from analytics.health.series import HOUR, INSTALLATION
from analytics.storage import schema
from analytics.storage.reader import Readable

MAX_POINTS = 5_000  # of a series
MAX_SECONDS = 3_600  # for steps shorter than a minute, which are read from the samples of all series of the site


class HistoryPoint(NamedTuple):
    """The samples of a step that begins at `at` (epoch s): how many, their sum, least and greatest value."""

    at: int
    samples: int
    sum: float
    min: float
    max: float

    @property
    def mean(self) -> float:
        """Their mean."""
        return self.sum / self.samples


def read(
    database: Readable, site_id: int, series_ids: Collection[int], span: Span, step_s: int
) -> dict[int, list[HistoryPoint]]:
    """The points of these series, oldest first; a step without samples has none, a series without points is left out.

    Steps begin at multiples of `step_s` (epoch). The first is that of the span's begin, the last that of its last
    second. Whole hours are read from hours, whole minutes from minutes. `InvalidInput` for more than `MAX_POINTS`, and
    for steps within a minute over more than an hour.
    """
    begin, end = span.begin // step_s * step_s, -(-span.end // step_s) * step_s
    _check(begin, end, step_s)
    table = _table_for(step_s)
    at = (table.c.at // literal_column(str(step_s)) * literal_column(str(step_s))).label("step")
    wanted = (
        select(table.c.series_id, at, *_sums(table))
        .where(table.c.site_id == site_id, table.c.series_id.in_(sorted(series_ids)))
        .where(table.c.at >= begin, table.c.at < end)
        .group_by(table.c.series_id, literal_column("step"))
        .order_by(table.c.series_id, literal_column("step"))
    )
    found: dict[int, list[HistoryPoint]] = {}
    with database.read() as connection:
        for series_id, *point in connection.execute(wanted):
            found.setdefault(series_id, []).append(HistoryPoint(*point))
    return found


def _check(begin: int, end: int, step_s: int) -> None:
    if (end - begin) // step_s > MAX_POINTS:
        raise InvalidInput(message("at most {limit} steps", limit=MAX_POINTS))
    if step_s % MINUTE and end - begin > MAX_SECONDS + step_s:
        raise InvalidInput(message("a step that is no whole minutes is for an hour at most"))


def _table_for(step_s: int) -> FromClause:
    if step_s % HOUR == 0:
        return schema.health_hours
    return schema.health_minutes if step_s % MINUTE == 0 else schema.health_samples


def _sums(table: FromClause) -> Sequence[ColumnElement[Any]]:
    if table is schema.health_samples:
        value = table.c.value
        return func.count(), func.sum(value), func.min(value), func.max(value)
    return (
        # PostgreSQL's sum of BIGINT is NUMERIC
        func.sum(table.c.count).cast(table.c.count.type),
        func.sum(table.c.sum),
        func.min(table.c.min),
        func.max(table.c.max),
    )


def means_at(database: Readable, site_id: int, name: str, minute: int) -> list[float]:
    """The means of a metric in the minute that begins then (epoch s), of each set of tags.

    Those of the installation where the site has none of that name.
    """
    minutes, names = schema.health_minutes.c, schema.health_series.c
    wanted = (
        select(names.site_id, minutes.sum / minutes.count)
        .join(schema.health_series, (names.site_id == minutes.site_id) & (names.id == minutes.series_id))
        .where(names.site_id.in_((site_id, INSTALLATION)), names.name == name, minutes.at == minute)
    )
    with database.read() as connection:
        found = connection.execute(wanted).all()
    own = [mean for of, mean in found if of == site_id]
    return own or [mean for _, mean in found]


def together(name: str, series: Iterable[Sequence[HistoryPoint]]) -> list[HistoryPoint]:
    """One line for a metric with several sets of tags.

    Rates add up: their points have the sums of the means, least and greatest values. Other metrics are as if all
    samples were of one series.
    """
    by_step: dict[int, list[HistoryPoint]] = {}
    for points in series:
        for point in points:
            by_step.setdefault(point.at, []).append(point)
    join = _rates if is_rate(name) else _samples
    return [join(at, by_step[at]) for at in sorted(by_step)]


def _samples(at: int, points: Sequence[HistoryPoint]) -> HistoryPoint:
    return HistoryPoint(
        at,
        sum(one.samples for one in points),
        sum(one.sum for one in points),
        min(one.min for one in points),
        max(one.max for one in points),
    )


def _rates(at: int, points: Sequence[HistoryPoint]) -> HistoryPoint:
    samples = sum(one.samples for one in points)
    mean = sum(one.mean for one in points)
    return HistoryPoint(at, samples, mean * samples, sum(one.min for one in points), sum(one.max for one in points))

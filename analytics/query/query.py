"""The question: one immutable value for every page, panel, export and API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from analytics.base.errors import InvalidInput, message
from analytics.calendar.period import INTERVALS, Clock, Comparison, Period, Span, compared, span
from analytics.query import filters
from analytics.query.dimensions import TIME, Dimension, dimension
from analytics.query.filters import Filter
from analytics.query.metrics import METRICS, VISITS, Metric, metric
from analytics.sites.site import Site

MAX_ROWS = 10_000
MAX_DIMENSIONS = 8
MAX_URL_LENGTH = 16_000
UTC, USUAL = Clock(), Period()


class Order(NamedTuple):
    """Sorted by a metric or dimension of the question."""

    by: str
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """One question about one site. Raises `InvalidInput` for one that cannot be answered.

    Without `order`: by time where it is split by time, else the first metric, the largest first. `every_bucket`, of a
    question split by time alone, also gives the buckets in which nothing happened, all of them in order.
    `resolved_metrics` and `split` are the metrics and dimensions, as `Metric` and `Dimension`.
    """

    site_id: int
    clock: Clock = UTC
    period: Period = USUAL
    metrics: tuple[str, ...] = ("visitors",)
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    comparison: Comparison | None = None
    order: tuple[Order, ...] = ()
    limit: int = 100
    offset: int = 0
    every_bucket: bool = False
    resolved_metrics: tuple[Metric, ...] = field(init=False, repr=False, compare=False)
    split: tuple[Dimension, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.clock.checked()
        object.__setattr__(self, "split", tuple(map(dimension, self.dimensions)))
        object.__setattr__(self, "dimensions", tuple(one.id for one in self.split))
        order = tuple(Order(_column(one.by), one.descending) for one in self.order)
        object.__setattr__(self, "order", order)
        if self.comparison:
            Comparison.parse(str(self.comparison))
        _check_unique("metric", self.metrics)
        _check_unique("dimension", self.dimensions)
        if not self.metrics:
            raise InvalidInput("a question has at least one metric")
        if len(self.dimensions) > MAX_DIMENSIONS:
            raise InvalidInput(f"at most {MAX_DIMENSIONS} dimensions at once")
        if not (1 <= self.limit <= MAX_ROWS and 0 <= self.offset <= 2**31):
            raise InvalidInput(f"limit is 1 to {MAX_ROWS}, offset 0 or more")
        for one in self.order:
            if one.by not in (*self.metrics, *self.dimensions):
                raise InvalidInput(f"sorted by {one.by[:60]!r}: {', '.join((*self.metrics, *self.dimensions))}")
        object.__setattr__(self, "resolved_metrics", tuple(map(metric, self.metrics)))
        _check_split(self.resolved_metrics, self.split)
        _check_minutes(self)
        if self.every_bucket and (self.order or [one.of for one in self.split] != ["time"]):
            raise InvalidInput("every bucket is given of questions that are split by time alone, in order")

    @classmethod
    def of(cls, site: Site, **fields: Any) -> Query:
        """A question about that site, by its clock."""
        return cls(site.id, Clock(site.timezone, site.week_start), **fields)

    @property
    def content(self) -> tuple[object, ...]:
        """What it asks for, whatever its period is called: over the same seconds equal ones have equal answers."""
        shown = self.order, self.limit, self.offset, self.every_bucket
        return self.site_id, self.clock, self.metrics, self.dimensions, self.filters, *shown

    def span(self, now: int, first: int = 0) -> Span:
        """The seconds of its period; `all` begins on the day of `first`."""
        return span(self.period, self.clock, now, first)

    def compared(self, now: int, *, whole: bool = False) -> Span | None:
        """The seconds of its comparison, as `period.compared`; None without one."""
        return self.comparison and compared(self.period, self.comparison, self.clock, now, whole=whole)

    def to_url(self) -> str:
        """The question as a URL's query string, without the site; defaults are left out."""
        usual = Query(self.site_id, self.clock)
        pairs: list[tuple[str, str]] = []
        if self.period != usual.period:
            pairs.append(("period", str(self.period)))
        if self.metrics != usual.metrics:
            pairs += [("metric", name) for name in self.metrics]
        pairs += [("by", name) for name in self.dimensions]
        if self.filters:
            pairs.append(("filters", _written(self.filters)))
        if self.comparison:
            pairs.append(("compare", str(self.comparison)))
        pairs += [("sort", "-" * one.descending + one.by) for one in self.order]
        if self.limit != usual.limit:
            pairs.append(("limit", str(self.limit)))
        if self.offset:
            pairs.append(("offset", str(self.offset)))
        if self.every_bucket:
            pairs.append(("buckets", "all"))
        return urlencode(pairs)

    @classmethod
    def from_url(cls, text: str, site: Site, metrics: Sequence[str] = ("visitors",)) -> Query:
        """The question that `to_url` wrote, about that site; raises `InvalidInput`. Other names are ignored.

        `metrics` are those of a text that names none.
        """
        given = _pairs(text)
        last = {name: values[-1] for name, values in given.items()}
        return cls.of(
            site,
            period=Period.parse(last["period"]) if "period" in last else USUAL,
            metrics=tuple(given.get("metric", metrics)),
            dimensions=tuple(given.get("by", ())),
            filters=filters.parse(_json(last["filters"])) if "filters" in last else (),
            comparison=Comparison.parse(last["compare"]) if "compare" in last else None,
            order=tuple(Order(one.removeprefix("-"), one.startswith("-")) for one in given.get("sort", ())),
            limit=_whole("limit", last.get("limit", "100")),
            offset=_whole("offset", last.get("offset", "0")),
            every_bucket=last.get("buckets") == "all",
        )


def _column(name: str) -> str:
    """The id of a metric or dimension to sort by."""
    return name if name in METRICS else dimension(name).id


def _check_unique(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(message("{name} is there twice", name=f"{what} {name!r}"))


def _check_split(metrics: Sequence[Metric], split: Sequence[Dimension]) -> None:
    """Metrics of whole visits cannot be split by a fact of hits that has no `entry`."""
    apart = [one.id for one in split if one.of == "hit" and not one.entry]
    whole = [one.id for one in metrics if one.grains == (VISITS,)]
    if apart and whole:
        wrong = message(
            "{metrics} belong to whole visits and cannot be split by {dimensions}",
            metrics=", ".join(whole),
            dimensions=", ".join(apart),
        )
        raise InvalidInput(wrong)


def _check_minutes(query: Query) -> None:
    """Minutes cannot be filtered, and split by time only: a minute has the number of people, not who they were."""
    names = [one.id for one in query.resolved_metrics if one.of_minutes]
    why = f"{', '.join(names)} count everybody on the site"
    if names and query.filters:
        used = ", ".join(sorted(set().union(*map(filters.dimensions_in, query.filters))))
        raise InvalidInput(f"{why} and cannot be filtered by {used}: ask without filters")
    if names and (len(query.split) > 1 or any(one.of != "time" for one in query.split)):
        ways = ", ".join(f"{TIME}{one}" for one in INTERVALS)
        raise InvalidInput(
            f"{why} and cannot be split by {', '.join(query.dimensions)}: by one of {ways}, or not at all"
        )


def _pairs(text: str) -> dict[str, list[str]]:
    if len(text) > MAX_URL_LENGTH:
        raise InvalidInput(message("a question has at most {limit} characters", limit=MAX_URL_LENGTH))
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _written(given: Sequence[Filter]) -> str:
    return json.dumps([filters.plain(one) for one in given], separators=(",", ":"), ensure_ascii=False)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        wrong = message("filters are JSON like {example}", example='[["is","source",["Google"]]]')
        raise InvalidInput(wrong) from None


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise InvalidInput(f"{name} {text[:40]!r} is no whole number")
    return int(text)

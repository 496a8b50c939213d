"""Plausible's query language: turns its JSON into a `Query`, and the answer into its JSON.

Differences to Plausible: `timezone` is an IANA zone in place of the site's; `matches` takes wildcards, not regular
expressions; the numbers always contain imports, whatever the value of `include.imports`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.numbers import format_compact_currency, format_currency

from analytics.base import countries
from analytics.base.errors import InvalidInput
from analytics.calendar.period import EARLIEST, LATEST, MAX_DAYS, Clock, Period, Span, buckets, moved, preset_of
from analytics.query import filters, formatting
from analytics.query.answer import answer, first_second
from analytics.query.backend import Backend
from analytics.query.dimensions import DIMENSIONS, Dimension, dimension
from analytics.query.metrics import METRICS, Metric
from analytics.query.query import MAX_ROWS, Order, Query
from analytics.query.result import Answer, Number
from analytics.sites.site import Site

FIELDS = (
    *("site_id", "metrics", "date_range", "dimensions", "filters", "order_by", "include", "pagination"),
    "timezone",
)
INCLUDES = ("imports", "time_labels", "total_rows")
RANGES = {"day": "today", "yesterday": "yesterday"} | {
    name: name for name in ("24h", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all")
}
OF_GOALS = ("conversion_rate", "group_conversion_rate")
TIME, COUNTRY_NAME = "time", "visit:country_name"


class Question(NamedTuple):
    """A query and its span in seconds.

    `names` are the dimensions by the names in the request; `echo` is the query as it is repeated in the answer.
    """

    query: Query
    span: Span
    names: tuple[str, ...]
    include: Mapping[str, bool]
    echo: dict[str, Any]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(body: Mapping[str, Any], site: Site, now: int, backend: Backend) -> Question:
    """The question in a JSON object, about that site. Raises `InvalidInput`, which names the mistake."""
    _check_known("#", body, FIELDS)
    clock = _clock(body.get("timezone"), site)
    period, span = _span(body.get("date_range"), clock, now, lambda: first_second(site.id, backend))
    metrics = _metrics(body.get("metrics"))
    names = _names("dimensions", body.get("dimensions", []))
    include = _include(body.get("include", {}), names)
    limit, offset = _pagination(body.get("pagination", {}))
    split = {name: _dimension(number, name, period) for number, name in enumerate(names)}
    orders = _order(body.get("order_by", []), metrics, split)
    filter_list = body.get("filters", [])
    query = Query(
        site.id,
        clock,
        period,
        metrics,
        tuple(split.values()),
        filters.parse(filter_list),
        order=orders,
        limit=limit,
        offset=offset,
    )
    echo = {
        "site_id": site.domain,
        "metrics": list(metrics),
        "date_range": _ends(span, clock),
        "filters": filter_list,
        "dimensions": list(names),
        "order_by": body.get("order_by", []) or _default_order(metrics, names),
        "include": dict(include),
        "pagination": {"limit": limit, "offset": offset},
    }
    return Question(query, span, names, include, echo)


def _check_known(where: str, value: object, known: Sequence[str]) -> None:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{where}: Expected an object with some of {', '.join(known)}")
    for name in value:
        if name not in known:
            raise InvalidInput(f'{where}: Unknown property "{str(name)[:60]}"; known: {", ".join(known)}')


def _clock(zone: object, site: Site) -> Clock:
    if zone is None:
        return Clock(site.timezone, site.week_start)
    if not isinstance(zone, str):
        raise InvalidInput("#/timezone: Expected a name like Europe/Berlin")
    return Clock(zone[:100], site.week_start).checked()


def _span(value: object, clock: Clock, now: int, first: Callable[[], int]) -> tuple[Period, Span]:
    """The nearest `Period` to a date range, and its exact seconds."""
    match value:
        case str() if value in RANGES:
            period = Period(RANGES[value])
        case str() if value.endswith("d") and preset_of(value):
            period = Period(value)
        case [str() as begin, str() as end]:
            if len(begin) > 10 or len(end) > 10:
                return _moments(value, begin, end, clock)
            period = _days(value, begin, end)
        case _:
            raise _bad_range(value)
    return period, Query(0, clock, period).span(now, (first() or now) if period.preset == "all" else 0)


def _days(value: object, begin: str, end: str) -> Period:
    try:
        return Period("custom", (date.fromisoformat(begin), date.fromisoformat(end)))
    except InvalidInput as wrong:
        raise InvalidInput(f"#/date_range: {wrong}") from None
    except ValueError:
        raise _bad_range(value) from None


def _moments(value: object, begin: str, end: str, clock: Clock) -> tuple[Period, Span]:
    """The range from one second to another, both included; each has its offset from UTC."""
    try:
        first, last = datetime.fromisoformat(begin), datetime.fromisoformat(end)
        if first.tzinfo is None or last.tzinfo is None:
            raise _bad_range(value)
        span = Span(int(first.timestamp()), int(last.timestamp()) + 1)
        zone = ZoneInfo(clock.zone)
        days = first.astimezone(zone).date(), last.astimezone(zone).date()
    except (ValueError, OverflowError):
        raise _bad_range(value) from None
    if not EARLIEST <= days[0] <= days[1] <= LATEST or span.begin >= span.end:
        raise InvalidInput(f"#/date_range: from {EARLIEST} to {LATEST}, the earlier moment first")
    return Period("custom", days), span


def _bad_range(value: object) -> InvalidInput:
    known = f"{', '.join(RANGES)}, any number of days like 90d (1 to {MAX_DAYS:,})"
    return InvalidInput(
        f"#/date_range: Invalid date range {_quoted(value)}; known: {known}, two dates, or two moments with their "
        "offset like 2026-01-01T00:00:00+01:00"
    )


def _quoted(value: object) -> str:
    return f'"{value[:60]}"' if isinstance(value, str) else str(value)[:80]


def _metrics(value: object) -> tuple[str, ...]:
    metrics = _names("metrics", value)
    if not metrics:
        raise InvalidInput("#/metrics: Expected a minimum of 1 items but got 0.")
    for number, name in enumerate(metrics):
        if name in OF_GOALS:
            raise InvalidInput(f"Metric `{name}` can only be queried with event:goal filters or dimensions.")
        if name not in METRICS:
            raise InvalidInput(f'#/metrics/{number}: Invalid metric "{name[:60]}"; known: {", ".join(METRICS)}')
    return metrics


def _names(what: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidInput(f"#/{what}: Expected a list of names")
    if len(set(value)) < len(value):
        raise InvalidInput(f"#/{what}: Expected items to be unique but they were not.")
    return tuple(value)


def _dimension(number: int, name: str, period: Period) -> str:
    """The id of the dimension of that name."""
    if name in (TIME, COUNTRY_NAME):
        return f"time:{_interval(period)}" if name == TIME else "country"
    try:
        return dimension(name).id
    except InvalidInput:
        known = ", ".join((TIME, COUNTRY_NAME, *(one.wire for one in DIMENSIONS.values()), "event:props:NAME"))
        raise InvalidInput(f'#/dimensions/{number}: Invalid dimension "{name[:60]}"; known: {known}') from None


def _interval(period: Period) -> str:
    """The interval that `time` means: for two dates the one that Plausible uses (months from one whole month on)."""
    if period.dates is None:
        return period.interval
    first, last = period.dates
    return "hour" if first == last else "month" if moved(first, 1) <= last else "day"


def _order(value: object, metrics: Sequence[str], split: Mapping[str, str]) -> tuple[Order, ...]:
    if not isinstance(value, list):
        raise InvalidInput('#/order_by: Expected a list like [["visitors", "desc"]]')
    return tuple(_read_order(number, one, metrics, split) for number, one in enumerate(value))


def _read_order(number: int, value: object, metrics: Sequence[str], split: Mapping[str, str]) -> Order:
    match value:
        case [str() as name, "asc" | "desc" as way] if name in metrics:
            return Order(name, way == "desc")
        case [str() as name, "asc" | "desc" as way] if name in split:
            return Order(split[name], way == "desc")
    known = ", ".join((*metrics, *split))
    raise InvalidInput(f'#/order_by/{number}: Invalid order {_quoted(value)}; one of {known}, with "asc" or "desc"')


def _default_order(metrics: Sequence[str], names: Sequence[str]) -> list[list[str]]:
    times = [name for name in names if name.partition(":")[0] == TIME]
    return [[name, "asc"] for name in times] or [[metrics[0], "desc"]]


def _include(value: object, names: Sequence[str]) -> Mapping[str, bool]:
    _check_known("#/include", value, INCLUDES)
    assert isinstance(value, Mapping)
    if not all(isinstance(flag, bool) for flag in value.values()):
        raise InvalidInput("#/include: Expected true or false for each")
    if value.get("time_labels") and not any(name.partition(":")[0] == TIME for name in names):
        raise InvalidInput("Invalid include.time_labels: requires a time dimension.")
    return value


def _pagination(value: object) -> tuple[int, int]:
    _check_known("#/pagination", value, ("limit", "offset"))
    assert isinstance(value, Mapping)
    limit, offset = value.get("limit", MAX_ROWS), value.get("offset", 0)
    if type(limit) is not int or type(offset) is not int:
        raise InvalidInput("#/pagination: Expected whole numbers")
    return limit, offset


def _ends(span: Span, clock: Clock) -> list[str]:
    """The first and the last second, in the clock's zone, ISO 8601."""
    zone = ZoneInfo(clock.zone)
    return [datetime.fromtimestamp(one, zone).isoformat() for one in (span.begin, span.end - 1)]


# ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer_json(question: Question, backend: Backend) -> dict[str, Any]:
    """The whole answer."""
    query = question.query
    found = answer(query, question.span, backend)
    currencies = formatting.currencies(query, question.span, found.rows, backend)
    cells = [_cell(one, name, query.clock) for one, name in zip(query.split, question.names, strict=True)]
    results = [
        {
            "metrics": [
                _value(one, number, currencies.get(row.dimensions, ""))
                for one, number in zip(query.resolved_metrics, row.metrics, strict=True)
            ],
            "dimensions": [cell(value) for cell, value in zip(cells, row.dimensions, strict=True)],
        }
        for row in found.rows
    ]
    return {"results": results, "meta": _meta(question, found, backend), "query": question.echo}


def _cell(one: Dimension, name: str, clock: Clock) -> Callable[[Any], str]:
    """A function that writes the values of a dimension; for `visit:country_name` the names of the countries."""
    if name == COUNTRY_NAME:
        return lambda code: countries.name(code) or one.none
    return formatting.value(one, clock)


def _value(one: Metric, number: Number, currency: str) -> Any:
    """A number in Plausible's format; an amount of money with its currency."""
    if one.unit != "money" or number is None:
        return formatting.number(one, number)
    return {
        "value": number,
        "currency": currency,
        "short": format_compact_currency(number, currency, locale="en_US", fraction_digits=1),
        "long": format_currency(number, currency, locale="en_US"),
    }


def _meta(question: Question, found: Answer, backend: Backend) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if question.include.get("time_labels"):
        one = next(one for one in question.query.split if one.of == "time")
        cell = formatting.value(one, question.query.clock)
        meta["time_labels"] = [cell(part.begin) for part in buckets(question.span, one.interval, question.query.clock)]
    if question.include.get("total_rows"):
        meta["total_rows"] = found.total or (_total(question, backend) if question.query.offset else 0)
    return meta


def _total(question: Question, backend: Backend) -> int:
    """The number of all rows. For an offset beyond the last row, where the answer does not contain it."""
    return answer(replace(question.query, limit=1, offset=0), question.span, backend).total

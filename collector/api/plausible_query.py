"""Plausible's statistics API: its JSON becomes a `Query`, and an answer becomes its JSON.

On top of Plausible's names there is `timezone`, an IANA zone in place of the site's. `matches` takes wildcards, no
regular expressions. Imports are part of the numbers, whatever `include.imports` says.
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
    """A question with its seconds. `names` are its dimensions as they were named, `echo` repeats it in the answer."""

    query: Query
    span: Span
    names: tuple[str, ...]
    include: Mapping[str, bool]
    echo: dict[str, Any]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(given: Mapping[str, Any], site: Site, now: int, backend: Backend) -> Question:
    """The question of that site that the JSON object asks; `InvalidInput` names what is wrong in it."""
    _check_known("#", given, FIELDS)
    clock = _clock(given.get("timezone"), site)
    period, span = _span(given.get("date_range"), clock, now, lambda: first_second(site.id, backend))
    metrics = _metrics(given.get("metrics"))
    names = _names("dimensions", given.get("dimensions", []))
    include = _include(given.get("include", {}), names)
    limit, offset = _pagination(given.get("pagination", {}))
    split = {name: _dimension(number, name, period) for number, name in enumerate(names)}
    orders = _order(given.get("order_by", []), metrics, split)
    wanted = given.get("filters", [])
    query = Query(
        site.id,
        clock,
        period,
        metrics,
        tuple(split.values()),
        filters.parse(wanted),
        order=orders,
        limit=limit,
        offset=offset,
    )
    echo = {
        "site_id": site.domain,
        "metrics": list(metrics),
        "date_range": _ends(span, clock),
        "filters": wanted,
        "dimensions": list(names),
        "order_by": given.get("order_by", []) or _usual_order(metrics, names),
        "include": dict(include),
        "pagination": {"limit": limit, "offset": offset},
    }
    return Question(query, span, names, include, echo)


def _check_known(where: str, given: object, known: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{where}: Expected an object with some of {', '.join(known)}")
    for name in given:
        if name not in known:
            raise InvalidInput(f'{where}: Unknown property "{str(name)[:60]}"; known: {", ".join(known)}')


def _clock(zone: object, site: Site) -> Clock:
    if zone is None:
        return Clock(site.timezone, site.week_start)
    if not isinstance(zone, str):
        raise InvalidInput("#/timezone: Expected a name like Europe/Berlin")
    return Clock(zone[:100], site.week_start).checked()


def _span(given: object, clock: Clock, now: int, first: Callable[[], int]) -> tuple[Period, Span]:
    """The nearest `Period` to a date range, and its exact seconds."""
    match given:
        case str() if given in RANGES:
            period = Period(RANGES[given])
        case str() if given.endswith("d") and preset_of(given):
            period = Period(given)
        case [str() as begin, str() as end]:
            if len(begin) > 10 or len(end) > 10:
                return _moments(given, begin, end, clock)
            period = _days(given, begin, end)
        case _:
            raise _bad_range(given)
    return period, Query(0, clock, period).span(now, (first() or now) if period.preset == "all" else 0)


def _days(given: object, begin: str, end: str) -> Period:
    try:
        return Period("custom", (date.fromisoformat(begin), date.fromisoformat(end)))
    except InvalidInput as wrong:
        raise InvalidInput(f"#/date_range: {wrong}") from None
    except ValueError:
        raise _bad_range(given) from None


def _moments(given: object, begin: str, end: str, clock: Clock) -> tuple[Period, Span]:
    """From one second to another, both in it; each with its offset from UTC."""
    try:
        first, last = datetime.fromisoformat(begin), datetime.fromisoformat(end)
        if first.tzinfo is None or last.tzinfo is None:
            raise _bad_range(given)
        span = Span(int(first.timestamp()), int(last.timestamp()) + 1)
        zone = ZoneInfo(clock.zone)
        days = first.astimezone(zone).date(), last.astimezone(zone).date()
    except (ValueError, OverflowError):
        raise _bad_range(given) from None
    if not EARLIEST <= days[0] <= days[1] <= LATEST or span.begin >= span.end:
        raise InvalidInput(f"#/date_range: from {EARLIEST} to {LATEST}, the earlier moment first")
    return Period("custom", days), span


def _bad_range(given: object) -> InvalidInput:
    known = f"{', '.join(RANGES)}, any number of days like 90d (1 to {MAX_DAYS:,})"
    return InvalidInput(
        f"#/date_range: Invalid date range {_shown(given)}; known: {known}, two dates, or two moments with their "
        "offset like 2026-01-01T00:00:00+01:00"
    )


def _shown(given: object) -> str:
    return f'"{given[:60]}"' if isinstance(given, str) else str(given)[:80]


def _metrics(given: object) -> tuple[str, ...]:
    metrics = _names("metrics", given)
    if not metrics:
        raise InvalidInput("#/metrics: Expected a minimum of 1 items but got 0.")
    for number, name in enumerate(metrics):
        if name in OF_GOALS:
            raise InvalidInput(f"Metric `{name}` can only be queried with event:goal filters or dimensions.")
        if name not in METRICS:
            raise InvalidInput(f'#/metrics/{number}: Invalid metric "{name[:60]}"; known: {", ".join(METRICS)}')
    return metrics


def _names(what: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidInput(f"#/{what}: Expected a list of names")
    if len(set(given)) < len(given):
        raise InvalidInput(f"#/{what}: Expected items to be unique but they were not.")
    return tuple(given)


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
    """What `time` stands for: of dates the interval that Plausible takes, a month having at least one."""
    if period.dates is None:
        return period.interval
    first, last = period.dates
    return "hour" if first == last else "month" if moved(first, 1) <= last else "day"


def _order(given: object, metrics: Sequence[str], split: Mapping[str, str]) -> tuple[Order, ...]:
    if not isinstance(given, list):
        raise InvalidInput('#/order_by: Expected a list like [["visitors", "desc"]]')
    return tuple(_sorted(number, one, metrics, split) for number, one in enumerate(given))


def _sorted(number: int, given: object, metrics: Sequence[str], split: Mapping[str, str]) -> Order:
    match given:
        case [str() as name, "asc" | "desc" as way] if name in metrics:
            return Order(name, way == "desc")
        case [str() as name, "asc" | "desc" as way] if name in split:
            return Order(split[name], way == "desc")
    known = ", ".join((*metrics, *split))
    raise InvalidInput(f'#/order_by/{number}: Invalid order {_shown(given)}; one of {known}, with "asc" or "desc"')


def _usual_order(metrics: Sequence[str], names: Sequence[str]) -> list[list[str]]:
    times = [name for name in names if name.partition(":")[0] == TIME]
    return [[name, "asc"] for name in times] or [[metrics[0], "desc"]]


def _include(given: object, names: Sequence[str]) -> Mapping[str, bool]:
    _check_known("#/include", given, INCLUDES)
    assert isinstance(given, Mapping)
    if not all(isinstance(value, bool) for value in given.values()):
        raise InvalidInput("#/include: Expected true or false for each")
    if given.get("time_labels") and not any(name.partition(":")[0] == TIME for name in names):
        raise InvalidInput("Invalid include.time_labels: requires a time dimension.")
    return given


def _pagination(given: object) -> tuple[int, int]:
    _check_known("#/pagination", given, ("limit", "offset"))
    assert isinstance(given, Mapping)
    limit, offset = given.get("limit", MAX_ROWS), given.get("offset", 0)
    if type(limit) is not int or type(offset) is not int:
        raise InvalidInput("#/pagination: Expected whole numbers")
    return limit, offset


def _ends(span: Span, clock: Clock) -> list[str]:
    """The first and the last second, as the clock there shows them."""
    zone = ZoneInfo(clock.zone)
    return [datetime.fromtimestamp(one, zone).isoformat() for one in (span.begin, span.end - 1)]


# ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answered(question: Question, backend: Backend) -> dict[str, Any]:
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
    """Writes the values of a dimension, of countries on demand their names."""
    if name == COUNTRY_NAME:
        return lambda code: countries.name(code) or one.none
    return formatting.value(one, clock)


def _value(one: Metric, number: Number, currency: str) -> Any:
    """A number as Plausible writes it, money with its currency."""
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
    """How many rows there are, for an offset past the last."""
    return answer(replace(question.query, limit=1, offset=0), question.span, backend).total

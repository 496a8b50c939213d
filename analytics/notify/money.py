"""Rules on money: it is summed in one currency, since euros and yen have no sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select

from analytics.base.errors import InvalidInput, Message, message
from analytics.calendar.period import Span
from analytics.notify.kinds.kind import When
from analytics.notify.kinds.metric import MetricWhen
from analytics.query.answer import answer
from analytics.query.backend import Backend
from analytics.query.filters import Filter, Match
from analytics.query.metrics import METRICS
from analytics.query.query import Query
from analytics.storage import schema
from analytics.storage.database import Database

SUM = "total_revenue"
NEWEST_EVENTS = 100_000


def number(query: Query, span: Span, backend: Backend) -> float | None:
    """The question's metric of money in that span. A sum of nothing is 0, a mean of nothing None.

    Raises `InvalidInput` for money of several currencies.
    """
    rows = answer(replace(query, dimensions=("currency",), comparison=None), span, backend).rows
    found = {str(row.dimensions[0]): float(row.metrics[0]) for row in rows if row.metrics[0] is not None}
    if len(found) > 1:
        raise InvalidInput(_several(found))
    return next(iter(found.values()), 0.0 if query.metrics == (SUM,) else None)


def in_one_currency(database: Database, site_id: int, when: When) -> When:
    """The same; a rule on money without a filter by one currency gets that of the site, and keeps it.

    So money in another currency, which any visitor can send, is not the rule's. `InvalidInput` for a site with several
    currencies, or with none yet. They are those of its newest 100,000 events; to read them may take long, so it is done
    before a transaction begins.
    """
    if not isinstance(when, MetricWhen) or not is_money(when.metric) or any(map(_is_one_currency, when.filters)):
        return when
    known = _currencies(database, site_id)
    if len(known) != 1:
        wrong = _several(known) if known else _none_yet()
        raise InvalidInput(f"when.filters: {wrong}", {"when.filters": wrong})
    return replace(when, filters=(*when.filters, Match("is", "currency", tuple(known))))


def is_money(metric: str) -> bool:
    """Whether the metric is an amount of money."""
    return metric in METRICS and METRICS[metric].unit == "money"


def _is_one_currency(one: Filter) -> bool:
    return isinstance(one, Match) and (one.operator, one.dimension, len(one.values)) == ("is", "currency", 1)


def _currencies(database: Database, site_id: int) -> set[str]:
    table = schema.events
    newest = select(table.c.currency).where(table.c.site_id == site_id).order_by(table.c.id.desc()).limit(NEWEST_EVENTS)
    found = newest.subquery()
    with database.read() as connection:
        return set(connection.execute(select(found.c.currency).where(found.c.currency != "").distinct()).scalars())


def _several(currencies: Iterable[str]) -> Message:
    known = ", ".join(sorted(currencies))
    return message("amounts in several currencies have no sum; filter by one currency: {currencies}", currencies=known)


def _none_yet() -> Message:
    return message(
        "no amount has arrived yet; filter by the currency that amounts will have, like {example}", example="EUR"
    )

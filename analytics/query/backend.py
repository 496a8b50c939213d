"""What answers a question: the facts and the minutes of sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select

from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.query.query import Query
from analytics.query.result import Answer
from analytics.storage.reader import Readable

Fetch = Callable[[Select[Any]], Sequence[Sequence[Any]]]
Compute = Callable[[], Answer]


def compute(_: Query, __: Span, computed: Compute) -> Answer:
    """Keeps no answer."""
    return computed()


class Backend(NamedTuple):
    """`fetch` runs a SELECT over the facts; `minutes` reads how many people a site had at each minute of a span.

    `keep` returns the answer to a question of facts: the computed one, or one that was computed from the same facts.
    """

    fetch: Fetch
    minutes: Callable[[int, Span], Minutes]
    keep: Callable[[Query, Span, Compute], Answer] = compute


def fetch_from(database: Readable) -> Fetch:
    """Runs statements in the transactional database."""

    def fetch(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with database.read() as connection:
            return connection.execute(statement).all()

    return fetch

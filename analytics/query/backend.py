"""What answers a question: the facts and the minutes of sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select

from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.storage.database import Database

Fetch = Callable[[Select[Any]], Sequence[Sequence[Any]]]


class Backend(NamedTuple):
    """`fetch` runs a SELECT over the facts; `minutes` reads how many people a site had at each minute of a span."""

    fetch: Fetch
    minutes: Callable[[int, Span], Minutes]


def fetch_from(database: Database) -> Fetch:
    """Runs statements in the transactional database."""

    def fetch(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with database.read() as connection:
            return connection.execute(statement).all()

    return fetch

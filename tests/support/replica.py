"""The columnar replica of a database, queried as the pages query it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Select

from analytics.base.config import Config
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.query.answer import answer
from analytics.query.backend import Backend, Fetch, fetch_from
from analytics.query.query import Query
from analytics.query.result import Number
from analytics.replica.columnar import Columnar
from analytics.replica.state import FOLLOWING
from analytics.storage.database import Database

NEVER = threading.Event().wait
ENGINES = ("database", "replica")


@contextmanager
def asking(database: Database, config: Config) -> Iterator[Fetch]:
    """Queries the replica, which first follows all that is stored."""
    with closing(Columnar(database, config)) as columnar:

        def ask(statement: Select[Any]) -> Sequence[Sequence[Any]]:
            columnar.follow(NEVER)
            assert columnar.state.kind == FOLLOWING
            return columnar.rows(statement)

        yield ask


@contextmanager
def answering(engine: str, database: Database, config: Config) -> Iterator[Fetch]:
    """Queries the database itself, or its replica: one of `ENGINES`."""
    if engine == "database":
        yield fetch_from(database)
        return
    with asking(database, config) as ask:
        yield ask


def facts(fetch: Fetch) -> Backend:
    """A backend for questions that need no minutes."""
    return Backend(fetch, _no_minutes)


def _no_minutes(site_id: int, span: Span) -> Minutes:
    raise AssertionError("minutes were read")


def numbers_of(query: Query, span: Span, backend: Backend) -> dict[str, Number]:
    """The metrics of a question that is not split, by name."""
    (row,) = answer(query, span, backend).rows
    return dict(zip(query.metrics, row.metrics, strict=True))

"""The columnar replica beside a database, asked as the pages ask it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Select

from analytics.base.config import Config
from analytics.query.stats import Ask, of_truth
from analytics.replica.columnar import FOLLOWING, Columnar
from analytics.storage.database import Database

NEVER = threading.Event().wait
ENGINES = ("truth", "replica")


@contextmanager
def asking(database: Database, config: Config) -> Iterator[Ask]:
    """Asks the replica, which has followed all that is stored by then."""
    with closing(Columnar(database, config)) as columnar:

        def ask(statement: Select[Any]) -> Sequence[Sequence[Any]]:
            columnar.follow(NEVER)
            assert columnar.state.kind == FOLLOWING
            return columnar.rows(statement)

        yield ask


@contextmanager
def answering(engine: str, database: Database, config: Config) -> Iterator[Ask]:
    """Asks the database itself, or the replica of it: one of `ENGINES`."""
    if engine == "truth":
        yield of_truth(database)
        return
    with asking(database, config) as ask:
        yield ask

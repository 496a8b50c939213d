"""A site's numbers in a notebook or a script: reads the database, next to a running server or without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from analytics.base.config import Config, config_with
from analytics.calendar.period import Period
from analytics.live.minutes import MinuteHistory
from analytics.query import filter_syntax
from analytics.query.answer import answer, span_of
from analytics.query.backend import Backend, fetch_from
from analytics.query.query import MAX_ROWS, Query
from analytics.query.result import Answer
from analytics.sites import store
from analytics.storage.reader import ReadOnlyDatabase

MINUTES_TIMEOUT_S = 60.0  # for counting minutes of a large site


class OpenSite:
    """One site of the installation that these settings name, for questions. Close it, or use it in a `with` block.

    `clock` returns epoch seconds: the moment up to which periods reach. Raises `NoData` or `InvalidInput`.
    """

    def __init__(self, config: Config, domain: str, clock: Callable[[], float] = time.time) -> None:
        self._database = ReadOnlyDatabase(config)
        self._history = MinuteHistory(self._database, config.active_window_s)
        self._clock = clock
        try:
            self.site = store.find(self._database, domain)
        except BaseException:
            self.close()
            raise

    def query(
        self,
        metrics: str | Sequence[str] = "visitors",
        period: str = "30d",
        by: str | Sequence[str] = (),
        filters: str | Sequence[str] = (),
        limit: int = MAX_ROWS,
    ) -> Answer:
        """The answer to a question; its `frame()` is a pandas DataFrame.

        Names, periods and filters are those of the command `query`: `by="source"`, `period="2026-01-01,2026-03-31"`,
        `filters="page=/blog/*"`. Raises `InvalidInput` with one line that names what is known.
        """
        query = Query.of(
            self.site,
            period=Period.parse(period),
            metrics=_names(metrics),
            dimensions=_names(by),
            filters=tuple(map(filter_syntax.parse, _names(filters))),
            limit=limit,
        )
        now = int(self._clock())
        backend = Backend(
            fetch_from(self._database),
            lambda site_id, span: self._history.minutes(site_id, span, now, MINUTES_TIMEOUT_S),
        )
        return answer(query, span_of(query, now, backend), backend)

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_site(domain: str, **settings: Any) -> OpenSite:
    """As `analytics.open_site`."""
    return OpenSite(config_with(settings, "open_site"), domain)


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)

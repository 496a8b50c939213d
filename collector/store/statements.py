"""The SQL statements that read and write a batch, on the driver's cursor.

They are few and have many rows: each statement releases the GIL once, and getting it back from a busy event loop costs
up to a switch interval. Next to a busy thread 32 events took 280 ms by `executemany` and 29 ms by multi-row statements.
SQLAlchemy's execution would take a quarter of the time of a batch of 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import chain
from typing import Any, NamedTuple

from msgspec.structs import asdict
from sqlalchemy import Connection

from analytics.base.ids import first_id
from analytics.storage import locks
from collector.ingest.visit import Origin, Visit

RowValues = Mapping[str, Any]
"""A row by column name."""

ROW_BATCH = 128  # with the 34 columns of visits below SQLite's limit of 32,766 parameters

VISIT_FIELDS = tuple(name for name in Visit.__struct_fields__ if name != "origin")
CHANGING_VISIT_COLUMNS = (
    *("user_id", "user_type", "started_at", "last_at", "seen_at"),
    *("pageviews", "events", "entry_page", "exit_page"),
)
UPSERT_VISIT = "ON CONFLICT (site_id, id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in CHANGING_VISIT_COLUMNS
)
ADD_OUTCOMES = "ON CONFLICT (site_id, hour, outcome, reason) DO UPDATE SET count = outcomes.count + excluded.count"


class Pageview(NamedTuple):
    """The columns of a stored pageview that later events need."""

    id: int
    visit_id: int
    path: str
    host: str
    engaged_ms: int
    scroll: int
    title: str


PAGEVIEW_COLUMNS = (*Pageview._fields, "site_id", "page_id")
TOTALS = ("engaged_ms", "scroll", "title")
"""The columns of a pageview that its beats raise or replace."""


class Tables:
    """The tables of facts within one transaction of a SQLAlchemy connection."""

    def __init__(self, connection: Connection) -> None:
        self._cursor: Any = connection.connection.cursor()
        self._is_postgresql = connection.dialect.name == "postgresql"
        self._mark = "%s" if self._is_postgresql else "?"  # the parameter mark

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def lock_sites(self, site_ids: Iterable[int]) -> None:
        """Locks these sites for this transaction on PostgreSQL, where several processes may write; in a fixed order."""
        if self._is_postgresql:
            for site_id in sorted(site_ids):
                self._cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (locks.SITE, site_id))

    def existing_sites(self, site_ids: set[int]) -> set[int]:
        """Which of these sites exist: a site may have been removed since its event was accepted."""
        found = self.select(f"SELECT id FROM sites WHERE id IN ({self.marks(site_ids)})", tuple(site_ids))
        return {site_id for (site_id,) in found}

    def pageviews(self, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], Pageview]:
        """Those of these pageviews that are stored, by site and `page_id`."""
        return _by_page(self._matching("pageviews", PAGEVIEW_COLUMNS, "page_id", "text", wanted))

    def latest_pageviews(self, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], Pageview]:
        """For each (site, prefix of 16 hex digits) the pageview with the greatest `page_id` with that prefix."""
        if not wanted:
            return {}
        source, parameters = self._source("text", wanted)
        greatest = (
            "(SELECT max(p.page_id) FROM pageviews AS p "
            "WHERE p.site_id = w.site AND p.page_id > w.key AND p.page_id < w.key || 'g')"  # after f
        )
        statement = (
            f"SELECT t.{', t.'.join(PAGEVIEW_COLUMNS)} FROM {source} CROSS JOIN pageviews AS t "
            f"WHERE t.site_id = w.site AND t.page_id = {greatest}"
        )
        return _by_page(self.select(statement, parameters))

    def events(self, wanted: set[tuple[int, str]]) -> set[tuple[int, str]]:
        """Which of these events are stored, by site and `page_id`."""
        return {(row[0], row[1]) for row in self._matching("events", ("site_id", "page_id"), "page_id", "text", wanted)}

    def visits(self, wanted: set[tuple[int, int]]) -> list[Visit]:
        """The visits with these (site, id)."""
        return self._visits("id", wanted)

    def visits_of(self, visitors: set[tuple[int, int]], since: int) -> list[Visit]:
        """The visits of these (site, visitor) that began at `since` (epoch s) or later."""
        return self._visits("visitor", visitors, first_id(since))

    def _visits(self, key: str, wanted: set[tuple[int, int]], since_id: int = 0) -> list[Visit]:
        found = self._matching("visits", (*VISIT_FIELDS, *Origin._fields), key, "bigint", wanted, since_id)
        width = len(
            VISIT_FIELDS
        )  # the fields of a visit, in their order, then those of its origin; by name it takes 0.9 µs more
        return [Visit(*(*row[:width], Origin._make(row[width:]))) for row in found]

    def _matching(
        self, table: str, columns: Sequence[str], key: str, kind: str, wanted: set[Any], since_id: int = 0
    ) -> list[Any]:
        """The rows of `table` whose (site_id, key) is in `wanted` and whose id is at least `since_id`, by index."""
        if not wanted:
            return []
        source, parameters = self._source(kind, wanted)
        # CROSS JOIN keeps SQLite from reordering the loops, INDEXED BY from scanning the clustered key
        index = " INDEXED BY ix_visits_site_id_visitor_id" if since_id and not self._is_postgresql else ""
        statement = (
            f"SELECT t.{', t.'.join(columns)} FROM {source} CROSS JOIN {table} AS t{index} "
            f"WHERE t.site_id = w.site AND t.{key} = w.key AND t.id >= {since_id:d}"
        )
        return self.select(statement, parameters)

    def _source(self, kind: str, wanted: set[Any]) -> tuple[str, tuple[Any, ...]]:
        """A FROM item `w` with the `wanted` pairs (site, key), and its parameters."""
        if self._is_postgresql:
            lists = [site for site, _ in wanted], [key for _, key in wanted]
            return f"unnest(%s::int[], %s::{kind}[]) AS w(site, key)", lists
        rows = f"(SELECT column1 AS site, column2 AS key FROM (VALUES {_marks(len(wanted), 2, '?')})) AS w"
        return rows, tuple(chain.from_iterable(wanted))

    def select(self, statement: str, parameters: tuple[Any, ...]) -> list[Any]:
        """The rows of a SELECT."""
        return list(self._cursor.execute(statement, parameters).fetchall())

    def marks(self, values: Sized) -> str:
        """One parameter mark for each value, separated by commas."""
        return ",".join([self._mark] * len(values))

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def insert(self, table: str, rows: Sequence[RowValues], conflict: str = "") -> None:
        """Inserts rows with the columns of the first one. `KeyError` if a row lacks one of them.

        `conflict` is an ON CONFLICT clause.
        """
        for batch in _batches(rows):
            columns = tuple(rows[0])
            marks = _marks(len(batch), len(columns), self._mark)
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} {conflict}"
            self._cursor.execute(statement, _values(batch, columns))

    def write_visits(self, visits: Iterable[Visit]) -> None:
        """Inserts these visits, or updates the existing ones."""
        self.insert("visits", [visit_row(visit) for visit in visits], UPSERT_VISIT)

    def update_totals(self, rows: Sequence[RowValues]) -> None:
        """Sets `TOTALS` of pageviews. `KeyError` if a row lacks one of them, `site_id` or `id`."""
        columns = ("site_id", "id", *TOTALS)
        setting = ", ".join(f"{name} = w.{name}" for name in TOTALS)
        for batch in _batches(rows):
            statement = (
                f"WITH w({', '.join(columns)}) AS (VALUES {_marks(len(batch), len(columns), self._mark)}) "
                f"UPDATE pageviews SET {setting} FROM w WHERE pageviews.site_id = w.site_id AND pageviews.id = w.id"
            )
            self._cursor.execute(statement, _values(batch, columns))


def visit_row(visit: Visit) -> RowValues:
    """The row of a visit: the fields of the visit, then those of its origin."""
    row = asdict(visit)
    origin: Origin = row.pop("origin")
    row.update(zip(Origin._fields, origin, strict=True))
    return row


def _by_page(rows: Iterable[Sequence[Any]]) -> dict[tuple[int, str], Pageview]:
    """Rows of `PAGEVIEW_COLUMNS` by site and `page_id`."""
    return {(site_id, page_id): Pageview._make(fields) for *fields, site_id, page_id in rows}


def _batches(rows: Sequence[RowValues]) -> Iterable[Sequence[RowValues]]:
    return (rows[start : start + ROW_BATCH] for start in range(0, len(rows), ROW_BATCH))


def _values(rows: Sequence[RowValues], columns: Sequence[str]) -> list[Any]:
    """The values of the rows, one row after the other, each in the order of `columns`."""
    return [row[name] for row in rows for name in columns]


def _marks(rows: int, columns: int, mark: str) -> str:
    return ",".join(["(" + ",".join([mark] * columns) + ")"] * rows)

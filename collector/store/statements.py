"""The statements by which a group is read and written, on the driver's cursor.

Few, of many rows each: a statement gives up the interpreter lock once, and taking it back from a busy event loop costs
up to a switch interval (32 events by `executemany` took 280 ms beside a busy thread, as multi-row statements 29 ms).
SQLAlchemy's execution would cost a group of 16 a quarter of its time.
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

Row = Mapping[str, Any]
"""A row by column name."""

ROWS_AT_ONCE = 128  # 34 columns of a visit stay below SQLite's 32,766 parameters

VISIT_FIELDS = tuple(name for name in Visit.__struct_fields__ if name != "origin")
CHANGED_OF_A_VISIT = (
    *("user_id", "user_type", "started_at", "last_at", "seen_at"),
    *("pageviews", "events", "entry_page", "exit_page"),
)
CHANGE_VISIT = "ON CONFLICT (site_id, id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in CHANGED_OF_A_VISIT
)
ADD_OUTCOMES = "ON CONFLICT (site_id, hour, outcome, reason) DO UPDATE SET count = outcomes.count + excluded.count"


class Pageview(NamedTuple):
    """What later events need to know of a stored pageview."""

    id: int
    visit_id: int
    path: str
    host: str
    engaged_ms: int
    scroll: int
    title: str


PAGEVIEW_COLUMNS = (*Pageview._fields, "site_id", "page_id")


class Tables:
    """The tables of facts within one transaction of a SQLAlchemy connection."""

    def __init__(self, connection: Connection) -> None:
        self._cursor: Any = connection.connection.cursor()
        self._is_postgresql = connection.dialect.name == "postgresql"
        self._mark = "%s" if self._is_postgresql else "?"  # stands for a parameter

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────

    def lock_sites(self, site_ids: Iterable[int]) -> None:
        """Makes the processes of one PostgreSQL database take turns at a site, in one order for all."""
        if self._is_postgresql:
            for site_id in sorted(site_ids):
                self._cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (locks.SITE, site_id))

    def existing_sites(self, site_ids: set[int]) -> set[int]:
        """Which of these sites are still there: one may have been removed since its event was accepted."""
        found = self.select(f"SELECT id FROM sites WHERE id IN ({self.marks(site_ids)})", tuple(site_ids))
        return {site_id for (site_id,) in found}

    def pageviews(self, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], Pageview]:
        """The stored pageviews among these, by site and the page's own id."""
        return _by_page(self._matching("pageviews", PAGEVIEW_COLUMNS, "page_id", "text", wanted))

    def latest_pageviews(self, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], Pageview]:
        """Of the pageviews whose own id begins with each (site, 16 hex digits) the one with the greatest, as above."""
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
        """Which of these events are stored, by site and the page's own id."""
        return {(row[0], row[1]) for row in self._matching("events", ("site_id", "page_id"), "page_id", "text", wanted)}

    def visits(self, wanted: set[tuple[int, int]]) -> list[Visit]:
        """The visits with these ids, by site."""
        return self._visits("id", wanted)

    def visits_of(self, visitors: set[tuple[int, int]], since: int) -> list[Visit]:
        """The visits of these visitors, by site, that began at that second (epoch) or later."""
        return self._visits("visitor", visitors, first_id(since))

    def _visits(self, key: str, wanted: set[tuple[int, int]], since_id: int = 0) -> list[Visit]:
        found = self._matching("visits", (*VISIT_FIELDS, *Origin._fields), key, "bigint", wanted, since_id)
        many = len(VISIT_FIELDS)
        return [Visit(*(*row[:many], Origin._make(row[many:]))) for row in found]

    def _matching(
        self, table: str, columns: Sequence[str], key: str, kind: str, wanted: set[Any], since_id: int = 0
    ) -> list[Any]:
        """The rows of `table` whose (site_id, key) is wanted, from an id on; one index look-up each."""
        if not wanted:
            return []
        source, parameters = self._source(kind, wanted)
        # CROSS JOIN keeps SQLite from turning the loops round, INDEXED BY from scanning the clustered key
        index = " INDEXED BY ix_visits_site_id_visitor_id" if since_id and not self._is_postgresql else ""
        statement = (
            f"SELECT t.{', t.'.join(columns)} FROM {source} CROSS JOIN {table} AS t{index} "
            f"WHERE t.site_id = w.site AND t.{key} = w.key AND t.id >= {since_id:d}"
        )
        return self.select(statement, parameters)

    def _source(self, kind: str, wanted: set[Any]) -> tuple[str, tuple[Any, ...]]:
        """The wanted (site, key) as a table `w`, and its parameters."""
        if self._is_postgresql:
            lists = [site for site, _ in wanted], [key for _, key in wanted]
            return f"unnest(%s::int[], %s::{kind}[]) AS w(site, key)", lists
        rows = f"(SELECT column1 AS site, column2 AS key FROM (VALUES {_marks(len(wanted), 2, '?')})) AS w"
        return rows, tuple(chain.from_iterable(wanted))

    def select(self, statement: str, parameters: tuple[Any, ...]) -> list[Any]:
        """The rows that the driver answers with."""
        return list(self._cursor.execute(statement, parameters).fetchall())

    def marks(self, values: Sized) -> str:
        """A mark for each value."""
        return ",".join([self._mark] * len(values))

    # ── what is written ──────────────────────────────────────────────────────────────────────────────────────────

    def insert(self, table: str, rows: Sequence[Row], conflict: str = "") -> None:
        """Adds rows, which all name the same columns in the same order."""
        for some in _pieces(rows):
            columns = some[0]
            marks = _marks(len(some), len(columns), self._mark)
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} {conflict}"
            self._cursor.execute(statement, _values(some))

    def write_visits(self, visits: Iterable[Visit]) -> None:
        """Adds these visits, or changes those that are there."""
        self.insert("visits", [visit_row(visit) for visit in visits], CHANGE_VISIT)

    def update_totals(self, rows: Sequence[Row]) -> None:
        """Sets what beats change of pageviews: `engaged_ms`, `scroll` and `title`, behind `site_id` and `id`."""
        for some in _pieces(rows):
            site_id, row_id, *changed = some[0].keys()
            setting = ", ".join(f"{name} = w.column{number}" for number, name in enumerate(changed, 3))
            statement = (
                f"UPDATE pageviews SET {setting} FROM (VALUES {_marks(len(some), 2 + len(changed), self._mark)}) AS w "
                f"WHERE pageviews.{site_id} = w.column1 AND pageviews.{row_id} = w.column2"
            )
            self._cursor.execute(statement, _values(some))


def visit_row(visit: Visit) -> Row:
    """The row of a visit: its own fields, then those of its origin."""
    row = asdict(visit)
    origin: Origin = row.pop("origin")
    row.update(zip(Origin._fields, origin, strict=True))
    return row


def _by_page(rows: Iterable[Sequence[Any]]) -> dict[tuple[int, str], Pageview]:
    """Rows of `PAGEVIEW_COLUMNS` by site and the page's own id."""
    return {(site_id, page_id): Pageview._make(fields) for *fields, site_id, page_id in rows}


def _pieces(rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
    return (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))


def _values(rows: Sequence[Row]) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(row.values() for row in rows))


def _marks(rows: int, columns: int, mark: str) -> str:
    return ",".join(["(" + ",".join([mark] * columns) + ")"] * rows)

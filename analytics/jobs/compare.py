"""Compares the columnar replica with the database: numbers of each site and day, rows, and derived columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import isclose
from typing import Any

import duckdb
from sqlalchemy import Column, Connection, Float, Select, Table, case, func, select

from analytics.base.background import Pause, Report
from analytics.jobs.recount_types import domain_name
from analytics.query.dialects import run
from analytics.replica import codec, denormalised, first_seen, follow
from analytics.replica.codec import TABLES, columns
from analytics.storage import schema

DAY_S = 86_400
ROUND = 1e-9  # tolerance of sums of floats, which depend on the order
DISTINCT = {"visits": ["user_id"], "pageviews": ["visit_id", "path"], "events": ["visit_id", "name"]}
SUMS = {"visits": ["pageviews", "events", "duration_s"], "pageviews": ["engaged_ms", "scroll"], "events": ["value"]}


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def wrong_numbers(
    source: Connection, replica: duckdb.DuckDBPyConnection, domains: dict[int, str], report: Report
) -> Iterator[str]:
    """A line for each difference in the numbers of a site and UTC day."""
    for table in TABLES:
        report(f"comparing the numbers of {table.name}")
        query = _numbers(table)
        names = [column.name for column in query.selected_columns][2:]
        right, copied = _by_day(source.execute(query).all()), _by_day(run(replica, query))
        for site_id, day in sorted(right.keys() | copied.keys()):
            nothing = [0] * len(names)
            pairs = zip(copied.get((site_id, day), nothing), right.get((site_id, day), nothing), strict=True)
            for name, (ours, theirs) in zip(names, pairs, strict=True):
                if not _equal(ours or 0, theirs or 0):
                    where = f"{table.name} of {domain_name(domains, site_id)} on {_day(day)}"
                    yield f"{where}: {name} {ours or 0} in the replica, {theirs or 0} in the database"


def _numbers(table: Table) -> Select[Any]:
    """By site and UTC day: the numbers of rows, of distinct visitors and visits, and the sums."""
    at = table.c.started_at if table is schema.visits else table.c.at
    day = (at - at % DAY_S).label("day")
    numbers: list[Any] = [func.count().label("rows"), func.count(table.c.visitor.distinct()).label("visitors")]
    numbers += [func.count(table.c[name].distinct()).label(name) for name in DISTINCT[table.name]]
    numbers += [func.sum(table.c[name]).label(name) for name in SUMS[table.name]]
    if table is schema.visits:
        numbers.append(func.sum(case((table.c.bounce, 1), else_=0)).label("bounces"))
    return select(table.c.site_id, day, *numbers).group_by(table.c.site_id, day)


def _by_day(rows: Sequence[Any]) -> dict[tuple[int, int], list[Any]]:
    return {(row[0], int(row[1])): list(row[2:]) for row in rows}


def _equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) or isinstance(theirs, float):
        return isclose(ours, theirs, rel_tol=ROUND)
    return bool(ours == theirs)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def wrong_columns(
    replica: duckdb.DuckDBPyConnection, domains: dict[int, str], report: Report, limit: int
) -> Iterator[str]:
    """A line for each difference in the columns that the replica derives from its rows, at most `limit` a column."""
    report("comparing who was there before")
    for table, site_id, row_id, column in first_seen.wrong(replica, limit):
        yield f"{table} of {domain_name(domains, site_id)}: row {row_id} has a wrong {column}"
    for table, site_id, row_id in denormalised.wrong(replica, limit):
        yield f"{table} of {domain_name(domains, site_id)}: row {row_id} carries other facts than its visit has"


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class RowComparison:
    """Compares every row; `compared` counts those of the database."""

    def __init__(
        self,
        source: Connection,
        replica: duckdb.DuckDBPyConnection,
        domains: dict[int, str],
        pause: Pause,
        report: Report,
    ) -> None:
        self._source, self._replica, self._domains, self._pause, self._report = source, replica, domains, pause, report
        self.compared = 0

    def differences(self) -> Iterator[str]:
        """A line for each difference."""
        for table in TABLES:
            for site_id in self._domains:
                yield from self._of_site(table, site_id)

    def _of_site(self, table: Table, site_id: int) -> Iterator[str]:
        last = -1
        for rows in follow.batches(self._source, table, site_id, follow.LAST_ID):
            self.compared += rows.row_count
            self._report(f"comparing the {table.name} of {self._domains[site_id]}: {self.compared:,} rows so far")
            if not _alike(table, codec.replica_text(self._replica, table, site_id, last, rows.last), rows):
                yield from self._in(table, site_id, last, rows.last, rows.fields())
            last = rows.last
            if self._pause(0):
                yield "not all is compared: it was stopped"
                return
        yield from self._in(table, site_id, last, follow.LAST_ID, [])

    def _in(self, table: Table, site_id: int, low: int, high: int, right: Sequence[Sequence[str]]) -> Iterator[str]:
        names = [column.name for column in columns(table)]
        number = names.index("id")
        by_id = {fields[number]: fields for fields in right}
        copied = codec.replica_fields(self._replica, table, site_id, low, high)
        theirs = {fields[number]: fields for fields in copied}
        where = f"{table.name} of {self._domains[site_id]}"
        if len(theirs) < len(copied):
            yield f"{where}: {len(copied) - len(theirs)} rows are twice in the replica"
        for row_id in sorted(by_id.keys() | theirs.keys(), key=int):
            if row_id not in theirs:
                yield f"{where}: row {row_id} is missing in the replica"
            elif row_id not in by_id:
                yield f"{where}: row {row_id} is in the replica only"
            elif odd := [
                n for n, *pair in zip(columns(table), theirs[row_id], by_id[row_id], strict=True) if _apart(n, *pair)
            ]:
                yield f"{where}: row {row_id} has another {', '.join(column.name for column in odd)}"


def _alike(table: Table, ours: str, theirs: codec.Rows) -> bool:
    """Whether these are the same rows; fast if they are."""
    if ours == theirs.text:
        return True
    lines = ours.split(codec.ROW), theirs.text.split(codec.ROW)
    if theirs.json or len(lines[0]) != len(lines[1]):
        return False
    pairs = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
    split = ([line.split(codec.FIELD) for line in pair] for pair in pairs)
    return not any(len(one) != len(other) or _odd(table, one, other) for one, other in split)


def _odd(table: Table, ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    return [column.name for column, *pair in zip(columns(table), ours, theirs, strict=True) if _apart(column, *pair)]


def _apart(column: Column[Any], ours: str, theirs: str) -> bool:
    if isinstance(column.type, Float) and ours and theirs:  # the databases write the same number in several ways
        return float(ours) != float(theirs)
    return ours != theirs

"""Verification: the columnar replica compared with the truth, first by numbers of each site and day, then row by row;
and the derived numbers of the truth itself compared with its raw rows.

Both are held still meanwhile, at the same moment, so traffic that goes on makes no difference. Every value of every
row is compared. Where the replica has the same rows, it is asked what visits are by their pageviews and events.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import isclose
from typing import Any, NamedTuple

import duckdb
from sqlalchemy import Column, Connection, Float, Select, Table, case, func, select

from analytics.base.background import Pause, Report
from analytics.jobs import purge
from analytics.jobs.recount import MAX_REPAIRS, RecountContext, mend, recount
from analytics.query import stats
from analytics.query.dialects import run
from analytics.replica import codec, denormalised, first_seen, follow
from analytics.replica.codec import TABLES, columns
from analytics.replica.columnar import OFF, Columnar
from analytics.storage import schema

AGREES = "The columnar replica agrees with the database"
RECOUNTED = "Derived numbers agree with the raw rows, as far back as these are kept."
MAX_DIFFERENCES = 200  # differences that are told; there may be as many as there are rows
DAY_S = 86_400
ROUND = 1e-9  # of sums of floats, which depend on the order
DISTINCT = {"visits": ["user_id"], "pageviews": ["visit_id", "path"], "events": ["visit_id", "name"]}
SUMS = {"visits": ["pageviews", "events", "duration_s"], "pageviews": ["engaged_ms", "scroll"], "events": ["value"]}


class Verified(NamedTuple):
    """What was compared, and each difference in a line (at most `MOST`); `off`: there was nothing to compare.

    `derived` are the differences between derived numbers of the truth and its raw rows.
    """

    rows: int
    differences: list[str]
    off: bool = False
    derived: tuple[str, ...] = ()


def as_text(found: Verified) -> str:
    """What was found, in lines; the first begins with `AGREES` where there is no difference of any kind."""
    parts = []
    if found.differences:
        parts += ["The columnar replica differs from the database:", *_told(found.differences)]
    if found.derived:
        parts += ["Derived numbers differ from the raw rows:", *_told(found.derived)]
    if parts:
        return "\n".join(parts)
    rows = f"{found.rows:,} rows compared, 0 differences."
    said = "it is off, and every question is asked of the database." if found.off else rows
    return f"{AGREES}: {said}\n{RECOUNTED}"


def _told(lines: Sequence[str]) -> list[str]:
    return [*lines, *([f"and more: only {MAX_DIFFERENCES} are told"] if len(lines) >= MAX_DIFFERENCES else [])]


def agrees(as_text: str) -> bool:
    """Whether the report tells of no difference."""
    return as_text.startswith(AGREES)


class Settings(NamedTuple):
    """The settings by which derived numbers were made: how long after a beat somebody is active, and how many days
    heartbeats are kept where a site says nothing.
    """

    window_s: int = 60
    retention_days: int = 7


DEFAULTS = Settings()


def verify(columnar: Columnar, pause: Pause, report: Report, settings: Settings = DEFAULTS) -> Verified:
    """Compares the replica, made first where it has to be, with the truth, and the truth with its raw rows.

    It takes about as long as making the replica.
    """
    found = _compared(columnar, pause, report)
    means = _means(columnar, pause, report, settings)
    derived = recount(means, _ask_of(columnar, found), MAX_DIFFERENCES)
    return found._replace(derived=tuple(islice(derived.lines(), MAX_DIFFERENCES)))


def _means(columnar: Columnar, pause: Pause, report: Report, settings: Settings) -> RecountContext:
    kept = purge.cutoffs(columnar.database, int(time.time()), settings.retention_days)
    return RecountContext(columnar.database, settings.window_s, kept, pause, report)


def repair(columnar: Columnar, pause: Pause, report: Report, settings: Settings = DEFAULTS) -> list[str]:
    """Sets right what `verify` finds, each kind of derived numbers in one transaction; what was done, in lines."""
    found = _compared(columnar, pause, report)
    means = _means(columnar, pause, report, settings)
    done = mend(means, recount(means, _ask_of(columnar, found), MAX_REPAIRS))
    if found.differences:
        columnar.remake(pause, report)
        done.append("the columnar replica was made anew")
    return done


def _ask_of(columnar: Columnar, found: Verified) -> stats.Ask:
    """Whom to ask about visits: the replica, which is quick, where it has what the truth has."""
    if not (found.off or found.differences):
        return columnar.rows

    def ask(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with columnar.database.read_without_timeout() as connection:
            return connection.execute(statement).all()

    return ask


def _compared(columnar: Columnar, pause: Pause, report: Report) -> Verified:
    if columnar.state.kind == OFF:
        return Verified(0, [], off=True)
    with columnar.frozen(pause, report) as both:
        if both is None:
            return Verified(0, ["there is no replica: it could not be made; the log says why"])
        truth, replica = both
        domains = {row.id: row.domain for row in truth.execute(select(schema.sites.c.id, schema.sites.c.domain))}
        differences = list(islice(_numbers_apart(truth, replica, domains, report), MAX_DIFFERENCES))
        rows = _Rows(truth, replica, domains, pause, report)
        differences += islice(rows.apart(), MAX_DIFFERENCES - len(differences))
        if not differences:
            differences += islice(_firsts_apart(replica, domains, report), MAX_DIFFERENCES)
        return Verified(rows.compared, differences)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _numbers_apart(
    truth: Connection, replica: duckdb.DuckDBPyConnection, domains: dict[int, str], report: Report
) -> Iterator[str]:
    for table in TABLES:
        report(f"comparing the numbers of {table.name}")
        asked = _numbers(table)
        names = [column.name for column in asked.selected_columns][2:]
        right, copied = _by_day(truth.execute(asked).all()), _by_day(run(replica, asked))
        for site_id, day in sorted(right.keys() | copied.keys()):
            nothing = [0] * len(names)
            pairs = zip(copied.get((site_id, day), nothing), right.get((site_id, day), nothing), strict=True)
            for name, (ours, theirs) in zip(names, pairs, strict=True):
                if not _equal(ours or 0, theirs or 0):
                    where = f"{table.name} of {_domain(domains, site_id)} on {_day(day)}"
                    yield f"{where}: {name} {ours or 0} in the replica, {theirs or 0} in the database"


def _numbers(table: Table) -> Select[Any]:
    """By site and UTC day: how many rows, how many different visitors and visits, and the sums."""
    at = table.c.started_at if table is schema.visits else table.c.at
    day = (at - at % DAY_S).label("day")
    told: list[Any] = [func.count().label("rows"), func.count(table.c.visitor.distinct()).label("visitors")]
    told += [func.count(table.c[name].distinct()).label(name) for name in DISTINCT[table.name]]
    told += [func.sum(table.c[name]).label(name) for name in SUMS[table.name]]
    if table is schema.visits:
        told.append(func.sum(case((table.c.bounce, 1), else_=0)).label("bounces"))
    return select(table.c.site_id, day, *told).group_by(table.c.site_id, day)


def _by_day(rows: Sequence[Any]) -> dict[tuple[int, int], list[Any]]:
    return {(row[0], int(row[1])): list(row[2:]) for row in rows}


def _equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) or isinstance(theirs, float):
        return isclose(ours, theirs, rel_tol=ROUND)
    return bool(ours == theirs)


def _domain(domains: dict[int, str], site_id: int) -> str:
    return domains.get(site_id, f"the removed site {site_id}")


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _firsts_apart(replica: duckdb.DuckDBPyConnection, domains: dict[int, str], report: Report) -> Iterator[str]:
    """What is derived from the rows, where they agree."""
    report("comparing who was there before")
    for table, site_id, row_id, column in first_seen.wrong(replica, MAX_DIFFERENCES):
        yield f"{table} of {_domain(domains, site_id)}: row {row_id} has a wrong {column}"
    for table, site_id, row_id in denormalised.wrong(replica, MAX_DIFFERENCES):
        yield f"{table} of {_domain(domains, site_id)}: row {row_id} carries other facts than its visit has"


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Rows:
    """Compares every row; `compared` says how many of the truth's."""

    def __init__(
        self,
        truth: Connection,
        replica: duckdb.DuckDBPyConnection,
        domains: dict[int, str],
        pause: Pause,
        report: Report,
    ) -> None:
        self._truth, self._replica, self._domains, self._pause, self._report = truth, replica, domains, pause, report
        self.compared = 0

    def apart(self) -> Iterator[str]:
        """Each difference in a line."""
        for table in TABLES:
            for site_id in self._domains:
                yield from self._of_site(table, site_id)

    def _of_site(self, table: Table, site_id: int) -> Iterator[str]:
        last = -1
        for rows in follow.batches(self._truth, table, site_id, follow.LAST_ID):
            self.compared += rows.many
            self._report(f"comparing the {table.name} of {self._domains[site_id]}: {self.compared:,} rows so far")
            if not _alike(table, codec.copied(self._replica, table, site_id, last, rows.last), rows):
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
        copied = codec.copied_fields(self._replica, table, site_id, low, high)
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
    """Whether these are the same rows; quick where they are."""
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

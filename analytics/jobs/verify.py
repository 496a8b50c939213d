"""Verification: compares the columnar replica with the database, and the derived numbers of both with their raw rows.

The replica is compared first by numbers of each site and day, then by every value of every row. Both are frozen at the
same moment, so that new traffic makes no difference. If the replica has the same rows, visits are recounted in it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from analytics.base.background import Pause, Report
from analytics.jobs import compare, purge
from analytics.jobs.recount import MAX_REPAIRS, recount, repair_counts
from analytics.jobs.recount_types import RecountContext
from analytics.query.backend import Fetch
from analytics.replica.columnar import Columnar
from analytics.replica.state import OFF
from analytics.storage import schema

AGREES = "The columnar replica agrees with the database"
RECOUNTED = "Derived numbers agree with the raw rows, as far back as these are kept."
MAX_DIFFERENCES = 200  # in a report; there may be as many as there are rows


class Verified(NamedTuple):
    """The result: how many rows were compared, and a line for each difference (at most `MAX_DIFFERENCES`).

    `off`: there is no replica to compare. `derived` are the differences between derived numbers and raw rows.
    """

    rows: int
    differences: list[str]
    off: bool = False
    derived: tuple[str, ...] = ()


def as_text(found: Verified) -> str:
    """The result in lines; the first begins with `AGREES` if there is no difference of any kind."""
    parts = []
    if found.differences:
        parts += ["The columnar replica differs from the database:", *_limited(found.differences)]
    if found.derived:
        parts += ["Derived numbers differ from the raw rows:", *_limited(found.derived)]
    if parts:
        return "\n".join(parts)
    rows = f"{found.rows:,} rows compared, 0 differences."
    result = "it is off, and every question is asked of the database." if found.off else rows
    return f"{AGREES}: {result}\n{RECOUNTED}"


def _limited(lines: Sequence[str]) -> list[str]:
    return [*lines, *([f"and more: only {MAX_DIFFERENCES} are listed"] if len(lines) >= MAX_DIFFERENCES else [])]


def agrees(as_text: str) -> bool:
    """Whether the text of `as_text` has no difference."""
    return as_text.startswith(AGREES)


class Settings(NamedTuple):
    """The settings that derived numbers depend on.

    `window_s` is how long after a beat a person is active, `retention_days` how long heartbeats are kept for sites
    without a setting of their own, `sample_days` how long samples are.
    """

    window_s: int = 60
    retention_days: int = 7
    sample_days: int = 7


DEFAULTS = Settings()


def verify(columnar: Columnar, pause: Pause, report: Report, settings: Settings = DEFAULTS) -> Verified:
    """Compares the replica with the database, and derived numbers with raw rows. Builds a missing replica first.

    It takes about as long as a rebuild of the replica.
    """
    found = _compared(columnar, pause, report)
    context = _recount_context(columnar, pause, report, settings)
    derived = recount(context, _fetch_of(columnar, found), MAX_DIFFERENCES)
    return found._replace(derived=tuple(islice(derived.lines(), MAX_DIFFERENCES)))


def _recount_context(columnar: Columnar, pause: Pause, report: Report, settings: Settings) -> RecountContext:
    now = int(time.time())
    kept = purge.cutoffs(columnar.database, now, settings.retention_days)
    samples_since = now - settings.sample_days * purge.DAY_S
    return RecountContext(columnar.database, settings.window_s, kept, pause, report, samples_since)


def repair(columnar: Columnar, pause: Pause, report: Report, settings: Settings = DEFAULTS) -> list[str]:
    """Repairs what `verify` finds, each kind of derived numbers in one transaction; returns what was done, in lines."""
    found = _compared(columnar, pause, report)
    context = _recount_context(columnar, pause, report, settings)
    done = repair_counts(context, recount(context, _fetch_of(columnar, found), MAX_REPAIRS))
    if found.differences:
        columnar.rebuild(pause, report)
        done.append("the columnar replica was rebuilt")
    return done


def _fetch_of(columnar: Columnar, found: Verified) -> Fetch:
    """Runs queries about visits: in the replica, which is faster, if it agrees with the database; else there."""
    if not (found.off or found.differences):
        return columnar.rows

    def fetch(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with columnar.database.read_without_timeout() as connection:
            return connection.execute(statement).all()

    return fetch


def _compared(columnar: Columnar, pause: Pause, report: Report) -> Verified:
    if columnar.state.kind == OFF:
        return Verified(0, [], off=True)
    with columnar.frozen(pause, report) as both:
        if both is None:
            return Verified(0, ["there is no replica: it could not be made; the log says why"])
        source, replica = both
        domains = {row.id: row.domain for row in source.execute(select(schema.sites.c.id, schema.sites.c.domain))}
        differences = list(islice(compare.wrong_numbers(source, replica, domains, report), MAX_DIFFERENCES))
        rows = compare.RowComparison(source, replica, domains, pause, report)
        differences += islice(rows.differences(), MAX_DIFFERENCES - len(differences))
        if not differences:
            differences += islice(compare.wrong_columns(replica, domains, report, MAX_DIFFERENCES), MAX_DIFFERENCES)
        return Verified(rows.compared, differences)

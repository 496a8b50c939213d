"""Recounts the derived numbers of the database from raw rows, as far back as these are kept, and repairs them.

Heartbeats are purged from the oldest on. A site's numbers can be recounted from its first remaining heartbeat on, and
only within the retention: before that, only heartbeats that were sent late may be left. Older numbers are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select

from analytics.base.ids import came_live, time_ms
from analytics.jobs import recount_hours, recount_samples, recount_visits
from analytics.jobs.recount_days import Days
from analytics.jobs.recount_samples import WrongStep
from analytics.jobs.recount_types import RecountContext, WrongRow, domain_name
from analytics.jobs.recount_visits import WrongVisit
from analytics.query.backend import Fetch
from analytics.storage import schema
from analytics.storage.upsert import upsert

MAX_REPAIRS = 100_000  # of one kind, in one run


class Recount(NamedTuple):
    """The differences by kind. `lost` describes those that cannot be repaired; `domains` are the sites' by id."""

    visits: list[WrongVisit]
    usage: list[WrongRow]
    minutes: list[WrongRow]
    outcomes: list[WrongRow]
    lost: list[str]
    domains: dict[int, str]
    steps: list[WrongStep]

    def lines(self) -> Iterator[str]:
        """A line for each difference."""
        for visit in self.visits:
            for name, stored in visit.stored.items():
                right = "" if visit.right[name] is None else f", {visit.right[name]} by its rows"
                where = f"visits of {domain_name(self.domains, visit.site_id)}"
                yield f"{where}: visit {visit.id} has {name} {stored}{right}"
        for rows in (self.usage, self.minutes, self.outcomes):
            yield from (row.description for row in rows)
        yield from (step.description for step in self.steps)
        yield from self.lost


def recount(context: RecountContext, fetch: Fetch, limit: int) -> Recount:
    """Recounts and compares; at most `limit` differences of each kind. `fetch` runs the queries about visits."""
    sites = schema.sites.c
    with context.database.read() as connection:
        domains = {row.id: row.domain for row in connection.execute(select(sites.id, sites.domain))}
    context.report("counting visits again")
    found = recount_visits.wrong(fetch, limit)
    lost = [
        f"{table} of {domain_name(domains, site_id)}: {rows:,} rows have no visit, or one of another visitor"
        for table, site_id, rows in recount_visits.orphans(fetch)
    ]
    with context.database.snapshot() as connection:
        since = {site_id: max(kept, _complete_since(connection, site_id)) for site_id, kept in context.kept.items()}
        found += recount_visits.wrong_last_seen(connection, limit)
        context.report("counting outcomes again")
        outcomes = list(islice(recount_hours.wrong_outcomes(connection, domains, since), limit))
        lost += islice(recount_hours.wrong_robots(connection, domains), limit)
        context.report("counting samples again")
        steps = list(islice(recount_samples.wrong_steps(connection, domains, context.samples_since), limit))
    days = Days(context, domains, since)
    daily, minutes = list(islice(days.usage(), limit)), list(islice(days.minutes(), limit))
    return Recount(found, daily, minutes, outcomes, lost, domains, steps)


def repair_counts(context: RecountContext, found: Recount) -> list[str]:
    """Repairs what can be repaired, each kind in one transaction; returns a line for each kind."""
    done = []
    if found.visits:
        done.append(f"visits: {recount_visits.repair(context.database, found.visits):,}")
    tables = (schema.daily_usage, found.usage), (schema.concurrents, found.minutes), (schema.outcomes, found.outcomes)
    for table, rows in tables:
        if rows:
            with context.database.transaction() as connection:
                _repair_rows(connection, table, rows)
            done.append(f"{table.name}: {len(rows):,}")
    recount_samples.repair(context.database, found.steps)
    return [*done, *recount_samples.done(found.steps)]


def _repair_rows(connection: Connection, table: Any, rows: Sequence[WrongRow]) -> None:
    for row in rows:
        if row.right is None:
            key = table.c.day if "day" in table.c else table.c.hour
            connection.execute(delete(table).where(table.c.site_id == row.site_id, key == row.key, *_stored_of(table)))
    upsert(connection, table, [row.right for row in rows if row.right is not None], overwrite=True)


def _stored_of(table: Any) -> Sequence[Any]:
    return recount_hours.stored_events(table.c) if table is schema.outcomes else ()


def _complete_since(connection: Connection, site_id: int) -> float:
    """The second (epoch) since when no heartbeat of the site was purged; -inf if none ever was, inf if none is left."""
    beats, visits = schema.heartbeats.c, schema.visits.c
    oldest = connection.execute(select(func.min(beats.id)).where(beats.site_id == site_id)).scalar()
    live = visits.site_id == site_id, came_live(visits.id)
    first = connection.execute(select(visits.id).where(*live).order_by(visits.id).limit(1)).scalar()
    if first is None:
        return -inf
    if oldest is None:
        return inf
    return -inf if time_ms(oldest) <= time_ms(first) else time_ms(oldest) // 1000 + 1

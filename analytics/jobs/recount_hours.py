"""Recounts hourly counters: stored events from their heartbeats, robots from their names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf
from typing import Any

from sqlalchemy import Connection, func, select

from analytics.jobs.recount_types import WrongRow, domain_name
from analytics.live.reasons import FilteredReason
from analytics.storage import schema

HOUR = 3600


def wrong_outcomes(connection: Connection, domains: dict[int, str], since: dict[int, float]) -> Iterator[WrongRow]:
    """The hours whose number of stored events is not that of their heartbeats, as far back as these are complete.

    Each stored event has a heartbeat, except those after a leave and those without a visitor, which are counted under
    reasons of their own.
    """
    table, beats = schema.outcomes.c, schema.heartbeats.c
    hour = (beats.at - beats.at % HOUR).label("hour")
    counted = select(beats.site_id, hour, func.count()).group_by(beats.site_id, hour)
    right = {(site_id, int(at)): many for site_id, at, many in connection.execute(counted)}
    sums = select(table.site_id, table.hour, func.sum(table.count)).where(*stored_events(table))
    stored = {(row[0], row[1]): int(row[2]) for row in connection.execute(sums.group_by(table.site_id, table.hour))}
    for site_id, at in sorted(stored.keys() | right.keys()):
        ours, theirs = stored.get((site_id, at), 0), right.get((site_id, at), 0)
        if ours != theirs and since.get(site_id, inf if site_id else -inf) <= at:
            said = (
                f"outcomes of {domain_name(domains, site_id)} at {_hour(at)}: {ours} stored, {theirs} by its heartbeats"
            )
            row = {"site_id": site_id, "hour": at, "outcome": "stored", "reason": "", "count": theirs}
            yield WrongRow(site_id, at, said, row if theirs else None)


def stored_events(outcomes: Any) -> tuple[Any, Any]:
    """SQL: the conditions on the rows of stored events, of the table's columns."""
    return outcomes.outcome == "stored", outcomes.reason == ""


def wrong_robots(connection: Connection, domains: dict[int, str]) -> Iterator[str]:
    """A line for each hour in which the robots by name and the robots in all are different numbers."""
    names, table = schema.robots.c, schema.outcomes.c
    by_name = select(names.site_id, names.hour, func.sum(names.count)).group_by(names.site_id, names.hour)
    right = {(row[0], row[1]): int(row[2]) for row in connection.execute(by_name)}
    begun = min((at for _, at in right), default=None)
    if begun is None:
        return
    bots = table.outcome == "filtered", table.reason == FilteredReason.BOT, table.hour > begun
    stored = {
        (row[0], row[1]): row[2]
        for row in connection.execute(select(table.site_id, table.hour, table.count).where(*bots))
    }
    for site_id, at in sorted(stored.keys() | {key for key in right if key[1] > begun}):
        ours, theirs = stored.get((site_id, at), 0), right.get((site_id, at), 0)
        if ours != theirs:
            where = f"robots of {domain_name(domains, site_id)} at {_hour(at)}"
            yield f"{where}: {ours} in all, {theirs} by name; it cannot be told which of the two is wrong"


def _hour(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")

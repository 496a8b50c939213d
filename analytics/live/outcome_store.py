"""Reads the outcomes of received events."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from analytics.live.outcomes import DROPPED, OutcomeCount, RobotCount, Traffic, most_first
from analytics.storage import schema
from analytics.storage.database import Database


def read(database: Database, site_id: int, since: int, until: int) -> Traffic:
    """The outcomes of a site's events in the hours that begin at `since` or later and before `until` (epoch s).

    Site 0 has the events of no known site: unreadable bodies, unknown domains, invalid requests. Refused events are
    counted within a second, stored ones with their rows.
    """
    outcomes, robots = schema.outcomes, schema.robots
    by_hour = select(outcomes.c.hour, outcomes.c.outcome, outcomes.c.reason, outcomes.c.count).where(
        outcomes.c.site_id == site_id, outcomes.c.hour >= since, outcomes.c.hour < until
    )
    named = select(robots.c.name, robots.c.count).where(
        robots.c.site_id == site_id, robots.c.hour >= since, robots.c.hour < until
    )
    with database.read() as connection:
        counted = sorted(OutcomeCount(*row) for row in connection.execute(by_hour))
        sums: Counter[str] = Counter()
        for name, count in connection.execute(named):
            sums[name] += count
    fields: Counter[str] = Counter()
    for one in counted:
        if one.outcome == DROPPED:
            fields[one.reason] += one.events
    hours = [one for one in counted if one.outcome != DROPPED]
    return Traffic(hours, [RobotCount(*one) for one in most_first(sums)], most_first(fields))

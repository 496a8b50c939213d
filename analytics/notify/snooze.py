"""Until when an alert is snoozed."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

MORNING = time(9)


def tomorrow(now: int, zone: tzinfo) -> int:
    """When an alert that is snoozed until tomorrow is heard of again: at nine on the next day, by the zone's clock."""
    day = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return int(datetime.combine(day, MORNING, zone).timestamp())

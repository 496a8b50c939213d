"""Until when an alert or a rule is snoozed."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from analytics.base.errors import InvalidInput, message
from analytics.base.words import N_

MORNING = time(9)
HOUR_S = 3600
MAX_HOURS = 30 * 24
HOURS = (("1", N_("For 1 hour")), ("4", N_("For 4 hours")))
TOMORROW, WAKE = "tomorrow", "0"
"""What the buttons send besides the hours."""


def tomorrow(now: int, zone: tzinfo) -> int:
    """When what is snoozed until tomorrow is heard of again: at nine on the next day, by the zone's clock."""
    day = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return int(datetime.combine(day, MORNING, zone).timestamp())


def in_hours(hours: object, now: int) -> int:
    """So many hours from now; 0, for no snooze, without any. `InvalidInput` if it is no whole number from 0 to 720."""
    if type(hours) is not int or not 0 <= hours <= MAX_HOURS:
        raise InvalidInput(message("hours: a whole number from 0 to {limit}", limit=MAX_HOURS))
    return now + hours * HOUR_S if hours else 0


def chosen(value: str, now: int, zone: tzinfo) -> int:
    """Until when the button with that value snoozes: 0 for the one that ends it. `InvalidInput` for any other value."""
    if value == TOMORROW:
        return tomorrow(now, zone)
    known = {one: int(one) for one in (WAKE, *dict(HOURS))}
    return in_hours(known.get(value), now)

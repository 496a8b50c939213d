"""Quiet hours and digests: when a person does not want to be disturbed outside the dashboard. They hold messages, not
alerts.

Quiet hours begin and end by the clock on the wall. An hour that clocks show twice is quiet from its first begin to its
second end; where clocks skip the begin or the end, it is the second at which they do. A digest is due at a time of the
wall clock too: the first time that clocks show it, or the second at which they skip it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.notify.rule import Priority

ALL_DAYS = 0b1111111
PRIORITIES = tuple(Priority)
MAX_IN_A_ROW = 8  # seven whole days may touch; a weekly digest is due within as many


class Digest(StrEnum):
    """How often messages are collected and sent as one; `OFF`: each is sent by itself."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


class QuietHours(NamedTuple):
    """The quiet hours of one person, and their digest.

    `days`: a bit for each weekday on which they begin, Monday is 1, Sunday 64; 0: there are none. `begins` and `ends`
    are minutes after midnight in the zone; they end on the next day, if not after `begins`. Messages up to the priority
    `up_to` are held. A digest is sent at `digest_at`, in minutes after midnight, a weekly one on `digest_day`, of which
    0 is Monday. Urgent messages are in none.
    """

    days: int = ALL_DAYS
    begins: int = 22 * 60
    ends: int = 7 * 60
    timezone: str = "UTC"
    up_to: Priority = Priority.HIGH
    digest: Digest = Digest.OFF
    digest_at: int = 8 * 60
    digest_day: int = 0


def quiet_until(hours: QuietHours, at: int) -> int | None:
    """When the quiet hours of that moment (epoch s) end; None if it is in none. Some that touch are one."""
    end: int | None = None
    for _ in range(MAX_IN_A_ROW):
        found = _end_of(hours, at if end is None else end)
        if found is None:
            break
        end = found
    return end


def _end_of(hours: QuietHours, at: int) -> int | None:
    """The end of the quiet hours that contain the moment."""
    zone = ZoneInfo(hours.timezone)
    today = datetime.fromtimestamp(at, zone).date()
    ends = []
    for day in (today - timedelta(days=1), today):
        if hours.days >> day.weekday() & 1:
            begin = _moment(day, hours.begins, zone, last=False)
            last_day = day if hours.ends > hours.begins else day + timedelta(days=1)
            end = _moment(last_day, hours.ends, zone, last=True)
            ends += [end] if begin <= at < end else []
    return max(ends, default=None)


def _moment(day: date, minutes: int, zone: ZoneInfo, *, last: bool) -> int:
    """When the clock shows that time of the day: the first or the last time, or the second at which it skips it."""
    wall = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
    first, second = (int(wall.replace(fold=fold).timestamp()) for fold in (0, 1))
    if first <= second:
        return second if last else first
    return _skip(second, first, zone)


def _skip(before: int, after: int, zone: ZoneInfo) -> int:
    """The second between the two at which the clock skips ahead."""
    offset = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def next_digest(hours: QuietHours, at: int) -> int | None:
    """When the next digest after that moment (epoch s) is due; None without digests."""
    if hours.digest is Digest.OFF:
        return None
    zone = ZoneInfo(hours.timezone)
    today = datetime.fromtimestamp(at, zone).date()
    days = [today + timedelta(days=number) for number in range(MAX_IN_A_ROW)]
    wanted = [day for day in days if hours.digest is Digest.DAILY or day.weekday() == hours.digest_day]
    return min(due for day in wanted if (due := _moment(day, hours.digest_at, zone, last=False)) > at)


def held_until(hours: QuietHours | None, priority: Priority, at: int) -> int | None:
    """Until when a message of that moment is held, by quiet hours or for the digest; None: it goes at once.

    Nothing urgent is in a digest, and quiet hours hold it only where `up_to` is urgent. A digest that is due within
    quiet hours, of what they hold, waits for their end.
    """
    if hours is None:
        return None
    digest = None if priority is Priority.URGENT else next_digest(hours, at)
    due = at if digest is None else digest
    quiet = quiet_until(hours, due) if _holds(hours, priority) else None
    return quiet or digest


def retry_due(hours: QuietHours | None, priority: Priority, at: int) -> int:
    """When a message that is to be tried again at that moment is: after the quiet hours that hold it. It waits for no
    further digest: it has waited for its own.
    """
    if hours is None or not _holds(hours, priority):
        return at
    return quiet_until(hours, at) or at


def _holds(hours: QuietHours, priority: Priority) -> bool:
    return PRIORITIES.index(priority) <= PRIORITIES.index(hours.up_to)

"""Which event is counted in which notification: decided in memory, for all events of a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from analytics.notify.notification import MINUTE_S, Notification, RecentNotification
from analytics.notify.rule import MAX_PER_MINUTE, Rule

MAX_LATE_S = 3_600
"""How late an event may come and still be counted in the minute or the group of its own time."""

_Key = tuple[int | None, int | None]  # the id of a rule, and the minute if the rule has no groups


class MatchedEvent(NamedTuple):
    """An event for which a rule waits: the fields of the event, and its epoch second.

    `counted_at` is the second by which it is grouped and limited, as `counted_at` below finds it.
    """

    rule: Rule
    values: Mapping[str, object]
    at: int
    counted_at: int


def counted_at(at: int, now: int) -> int:
    """The second by which an event of that second is grouped and limited when it is stored: at most `MAX_LATE_S` ago.

    So a backlog of days is limited by the minutes in which it comes, and no transaction looks back further.
    """
    return max(at, now - MAX_LATE_S)


class Group:
    """A notification to which events of one transaction are added.

    `stored` is the notification that was there before; None for one that begins with the event `first`. `events` counts
    what was added, up to the second `last_at`; until `open_until` further events belong to it.
    """

    def __init__(self, first: MatchedEvent, open_until: int, stored: Notification | None = None) -> None:
        self.first = first
        self.open_until = open_until
        self.stored = stored
        self.events = 0
        self.last_at = first.at

    def add(self, at: int) -> None:
        """Counts an event of that second."""
        self.events += 1
        self.last_at = max(self.last_at, at)


def gather(matches: Iterable[MatchedEvent], recent: Iterable[RecentNotification]) -> list[Group]:
    """The groups of these events, in the order in which each got its first one.

    `recent` are the notifications of their rules, as `notifications.recent` reads them.
    """
    stored, many = _known(recent)
    newest: dict[_Key, Group] = {}
    groups: list[Group] = []
    for one in matches:
        key = _key(one)
        group = newest.get(key) or _stored_group(one, stored.get(key))
        if group is None or not _is_open(group, one, many[key]):
            many[key] += 1
            group = Group(one, _open_until(one, many[key]))
        if not group.events:
            groups.append(group)
        newest[key] = group
        group.add(one.at)
    return groups


def _known(recent: Iterable[RecentNotification]) -> tuple[dict[_Key, Notification], Counter[_Key]]:
    """What is stored: the newest notifications of rules, and of their minutes, and how many each minute has."""
    stored: dict[_Key, Notification] = {}
    many: Counter[_Key] = Counter()
    for one in sorted(recent, key=lambda one: (one.newest.open_until, one.newest.id)):
        of_minute = one.newest.rule_id, one.newest.counted_at // MINUTE_S
        stored[of_minute] = stored[one.newest.rule_id, None] = one.newest
        many[of_minute] = one.many
    return stored, many


def _key(one: MatchedEvent) -> _Key:
    return one.rule.id, None if one.rule.notify.group_s else one.counted_at // MINUTE_S


def _stored_group(one: MatchedEvent, stored: Notification | None) -> Group | None:
    return Group(one, stored.open_until, stored) if stored else None


def _is_open(group: Group, one: MatchedEvent, many: int) -> bool:
    return one.counted_at < group.open_until if one.rule.notify.group_s else many >= MAX_PER_MINUTE


def _open_until(one: MatchedEvent, many: int) -> int:
    """The last one of a minute is open until its end: by that its messages know how often the count may be sent."""
    if not one.rule.notify.group_s and many >= MAX_PER_MINUTE:
        return (one.counted_at // MINUTE_S + 1) * MINUTE_S
    return one.counted_at + one.rule.notify.group_s

"""Alerts in groups: what begins or ends within a short time goes to a channel as one message, with a list.

The first message about an alert waits 30 s for others, from whichever rule of the site. What comes after it goes
together, `group_s` (5 min) after the last one. An urgent one goes at once, and all that waits goes with it.
`several` puts a group into the outbox as one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, case, func, select

from analytics.notify.delivery import DeliveryState
from analytics.notify.grouping import first_due
from analytics.notify.notification import FIRING, RESOLVED
from analytics.notify.rule import Notify, Priority
from analytics.storage import schema

GONE = DeliveryState.WAITING, DeliveryState.SENT, DeliveryState.COVERED  # out of its group, to the channel


class AlertCounts(NamedTuple):
    """How many alerts a message is about, and how many of them still fire."""

    alerts: int
    firing: int

    @property
    def title(self) -> str:
        """What the message says first."""
        many = f"{self.alerts} alert{'s' if self.alerts > 1 else ''}"
        are = "are" if self.alerts > 1 else "is"
        if self.firing in (0, self.alerts):
            return f"{many} {are} {'firing' if self.firing else 'over'}"
        return f"{many}, {self.firing} still firing"

    @property
    def type(self) -> str:
        """The type of the message: as long as one fires, it is about alerts that fire."""
        return FIRING if self.firing else RESOLVED


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def group_due(now: int, notify: Notify, newest: int | None) -> int:
    """When a message about an alert is due. All moments are epoch seconds.

    `newest` is the moment of the channel's newest group: in the future if it waits, in the past if it is sent; None if
    it had none lately. Urgent ones are in none.
    """
    wait_s = notify.group_s
    if notify.priority is Priority.URGENT or newest is None or newest + wait_s <= now:
        return first_due(now, notify.priority, wait_s)
    following = newest if newest > now else newest + wait_s
    return min(following, now + wait_s)


def due_at(connection: Connection, channel_id: int, notify: Notify, now: int) -> int:
    """When a message to the channel about an alert of that moment is due, with the others of its group."""
    return group_due(now, notify, _newest(connection, channel_id, now - notify.group_s, now))


def _newest(connection: Connection, channel_id: int, since: int, now: int) -> int | None:
    """The moment of the channel's newest group, if it is due or was sent after `since`."""
    table, notices = schema.deliveries, schema.notifications
    is_begun = (table.c.state == DeliveryState.GROUPED) | (table.c.next_at <= now)  # else it is tried again later
    own = table.c.channel_id == channel_id, table.c.state.in_((DeliveryState.GROUPED, *GONE))
    of_alert = notices.c.alert_id.is_not(None), notices.c.priority != Priority.URGENT
    joined = table.join(notices, notices.c.id == table.c.notification_id)
    newest = select(func.max(table.c.next_at)).select_from(joined).where(*own, *of_alert, table.c.next_at > since)
    return connection.execute(newest.where(is_begun)).scalar()


# ── what ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(connection: Connection, notification_ids: Sequence[int]) -> AlertCounts | None:
    """The alerts of these notifications; None if one of them is about no alert."""
    notices, alerts = schema.notifications, schema.alerts
    firing = case((alerts.c.resolved_at.is_(None), alerts.c.id))
    numbers = func.count(), func.count(alerts.c.id), func.count(alerts.c.id.distinct()), func.count(firing.distinct())
    joined = notices.outerjoin(alerts, alerts.c.id == notices.c.alert_id)
    wanted = select(*numbers).select_from(joined).where(notices.c.id.in_(notification_ids))
    every, of_alerts, different, still = connection.execute(wanted).one()
    return AlertCounts(different, still) if of_alerts == every else None

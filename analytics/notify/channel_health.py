"""What attempts say about a channel: since when it fails, and that it is disabled when it is gone or fails for long."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update

from analytics.notify import deliveries, notifications, retry
from analytics.notify.audience import Audience
from analytics.notify.channel import NotificationChannel
from analytics.notify.notification import CREATED, Notification
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.storage import schema

GONE = "its receiver says that it is gone"
GIVEN_UP = f"every attempt has failed for {retry.DISABLED_AFTER_S // retry.DAY} days"


def find(connection: Connection, channel_id: int) -> NotificationChannel | None:
    """The channel of that id; None if there is none."""
    row = connection.execute(select(schema.channels).where(schema.channels.c.id == channel_id)).first()
    return None if row is None else channel_of(row)


def channel_of(row: Row[Any]) -> NotificationChannel:
    """The channel of a row of the table."""
    return NotificationChannel(*(getattr(row, name) for name in NotificationChannel._fields))


def record(
    connection: Connection, channel: NotificationChannel, answer: ChannelAnswer, now: int
) -> Notification | None:
    """Notes that an attempt succeeded or failed, within the caller's transaction, and disables the channel if due.

    Returns the notification that says so; None if the channel stays as it is.
    """
    since = None if answer.sent else channel.failing_since or now
    if since != channel.failing_since:
        own = schema.channels.c.id == channel.id
        connection.execute(update(schema.channels).where(own).values(failing_since=since))
    if answer.gone:
        return _give_up(connection, channel, GONE, now)
    if since is not None and retry.is_given_up(since, now):
        return _give_up(connection, channel, GIVEN_UP, now)
    return None


def disable(connection: Connection, channel_id: int, why: str, now: int) -> bool:
    """Disables a channel and drops what waits for it; False, and nothing is done, if it is disabled already."""
    table = schema.channels
    enabled = table.c.id == channel_id, table.c.disabled_at.is_(None)
    if not connection.execute(update(table).where(*enabled).values(disabled_at=now, disabled_why=why)).rowcount:
        return False
    deliveries.drop_of_channel(connection, channel_id, f"the channel is disabled: {why}")
    return True


def _give_up(connection: Connection, channel: NotificationChannel, why: str, now: int) -> Notification | None:
    """Disables the channel and returns the notification that says so; None if it is disabled already."""
    is_new = disable(connection, channel.id, why, now)
    return notifications.add(connection, _notice(connection, channel, why, now)) if is_new else None


def _notice(connection: Connection, channel: NotificationChannel, why: str, now: int) -> dict[str, Any]:
    sites = schema.sites
    domain = connection.execute(select(sites.c.domain).where(sites.c.id == channel.site_id)).scalar()
    return {
        "site_id": channel.site_id,
        "type": CREATED,
        "priority": "high",
        "title": f"The channel {channel.shown_name} is disabled",
        "message": f"{why[:1].upper()}{why[1:]}. Nothing is sent to it until it is switched on again.",
        "link": f"/settings/{domain}/channels#channel-{channel.id}" if domain else "",
        "link_label": "Channels" if domain else "",
        "audience": str(Audience.ADMINS),  # who can switch it on; its name may be for them alone
        "at": now,
        "last_at": now,
        "open_until": now,
    }

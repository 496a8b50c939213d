"""What quiet hours or a digest hold for a person: lists it, sends it now, and holds it again after a change."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, select, update

from analytics.notify import quiet_hours
from analytics.notify.channel import NotificationChannel
from analytics.notify.channel_health import channel_of
from analytics.notify.delivery import DeliveryState, HeldMessage
from analytics.notify.holding import is_of
from analytics.notify.quiet_hours import QuietHours
from analytics.notify.rule import Priority
from analytics.storage import schema
from analytics.storage.database import Database

MAX_LISTED = 50


def channels_of(database: Database, email: str, site_ids: Collection[int]) -> list[NotificationChannel]:
    """The channels of these sites that lead to the person with that address, also those that are off."""
    table = schema.channels
    wanted = select(table).where(is_of(email), table.c.site_id.in_(sorted(site_ids))).order_by(table.c.id)
    with database.read() as connection:
        return [channel_of(row) for row in connection.execute(wanted)]


def of_person(database: Database, email: str, site_ids: Collection[int], now: int) -> list[HeldMessage]:
    """What is still held of these sites, the next to be sent first, at most `MAX_LISTED` and one more."""
    held, notices = schema.deliveries, schema.notifications
    columns = (notices.c[name] for name in ("site_id", "title", "priority", "count", "at"))
    wanted = select(*columns, held.c.next_at, held.c.more).join(held, held.c.notification_id == notices.c.id)
    own = held.c.channel_id.in_(_channels(email)), held.c.state == DeliveryState.HELD, held.c.next_at > now
    ordered = wanted.where(*own, held.c.site_id.in_(sorted(site_ids))).order_by(held.c.next_at, held.c.id)
    with database.read() as connection:
        return [HeldMessage._make(row) for row in connection.execute(ordered.limit(MAX_LISTED + 1))]


def hold_again(database: Database, email: str, hours: QuietHours | None, now: int) -> None:
    """Holds what is held until the moment that these quiet hours say; what they do not hold is due now."""
    held, notices = schema.deliveries, schema.notifications
    own = held.c.channel_id.in_(_channels(email)), held.c.state == DeliveryState.HELD
    with database.transaction() as connection:
        for priority in Priority:
            until = quiet_hours.held_until(hours, priority, now)
            of_it = select(notices.c.id).where(notices.c.priority == priority)
            some = update(held).where(*own, held.c.notification_id.in_(of_it))
            connection.execute(some.values(next_at=now if until is None else until))


def _channels(email: str) -> Select[tuple[int]]:
    return select(schema.channels.c.id).where(is_of(email))

"""Test data of notifications, channels and deliveries, in a database; and settings that reach this machine."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Any

from sqlalchemy import insert

from analytics.base.mail_server import MailServer
from analytics.base.name_lookup import Resolve, addresses_of
from analytics.notify import new_deliveries
from analytics.notify.channel import NotificationChannel
from analytics.notify.channel_health import channel_of
from analytics.notify.delivery import Delivery
from analytics.notify.notification import CREATED
from analytics.notify.outbound.message import OutboundMessage
from analytics.notify.outbound.outside import Outside
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))


def outside(mail: MailServer | None = None, allowed: Any = LOOPBACK, resolve: Resolve = addresses_of) -> Outside:
    """Settings with which channels reach this machine."""
    return Outside(tuple(allowed), mail, ssl.create_default_context(), resolve)


def added_channel(database: Database, address: str, kind: str = "webhook", **fields: Any) -> NotificationChannel:
    """A channel of the site with id 1, in the database."""
    values = {"site_id": 1, "kind": kind, "address": address, "created_at": NOW} | fields
    with database.transaction() as connection:
        return channel_of(connection.execute(insert(schema.channels).values(values).returning(schema.channels)).one())


def added_notification(database: Database, **fields: Any) -> int:
    """The id of a notification of the site with id 1."""
    values = {"site_id": 1, "type": "notification.created", "priority": "medium", "title": "A title"}
    values |= {"at": NOW, "last_at": NOW, "open_until": NOW} | fields
    table = schema.notifications
    with database.transaction() as connection:
        return connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()


def added_delivery(
    database: Database, channel: NotificationChannel, notification_id: int | None, due_at: int = NOW, **fields: Any
) -> Delivery:
    """A delivery that is due."""
    with database.transaction() as connection:
        return new_deliveries.add(
            connection, channel.site_id, channel.id, notification_id, due_at=due_at, now=NOW, **fields
        )


def outbound_message(title: str = "A title", **fields: Any) -> OutboundMessage:
    """A message of example.com at `NOW`, by default about an event."""
    values: dict[str, Any] = {"message_id": "msg_1", "type": CREATED, "site": "example.com", "title": title, "at": NOW}
    return OutboundMessage(**values | fields)


def channel_now(database: Database, channel: NotificationChannel) -> NotificationChannel:
    """The channel as it is in the database."""
    with database.read() as connection:
        return channel_of(connection.execute(schema.channels.select().where(schema.channels.c.id == channel.id)).one())

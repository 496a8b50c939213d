"""Holding: whether a message to a channel waits, because its reader has quiet hours or wants digests.

An e-mail channel with the address of an account is that person's; other channels are nobody's, and hold nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, func, select

from analytics.notify.channel import ChannelKind
from analytics.notify.quiet_hours import QuietHours
from analytics.notify.quiet_hours_store import read_row
from analytics.storage import schema


def is_of(email: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether a channel is that of the person with this address."""
    table = schema.channels
    return (table.c.kind == ChannelKind.EMAIL) & (func.lower(table.c.address) == func.lower(email))


def hours_of(connection: Connection, channel_ids: Collection[int]) -> dict[int, QuietHours]:
    """The quiet hours of the people to whom these channels lead, by the ids of the channels that have some."""
    if not channel_ids:
        return {}
    channels, people, hours = schema.channels, schema.people, schema.quiet_hours
    joined = channels.join(people, is_of(people.c.email)).join(hours, hours.c.person_id == people.c.id)
    wanted = select(channels.c.id.label("channel_id"), hours).select_from(joined)
    rows = connection.execute(wanted.where(channels.c.id.in_(sorted(channel_ids))))
    return {row.channel_id: read_row(row) for row in rows}

"""Messages of several: what waits for a channel in a group of alerts, or is held for it, goes as one message.

`rendering` writes it: what was notified when, with its value and count, and whether an alert still fires.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from analytics.notify import new_deliveries
from analytics.notify.delivery import DeliveryState
from analytics.storage import schema
from analytics.storage.database import Database

TOGETHER = DeliveryState.GROUPED, DeliveryState.HELD


def release(database: Database, now: int) -> int:
    """Puts what is due of groups, and what is no longer held, into the outbox: one message for each channel and state.
    Returns how many. Several processes may call it at the same time.
    """
    table = schema.deliveries
    due = select(table.c.channel_id, table.c.state).where(table.c.state.in_(TOGETHER), table.c.next_at <= now)
    with database.read() as connection:
        found = sorted((channel_id, DeliveryState(state)) for channel_id, state in connection.execute(due.distinct()))
    for channel_id, state in found:
        with database.transaction() as connection:
            together = _together(channel_id, state, now).with_for_update(skip_locked=True)
            if rows := connection.execute(together).all():
                _release(connection, rows, state, now)
    return len(found)


def _together(channel_id: int, state: DeliveryState, now: int) -> Select[Any]:
    """The whole group, since an urgent one takes all with it; of what is held, what is held until now and no longer."""
    table = schema.deliveries
    own = select(table).where(table.c.channel_id == channel_id, table.c.state == state).order_by(table.c.id)
    return own.where(table.c.next_at <= now) if state is DeliveryState.HELD else own


def _release(connection: Connection, rows: Sequence[Row[Any]], state: DeliveryState, now: int) -> None:
    """A single one goes as itself, unless it was held and is about an alert: that may be over by now."""
    is_several = len({row.notification_id for row in rows}) > 1
    if is_several or (state is DeliveryState.HELD and _is_of_alert(connection, rows[0].notification_id)):
        _send_as_one(connection, rows, now)
    else:
        _change(connection, rows, {"state": DeliveryState.WAITING, "next_at": now})


def _send_as_one(connection: Connection, rows: Sequence[Row[Any]], now: int) -> None:
    """Puts one message into the outbox that covers the notifications of these deliveries, all to one channel; it is
    urgent if one of them is.
    """
    first, ids = rows[0], list(dict.fromkeys(row.notification_id for row in rows))
    can_wait, more = all(row.can_wait for row in rows), sum(row.more for row in rows)
    own = connection, first.site_id, first.channel_id, None
    sent = new_deliveries.add(*own, due_at=now, now=now, covers=ids, can_wait=can_wait, more=more)
    if sent.state is DeliveryState.DROPPED:
        values: dict[str, Any] = {"state": DeliveryState.DROPPED, "answer": new_deliveries.TOO_MANY}
    else:
        values = {"state": DeliveryState.COVERED, "answer": f"in the message {sent.id}"}
    _change(connection, rows, values | {"next_at": now})


def _change(connection: Connection, rows: Sequence[Row[Any]], values: Mapping[str, Any]) -> None:
    table = schema.deliveries
    connection.execute(update(table).where(table.c.id.in_([row.id for row in rows])).values(values))


def _is_of_alert(connection: Connection, notification_id: int) -> bool:
    table = schema.notifications
    found = select(table.c.alert_id).where(table.c.id == notification_id)
    return connection.execute(found).scalar() is not None

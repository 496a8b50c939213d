"""New deliveries: puts them into the outbox as long as their channel has room, and only counts further ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from analytics.notify.deliveries import delivery_of
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.notify.outbound.message import new_message_id
from analytics.storage import schema

MAX_WAITING = 1_000
"""How many deliveries of a channel wait, and how many urgent ones besides, so that a loop or a flood cannot fill the
disk. Further ones are counted by a row that is there; alerts have as many places more.
"""

FULL_S = 3_600
"""For how long one row counts what is dropped of a channel."""

TOO_MANY = f"{MAX_WAITING} messages of the channel are waiting already"

_Key = tuple[int, int | None, bool | None]
_Values = dict[str, Any]


class NewDelivery(NamedTuple):
    """A delivery to be added: of a notification, or of several that it `covers`. An urgent one cannot wait.

    `more` is how many notifications its message counts without a name. `of_alert`: its notification is about an alert.
    """

    site_id: int
    channel_id: int
    notification_id: int | None
    due_at: int
    state: DeliveryState = DeliveryState.WAITING
    covers: tuple[int, ...] = ()
    can_wait: bool = True
    more: int = 0
    of_alert: bool = False

    @property
    def place(self) -> tuple[int, str, bool]:
        """Among which deliveries of its channel it waits."""
        return self.channel_id, self.state, self.can_wait

    @property
    def room(self) -> int:
        """How many may wait before it in its place: a flood of events leaves room for alerts."""
        return MAX_WAITING * (2 if self.of_alert else 1)

    @property
    def counted_with(self) -> _Key:
        """Which row counts it if there is no room: one that is held until then, or the channel's that was dropped."""
        is_held = self.state is DeliveryState.HELD
        return (self.channel_id, self.due_at, self.can_wait) if is_held else (self.channel_id, None, None)


def add(
    connection: Connection,
    site_id: int,
    channel_id: int,
    notification_id: int | None,
    *,
    due_at: int,
    now: int,
    covers: Sequence[int] = (),
    state: DeliveryState = DeliveryState.WAITING,
    can_wait: bool = True,
    more: int = 0,
) -> Delivery:
    """Adds one delivery as `add_all`, and returns it.

    If nothing is added, the row that counts it is returned.
    """
    one = NewDelivery(site_id, channel_id, notification_id, due_at, state, tuple(covers), can_wait, more)
    table = schema.deliveries
    rows, counting = _rows(connection, [one], now)
    if rows:
        return delivery_of(connection.execute(insert(table).values(rows[0]).returning(table)).one())
    _count(connection, counting)
    return delivery_of(connection.execute(select(table).where(table.c.id == counting[0]["id"])).one())


def add_all(connection: Connection, added: Sequence[NewDelivery], now: int) -> None:
    """Adds deliveries in this order, within the caller's transaction.

    If `MAX_WAITING` of a channel are in the state of one, it is only counted (`more`): what would be held by the newest
    that is held until the same moment, so that the catch-up counts it; all else by one that was dropped within the
    hour. Urgent ones are counted by themselves, and alerts have as many places more, so others leave them theirs.
    """
    rows, counting = _rows(connection, added, now)
    if rows:
        connection.execute(insert(schema.deliveries), rows)
    _count(connection, counting)


def _rows(connection: Connection, added: Sequence[NewDelivery], now: int) -> tuple[list[_Values], list[_Values]]:
    """The rows to insert; and of those that are stored `id` and `more`, by how many each counts more."""
    if not added:
        return [], []
    many = _waiting(connection, {one.channel_id for one in added})
    wanted = Counter(one.place for one in added)
    full = {place[0] for place, more in wanted.items() if many[place] + more > MAX_WAITING}
    stored = _counting(connection, full, now)
    counting, rows = dict(stored), []
    for one in added:
        is_full, is_held = many[one.place] >= one.room, one.state is DeliveryState.HELD
        if is_full and one.counted_with in counting:
            counting[one.counted_with]["more"] += 1
            continue
        rows.append(_row(one, now, is_dropped=is_full and not is_held))
        many[one.place] += not is_full
        if is_full or is_held:
            counting[one.counted_with] = rows[-1]
    return rows, [values for values in stored.values() if values["more"]]


def _row(one: NewDelivery, now: int, *, is_dropped: bool) -> _Values:
    return {
        "site_id": one.site_id,
        "channel_id": one.channel_id,
        "notification_id": one.notification_id,
        "message_id": new_message_id(),
        "state": DeliveryState.DROPPED if is_dropped else one.state,
        "answer": TOO_MANY if is_dropped else "",
        "covers": json.dumps(one.covers),
        "more": one.more,
        "can_wait": one.can_wait,
        "next_at": now if is_dropped else one.due_at,
        "created_at": now,
    }


def _waiting(connection: Connection, channel_ids: Collection[int]) -> Counter[tuple[int, str, bool]]:
    """How many deliveries of each channel wait, are held or grouped, by their `place`."""
    table = schema.deliveries
    states = DeliveryState.WAITING, DeliveryState.HELD, DeliveryState.GROUPED
    own = table.c.channel_id.in_(sorted(channel_ids)), table.c.state.in_(states)
    place = table.c.channel_id, table.c.state, table.c.can_wait
    rows = connection.execute(select(*place, func.count()).where(*own).group_by(*place))
    return Counter({(channel_id, state, can_wait): many for channel_id, state, can_wait, many in rows})


def _counting(connection: Connection, channel_ids: Collection[int], now: int) -> dict[_Key, _Values]:
    """The rows of these channels that count what finds no room, locked: id, and `more` as 0."""
    if not channel_ids:
        return {}
    table = schema.deliveries
    is_held = table.c.state == DeliveryState.HELD
    lately = table.c.state == DeliveryState.DROPPED, table.c.next_at > now - FULL_S, table.c.answer == TOO_MANY
    until, can_wait = case((is_held, table.c.next_at)), case((is_held, table.c.can_wait))
    own = select(func.max(table.c.id)).where(table.c.channel_id.in_(sorted(channel_ids)))
    each = own.where(is_held | (lately[0] & lately[1] & lately[2])).group_by(table.c.channel_id, until, can_wait)
    wanted = select(table.c.id, table.c.channel_id, until, can_wait).where(table.c.id.in_(each)).order_by(table.c.id)
    counts = table.c.state.in_((DeliveryState.HELD, DeliveryState.DROPPED))  # still, when it is locked
    rows = connection.execute(wanted.where(counts).with_for_update())
    return {(channel_id, due, waits): {"id": number, "more": 0} for number, channel_id, due, waits in rows}


def _count(connection: Connection, counting: Sequence[_Values]) -> None:
    """Adds `more` to each row with that `id`."""
    table = schema.deliveries
    if counting:
        counted = update(table).where(table.c.id == bindparam("number")).values(more=table.c.more + bindparam("by"))
        connection.execute(counted, [{"number": one["id"], "by": one["more"]} for one in counting])

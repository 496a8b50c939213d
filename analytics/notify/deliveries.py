"""The outbox: claims deliveries that are due, records what came of them, lists and repeats them.

A delivery is claimed for `LEASE_S` before it is attempted. If the process dies meanwhile, it is due again when that has
passed, with the same message id: a receiver may get it twice, and can tell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from analytics.base.errors import InvalidInput, message
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.storage import schema
from analytics.storage.chunks import chunks
from analytics.storage.database import Database

LEASE_S = 120
"""How long an attempt may take: more than the time-outs of every kind of channel together."""

KEPT_S = 90 * 86_400
"""How long the log keeps a delivery that is sent, failed or dropped."""

MAX_LISTED = 50
PRUNE_BATCH = 500
MAX_CANDIDATES = 200
NONE_RUNS: Mapping[int, int] = {}


class Result(NamedTuple):
    """What an attempt leaves in its row. `events` is the notification's count that was sent, 0 if none was."""

    state: DeliveryState
    next_at: int
    at: int
    status: int | None
    answer: str
    events: int = 0


class Backlog(NamedTuple):
    """How many deliveries wait, and how old the oldest of them is, in seconds; 0 without any."""

    waiting: int
    oldest_s: int


def newest_of(connection: Connection, notification_ids: Collection[int]) -> dict[tuple[int, int], Delivery]:
    """The newest delivery of each of these notifications to each channel, by notification and channel."""
    table = schema.deliveries
    found: dict[tuple[int, int], Delivery] = {}
    for some in chunks(notification_ids):
        newest = select(func.max(table.c.id)).where(table.c.notification_id.in_(some))
        each = newest.group_by(table.c.notification_id, table.c.channel_id)
        for row in connection.execute(select(table).where(table.c.id.in_(each))):
            found[row.notification_id, row.channel_id] = delivery_of(row)
    return found


def claim(
    database: Database,
    now: int,
    limit: int,
    busy: Collection[int] = (),
    paced: Collection[int] = (),
    *,
    running: Mapping[int, int] = NONE_RUNS,
    of_site: int = MAX_CANDIDATES,
) -> list[Delivery]:
    """At most `limit` deliveries that are due, one a channel, now the caller's: none of the `busy` channels, of the
    `paced` ones only urgent ones, and of a site at most `of_site` with those that are `running`.

    Each counts as attempted. No other thread or process gets them within `LEASE_S`. Urgent ones come first, then the
    longest due.
    """
    table, full = schema.deliveries, [site for site, many in running.items() if many >= of_site]
    wanted = _due(now, busy, paced).where(table.c.site_id.not_in(full))
    with database.read() as connection:  # on SQLite writing waits for the collector, so an idle outbox only reads
        if limit < 1 or connection.execute(wanted.limit(1)).first() is None:
            return []
    with database.transaction() as connection:
        rows = connection.execute(wanted.limit(MAX_CANDIDATES).with_for_update(skip_locked=True)).all()
        ids = _chosen(rows, Counter(running), of_site)[:limit]
        values = {"claimed_until": now + LEASE_S, "attempts": table.c.attempts + 1, "last_at": now}
        claiming = update(table).where(table.c.id.in_(ids)).values(values).returning(table)
        claimed = {row.id: delivery_of(row) for row in connection.execute(claiming)}
    return [claimed[one] for one in ids]


def _chosen(rows: Sequence[Row[Any]], many: Counter[int], of_site: int) -> list[int]:
    """The first of each channel, as far as their sites may have more."""
    first = {row.channel_id: row.id for row in reversed(rows)}
    chosen = []
    for row in rows:
        if first[row.channel_id] == row.id and many[row.site_id] < of_site:
            many[row.site_id] += 1
            chosen.append(row.id)
    return chosen


def _due(now: int, busy: Collection[int], paced: Collection[int]) -> Select[Any]:
    table = schema.deliveries
    return (
        select(table.c.id, table.c.channel_id, table.c.site_id)
        .where(table.c.state == DeliveryState.WAITING, table.c.next_at <= now, table.c.claimed_until <= now)
        .where(table.c.channel_id.not_in(sorted(busy)))
        .where(table.c.can_wait.in_([False, True]))  # SQLite, without statistics, then reads an index in this order
        .where(~table.c.can_wait | table.c.channel_id.not_in(sorted(paced)))
        .order_by(table.c.can_wait, table.c.next_at, table.c.id)
    )


def is_superseded(connection: Connection, delivery: Delivery) -> bool:
    """Whether a newer message about its alert has gone to its channel or is on the way there: after it, the delivery
    would say what is not so any more. One that a person sends once more goes all the same.
    """
    table, notices = schema.deliveries, schema.notifications
    is_repeated = delivery.attempts == 1 and delivery.last_at is not None
    if delivery.notification_id is None or is_repeated:
        return False
    alert = select(notices.c.alert_id).where(notices.c.id == delivery.notification_id).scalar_subquery()
    joined = table.join(notices, notices.c.id == table.c.notification_id)
    newer = notices.c.alert_id == alert, notices.c.id > delivery.notification_id
    goes = table.c.state.in_((DeliveryState.WAITING, DeliveryState.SENT, DeliveryState.COVERED))
    own = table.c.channel_id == delivery.channel_id
    return (
        connection.execute(select(table.c.id).select_from(joined).where(own, goes, *newer).limit(1)).first() is not None
    )


def record(connection: Connection, delivery: Delivery, result: Result) -> bool:
    """Writes what came of a claimed delivery; False, and nothing is written, if it was claimed again since."""
    table = schema.deliveries
    values = {
        "state": result.state,
        "next_at": result.next_at,
        "last_at": result.at,
        "status": result.status,
        "answer": result.answer,
        "claimed_until": 0,
    }
    if result.events:
        values["sent_count"] = result.events
    own = table.c.id == delivery.id, table.c.claimed_until == delivery.claimed_until
    return connection.execute(update(table).where(*own).values(values)).rowcount == 1


def record_covered(connection: Connection, several: Delivery, events: Mapping[int, int], at: int) -> None:
    """Writes with which count each notification was in a message of several that is sent. `events`: by notification."""
    table = schema.deliveries
    for notification_id, count in sorted(events.items()):
        own = table.c.notification_id == notification_id, table.c.channel_id == several.channel_id
        covered = update(table).where(*own, table.c.state == DeliveryState.COVERED)
        connection.execute(covered.values(sent_count=count, last_at=at))


def of_site(
    database: Database,
    site_id: int,
    *,
    channel_id: int | None = None,
    before: int | None = None,
    limit: int = MAX_LISTED,
) -> list[Delivery]:
    """The log of a site, or of one channel: the newest deliveries first. `before` continues after that id."""
    table = schema.deliveries
    wanted = select(table).where(table.c.site_id == site_id)
    wanted = wanted if channel_id is None else wanted.where(table.c.channel_id == channel_id)
    wanted = wanted if before is None else wanted.where(table.c.id < before)
    with database.read() as connection:
        return [delivery_of(row) for row in connection.execute(wanted.order_by(table.c.id.desc()).limit(limit))]


def backlog(database: Database, now: int) -> Backlog:
    """What waits for its next attempt, of all sites."""
    table = schema.deliveries
    wanted = select(func.count(), func.min(table.c.created_at)).where(table.c.state == DeliveryState.WAITING)
    with database.read() as connection:
        waiting, oldest = connection.execute(wanted).one()
    return Backlog(waiting, 0 if oldest is None else max(0, now - oldest))


def replay(database: Database, site_id: int, delivery_id: int, *, now: int) -> Delivery:
    """Sends a delivery of the site once more, with its message id and the whole schedule; returns it as it is now.

    One that waits is tried now. `InvalidInput` if the site has none of that id, or if an attempt is being made.
    """
    table = schema.deliveries
    values = {"state": DeliveryState.WAITING, "attempts": 0, "next_at": now}
    own = table.c.id == delivery_id, table.c.site_id == site_id, table.c.claimed_until <= now
    with database.transaction() as connection:
        row = connection.execute(update(table).where(*own).values(values).returning(table)).first()
    if row is None:
        raise InvalidInput(message("there is no such delivery, or it is being sent right now"))
    return delivery_of(row)


def drop_of_channel(connection: Connection, channel_id: int, why: str) -> None:
    """Drops what waits, is grouped or is held for a channel that is disabled or removed."""
    table = schema.deliveries
    open_states = DeliveryState.WAITING, DeliveryState.GROUPED, DeliveryState.HELD
    own = table.c.channel_id == channel_id, table.c.state.in_(open_states)
    connection.execute(update(table).where(*own).values(state=DeliveryState.DROPPED, answer=why))


def prune(database: Database, now: int) -> int:
    """Deletes what ended longer ago than `KEPT_S`, in one small batch, and returns how many."""
    table = schema.deliveries
    ended = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DROPPED, DeliveryState.COVERED
    old = select(table.c.id).where(table.c.state.in_(ended), table.c.next_at < now - KEPT_S).limit(PRUNE_BATCH)
    with database.read() as connection:
        ids = list(connection.execute(old).scalars())
    if ids:
        with database.transaction() as connection:
            connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def delivery_of(row: Row[Any]) -> Delivery:
    """The delivery of a row of the table."""
    values = {name: getattr(row, name) for name in Delivery._fields}
    return Delivery(**values | {"state": DeliveryState(row.state), "covers": tuple(json.loads(row.covers))})

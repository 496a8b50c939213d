"""The notifications of sites: adds, groups and lists them, and keeps for each person what is read and cleared."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, delete, false, func, insert, or_, select, update
from sqlalchemy.sql.expression import ColumnElement

from analytics.base.errors import InvalidInput, message
from analytics.notify import difference
from analytics.notify.newest_notifications import Conditions, newest_ids
from analytics.notify.notification import MINUTE_S, Notification, RecentNotification
from analytics.notify.sight import Sight
from analytics.storage import schema
from analytics.storage.chunks import chunks
from analytics.storage.database import Database
from analytics.storage.upsert import upsert

MAX_UNREAD = 10
"""Where counting ends: the bell then says 9+."""

MAX_LISTED = 50
MAX_MARKED = 5_000
"""How many are marked as read at once, where they are chosen by priority or type."""

_values = attrgetter(*(field.name for field in fields(Notification)))
KEPT_S = 180 * 86_400
BATCH = 500


class Listed(NamedTuple):
    """A notification as one person sees it."""

    notification: Notification
    is_read: bool


class Marks(NamedTuple):
    """Up to which id a person has read, and cleared away."""

    read_up_to: int = 0
    cleared_up_to: int = 0


# ── writing, in the transaction of what happened ────────────────────────────────────────────────────────────────────


def add(connection: Connection, values: Mapping[str, Any]) -> Notification:
    """Inserts a notification with these columns and returns it."""
    table = schema.notifications
    return _notification(connection.execute(insert(table).values(values).returning(table)).one())


def add_all(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Notification]:
    """Inserts notifications with these columns, the same for each, and returns them in the same order."""
    if not rows:
        return []
    # SQLite inserts row by row, and its ids only grow; SQLAlchemy would send it a statement for each of them.
    is_sorted = connection.dialect.name == "postgresql"
    statement = insert(schema.notifications).returning(schema.notifications, sort_by_parameter_order=is_sorted)
    added = [_notification(row) for row in connection.execute(statement, list(rows))]
    return sorted(added, key=lambda one: one.id)


def recent(connection: Connection, rule_ids: Collection[int], since: int) -> list[RecentNotification]:
    """The notifications of these rules to which events of that second or later may be added, the newest of each minute
    by which they are counted. Until the transaction ends nobody else counts more in them, or sends their counts.
    """
    table = schema.notifications
    minute = (table.c.counted_at // MINUTE_S).label("minute")
    found: list[RecentNotification] = []
    for some in chunks(rule_ids):
        own = table.c.rule_id.in_(some), table.c.open_until >= since - since % MINUTE_S, table.c.alert_id.is_(None)
        counted = select(func.max(table.c.id).label("newest"), func.count().label("many")).where(*own)
        each = counted.group_by(table.c.rule_id, minute).subquery()
        wanted = select(table, each.c.many).join(each, each.c.newest == table.c.id).order_by(table.c.id)
        rows = connection.execute(wanted.with_for_update(of=table))  # in the order in which the courier locks them
        found += [RecentNotification(_notification(row), row.many) for row in rows]
    return found


def save_counts(connection: Connection, grown: Collection[Notification]) -> None:
    """Writes `count` and `last_at` of notifications that `recent` has read in the same transaction."""
    table = schema.notifications
    if grown:
        statement = update(table).where(table.c.id == bindparam("number"))
        statement = statement.values(count=bindparam("events"), last_at=bindparam("newest_at"))
        rows = [{"number": one.id, "events": one.count, "newest_at": one.last_at} for one in grown]
        connection.execute(statement, rows)


def locked(connection: Connection, ids: Collection[int]) -> list[Notification]:
    """The notifications of these ids as they are now, oldest first. Until the transaction ends none of them counts
    more.
    """
    if not ids:
        return []
    table = schema.notifications
    wanted = select(table).where(table.c.id.in_(sorted(ids))).order_by(table.c.id).with_for_update()
    return [_notification(row) for row in connection.execute(wanted)]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_person(
    database: Database,
    person_id: int,
    sight: Sight,
    *,
    priority: str = "",
    kind: str = "",
    before: int | None = None,
    limit: int = MAX_LISTED,
) -> list[Listed]:
    """The newest notifications in sight that the person has not cleared, newest first, at most `limit`.

    `before` continues a list after the notification with that id; `priority` and `kind` (a type) filter.
    """
    table = schema.notifications
    with database.read() as connection:
        marks = _marks(connection, person_id)
        wanted = [] if before is None else [table.c.id <= before - 1]  # `before` may be one beyond the highest id
        wanted += _matching(priority, kind)
        rows = _newest(connection, sight, marks.cleared_up_to, wanted, limit)
        read = _read_alone(connection, person_id, [row.id for row in rows])
    return [Listed(_notification(row), row.id <= marks.read_up_to or row.id in read) for row in rows]


def _matching(priority: str, kind: str) -> list[ColumnElement[bool]]:
    table = schema.notifications
    wanted = [table.c.priority == priority] if priority else []
    return wanted + ([table.c.type == kind] if kind else [])


def _is_unread(person_id: int) -> ColumnElement[bool]:
    """Whether the person has not read it by itself."""
    table, reads = schema.notifications, schema.notification_reads
    is_read = select(reads.c.person_id).where(reads.c.person_id == person_id, reads.c.notification_id == table.c.id)
    return ~is_read.exists()


def unread(database: Database, person_id: int, sight: Sight, *, up_to: int | None = None) -> int:
    """How many notifications in sight the person has not read, counted up to `MAX_UNREAD`. None after the id `up_to`
    is counted.
    """
    table = schema.notifications
    with database.read() as connection:
        marks = _marks(connection, person_id)
        after, wanted = (
            max(marks.cleared_up_to, marks.read_up_to),
            [_is_unread(person_id), *([] if up_to is None else [table.c.id <= up_to])],
        )
        few = (newest_ids(connection, part, after, wanted, MAX_UNREAD).subquery() for part in sight.parts())
        found = sum(connection.execute(select(func.count()).select_from(one)).scalar_one() for one in few)
    return min(found, MAX_UNREAD)


def newest(database: Database, sight: Sight, limit: int) -> list[Notification]:
    """The newest notifications in sight, newest first, at most `limit`."""
    with database.read() as connection:
        return [_notification(row) for row in _newest(connection, sight, 0, (), limit)]


def _newest(connection: Connection, sight: Sight, after: int, wanted: Conditions, limit: int) -> list[Row[Any]]:
    """The newest wanted ones in sight with a higher id than `after`, newest first."""
    table = schema.notifications
    each = (newest_ids(connection, part, after, wanted, limit) for part in sight.parts())
    rows = (row for ids in each for row in connection.execute(select(table).where(table.c.id.in_(ids))))
    return heapq.nlargest(limit, rows, attrgetter("id"))


def last_id(database: Database) -> int:
    """The id of the newest notification of all sites; 0 without any."""
    with database.read() as connection:
        return connection.execute(select(func.max(schema.notifications.c.id))).scalar() or 0


def after(database: Database, sight: Sight, last_id: int, limit: int) -> list[Notification]:
    """The notifications in sight with higher ids, oldest first, at most `limit` of the newest."""
    with database.read() as connection:
        return [_notification(row) for row in _newest(connection, sight, last_id, (), limit)][::-1]


def titles(database: Database, site_id: int, ids: Collection[int]) -> dict[int, str]:
    """The titles of the site's notifications with these ids, by id."""
    table = schema.notifications
    wanted = select(table.c.id, table.c.title).where(table.c.site_id == site_id, table.c.id.in_(sorted(ids)))
    with database.read() as connection:
        return {row.id: row.title for row in connection.execute(wanted)}


def get(database: Database, site_id: int, notification_id: int) -> Notification:
    """The site's notification with that id; `InvalidInput` if there is none."""
    table = schema.notifications
    wanted: Select[Any] = select(table).where(table.c.site_id == site_id, table.c.id == notification_id)
    with database.read() as connection:
        row = connection.execute(wanted).first()
    if row is None:
        raise InvalidInput(message("that notification is not here any more"))
    return _notification(row)


# ── read and cleared, for each person ───────────────────────────────────────────────────────────────────────────────


def mark_read(database: Database, person_id: int, sight: Sight, notification_id: int) -> None:
    """Marks one notification as read by that person. Marking again changes nothing, and so does one out of sight."""
    table, reads = schema.notifications, schema.notification_reads
    wanted = select(table.c.site_id).where(table.c.id == notification_id, _seen(sight))
    with database.transaction() as connection:
        site_id = connection.execute(wanted).scalar()
        if site_id is None or notification_id <= _marks(connection, person_id).read_up_to:
            return
        row = {"person_id": person_id, "notification_id": notification_id, "site_id": site_id}
        upsert(connection, reads, [row], overwrite=False)


def mark_all_read(database: Database, person_id: int) -> None:
    """Marks everything that is there as read by that person."""
    _move_marks(database, person_id, clears=False)


def mark_listed_read(database: Database, person_id: int, sight: Sight, *, priority: str = "", kind: str = "") -> None:
    """Marks the unread notifications in sight of that priority and type (`kind`) as read by that person: the newest
    `MAX_MARKED` for everybody, and as many for admins.
    """
    table = schema.notifications
    with database.transaction() as connection:
        marks, wanted = _marks(connection, person_id), [_is_unread(person_id), *_matching(priority, kind)]
        after = max(marks.read_up_to, marks.cleared_up_to)
        rows: list[dict[str, int]] = []
        for part in sight.parts():
            ids = newest_ids(connection, part, after, wanted, MAX_MARKED)
            found = connection.execute(select(table.c.id, table.c.site_id).where(table.c.id.in_(ids)))
            rows += [{"person_id": person_id, "notification_id": row.id, "site_id": row.site_id} for row in found]
        for begin in range(0, len(rows), BATCH):
            upsert(connection, schema.notification_reads, rows[begin : begin + BATCH], overwrite=False)


def clear(database: Database, person_id: int) -> None:
    """Takes everything that is there out of the person's list; others still see it."""
    _move_marks(database, person_id, clears=True)


def _move_marks(database: Database, person_id: int, *, clears: bool) -> None:
    reads = schema.notification_reads
    with database.transaction() as connection:
        last = connection.execute(select(func.max(schema.notifications.c.id))).scalar() or 0
        before = _marks(connection, person_id)
        row = {"person_id": person_id, "read_up_to": last, "cleared_up_to": last if clears else before.cleared_up_to}
        upsert(connection, schema.notification_marks, [row], overwrite=True)
        connection.execute(delete(reads).where(reads.c.person_id == person_id, reads.c.notification_id <= last))


def _seen(sight: Sight) -> ColumnElement[bool]:
    table = schema.notifications
    each = (table.c.site_id.in_(part.site_ids) & (table.c.audience == part.audience) for part in sight.parts())
    return or_(false(), *each)


def _marks(connection: Connection, person_id: int) -> Marks:
    table = schema.notification_marks
    row = connection.execute(select(table).where(table.c.person_id == person_id)).first()
    return Marks() if row is None else Marks(row.read_up_to, row.cleared_up_to)


def _read_alone(connection: Connection, person_id: int, ids: Sequence[int]) -> set[int]:
    """Those of the ids that the person has read one by one."""
    table = schema.notification_reads
    wanted = select(table.c.notification_id).where(table.c.person_id == person_id, table.c.notification_id.in_(ids))
    return set(connection.execute(wanted).scalars())


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def prune(database: Database, now: int) -> int:
    """Deletes what is older than `KEPT_S`, in one small batch, and returns how many."""
    table, reads = schema.notifications, schema.notification_reads
    oldest = select(table.c.id, table.c.last_at).order_by(table.c.id).limit(BATCH)  # to search by time reads all rows
    with database.read() as connection:
        ids = [row.id for row in connection.execute(oldest) if row.last_at < now - KEPT_S]
    if ids:
        with database.transaction() as connection:
            connection.execute(delete(reads).where(reads.c.notification_id.in_(ids)))
            connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _notification(row: Row[Any]) -> Notification:
    *values, why = _values(row)
    return Notification(*[*values, difference.from_json(why)])

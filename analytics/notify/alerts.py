"""The alerts of sites: reads them with their history, and keeps what people say of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from analytics.base.errors import InvalidInput, message
from analytics.notify import alert_steps, difference
from analytics.notify.alert import Alert, AlertStep, as_live
from analytics.notify.rule import Severity
from analytics.notify.snooze import in_hours
from analytics.storage import schema
from analytics.storage.database import Database

MAX_OPEN = 200  # of a site, which has no more rules
MAX_LISTED = 50
MAX_STEPS = 150  # shown of an alert: those that are kept (`alert_steps.py`), and what people did
KEPT_S = 365 * 86_400
BATCH = 500


class AlertHistory(NamedTuple):
    """An alert and its newest steps, the oldest first."""

    alert: Alert
    steps: tuple[AlertStep, ...]


class OverVersion(NamedTuple):
    """What tells one list of alerts that are over from another: how many, the newest, and when the last was over."""

    length: int
    newest_id: int
    resolved_at: int

    @classmethod
    def of(cls, found: Collection[Alert]) -> OverVersion:
        """The version of this list."""
        newest = max((one.id for one in found), default=0)
        return cls(len(found), newest, max((one.resolved_at or 0 for one in found), default=0))


def open_ones(database: Database, site_ids: Collection[int] | None = None) -> list[Alert]:
    """The open alerts of these sites, or of all, the newest first, at most 200 of each site."""
    table = schema.alerts
    place = func.row_number().over(partition_by=table.c.site_id, order_by=table.c.id.desc()).label("place")
    ranked = select(table.c.id, place).where(table.c.resolved_at.is_(None))
    if site_ids is not None:
        ranked = ranked.where(table.c.site_id.in_(sorted(site_ids)))
    newest = ranked.subquery()
    wanted = select(table).join(newest, newest.c.id == table.c.id).where(newest.c.place <= MAX_OPEN)
    return _read(database, wanted.order_by(table.c.id.desc()))


def live_of_sites(database: Database, site_ids: Collection[int]) -> dict[int, list[dict[str, object]]]:
    """The open alerts of these sites by site, the newest first, as streams and `/api/live/metrics` have them; a site
    without any is left out.
    """
    found: dict[int, list[dict[str, object]]] = {}
    for one in open_ones(database, site_ids):
        found.setdefault(one.site_id, []).append(as_live(one))
    return found


def open_by_severity(database: Database) -> dict[str, int]:
    """How many alerts are open on all sites, by severity; 0 for those of which none is."""
    table = schema.alerts
    counting = select(table.c.severity, func.count()).where(table.c.resolved_at.is_(None)).group_by(table.c.severity)
    with database.read() as connection:
        found = {row[0]: int(row[1]) for row in connection.execute(counting)}
    return {str(severity): found.get(severity, 0) for severity in Severity}


def of_site(database: Database, site_id: int, *, before: int | None = None, limit: int = MAX_LISTED) -> list[Alert]:
    """The alerts of a site, open ones and others, the newest first. `before` continues after the alert of that id."""
    table = schema.alerts
    wanted = select(table).where(table.c.site_id == site_id)
    if before is not None:
        wanted = wanted.where(table.c.id < before)
    return _read(database, wanted.order_by(table.c.id.desc()).limit(limit))


def over_ones(
    database: Database,
    site_id: int,
    *,
    before: int | None = None,
    down_to: int = 0,
    limit: int = MAX_LISTED,
) -> list[Alert]:
    """The alerts of a site that are over, the newest first, at most `limit`, down to the alert with the id `down_to`.
    `before` continues after the alert of that id.
    """
    table = schema.alerts
    wanted = select(table).where(table.c.site_id == site_id, table.c.resolved_at.is_not(None), table.c.id >= down_to)
    if before is not None:
        wanted = wanted.where(table.c.id < before)
    return _read(database, wanted.order_by(table.c.id.desc()).limit(limit))


def over_version(database: Database, site_id: int, down_to: int = 0) -> OverVersion:
    """Another value whenever `over_ones` down to that alert has others: an alert that is over does not change."""
    table = schema.alerts
    counts = func.count(), func.max(table.c.id), func.max(table.c.resolved_at)
    wanted = select(*counts).where(table.c.site_id == site_id, table.c.resolved_at.is_not(None), table.c.id >= down_to)
    with database.read() as connection:
        return OverVersion(*(int(one or 0) for one in connection.execute(wanted).one()))


def get(database: Database, site_id: int, alert_id: int) -> AlertHistory:
    """The site's alert with its history; `InvalidInput` if there is none."""
    steps = schema.alert_steps
    wanted = select(steps).where(steps.c.alert_id == alert_id, steps.c.site_id == site_id)
    with database.read() as connection:
        alert = _found(connection, site_id, alert_id)
        rows = connection.execute(wanted.order_by(steps.c.id.desc()).limit(MAX_STEPS)).all()[::-1]
    return AlertHistory(alert, tuple(AlertStep(row.at, row.step, row.value, row.who) for row in rows))


def steps_of(database: Database, alert_ids: Collection[int]) -> dict[int, tuple[AlertStep, ...]]:
    """The newest steps of each of these alerts, the oldest first; alerts without any are left out."""
    table = schema.alert_steps
    place = func.row_number().over(partition_by=table.c.alert_id, order_by=table.c.id.desc()).label("place")
    own = select(table, place).where(table.c.alert_id.in_(sorted(alert_ids))).subquery()
    wanted = select(own).where(own.c.place <= MAX_STEPS).order_by(own.c.id)
    found: dict[int, list[AlertStep]] = {}
    with database.read() as connection:
        for row in connection.execute(wanted):
            found.setdefault(row.alert_id, []).append(AlertStep(row.at, row.step, row.value, row.who))
    return {alert_id: tuple(steps) for alert_id, steps in found.items()}


def acknowledge(database: Database, site_id: int, alert_id: int, by: str, now: int) -> Alert:
    """The alert, acknowledged by that person: it is not repeated any more. Only the first acknowledgement counts.

    `InvalidInput` if the site has no such alert, or it is over.
    """
    with database.transaction() as connection:
        alert = _open(connection, site_id, alert_id)
        if alert.acknowledged_at is not None:
            return alert
        _add_step(connection, alert, "acknowledged", by, now)
        return _change(connection, alert_id, acknowledged_at=now, acknowledged_by=by)


def snooze(database: Database, site_id: int, alert_id: int, hours: object, by: str, now: int) -> Alert:
    """The alert, snoozed for so many hours by that person; 0 ends its snooze.

    Until then nothing is said of it but that it is over, and nothing of the rule's next alerts. `InvalidInput` if the
    site has no such alert, it is over, or `hours` is no whole number from 0 to 720.
    """
    return snooze_until(database, site_id, alert_id, in_hours(hours, now), by, now)


def snooze_until(database: Database, site_id: int, alert_id: int, until: int, by: str, now: int) -> Alert:
    """As `snooze`, until that moment, which is a later one; 0 ends its snooze."""
    return _snooze(database, site_id, alert_id, until or None, by, now)


def _snooze(database: Database, site_id: int, alert_id: int, until: int | None, by: str, now: int) -> Alert:
    with database.transaction() as connection:
        alert = _open(connection, site_id, alert_id)
        _add_step(connection, alert, "snooze_ended" if until is None else "snoozed", by, now)
        return _change(connection, alert_id, snoozed_until=until)


def prune(database: Database, now: int) -> int:
    """Deletes alerts that were over a year ago, in one small batch, with their steps; returns how many alerts."""
    table, steps = schema.alerts, schema.alert_steps
    old = select(table.c.id).where(table.c.resolved_at < now - KEPT_S).order_by(table.c.id).limit(BATCH)
    with database.read() as connection:
        ids = list(connection.execute(old).scalars())
    if ids:
        with database.transaction() as connection:
            connection.execute(delete(steps).where(steps.c.alert_id.in_(ids)))
            connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _read(database: Database, wanted: Select[Any]) -> list[Alert]:
    with database.read() as connection:
        return [_alert(row) for row in connection.execute(wanted)]


def _found(connection: Connection, site_id: int, alert_id: int) -> Alert:
    table = schema.alerts
    row = connection.execute(select(table).where(table.c.site_id == site_id, table.c.id == alert_id)).first()
    if row is None:
        raise InvalidInput(message("that alert is not here any more"))
    return _alert(row)


def _open(connection: Connection, site_id: int, alert_id: int) -> Alert:
    alert = _found(connection, site_id, alert_id)
    if alert.resolved_at is not None:
        raise InvalidInput(message("that alert is over"))
    return alert


def _change(connection: Connection, alert_id: int, **values: Any) -> Alert:
    table = schema.alerts
    changing = update(table).where(table.c.id == alert_id).values(values).returning(table)
    return _alert(connection.execute(changing).one())


def _add_step(connection: Connection, alert: Alert, step: str, by: str, now: int) -> None:
    row = {"site_id": alert.site_id, "rule_id": alert.rule_id, "alert_id": alert.id, "at": now, "step": step}
    alert_steps.add(connection, row | {"value": alert.value, "who": by})


def _alert(row: Row[Any]) -> Alert:
    values = dict(row._mapping)
    return Alert(**values | {"why": difference.from_json(row.why)})

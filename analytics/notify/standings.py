"""How metric rules stand, in the database: loads the standings, and writes what a pass has changed.

A pass is one transaction: standings, alerts with their steps, and notifications are there together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from analytics.notify import alert_steps, difference
from analytics.notify.alert import AlertChange, AlertNotice, Changes, OpenAlert, Standing, State
from analytics.notify.alert_rules import notifications_of
from analytics.notify.alert_text import AlertText, metric_fields, resolved, still_firing
from analytics.notify.audience import Audience
from analytics.notify.failed_rules import MAX_WRONG, switch_off
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.notification import Notification
from analytics.notify.rule import Priority, Rule
from analytics.notify.template import NotificationText, fill
from analytics.notify.why import Explanation
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.upsert import upsert

Add = Callable[[Connection, Rule | None, Mapping[str, Any]], Notification]
"""Stores a notification with these columns, and the messages for which the rule asks; None: the rule is not known any
more, or Footfall itself has something to say.
"""


class StoredStanding(NamedTuple):
    """The standing of a rule as the table has it; the rule itself where it is known."""

    rule_id: int
    site_id: int
    standing: Standing
    rule: Rule | None = None


class Evaluated(NamedTuple):
    """What a pass has found of a rule: its standing before and after, what changed, and the explanation of an alert
    that begins. `is_gone`: the rule was switched off or removed; `rule` is None if that was before this process began.
    """

    rule_id: int
    site: Site
    rule: Rule | None
    before: Standing
    after: Standing
    changes: Changes = ()
    explanation: Explanation = Explanation()
    is_gone: bool = False


class SwitchedOff(NamedTuple):
    """A rule that erred, and why."""

    rule: Rule
    why: str


class PassResult(NamedTuple):
    """What a pass has written: the standings by rule, now with the ids of new alerts, and the notifications."""

    standings: dict[int, Standing]
    notifications: tuple[Notification, ...] = ()


# ── loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(database: Database, rule_ids: Collection[int] | None = None) -> list[StoredStanding]:
    """The stored standings of these rules, or of all; rules that were never read are left out."""
    states, alerts = schema.rule_states, schema.alerts
    joined = states.outerjoin(alerts, alerts.c.id == states.c.alert_id)
    open_alert = alerts.c.fired_at, alerts.c.told_at, alerts.c.acknowledged_at, alerts.c.snoozed_until.label("snoozed")
    wanted = select(states, *open_alert).select_from(joined)
    if rule_ids is not None:
        wanted = wanted.where(states.c.rule_id.in_(sorted(rule_ids)))
    with database.read() as connection:
        return [StoredStanding(row.rule_id, row.site_id, _standing(row)) for row in connection.execute(wanted)]


def _standing(row: Row[Any]) -> Standing:
    alert = None
    if row.alert_id is not None and row.fired_at is not None:
        alert = OpenAlert(row.alert_id, row.fired_at, row.told_at, row.acknowledged_at is not None)
    return Standing(
        State(row.state),
        row.since,
        row.value,
        row.readings,
        row.read_at,
        row.wrong,
        alert=alert,
        snoozed_until=row.snoozed or 0 if alert else row.snoozed_until,
    )


class AlertMarks(NamedTuple):
    """What people have said of an alert."""

    acknowledged: bool
    snoozed_until: int


def marks(database: Database, alert_ids: Collection[int]) -> dict[int, AlertMarks]:
    """What people have said of these alerts, by id; alerts that are gone are left out."""
    if not alert_ids:
        return {}
    table = schema.alerts
    columns = table.c.id, table.c.acknowledged_at, table.c.snoozed_until
    with database.read() as connection:
        rows = connection.execute(select(*columns).where(table.c.id.in_(sorted(alert_ids)))).all()
    return {row.id: AlertMarks(row.acknowledged_at is not None, row.snoozed_until or 0) for row in rows}


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(
    connection: Connection,
    evaluated: Sequence[Evaluated],
    off: Sequence[SwitchedOff],
    add: Add,
    now: int,
    rules: Sequence[Rule] = (),
) -> PassResult:
    """Writes what a pass has found, in the transaction of the connection; `rules` on alerts say what they have to."""
    standings: dict[int, Standing] = {}
    said: list[Notification] = []
    for one in evaluated:
        after = one.after
        for change in one.changes:
            after = _write_change(connection, one, after, change, add, said)
            if change.notice in (AlertNotice.FIRING, AlertNotice.RESOLVED):
                others = notifications_of(rules, one.rule, said[-1], one.site)
                said += [add(connection, *each) for each in others]
        standings[one.rule_id] = after
    removed = {one.rule_id for one in evaluated if one.is_gone}
    _write_standings(connection, [one for one in evaluated if not one.is_gone], standings)
    if removed:
        connection.execute(delete(schema.rule_states).where(schema.rule_states.c.rule_id.in_(sorted(removed))))
    switched = (switch_off(connection, one.rule.id, one.why, now=now) for one in off)
    said += [one for one in switched if one]
    return PassResult({rule_id: one for rule_id, one in standings.items() if rule_id not in removed}, tuple(said))


def _write_standings(connection: Connection, evaluated: Sequence[Evaluated], standings: Mapping[int, Standing]) -> None:
    rows, values = [], []
    for one in evaluated:
        standing = standings[one.rule_id]
        alert_id = standing.alert.id if standing.alert else None
        row = {"rule_id": one.rule_id, "site_id": one.site.id, "alert_id": alert_id, "state": str(standing.state)}
        names = ("since", "value", "readings", "read_at", "snoozed_until")
        wrong = {"wrong": standing.wrong[:MAX_WRONG]}
        rows.append(row | {name: getattr(standing, name) for name in names} | wrong)
        if alert_id is not None and standing.state is State.FIRING:
            values.append({"number": alert_id, "seen": standing.value})
    upsert(connection, schema.rule_states, rows, overwrite=True)
    if values:
        table = schema.alerts
        connection.execute(
            update(table).where(table.c.id == bindparam("number")).values(value=bindparam("seen")), values
        )


def _write_change(
    connection: Connection, one: Evaluated, after: Standing, change: AlertChange, add: Add, said: list[Notification]
) -> Standing:
    """Writes a change of a rule that has an alert, or had one; returns the standing with the id of a new alert."""
    if change.opens and one.rule and after.alert:
        after = after._replace(alert=after.alert._replace(id=_open(connection, one, one.rule, change)))
    alert = one.before.alert if change.ending else after.alert
    if alert is None:
        return after
    if change.notice:
        said.append(add(connection, one.rule, _notification(connection, one, alert, change)))
    _update_alert(connection, alert.id, change, one.before)
    _add_step(connection, one, alert.id, change.at, str(change.ending or _step(change)), change.value)
    return after


def _step(change: AlertChange) -> str:
    return "repeated" if change.notice is AlertNotice.REPEAT else str(change.state)


def _open(connection: Connection, one: Evaluated, rule: Rule, change: AlertChange) -> int:
    """Inserts the alert, with the step that led to it; returns its id."""
    text = fill(rule.notify, metric_fields(rule, one.site, change.value))
    when = rule.when
    row = {
        "site_id": one.site.id,
        "rule_id": rule.id,
        "severity": str(rule.notify.severity),
        "title": text.title,
        "message": text.message,
        "metric": "" if not isinstance(when, MetricWhen) else when.metric,
        "value": change.value,
        "threshold": when.line if isinstance(when, MetricWhen) else None,
        "affected": one.explanation.affected,
        "why": difference.to_json(one.explanation.why),
        "fired_at": change.at,
        "told_at": change.at if change.notice else 0,
        "snoozed_until": None if change.notice else one.after.snoozed_until,
    }
    number = int((connection.execute(insert(schema.alerts).values(row)).inserted_primary_key or (0,))[0])
    if one.before.state is State.PENDING:
        _add_step(connection, one, number, one.before.since, str(State.PENDING), None)
    return number


def _update_alert(connection: Connection, alert_id: int, change: AlertChange, before: Standing) -> None:
    """Moves the alert's row to the state."""
    values: dict[str, Any] = {"recovering_at": change.at} if change.state is State.RECOVERING else {}
    if change.ending:
        values["resolved_at"] = change.at
    elif change.state is State.FIRING:
        values["recovering_at"] = None
    if before.state is State.FIRING and change.state is not State.FIRING:
        values["value"] = before.value
    if change.notice:
        values["told_at"] = change.at
    if values:
        connection.execute(update(schema.alerts).where(schema.alerts.c.id == alert_id).values(values))


def _add_step(connection: Connection, one: Evaluated, alert_id: int, at: int, step: str, value: float | None) -> None:
    row = {"site_id": one.site.id, "rule_id": one.rule_id, "alert_id": alert_id, "at": at, "step": step, "value": value}
    alert_steps.add(connection, row)


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────────────


def _notification(connection: Connection, one: Evaluated, alert: OpenAlert, change: AlertChange) -> dict[str, Any]:
    """The row of a notification about the alert."""
    stored = connection.execute(select(schema.alerts).where(schema.alerts.c.id == alert.id)).one()
    filled = fill(one.rule.notify, metric_fields(one.rule, one.site, change.value)) if one.rule else None
    text = _text(stored, filled, alert, change)
    return {
        "site_id": one.site.id,
        "rule_id": one.rule_id,
        "alert_id": alert.id,
        "type": str(AlertNotice.RESOLVED if change.ending else AlertNotice.FIRING),
        "priority": str(one.rule.notify.priority if one.rule else Priority.MEDIUM),
        "audience": _audience(connection, one, alert),
        "severity": stored.severity,
        "title": text.title,
        "message": text.message,
        "link": filled.link if filled else "",
        "link_label": filled.link_label if filled else "",
        "value": change.value,
        "threshold": stored.threshold,
        "why": "" if change.ending else stored.why,
        "count": 1,
        "at": change.at,
        "last_at": change.at,
        "open_until": change.at,
    }


def _text(stored: Row[Any], filled: NotificationText | None, alert: OpenAlert, change: AlertChange) -> AlertText:
    """That it is over is said of the title with which it began."""
    lasts_s = change.at - alert.fired_at
    if change.ending:
        return resolved(stored.title, change.ending, lasts_s)
    text = AlertText(filled.title, filled.message) if filled else AlertText(stored.title, stored.message)
    return still_firing(text, lasts_s) if change.notice is AlertNotice.REPEAT else text


def _audience(connection: Connection, one: Evaluated, alert: OpenAlert) -> str:
    """That of the rule; where the rule is not known any more, that of what it has said of the alert."""
    if one.rule:
        return str(one.rule.notify.audience)
    table = schema.notifications
    said = select(table.c.audience).where(table.c.rule_id == one.rule_id, table.c.alert_id == alert.id).limit(1)
    return connection.execute(said).scalar() or str(Audience.ADMINS)

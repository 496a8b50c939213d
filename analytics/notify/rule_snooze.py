"""Snoozes rules on events: their notifications are stored and shown in the app, and nothing of them goes outside."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, update

from analytics.base.errors import InvalidInput, message
from analytics.notify import rules
from analytics.notify.delivery import DeliveryState
from analytics.notify.kinds import event
from analytics.notify.kinds.kind import EventWhen
from analytics.notify.rule import Rule
from analytics.storage import schema
from analytics.storage.database import Database

SNOOZED = "its rule is snoozed"


def snooze(database: Database, site_id: int, rule_id: int, until: int, now: int) -> Rule:
    """The rule, snoozed until that epoch second; 0 ends its snooze. Messages that wait are dropped.

    What quiet hours hold stays: it is of before. `UnknownRule` if the site has no such rule, `InvalidInput` if it waits
    for no events: of others the alert is snoozed.
    """
    known = rules.get(database, rule_id, site_id)
    if not isinstance(known.when, EventWhen):
        raise InvalidInput(message("only a rule on events is snoozed; of other rules it is the alert"))
    table = schema.rules
    with database.transaction() as connection:
        connection.execute(update(table).where(table.c.id == rule_id).values(snoozed_until=until))
        if until > now:
            _drop_waiting(connection, rule_id, now)
    return known._replace(snoozed_until=until)


def snoozed(connection: Connection, rule_ids: Collection[int], now: int) -> set[int]:
    """Those of these rules that are snoozed."""
    table = schema.rules
    wanted = select(table.c.id).where(table.c.id.in_(sorted(rule_ids)), table.c.snoozed_until > now)
    return set(connection.execute(wanted).scalars()) if rule_ids else set()


def may_snooze(connection: Connection, rule_id: int | None) -> bool:
    """Whether there is such a rule, and it waits for events."""
    table = schema.rules
    kind = connection.execute(select(table.c.kind).where(table.c.id == rule_id)).scalar() if rule_id else None
    return kind == event.KIND.name


def _drop_waiting(connection: Connection, rule_id: int, now: int) -> None:
    table, notices = schema.deliveries, schema.notifications
    of_rule = select(notices.c.id).where(notices.c.rule_id == rule_id, notices.c.alert_id.is_(None))
    own = table.c.notification_id.in_(of_rule), table.c.state == DeliveryState.WAITING, table.c.claimed_until <= now
    connection.execute(update(table).where(*own).values(state=DeliveryState.DROPPED, answer=SNOOZED))

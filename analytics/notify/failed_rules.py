"""Rules that err: they are switched off, and a notification of Footfall's own says so; all others go on."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from analytics.notify import notifications
from analytics.notify.audience import Audience
from analytics.notify.notification import CREATED, Notification
from analytics.notify.rule import Priority
from analytics.storage import schema
from analytics.storage.database import Database

MAX_WRONG = 300


def switch_off_all(database: Database, wrong: Mapping[int, str], *, now: int) -> list[Notification]:
    """As `switch_off` for each rule, by its id, with the reason; returns the notifications."""
    with database.transaction() as connection:
        found = [switch_off(connection, rule_id, why, now=now) for rule_id, why in wrong.items()]
    return [one for one in found if one]


def switch_off(connection: Connection, rule_id: int, why: str, *, now: int) -> Notification | None:
    """Switches off a rule that erred, and returns the notification that says so, with a link to the rule.

    `why` is what its page says. None if the rule is gone, or off already: several processes may find the same error.
    """
    rules, sites, why = schema.rules, schema.sites, why[:MAX_WRONG]
    values = {"enabled": False, "wrong": why, "changed_at": now}
    changing = update(rules).where(rules.c.id == rule_id, rules.c.enabled).values(values)
    row = connection.execute(changing.returning(rules.c.site_id, rules.c.name)).first()
    if row is None:
        return None
    domain = connection.execute(select(sites.c.domain).where(sites.c.id == row.site_id)).scalar()
    said = {
        "site_id": row.site_id,
        "rule_id": rule_id,
        "type": CREATED,
        "priority": str(Priority.HIGH),
        "title": f"The rule “{row.name}” was switched off",
        "message": why,
        "link": f"/settings/{domain}/rules#rule-{rule_id}" if domain else "",
        "link_label": "Rules" if domain else "",
        "audience": str(Audience.ADMINS),  # who can repair it; its texts may be for them alone
        "at": now,
        "last_at": now,
        "open_until": now,
    }
    return notifications.add(connection, said)

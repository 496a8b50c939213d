"""Events that no rule has checked, because the rules of their site had spent their budget: one notification says so,
and the page of rules as long as it goes on.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from analytics.notify import notifications
from analytics.notify.audience import Audience
from analytics.notify.notification import CREATED, Notification
from analytics.notify.rule import Priority
from analytics.notify.rule_budget import UncheckedEvents
from analytics.storage import schema
from analytics.storage.database import Database

TITLE = "The rules of this site take too long"
TEXT = (
    "Some events were stored and counted, but no rule checked them: the rules of a site may take a tenth of the "
    "writer's time. Fewer rules, simpler conditions or longer groups help. The page of rules says so as long "
    "as it goes on."
)

QUIET_S = 86_400
"""After how long without another such event it is news again."""

SHOWN_S = 600
"""For how long after the last such event the page of rules speaks of them."""


def note(database: Database, site_id: int, events: int, now: int) -> Notification | None:
    """Counts so many more events that were not checked; returns the notification about them if it is new."""
    table = schema.notifications
    with database.transaction() as connection:
        known = connection.execute(_newest(site_id, now).with_for_update()).first()
        if known is None:
            return notifications.add(connection, _columns(connection, site_id, events, now))
        grown = {"count": table.c.count + events, "last_at": now, "open_until": now + QUIET_S}
        connection.execute(update(table).where(table.c.id == known.id).values(grown))
        return None


def of_site(database: Database, site_id: int, now: int) -> UncheckedEvents | None:
    """The events of the site that were not checked, if there was one within `SHOWN_S`."""
    with database.read() as connection:
        known = connection.execute(_newest(site_id, now)).first()
    if known is None or known.last_at <= now - SHOWN_S:
        return None
    return UncheckedEvents(known._mapping["count"], known.at, known.last_at)  # `known.count` is a method of tuples


def _newest(site_id: int, now: int) -> Select[Any]:
    """The site's notification that still counts; by the index that begins with the rule, which it has none of."""
    table = schema.notifications
    still = table.c.rule_id.is_(None), table.c.open_until > now
    own = table.c.site_id == site_id, table.c.title == TITLE, table.c.audience == str(Audience.ADMINS)
    return select(table).where(*still, *own).order_by(table.c.id.desc()).limit(1)


def _columns(connection: Connection, site_id: int, events: int, now: int) -> dict[str, Any]:
    sites = schema.sites
    row: Row[Any] | None = connection.execute(select(sites.c.domain).where(sites.c.id == site_id)).first()
    return {
        "site_id": site_id,
        "type": CREATED,
        "priority": str(Priority.HIGH),
        "title": TITLE,
        "message": TEXT,
        "link": f"/settings/{row.domain}/rules" if row else "",
        "link_label": "Rules" if row else "",
        "audience": str(Audience.ADMINS),  # who can change the rules
        "count": events,
        "at": now,
        "last_at": now,
        "open_until": now + QUIET_S,
    }

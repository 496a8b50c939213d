"""The rules that every site has from the start. They can be changed, switched off and removed like others."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from analytics.notify import rules
from analytics.notify.examples import EXAMPLES
from analytics.notify.rule_json import RuleInput
from analytics.storage import schema
from analytics.storage.database import Database

SHIPPED: Mapping[str, RuleInput] = {name: EXAMPLES[name].rule for name in ("signup", "payment", "critical", "silence")}
"""By the name of the example, in the order in which a site gets them."""


def add_missing(database: Database, *, now: int) -> bool:
    """Adds the shipped rules to the sites that have never had them, so not again once they are removed.

    Returns whether there were such sites. Several processes may do it at the same time.
    """
    table = schema.sites
    with database.read() as connection:
        new = connection.execute(select(table.c.id).where(~table.c.has_shipped_rules)).scalars().all()
    for site_id in new:
        with database.transaction() as connection:
            _add(connection, site_id, now)
    return bool(new)


def _add(connection: Connection, site_id: int, now: int) -> None:
    table = schema.sites
    marking = update(table).where(table.c.id == site_id, ~table.c.has_shipped_rules).values(has_shipped_rules=True)
    if connection.execute(marking).rowcount:
        for name, given in SHIPPED.items():
            rules.insert_rule(connection, site_id, given, shipped=name, now=now)

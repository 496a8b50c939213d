"""The history of an alert: its first steps and its newest, since a metric may cross its line to and fro for days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from analytics.storage import schema

FIRST, NEWEST = 20, 100


def add(connection: Connection, step: Mapping[str, Any]) -> None:
    """Inserts a step with these columns. Of those of its alert that no person made, only the `FIRST` and the `NEWEST`
    are kept.
    """
    table = schema.alert_steps
    connection.execute(insert(table).values(step))
    own = (table.c.alert_id == step["alert_id"]) & (table.c.who == "")
    ids = select(table.c.id).where(own)
    last_of_first = ids.order_by(table.c.id).offset(FIRST - 1).limit(1).scalar_subquery()
    first_of_newest = ids.order_by(table.c.id.desc()).offset(NEWEST - 1).limit(1).scalar_subquery()
    connection.execute(delete(table).where(own, table.c.id > last_of_first, table.c.id < first_of_newest))

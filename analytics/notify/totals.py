"""What an operator has to know of notifications: whether messages go out, and which alerts are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from analytics.notify import alerts, deliveries
from analytics.notify.deliveries import Backlog
from analytics.notify.turns import ReadingGaps
from analytics.storage.database import Database


class StoredTotals(NamedTuple):
    """The messages that wait, and the open alerts by severity, of all sites."""

    backlog: Backlog
    open_alerts: Mapping[str, int]


class NotifyTotals(NamedTuple):
    """`attempts` of this process since its start, by the state in which they left their delivery. `stored` is None
    while the database does not answer. `gaps` are those between readings of rules, by the kind of their metrics.
    """

    attempts: Mapping[str, int]
    stored: StoredTotals | None
    gaps: Mapping[str, ReadingGaps]


def read(database: Database, attempts: Mapping[str, int], gaps: Mapping[str, ReadingGaps], now: int) -> NotifyTotals:
    """The totals at this moment."""
    try:
        stored = StoredTotals(deliveries.backlog(database, now), alerts.open_by_severity(database))
    except SQLAlchemyError:
        return NotifyTotals(attempts, None, gaps)
    return NotifyTotals(attempts, stored, gaps)

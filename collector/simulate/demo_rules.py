"""The rules of the demo site, besides those that every site has: its people make them fire, and let them recover."""

from __future__ import annotations

from analytics.notify import rules
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.rule import Notify, Priority, Severity
from analytics.notify.rule_json import RuleInput
from analytics.query.filters import Match
from analytics.storage.database import Database
from collector.simulate.crowds import PATH

FEW = 4.0
"""At most so many people are on the page of the newsletter without a crowd."""

CROWD = RuleInput(
    "Many people on one page",
    LineCrossed("active_sessions", Crossing.ABOVE, FEW, filters=(Match("is", "page", (PATH,)),), for_s=5),
    Notify(
        Priority.HIGH,
        Severity.WARNING,
        "{value} people at the Monitorama talk",
        "More than {threshold} at a time. Will the page hold?",
        "/alerts/{site}",
        "See why",
    ),
)


def add(database: Database, site_id: int, *, now: int) -> None:
    """Adds them to a new demo site."""
    rules.add(database, site_id, CROWD, now=now)

"""A hundred thousand unread notifications cost the bell and its lists nothing: only few rows are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from analytics.notify import notifications
from analytics.notify.audience import Audience
from analytics.notify.notifications import MAX_LISTED, MAX_UNREAD
from analytics.notify.sight import Sight
from analytics.storage.database import Database
from tests.support.factories import NOW, with_sites
from tests.support.work import rows_read

LENA = 1
BUSY, QUIET, OTHER, SILENT, SECRET = 1, 2, 3, 4, 5
ALL = [BUSY, QUIET, OTHER, SILENT]
MANY, FEW = 100_000, 20
MAX_ROWS = 2_000

FILL = """
INSERT INTO notifications (site_id, type, priority, title, at, last_at, open_until, audience)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
SELECT :site + n % :sites * 2, :type, :priority, 'A title', :now, :now, :now, :audience FROM numbers
"""


@pytest.fixture
def crowded(database) -> Database:
    """Few notifications of each rare kind, then 100,000 of the usual kind on two sites, all unread. Before them, on
    another site, few for everybody and then 100,000 for admins.
    """
    with_sites(database, *ALL, SECRET)
    rare = [("alert.firing", "low"), ("notification.created", "urgent"), ("alert.firing", "urgent")]
    fills = [(FEW, QUIET, 1, "notification.created", "low")]
    fills += [(FEW, BUSY, 1, kind, priority) for kind, priority in rare]
    fills += [(MANY, BUSY, 2, "notification.created", "low")]
    everybody, admins = Audience.EVERYBODY, Audience.ADMINS
    rows = [
        (FEW, SECRET, 1, "alert.firing", "urgent", everybody),
        (MANY, SECRET, 1, "notification.created", "low", admins),
        *((*one, everybody) for one in fills),
    ]
    names = ("many", "site", "sites", "type", "priority", "audience")
    with database.transaction() as connection:
        for row in rows:
            connection.execute(text(FILL), dict(zip(names, row, strict=True)) | {"now": NOW})
    if not database.embedded:  # by itself it does so within a minute
        with database.transaction() as connection:
            connection.execute(text("ANALYZE notifications"))
    return database


def sight(sites: list[int], *administered: int) -> Sight:
    return Sight(frozenset(sites), frozenset(administered))


def of_person(sites: list[int], *administered: int, **filters: object) -> Callable[[Database], int]:
    return lambda database: len(notifications.of_person(database, LENA, sight(sites, *administered), **filters))  # type: ignore[arg-type]


def unread(sites: list[int], *administered: int) -> Callable[[Database], int]:
    return lambda database: notifications.unread(database, LENA, sight(sites, *administered))


ASKED: dict[str, tuple[Callable[[Database], int], int]] = {
    "unread of all": (unread(ALL), MAX_UNREAD),
    "unread of one": (unread([BUSY]), MAX_UNREAD),
    "unread of the quiet one": (unread([QUIET]), MAX_UNREAD),
    "all": (of_person(ALL), MAX_LISTED),
    "one": (of_person([BUSY]), MAX_LISTED),
    "the quiet one": (of_person([QUIET]), FEW),
    "two quiet ones": (of_person([QUIET, SILENT]), FEW),
    "unread of two quiet ones": (unread([QUIET, SILENT]), MAX_UNREAD),
    "the usual priority": (of_person(ALL, priority="low"), MAX_LISTED),
    "a rare priority": (of_person(ALL, priority="urgent"), 2 * FEW),
    "a priority that none has": (of_person(ALL, priority="high"), 0),
    "a rare type": (of_person(ALL, kind="alert.firing"), 2 * FEW),
    "a type that none has": (of_person(ALL, kind="alert.resolved"), 0),
    "a rare type of a rare priority": (of_person(ALL, kind="alert.firing", priority="urgent"), FEW),
    "the usual type of a rare priority": (of_person(ALL, kind="notification.created", priority="urgent"), FEW),
    "further down": (of_person(ALL, before=MANY + MANY // 2), MAX_LISTED),
    "a viewer of much for admins": (of_person([SECRET]), FEW),
    "unread of much for admins": (unread([SECRET]), MAX_UNREAD),
    "a viewer of a rare priority": (of_person([SECRET], priority="urgent"), FEW),
    "a viewer of a priority for admins": (of_person([SECRET], priority="low"), 0),
    "a viewer of a type for admins": (of_person([SECRET], kind="notification.created"), 0),
    "a viewer of all": (of_person([*ALL, SECRET]), MAX_LISTED),
    "an admin": (of_person([SECRET], SECRET), MAX_LISTED),
    "unread of an admin": (unread([SECRET], SECRET), MAX_UNREAD),
    "the newest for a viewer": (lambda database: len(notifications.newest(database, sight([SECRET]), MAX_LISTED)), FEW),
    "after one that a client names": (
        lambda database: len(notifications.after(database, sight(ALL), 1, MAX_LISTED)),
        MAX_LISTED,
    ),
    "the newest": (lambda database: len(notifications.newest(database, sight(ALL), MAX_LISTED)), MAX_LISTED),
}


def test_a_hundred_thousand_unread_notifications_cost_nothing(crowded):
    read: dict[str, int] = {}
    for name, (ask, found) in ASKED.items():
        assert ask(crowded) == found, name
        read[name] = rows_read(crowded, lambda ask=ask: ask(crowded))
    assert {name: rows for name, rows in read.items() if rows > MAX_ROWS} == {}

"""Events that no rule has checked: said once, and counted as long as it goes on."""

from __future__ import annotations

import pytest

from analytics.notify import notifications, unchecked_events
from analytics.notify.audience import Audience
from analytics.notify.rule import Priority
from analytics.notify.rule_budget import UncheckedEvents
from analytics.notify.unchecked_events import QUIET_S, SHOWN_S
from analytics.storage import schema
from tests.support.factories import NOW, added_site, rows


@pytest.fixture(autouse=True)
def sites(database) -> None:
    added_site(database)
    added_site(database, "other.example")


def counted(database) -> list[tuple[int, int, int]]:
    """The counts of the notifications, and from when to when."""
    return [
        (many, at - NOW, last - NOW)
        for many, at, last in rows(database, schema.notifications, "count", "at", "last_at")
    ]


def test_the_first_are_said_to_the_admins_with_a_link_to_the_rules(database):
    notice = unchecked_events.note(database, 1, 12, NOW)
    assert notice == notifications.get(database, 1, notice.id)
    assert (notice.title, notice.audience, notice.priority) == (
        "The rules of this site take too long",
        Audience.ADMINS,
        Priority.HIGH,
    )
    assert (notice.link, notice.link_label, notice.count) == ("/settings/example.com/rules", "Rules", 12)


def test_further_ones_are_counted_in_it_and_those_of_another_site_are_said_too(database):
    notices = [
        unchecked_events.note(database, site, events, NOW + later)
        for site, events, later in ((1, 12, 0), (1, 5, 60), (2, 1, 60), (1, 1, 60 + QUIET_S - 1))
    ]
    assert [notice is not None for notice in notices] == [True, False, True, False]
    assert counted(database) == [(18, 0, 60 + QUIET_S - 1), (1, 60, 60)]


def test_after_a_day_without_any_it_is_news_again(database):
    assert unchecked_events.note(database, 1, 12, NOW)
    assert unchecked_events.note(database, 1, 3, NOW + QUIET_S)
    assert counted(database) == [(12, 0, 0), (3, QUIET_S, QUIET_S)]


def test_the_page_of_rules_speaks_of_them_for_ten_minutes(database):
    assert unchecked_events.of_site(database, 1, NOW) is None
    unchecked_events.note(database, 1, 12, NOW)
    unchecked_events.note(database, 1, 5, NOW + 60)
    known = UncheckedEvents(17, NOW, NOW + 60)
    assert unchecked_events.of_site(database, 1, NOW + 59 + SHOWN_S) == known
    assert unchecked_events.of_site(database, 1, NOW + 60 + SHOWN_S) is None
    assert unchecked_events.of_site(database, 2, NOW + 60) is None

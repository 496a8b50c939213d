"""When a message about an alert is due, and what a message about many says."""

from __future__ import annotations

import pytest

from analytics.notify.alert_groups import AlertCounts, group_due
from analytics.notify.rule import Notify, Priority

NOW = 1_800_000_000
HIGH = Notify(Priority.HIGH, group_s=300)


@pytest.mark.parametrize(
    ("notify", "newest", "due"),
    [
        (HIGH, None, 30),
        (HIGH, 20, 20),
        (HIGH, 299, 299),
        (HIGH, 0, 300),
        (HIGH, -1, 299),
        (HIGH, -299, 1),
        (HIGH, -300, 30),
        (Notify(Priority.URGENT), None, 0),
        (Notify(Priority.URGENT), 20, 0),
        (Notify(Priority.URGENT), -10, 0),
        (Notify(group_s=0), None, 0),
        (Notify(group_s=0), 20, 0),
        (Notify(group_s=10), None, 10),
        (Notify(group_s=10), 20, 10),
        (Notify(group_s=3_600), -60, 3_540),
    ],
    ids=[
        "the first waits half a minute",
        "one that comes meanwhile goes with it",
        "also when it waits for long",
        "after a message of this second",
        "after one of before",
        "at the end of the five minutes",
        "after them it is the first again",
        "urgent",
        "urgent while others wait",
        "urgent after a message",
        "not grouped",
        "not grouped while others wait",
        "in short groups",
        "in shorter groups than the one that waits",
        "in long groups",
    ],
)
def test_a_message_waits_for_its_group(notify, newest, due):
    assert group_due(NOW, notify, None if newest is None else NOW + newest) - NOW == due


@pytest.mark.parametrize(
    ("counts", "title", "kind"),
    [
        (AlertCounts(40, 40), "40 alerts are firing", "alert.firing"),
        (AlertCounts(40, 12), "40 alerts, 12 still firing", "alert.firing"),
        (AlertCounts(40, 0), "40 alerts are over", "alert.resolved"),
        (AlertCounts(1, 1), "1 alert is firing", "alert.firing"),
        (AlertCounts(1, 0), "1 alert is over", "alert.resolved"),
    ],
)
def test_a_message_about_many_says_how_many_still_fire(counts, title, kind):
    assert (counts.title, counts.type) == (title, kind)

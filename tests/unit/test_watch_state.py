"""How a watch is doing: its state, its age, and all watches together; and a watch as the fields of a form."""

from __future__ import annotations

import pytest

from analytics.activity import gauge, watch_fields
from analytics.activity.watch import MAX_UNREAD, Watch, WatchDefinition, filters_of
from analytics.activity.watch_fields import WantedWatch
from analytics.activity.watch_state import WatchHealth, WatchState, behind_s, health_of, state_of
from analytics.base.errors import InvalidInput

NOW = 1_795_000_000
READ = Watch(1, 1, "", "", WatchDefinition("public", "bookings"), behind_s=0.0, read_at=NOW, unread=0, created_at=NOW)


@pytest.mark.parametrize(
    ("changes", "state", "late"),
    [
        ({}, WatchState.FOLLOWED, 0),
        ({"behind_s": 60.0, "unread": 5}, WatchState.FOLLOWED, 60),
        ({"behind_s": 61.0, "unread": 5}, WatchState.BEHIND, 61),
        ({"unread": MAX_UNREAD // 10, "behind_s": 300.0}, WatchState.FILLING, 300),
        ({"read_at": NOW - 60}, WatchState.FOLLOWED, 0),
        ({"read_at": NOW - 61, "behind_s": 2.0}, WatchState.STALLED, 63),
        ({"read_at": None, "behind_s": None}, WatchState.NEW, 0),
        ({"read_at": None, "behind_s": None, "created_at": NOW - 61}, WatchState.STALLED, 61),
        ({"wrong": "cannot connect", "read_at": NOW - 10}, WatchState.WRONG, 10),
    ],
)
def test_the_worst_that_is_so_is_the_state(changes, state, late):
    one = READ._replace(**changes)
    assert (state_of(one, NOW), behind_s(one, NOW)) == (state, late)


def test_all_watches_together():
    assert health_of([], NOW) == WatchHealth(0, 0, 0.0, 0)
    late, wrong = READ._replace(behind_s=90.0, refused=2), READ._replace(wrong="x", refused=3)
    assert health_of([READ, late, wrong], NOW) == WatchHealth(3, 2, 90.0, 5)


def test_a_form_has_the_words_of_the_command():
    fields = {
        "source": " postgresql://shop:s3cret@db/shop ",
        "table": "bookings",
        "schema": "",
        "insert": "on",
        "update": "on",
        "columns": "id, status",
        "filters": "status=eq.pending\n\n amount=gt.100 ",
        "gauges": "All: count\nRevenue: sum(amount) where status=eq.paid in EUR",
        "title": "{guest}",
        "value_column": " amount ",
    }
    filters = filters_of(("status=eq.pending", "amount=gt.100"))
    definition = WatchDefinition(
        "public", "bookings", ("insert", "update"), filters, ("id", "status"), title="{guest}", value="amount"
    )
    kept = tuple(map(gauge.parse, ("All: count", "Revenue: sum(amount) where status=eq.paid in EUR")))
    assert watch_fields.read(fields) == WantedWatch("postgresql://shop:s3cret@db/shop", definition, kept)


def test_what_is_wrong_in_a_form_is_said_at_its_field():
    with pytest.raises(InvalidInput) as refused:
        watch_fields.read({"source": "mysql://x", "filters": "status=is.gone", "gauges": "All"})
    wrong = refused.value.fields
    assert list(wrong) == ["source", "filters", "gauges"]
    assert wrong["filters"].startswith("filter 'status=is.gone': like status=eq.pending")
    assert wrong["gauges"].startswith("gauge 'All': like ")

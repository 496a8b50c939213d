"""Background work: deletes in batches, and comes again in time."""

from __future__ import annotations

import pytest

from analytics.base.background import in_batches, rest_s


def test_batches_are_deleted_until_there_is_none():
    batches = [500, 500, 7, 0, 3]
    assert in_batches(lambda: batches.pop(0), lambda _: False) == 1_007
    assert batches == [3]


def test_deleting_stops_when_the_pause_says_so():
    batches = [500, 500, 0]
    assert in_batches(lambda: batches.pop(0), lambda _: True) == 500


@pytest.mark.parametrize(("took_s", "wait_s"), [(0, 5), (1.5, 3.5), (4.5, 0.5), (5, 0.5), (60, 0.5)])
def test_work_of_each_five_seconds_begins_five_seconds_after_the_last(took_s, wait_s):
    """Named after the bug: it waited 5 s after its end, so rules were read later than that."""
    assert rest_s(5, took_s) == wait_s

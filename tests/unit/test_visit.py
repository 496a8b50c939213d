"""What belongs to one visit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collector.ingest.device import Device
from collector.ingest.geo import Place
from collector.ingest.source import Source
from collector.ingest.visit import Origin, is_open, with_beat, with_event, with_pageview, with_user
from tests.support.factories import MINUTE, NOW, visit


@pytest.mark.parametrize(
    ("seconds", "still_open"),
    [
        (0, True),
        (29 * MINUTE, True),
        (30 * MINUTE, True),
        (30 * MINUTE + 59, True),
        (31 * MINUTE, False),
        (86_400, False),
    ],
)
def test_thirty_whole_minutes_without_a_beat_keep_a_visit_open(seconds, still_open):
    assert is_open(visit(), NOW + seconds) is still_open


@pytest.mark.parametrize(("seconds", "belongs"), [(10, True), (30 * MINUTE, True), (31 * MINUTE, False)])
def test_what_comes_late_belongs_to_a_visit_that_began_soon_after_it(seconds, belongs):
    assert is_open(visit(), NOW - seconds) is belongs


@pytest.mark.parametrize(("days", "still_open"), [(2, True), (7, True), (8, False)])
def test_seven_days_after_its_start_a_visit_has_ended(days, still_open):
    now = NOW + days * 86_400
    assert is_open(visit(seen_at=now - MINUTE), now) is still_open


def test_a_moment_inside_a_long_visit_belongs_to_it():
    long = visit(started_at=NOW - 4 * 3600)
    assert is_open(long, NOW - 2 * 3600)


def test_a_beat_keeps_a_visit_open_and_changes_nothing_else():
    kept = with_beat(visit(), NOW + 20 * MINUTE)
    assert kept == visit(seen_at=NOW + 20 * MINUTE)
    assert is_open(kept, NOW + 50 * MINUTE)


def test_a_beat_never_reopens_a_visit_that_has_ended():
    assert with_beat(visit(), NOW + 31 * MINUTE) == visit()


def test_a_late_beat_does_not_turn_back_the_clock():
    assert with_beat(visit(), NOW - 10) == visit()


def test_a_second_pageview_makes_its_page_the_exit_page():
    assert with_pageview(visit(), NOW + 60, "/b") == visit(
        pageviews=2, exit_page="/b", last_at=NOW + 60, seen_at=NOW + 60
    )


def test_a_pageview_that_comes_ten_seconds_late_is_the_entry_page_and_makes_the_duration_ten():
    assert with_pageview(visit(), NOW - 10, "/a") == visit(pageviews=2, entry_page="/a", started_at=NOW - 10)


def test_a_late_pageview_inside_the_visit_is_neither_entry_nor_exit_page():
    long = visit(last_at=NOW + 60, seen_at=NOW + 90, exit_page="/b")
    assert with_pageview(long, NOW + 30, "/a") == replace(long, pageviews=2)


def test_an_event_counts_and_prolongs_and_leaves_the_pages():
    assert with_event(visit(), NOW + 60) == visit(events=1, last_at=NOW + 60, seen_at=NOW + 60)
    assert with_event(visit(), NOW - 10) == visit(events=1, started_at=NOW - 10)


@pytest.mark.parametrize(
    ("known", "identified", "after"),
    [
        ((None, ""), ("ann", "couple"), ("ann", "couple")),
        (("ann", "couple"), (None, ""), ("ann", "couple")),
        (("ann", "couple"), ("ann", ""), ("ann", "couple")),
        (("ann", "couple"), ("ann", "supplier"), ("ann", "supplier")),
        (("ann", ""), ("bob", ""), ("bob", "")),
        (("ann", "couple"), ("bob", ""), ("bob", "")),
        ((None, ""), (None, "couple"), (None, "")),
    ],
)
def test_the_user_is_known_from_then_on(known, identified, after):
    before = visit(user_id=known[0], user_type=known[1])
    assert with_user(before, *identified) == visit(user_id=after[0], user_type=after[1])


def test_an_origin_is_its_host_source_place_and_device_in_that_order():
    parts = ("host", *Source._fields, *Place._fields, *Device._fields, "screen", "language")
    assert Origin._fields == parts

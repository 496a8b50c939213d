"""Versions of facts: they change exactly when a row before the end of a question may have."""

from __future__ import annotations

from analytics.base.ids import first_id
from analytics.replica.versions import MAX_MARKS, Versions
from analytics.storage.changes import Change
from tests.support.factories import DAY, NOW

HOUR = 3_600
MIDNIGHT = NOW // DAY * DAY


def change(number: int, *seconds: int, site_id: int = 1, digest: str = "d") -> Change:
    """A change of the visits that began at these seconds."""
    return Change(number, site_id, {"visits": [*map(first_id, seconds)], "pageviews": [], "events": []}, digest)


def after(*changes: Change, holes: tuple[int, ...] = ()) -> Versions:
    versions = Versions()
    versions.begin("start")
    for one in changes:
        versions.take([one], holes)
    return versions


def test_a_row_of_today_leaves_yesterday_as_it_was():
    versions = after(change(1, NOW))
    assert versions.of(1, MIDNIGHT) == "start"
    assert versions.of(1, MIDNIGHT + DAY) != "start"


def test_the_earliest_row_of_a_change_counts():
    assert after(change(1, NOW, MIDNIGHT - 60)).of(1, MIDNIGHT) != "start"


def test_later_changes_of_later_rows_keep_the_version_of_the_past():
    late = after(change(1, MIDNIGHT - 60))
    both = after(change(1, MIDNIGHT - 60), change(2, NOW))
    assert both.of(1, MIDNIGHT) == late.of(1, MIDNIGHT)
    assert both.of(1, NOW + 1) != late.of(1, NOW + 1)


def test_a_change_of_old_rows_is_seen_by_all_later_ends():
    before, versions = after(change(1, NOW)), after(change(1, NOW), change(2, MIDNIGHT - DAY))
    for end in (MIDNIGHT, NOW + 1, NOW + DAY):
        assert versions.of(1, end) != before.of(1, end)


def test_another_site_and_a_change_without_rows_change_nothing():
    assert after(change(1, NOW, site_id=2), change(2)).of(1, NOW + 1) == "start"


def test_a_change_of_the_whole_site_is_seen_by_every_end():
    whole = Change(1, 1, {"visits": None, "pageviews": None, "events": None}, "d")
    assert after(whole).of(1, 1) != "start"


def test_changes_in_another_order_or_with_another_missing_have_other_versions():
    """PostgreSQL commits changes 7 and 8 in either order: a process may have 8 and not yet 7."""
    seven, eight = change(7, NOW), change(8, NOW)
    of = [
        after(seven).of(1, NOW + 1),
        after(eight, holes=(7,)).of(1, NOW + 1),
        after(seven, eight).of(1, NOW + 1),
        after(eight, seven).of(1, NOW + 1),
    ]
    assert len(set(of)) == len(of)
    assert after(seven, eight).of(1, NOW + 1) == of[2]


def test_another_database_with_the_same_numbers_has_other_versions():
    assert after(change(1, NOW)).of(1, NOW + 1) != after(change(1, NOW, digest="e")).of(1, NOW + 1)


def test_memory_is_bounded_and_a_forgotten_mark_costs_no_truth():
    versions, seen = after(), set()
    for hour in range(3 * MAX_MARKS):
        versions.take([change(hour, NOW + hour * HOUR)], ())
        seen.add(versions.of(1, NOW + (hour + 1) * HOUR))
        assert len(versions._marks[1]) <= MAX_MARKS
    assert len(seen) == 3 * MAX_MARKS
    past = versions.of(1, NOW + HOUR)
    versions.take([change(1_000, NOW)], ())
    assert versions.of(1, NOW + HOUR) != past

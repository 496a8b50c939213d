"""The cells of buckets: what the clocks of any zone show, also where they change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from analytics.base import zones
from analytics.health.day_table import Offset, before, calendar_of, earlier, offsets

HOUR, DAY_S = 3600, 86_400
BEGIN, END = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1990, 2040))


@settings(max_examples=200, deadline=None)
@given(
    some.sampled_from(zones.names()),
    some.integers(BEGIN, END).map(lambda at: at // 300 * 300),
    some.integers(1, 400),
    some.sampled_from([300, 900, 3600]),
)
def test_a_cell_is_what_the_clocks_show(zone, begin, days, width_s):
    begins = np.arange(begin, begin + days * DAY_S, 7 * HOUR + 300, dtype=np.int64)
    calendar = calendar_of(begins, width_s, zone)
    shown = [datetime.fromtimestamp(at, ZoneInfo(zone)) for at in begins.tolist()]
    first = shown[0].date()
    cells = [
        (one.date() - first).days * DAY_S // width_s + (one.hour * HOUR + one.minute * 60 + one.second) // width_s
        for one in shown
    ]
    assert calendar.cells(begins).tolist() == cells
    assert calendar.days == (shown[-1].date() - first).days + 1


@pytest.mark.parametrize(
    ("zone", "day", "changes"),
    [
        ("Europe/Berlin", date(2026, 3, 28), ["2026-03-29T01:00:00+00:00 +02:00"]),
        ("Europe/Berlin", date(2026, 10, 24), ["2026-10-25T01:00:00+00:00 +01:00"]),
        ("America/New_York", date(2026, 3, 7), ["2026-03-08T07:00:00+00:00 -04:00"]),
        ("Australia/Lord_Howe", date(2026, 4, 3), ["2026-04-04T15:00:00+00:00 +10:30"]),
        ("Asia/Kathmandu", date(2026, 3, 28), []),
        ("UTC", date(2026, 3, 28), []),
    ],
)
def test_clocks_change_at_the_second_of_the_zone(zone, day, changes):
    begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    first, *rest = offsets(zone, begin, begin + 3 * DAY_S)
    assert first == Offset(begin, int(datetime.fromtimestamp(begin, ZoneInfo(zone)).utcoffset().total_seconds()))
    shown = [f"{datetime.fromtimestamp(one.since, UTC).isoformat()} {ahead(one.seconds)}" for one in rest]
    assert shown == changes


def ahead(seconds):
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"


def test_a_year_has_two_changes():
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    calendar = calendar_of(np.array([begin, begin + 365 * DAY_S]), HOUR, "Europe/Berlin")
    assert calendar.clock_changes() == [date(2026, 3, 29), date(2026, 10, 25)]


def test_a_change_at_midnight_belongs_to_the_day_that_is_shorter_or_longer():
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    calendar = calendar_of(np.array([begin, begin + 365 * DAY_S]), HOUR, "America/Santiago")
    days = {date(2026, 1, 1) + timedelta(days=step) for step in range(365)}
    assert set(calendar.clock_changes()) == {day for day in days if hours_of(day, "America/Santiago") != 24}


def hours_of(day, zone):
    begin, end = (
        datetime(one.year, one.month, one.day, tzinfo=ZoneInfo(zone)) for one in (day, day + timedelta(days=1))
    )
    return (end.timestamp() - begin.timestamp()) / HOUR


def test_a_table_has_a_row_for_each_day_and_the_mean_of_an_hour_that_comes_twice():
    autumn = int(datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp())  # midnight in Berlin
    begins = autumn + np.arange(26) * HOUR
    values = np.arange(26.0)
    values[5] = np.nan
    table = calendar_of(begins, HOUR, "Europe/Berlin").table(begins, values)
    assert table.shape == (2, 24)
    assert table[0, :5].tolist() == [0, 1, 2.5, 4, pytest.approx(np.nan, nan_ok=True)]
    assert table[0, 23] == 24
    assert table[1, 0] == 25
    assert np.isnan(table[1, 1:]).all()


def test_a_skipped_hour_is_unknown():
    spring = int(datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp())
    begins = spring + np.arange(23) * HOUR
    table = calendar_of(begins, HOUR, "Europe/Berlin").table(begins, np.ones(23))
    assert table.shape == (1, 24)
    assert np.flatnonzero(np.isnan(table[0])).tolist() == [2]


def test_rows_of_earlier_days_and_the_rows_before():
    table = np.arange(1.0, 4.0)[:, None]
    nan = np.nan
    np.testing.assert_array_equal(earlier(table, range(1, 4))[:, 0], [[nan] * 3, [1, nan, nan], [2, 1, nan]])
    np.testing.assert_array_equal(before(table, 2)[:, 0], [[nan, nan], [nan, 1], [1, 2]])

"""Periods and their buckets are exact: by the clock of the site, whatever its clocks do."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from analytics.base.errors import InvalidInput
from analytics.calendar.period import (
    INTERVALS,
    PRESETS,
    Clock,
    Comparison,
    Period,
    Run,
    Span,
    buckets,
    compared,
    moved,
    runs,
    span,
    with_today,
)

HOUR, DAY = 3600, 86_400
UTC, BERLIN, NEPAL = Clock("UTC"), Clock("Europe/Berlin"), Clock("Asia/Kathmandu")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
)


def when(text: str, zone: str = "UTC") -> int:
    """That moment on the wall clock of a zone, in seconds since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def wall(moment: int, zone: str) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).isoformat(timespec="minutes")


NOW = when("2026-11-25T14:37:21")  # a Wednesday


# ── periods ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("preset", "begin", "end"),
    [
        ("realtime", "2026-11-25T14:08", "2026-11-25T14:38"),
        ("24h", "2026-11-24T15:00", "2026-11-25T15:00"),
        ("today", "2026-11-25", "2026-11-26"),
        ("yesterday", "2026-11-24", "2026-11-25"),
        ("7d", "2026-11-18", "2026-11-25"),
        ("28d", "2026-10-28", "2026-11-25"),
        ("30d", "2026-10-26", "2026-11-25"),
        ("91d", "2026-08-26", "2026-11-25"),
        ("month", "2026-11-01", "2026-12-01"),
        ("year", "2026-01-01", "2027-01-01"),
        ("6mo", "2026-05-01", "2026-11-01"),
        ("12mo", "2025-11-01", "2026-11-01"),
        ("7d:today", "2026-11-19", "2026-11-26"),
        ("30d:today", "2026-10-27", "2026-11-26"),
        ("1d:today", "2026-11-25", "2026-11-26"),
        ("6mo:today", "2026-06-01", "2026-12-01"),
        ("12mo:today", "2025-12-01", "2026-12-01"),
        ("2026-02-03,2026-02-05", "2026-02-03", "2026-02-06"),
        ("2026-02-03", "2026-02-03", "2026-02-04"),
    ],
)
def test_a_period_ends_where_its_users_expect(preset, begin, end):
    assert span(Period.parse(preset), UTC, NOW) == Span(when(begin), when(end))


def test_all_time_begins_on_the_first_day_and_ends_with_today():
    found = span(Period("all"), BERLIN, NOW, first=when("2024-02-29T23:30"))
    assert found == Span(when("2024-03-01", BERLIN.zone), when("2026-11-26", BERLIN.zone))
    assert span(Period("all"), UTC, NOW).begin == 0


def test_today_is_the_day_of_the_site():
    late = when("2026-11-25T23:30")
    assert span(Period("today"), BERLIN, late) == Span(when("2026-11-26", BERLIN.zone), when("2026-11-27", BERLIN.zone))


def test_days_have_23_and_25_hours_where_clocks_change():
    spring, autumn = (span(Period.parse(day), BERLIN, NOW) for day in ("2026-03-29", "2026-10-25"))
    assert [one.end - one.begin for one in (spring, autumn)] == [23 * HOUR, 25 * HOUR]


def test_a_day_in_nepal_begins_at_a_quarter_past_six_in_the_evening_utc():
    assert span(Period.parse("2026-05-01"), NEPAL, NOW).begin == when("2026-04-30T18:15")


def test_february_of_a_leap_year_has_29_days():
    now = when("2028-02-29T12:00")
    month = span(Period("month"), UTC, now)
    assert (month.end - month.begin) // DAY == 29
    assert span(Period("yesterday"), UTC, when("2028-03-01")) == Span(when("2028-02-29"), when("2028-03-01"))


def test_midnight_that_clocks_skip_begins_the_day_an_hour_later_on_the_wall():
    cairo = Clock("Africa/Cairo")  # on 24 April 2026 it goes from 23:59 to 01:00
    found = span(Period.parse("2026-04-24"), cairo, NOW)
    assert (wall(found.begin, cairo.zone), found.end - found.begin) == ("2026-04-24T01:00+03:00", 23 * HOUR)


@pytest.mark.parametrize(
    "text",
    ["", "31x", "2026-02-30", "2026-02-05,2026-02-03", "1066-10-14", "2026-01-01,9999-12-31", "custom"],
)
def test_an_unknown_period_says_what_is_known(text):
    with pytest.raises(InvalidInput, match=r"^period "):
        Period.parse(text)


def test_an_unknown_zone_or_weekday_is_refused():
    with pytest.raises(InvalidInput, match="'Europe/Atlantis' is no time zone"):
        Clock("Europe/Atlantis").checked()
    with pytest.raises(InvalidInput, match="week start 7"):
        Clock("UTC", 7).checked()


# ── comparisons ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("period", "comparison", "begin", "end"),
    [
        ("7d", "previous", "2026-11-11", "2026-11-18"),
        ("30d", "previous", "2026-09-26", "2026-10-26"),
        ("30d", "previous:weekdays", "2026-09-21", "2026-10-21"),
        ("30d", "year", "2025-10-26", "2025-11-25"),
        ("7d", "year:weekdays", "2025-11-19", "2025-11-26"),
        ("6mo", "previous", "2025-11-01", "2026-05-01"),
        ("7d", "2026-01-01,2026-01-07", "2026-01-01", "2026-01-08"),
        ("7d:today", "previous", "2026-11-12", "2026-11-18T14:37:22"),
        ("30d:today", "previous:weekdays", "2026-09-22", "2026-10-21T14:37:22"),
        ("12mo:today", "previous", "2024-12-01", "2025-11-25T14:37:22"),
        ("7d:today", "year", "2025-11-19", "2025-11-25T14:37:22"),
        ("today", "previous", "2026-11-24", "2026-11-24T14:37:22"),
        ("today", "previous:weekdays", "2026-11-18", "2026-11-18T14:37:22"),
        ("month", "previous", "2026-10-01", "2026-10-25T14:37:22"),
        ("month", "year", "2025-11-01", "2025-11-25T14:37:22"),
        ("year", "previous", "2025-01-01", "2025-11-25T14:37:22"),
        ("realtime", "previous", "2026-11-25T13:38", "2026-11-25T14:07:22"),
        ("24h", "previous", "2026-11-23T15:00", "2026-11-24T14:37:22"),
    ],
)
def test_a_period_is_compared_with_as_much_of_another_as_has_passed(period, comparison, begin, end):
    found = compared(Period.parse(period), Comparison.parse(comparison), UTC, NOW)
    assert found == Span(when(begin), when(end))


def test_a_chart_compares_with_the_whole_of_the_other():
    found = compared(Period("month"), Comparison(), UTC, NOW, whole=True)
    assert found == Span(when("2026-10-01"), when("2026-11-01"))


def test_a_year_ago_of_a_leap_day_is_the_28th():
    found = compared(Period.parse("2028-02-29"), Comparison("year"), UTC, when("2028-06-01"))
    assert found == Span(when("2027-02-28"), when("2027-03-01"))


def test_the_day_before_a_change_of_clocks_is_compared_by_the_wall():
    now = when("2026-03-29T12:00", BERLIN.zone)
    found = compared(Period("today"), Comparison(), BERLIN, now)
    assert [wall(one, BERLIN.zone) for one in found] == ["2026-03-28T00:00+01:00", "2026-03-28T12:00+01:00"]


def test_all_time_has_nothing_to_be_compared_with():
    assert compared(Period("all"), Comparison(), UTC, NOW) is None


@pytest.mark.parametrize("text", ["", "next", "previous:months", "2026-01-01"])
def test_an_unknown_comparison_says_what_is_known(text):
    with pytest.raises(InvalidInput, match=r"comparison .*: previous, year, either with :weekdays, or two dates"):
        Comparison.parse(text)


@pytest.mark.parametrize("text", ["previous", "year", "previous:weekdays", "year:weekdays", "2026-01-01,2026-01-07"])
def test_a_comparison_is_written_as_it_is_read(text):
    assert str(Comparison.parse(text)) == text


# ── buckets ──────────────────────────────────────────────────────────────────────────────────────────────────────


def starts(period: str, interval: str, clock: Clock) -> list[str]:
    return [wall(part.begin, clock.zone) for part in buckets(span(Period.parse(period), clock, NOW), interval, clock)]


def test_the_hours_of_a_day_of_23_hours():
    found = starts("2026-03-29", "hour", BERLIN)
    assert len(found) == 23
    assert found[1:3] == ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]


def test_the_hours_of_a_day_of_25_hours():
    found = starts("2026-10-25", "hour", BERLIN)
    assert len(found) == 25
    assert found[2:4] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]


def test_hours_in_nepal_begin_at_its_full_hours():
    assert starts("2026-05-01", "hour", NEPAL)[:2] == ["2026-05-01T00:00+05:45", "2026-05-01T01:00+05:45"]


def test_hours_where_clocks_move_by_half_an_hour():
    lord_howe = Clock("Australia/Lord_Howe")
    autumn = buckets(span(Period.parse("2026-04-05"), lord_howe, NOW), "hour", lord_howe)
    spring = buckets(span(Period.parse("2026-10-04"), lord_howe, NOW), "hour", lord_howe)
    assert [part.end - part.begin for part in autumn[:4]] == [HOUR, HOUR * 3 // 2, HOUR, HOUR]
    assert [part.end - part.begin for part in spring[:4]] == [HOUR, HOUR, HOUR // 2, HOUR]


def test_weeks_begin_on_the_first_weekday_of_the_site():
    dates = ["2026-11-01T00:00+00:00", "2026-11-08T00:00+00:00", "2026-11-15T00:00+00:00"]
    assert starts("2026-11-01,2026-11-21", "week", Clock("UTC", 6)) == dates
    assert starts("2026-11-01,2026-11-21", "week", UTC) == [
        "2026-11-01T00:00+00:00",  # cut by the period: its Monday was in October
        "2026-11-02T00:00+00:00",
        "2026-11-09T00:00+00:00",
        "2026-11-16T00:00+00:00",
    ]


def test_months_of_a_leap_year():
    parts = buckets(span(Period.parse("2028-01-01,2028-12-31"), UTC, NOW), "month", UTC)
    assert [(part.end - part.begin) // DAY for part in parts] == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_a_year_of_days_is_five_runs_where_clocks_change():
    year = span(Period.parse("2026-01-01,2026-12-31"), BERLIN, NOW)
    found = runs(buckets(year, "day", BERLIN))
    assert found == [
        Run(when("2026-01-01", BERLIN.zone), DAY, 0),
        Run(when("2026-03-29", BERLIN.zone), 23 * HOUR, 87),
        Run(when("2026-03-30", BERLIN.zone), DAY, 88),
        Run(when("2026-10-25", BERLIN.zone), 25 * HOUR, 297),
        Run(when("2026-10-26", BERLIN.zone), DAY, 298),
    ]


def test_a_day_that_an_island_skipped_has_no_bucket():
    apia = Clock("Pacific/Apia")  # crossed the date line: there was no 30 December 2011
    assert starts("2011-12-29,2011-12-31", "day", apia) == ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00"]


@settings(deadline=None)
@given(
    first=some.dates(date(2019, 1, 1), date(2030, 12, 31)),
    days=some.integers(1, 40),
    interval=some.sampled_from(INTERVALS[1:]),
    zone=some.sampled_from(ZONES),
    week_start=some.integers(0, 6),
)
def test_buckets_fill_the_span_and_runs_give_their_numbers(first, days, interval, zone, week_start):
    clock = Clock(zone, week_start)
    last = date.fromordinal(first.toordinal() + days - 1)
    asked = span(Period("custom", (first, last)), clock, NOW)
    parts = buckets(asked, interval, clock)
    assert [parts[0].begin, *(part.end for part in parts)] == [*(part.begin for part in parts), asked.end]
    assert asked.begin == parts[0].begin
    found = runs(parts)
    for number, part in enumerate(parts):
        for moment in (part.begin, part.end - 1):
            run = next(one for one in reversed(found) if one.begin <= moment)
            assert run.number + (moment - run.begin) // run.width == number


def test_too_many_buckets_are_refused():
    with pytest.raises(InvalidInput, match="by minute this period has more than 10000 points"):
        buckets(span(Period("30d"), UTC, NOW), "minute", UTC)
    with pytest.raises(InvalidInput, match="interval 'second': minute, hour, day, week, month"):
        buckets(span(Period("30d"), UTC, NOW), "second", UTC)


def test_every_preset_has_a_label_and_an_interval_that_it_can_be_shown_in():
    for name in PRESETS:
        asked = span(Period(name), BERLIN, NOW, first=when("2016-01-01"))
        assert 1 < len(buckets(asked, Period(name).interval, BERLIN)) <= 150
        assert Period(name).label


@pytest.mark.parametrize(
    ("preset", "begin", "interval", "label"),
    [
        ("1d", "2026-11-24", "hour", "Last day"),
        ("2d", "2026-11-23", "hour", "Last 2 days"),
        ("90d", "2026-08-27", "day", "Last 90 days"),
        ("120d", "2026-07-28", "day", "Last 120 days"),
        ("365d", "2025-11-25", "month", "Last 365 days"),
        ("3650d", "2016-11-27", "month", "Last 3,650 days"),
    ],
)
def test_any_number_of_days_is_a_period_that_ends_with_yesterday(preset, begin, interval, label):
    period = Period.parse(preset)
    assert (str(period), period.interval, period.label) == (preset, interval, label)
    assert span(period, UTC, NOW) == Span(when(begin), when("2026-11-25"))


@pytest.mark.parametrize(
    ("preset", "twin", "label"),
    [
        ("7d", "7d:today", "Last 7 days, with today"),
        ("12mo", "12mo:today", "Last 12 months, with this month"),
        ("45d", "45d:today", "Last 45 days, with today"),
        ("today", "today", "Today"),
        ("24h", "24h", "Last 24 hours"),
        ("month", "month", "This month"),
        ("all", "all", "All time"),
    ],
)
def test_days_and_months_that_are_over_have_a_twin_that_ends_with_the_running_one(preset, twin, label):
    assert (with_today(preset, wanted=True), with_today(twin, wanted=False)) == (twin, preset)
    assert with_today(twin, wanted=True) == twin
    assert (str(Period.parse(twin)), Period(twin).label) == (twin, label)
    assert Period(twin).interval == Period(preset).interval


@pytest.mark.parametrize("text", ["24h:today", "today:today", "7d:now", "13mo:today", ":today", "7d:today:today"])
def test_a_period_without_such_a_twin_is_unknown_with_today(text):
    with pytest.raises(InvalidInput, match=r":today after days or months to include today"):
        Period.parse(text)


def test_one_day_more_begins_a_day_earlier():
    for days in (1, 7, 28, 30, 91, 3_649):
        shorter, longer = (span(Period(f"{many}d"), UTC, NOW) for many in (days, days + 1))
        assert longer == Span(shorter.begin - DAY, shorter.end)


def test_so_many_days_are_compared_with_as_many_before():
    asked = span(Period("90d"), UTC, NOW)
    assert compared(Period("90d"), Comparison(), UTC, NOW) == Span(asked.begin - 90 * DAY, asked.begin)


NO_DAYS = ("0d", "3651d", "10000d", "-7d", "07d", "7.5d", "7 d", "7D", "d", "٧d", "7d7d", "90days")


@pytest.mark.parametrize("text", NO_DAYS)
def test_what_is_no_number_of_days_is_named_with_what_is(text):
    with pytest.raises(InvalidInput, match=r"period '.*': .*, all, any number of days like 90d \(1 to 3,650\)"):
        Period.parse(text)


def test_months_are_moved_to_their_last_day():
    assert moved(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert moved(date(2026, 1, 15), -13) == date(2024, 12, 15)

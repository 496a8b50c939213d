"""Expected ranges of series that are written by hand: seasons, spikes, gaps, changes of the clocks and of the level."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from math import inf, isnan, nan, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from analytics.calendar.period import Span
from analytics.health.expected import Backtest, Expected, Readings, Side, TooShort, next_peak, side
from analytics.health.forecast import USEFUL_DAYS, fit
from tests.support.series import (
    BERLIN,
    HOUR,
    MONDAY,
    QUARTER,
    by_clock,
    changed,
    counted,
    end_of,
    fitted,
    joined,
    moment,
    of_the_week,
    series,
    wall,
)
from tests.support.serving import ROOT


def values(some: list[Expected]) -> list[float]:
    return [one.value for one in some]


def assert_usual(expected: list[Expected], times: float = 1.0) -> None:
    """Each value is that of the week, but for its square root, and all together are by a fiftieth."""
    assert expected
    usual = [times * of_the_week(wall(one.begin)) for one in expected]
    for one, value in zip(expected, usual, strict=True):
        assert one.value == pytest.approx(value, abs=sqrt(value)), wall(one.begin)
    assert sum(values(expected)) == pytest.approx(sum(usual), rel=0.02)


# ── the season ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_weekday_and_hour_is_expected_to_be_as_it_was():
    forecast = fitted(series(56))
    assert len(forecast.ahead) == 24
    assert forecast.ahead[0].begin == moment(MONDAY + timedelta(days=56))
    assert_usual(forecast.ahead)
    saturday = fitted(series(54))  # ends with a Friday
    assert wall(saturday.ahead[0].begin).strftime("%a") == "Sat"
    assert_usual(saturday.ahead)


def test_an_hour_that_stands_out_keeps_its_height():
    expected = by_clock(fitted(series(56)).ahead)
    assert expected["Mon 20:00"].value == pytest.approx(300, abs=sqrt(300))
    assert expected["Mon 19:00"].value == pytest.approx(100, abs=sqrt(100))


def test_after_two_weeks_a_day_is_as_a_week_before_and_after_three_as_its_weekday():
    two, three = (fitted(series(days, first=MONDAY - timedelta(days=2))) for days in (14, 21))  # a Saturday comes next
    a_week_before = [counted(wall(one.begin) - timedelta(days=7)) for one in two.ahead]
    assert values(two.ahead) == a_week_before, "seasonal naive had been better than the time of the day"
    assert_usual(three.ahead)


def test_after_two_weeks_a_day_is_as_the_days_before_where_weekdays_do_not_differ():
    def of_the_day(at):
        return 100.0 if at.hour >= 8 else 9.0

    forecast = fitted(series(14, lambda at: counted(at, of_the_day)))
    for one in forecast.ahead:
        usual = of_the_day(wall(one.begin))
        assert one.value == pytest.approx(usual, abs=sqrt(usual) / 2)
        assert one.low <= usual - sqrt(usual)
        assert one.high >= usual + sqrt(usual)


def test_finer_buckets_have_seasons_too():
    def rising(at):
        return 40.0 + 20 * (at.minute // 15) if at.hour == 20 else 40.0

    forecast = fitted(series(35, lambda at: counted(at, rising), width_s=QUARTER))
    assert len(forecast.ahead) == 96
    for one in forecast.ahead:
        assert one.value == pytest.approx(rising(wall(one.begin)), abs=sqrt(rising(wall(one.begin))))


# ── spikes and gaps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_spike_does_not_change_what_is_expected():
    plain = series(56)
    spike = moment(MONDAY + timedelta(days=49), 12)  # a Monday, as the day ahead
    spiked = changed(plain, lambda at, value: value * 50 if spike <= at < spike + 3 * HOUR else value)
    assert values(fitted(spiked).ahead) == pytest.approx(values(fitted(plain).ahead), rel=0.05)


def test_a_spike_has_left_its_range_and_the_hours_around_it_have_not():
    spike = moment(MONDAY + timedelta(days=50), 12)
    forecast = fitted(changed(series(56), lambda at, value: value * 4 if at == spike else value))
    assert side(forecast, spike, 400) is Side.ABOVE
    assert [side(forecast, spike + hours * HOUR, 100) for hours in (-1, 1, 2)] == [Side.WITHIN] * 3


def test_a_gap_is_unknown_and_not_zero():
    plain = series(56)
    begin = moment(MONDAY + timedelta(days=48))
    missing = changed(plain, lambda at, value: None if begin <= at < begin + 60 * HOUR else value)
    unknown = changed(plain, lambda at, value: nan if begin <= at < begin + 60 * HOUR else value)
    endless = changed(plain, lambda at, value: inf if begin <= at < begin + 60 * HOUR else value)
    assert_usual(fitted(missing).ahead)
    assert fitted(missing).ahead == fitted(unknown).ahead == fitted(endless).ahead


def test_a_gap_has_a_range_where_its_buckets_are_named():
    begin = moment(MONDAY + timedelta(days=48), 12)
    forecast = fitted(changed(series(56), lambda at, value: nan if at == begin else value))
    found = forecast.expected(begin)
    assert found
    assert found.value == pytest.approx(50)


def test_after_a_week_without_readings_the_weeks_before_are_known():
    plain, now = series(56), moment(MONDAY + timedelta(days=63))
    assert_usual(fitted(plain, now=now).ahead)


def test_where_all_is_long_ago_nothing_is_expected():
    forecast = fitted(series(28), now=moment(MONDAY + timedelta(days=120)))
    assert forecast.ahead == ()
    assert next_peak(forecast, 5) is None


def test_an_outage_that_is_excluded_is_not_learned_and_not_judged():
    outage = Span(moment(MONDAY + timedelta(days=53), 5, 30), moment(MONDAY + timedelta(days=55), 20, 30))
    down = changed(series(56), lambda at, value: 0.0 if outage.begin < at < outage.end else value)
    forecast = fitted(down, excluded=[outage])
    assert_usual(forecast.ahead)
    assert by_clock(fitted(down).ahead)["Mon 12:00"].value < 40, "without that the level would have fallen"
    five, nine = moment(MONDAY + timedelta(days=53), 5), moment(MONDAY + timedelta(days=55), 21)
    assert side(forecast, five, 0) is None, "a part of the hour is enough"
    assert side(forecast, five + 10 * HOUR, 0) is None
    assert side(forecast, five - HOUR, 4) is Side.WITHIN
    assert side(forecast, nine, 0) is Side.BELOW


def test_nothing_is_expected_of_maintenance_that_is_planned():
    plain = series(56)
    planned = Span(end_of(plain) + 3 * HOUR, end_of(plain) + 5 * HOUR)
    hours = [wall(one.begin).hour for one in fitted(plain, excluded=[planned]).ahead]
    assert hours == [0, 1, 2, *range(5, 24)]


# ── zero ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_site_that_nobody_visits_is_expected_to_stay_so_and_one_visit_is_no_surprise():
    forecast = fitted(series(28, lambda _: 0.0))
    assert {(one.value, one.low) for one in forecast.ahead} == {(0.0, 0.0)}
    assert all(one.high < 2 for one in forecast.ahead)
    assert next_peak(forecast, 0) is None
    assert forecast.day_ahead == Backtest(14 * 24, 0.0, 0.0, 1.0, 0.0)
    assert forecast.day_ahead.mase is None


def test_nights_without_anyone_are_within_and_a_day_without_anyone_is_not():
    forecast = fitted(series(56, lambda at: of_the_week(at) if at.hour >= 8 else 0.0))
    night, noon = (moment(MONDAY + timedelta(days=52), hour) for hour in (3, 12))
    assert side(forecast, night, 0) is Side.WITHIN
    assert side(forecast, noon, 0) is Side.BELOW


# ── changes of the clocks ────────────────────────────────────────────────────────────────────────────────────────────

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
@pytest.mark.parametrize("days_after", [0, 1, 3])
def test_clock_times_keep_their_counts_when_clocks_change(change, days_after):
    first = change - timedelta(days=56)
    forecast = fitted(series(56 + days_after, first=first))
    assert_usual(forecast.ahead)
    assert forecast.clock_changes == (change,)


@pytest.mark.parametrize(("change", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_such_a_day_has_23_or_25_hours(change, hours):
    first = change - timedelta(days=56)
    forecast = fitted(series(58, first=first))
    that_day = [one for one in forecast.past if wall(one.begin).date() == change]
    assert len(that_day) == hours
    assert_usual(that_day)
    assert all(side(forecast, one.begin, of_the_week(wall(one.begin))) is Side.WITHIN for one in that_day)


def test_the_skipped_hour_is_not_expected_and_the_repeated_one_twice():
    spring = fitted(series(56, first=SPRING - timedelta(days=56)))
    assert [wall(one.begin).hour for one in spring.ahead] == [0, 1, *range(3, 24), 0]
    autumn = fitted(series(56, first=AUTUMN - timedelta(days=56)))
    assert [wall(one.begin).hour for one in autumn.ahead] == [0, 1, 2, 2, *range(3, 23)]
    assert autumn.ahead[2][1:] == autumn.ahead[3][1:]


def test_where_clocks_are_half_an_hour_off_buckets_stay_in_line():
    forecast = fitted(series(35, zone="Asia/Kolkata"), "Asia/Kolkata")
    shown = [wall(one.begin, "Asia/Kolkata") for one in forecast.ahead]
    assert [(one.hour, one.minute) for one in shown] == [(hour, 0) for hour in range(24)]
    for one, at in zip(forecast.ahead, shown, strict=True):
        assert one.value == pytest.approx(of_the_week(at), abs=sqrt(of_the_week(at)))


# ── the level ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_a_level_that_lasts_is_expected_to_stay(times):
    since = moment(MONDAY + timedelta(days=53))
    shifted = changed(series(56), lambda at, value: value * times if at >= since else value)
    assert_usual(fitted(shifted).ahead, times=times)


def test_a_day_of_crowds_is_not_a_new_level():
    since = moment(MONDAY + timedelta(days=55))
    crowded = changed(series(56), lambda at, value: value * 3 if at >= since else value)
    assert sum(values(fitted(crowded).ahead)) == pytest.approx(sum(values(fitted(series(56)).ahead)), rel=0.1)


def test_a_level_is_at_most_three_times_the_usual_one():
    since = moment(MONDAY + timedelta(days=52))
    shifted = changed(series(56), lambda at, value: value * 50 if at >= since else value)
    assert by_clock(fitted(shifted).ahead)["Mon 12:00"].value == pytest.approx(300, rel=0.05)


def test_few_counts_say_little_about_the_level():
    since = moment(MONDAY + timedelta(days=53))
    few = changed(series(56, lambda _: 0.2), lambda at, value: value * 3 if at >= since else value)
    assert values(fitted(few).ahead) == pytest.approx([0.33] * 24, abs=0.01)


# ── not enough history ───────────────────────────────────────────────────────────────────────────────────────────────


def test_less_than_14_days_are_not_enough_and_that_is_a_value():
    whole = series(14)
    short = changed(whole, lambda at, value: None if at == whole.begins[0] else value)
    assert fit(short, BERLIN, end_of(short)) == TooShort(days=14 - 1 / 24, needed=14)
    assert len(fitted(whole).ahead) == 24
    assert fit(Readings([], [], HOUR), BERLIN, moment(MONDAY)) == TooShort(0, 14)
    assert fit(Readings([], [], HOUR), BERLIN, moment(MONDAY), min_days=0) == TooShort(0, 0)


def test_gaps_are_no_history():
    half = changed(series(20), lambda at, value: value if wall(at).hour < 12 else nan)
    assert fit(half, BERLIN, end_of(half)) == TooShort(days=10, needed=14)


def test_14_days_have_no_back_test_yet():
    forecast = fitted(series(14))
    assert forecast.hour_ahead == forecast.day_ahead == Backtest(0, None, None, None, None)
    assert forecast.day_ahead.mase is None


def test_readings_of_more_than_400_days_ago_are_left_out():
    old = series(20, zone="UTC")
    assert fit(old, "UTC", end_of(old) + 390 * 24 * HOUR) == TooShort(days=10 - 1 / 24, needed=14)


# ── the bucket that is still open ────────────────────────────────────────────────────────────────────────────────────


def test_an_open_bucket_is_neither_read_nor_judged():
    closed = series(56)
    begin = end_of(closed)
    opened = joined(closed, Readings([begin], [9_000.0], HOUR))
    forecast = fitted(opened, now=begin + HOUR - 1)
    assert forecast == fitted(closed, now=begin + HOUR - 1)
    assert side(forecast, begin, 9_000) is None
    assert forecast.ahead[0].begin == begin
    assert side(fitted(opened, now=begin + HOUR), begin, 9_000) is Side.ABOVE


@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 2**32), hours=some.integers(1, 60))
def test_what_was_expected_of_a_bucket_does_not_depend_on_what_came_later(seed, hours):
    chance = Random(seed)
    whole = changed(series(30), lambda _, value: chance.choice([nan, 0.0, value, chance.expovariate(0.01)]))
    until = end_of(whole) - hours * HOUR
    early, late = fitted(whole, now=until), fitted(whole)
    assert [one.begin for one in early.past] == [one.begin for one in late.past if one.begin < until]
    for one, same in zip(early.past, late.past, strict=False):
        assert one == pytest.approx(same)


def test_what_is_expected_does_not_depend_on_more_than_the_useful_days():
    chance = Random(4)
    whole = series(USEFUL_DAYS + 60, lambda at: chance.gauss(10, 2) * of_the_week(at))
    since = moment(MONDAY + timedelta(days=60))
    part = changed(whole, lambda at, value: value if at >= since else None)
    assert [tuple(one) for one in fitted(part).ahead] == [pytest.approx(tuple(one)) for one in fitted(whole).ahead]
    assert fitted(part).past[-1] == pytest.approx(fitted(whole).past[-1])


# ── ranges ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(some.lists(some.sampled_from([nan, 0, 1, 2, 7, 1e6]), min_size=24, max_size=200), some.integers(20, 40))
def test_a_range_is_about_its_value_and_never_below_zero(pattern, days):
    readings = series(days)
    repeated = Readings(readings.begins, (pattern * 50)[: len(readings.begins)], HOUR)
    found = fit(repeated, BERLIN, end_of(readings), min_days=1)
    if isinstance(found, TooShort):
        assert sum(not isnan(value) for value in repeated.values) < 24
        return
    for one in (*found.past, *found.ahead):
        assert 0 <= one.low <= one.value <= one.high < inf
    assert [one.begin for one in found.past] == sorted({one.begin for one in found.past})


def test_the_order_of_buckets_does_not_matter():
    plain = series(30)
    pairs = list(zip(plain.begins, plain.values, strict=True))
    Random(1).shuffle(pairs)
    begins, counted = zip(*pairs, strict=True)
    assert fitted(Readings(begins, counted, HOUR)) == fitted(plain)


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("noise", ["counts", "days", "spikes"])
def test_the_range_holds_the_share_that_it_states(share, noise):
    forecast = fitted(noisy(noise, 182), share=share)
    for found in (forecast.hour_ahead, forecast.day_ahead):
        assert found.readings == 168 * 24
        assert found.within == pytest.approx(share, abs=0.05)
        assert found.mase is not None
        assert found.mase < 1


def test_a_forecast_of_a_day_before_is_worse_than_one_of_an_hour_before():
    forecast = fitted(noisy("days", 182))
    assert forecast.day_ahead.error > 1.1 * forecast.hour_ahead.error


def noisy(noise, days):
    """The week with noise: of counts alone, of days that are busy as a whole, or with spikes and outages."""
    chance = Random(noise)
    busy: dict[date, float] = {}

    def count(at):
        mean = of_the_week(at)
        if noise == "days":
            mean *= busy.setdefault(at.date(), chance.lognormvariate(0, 0.2))
        if noise == "spikes":
            mean *= chance.choices((1, 5, 0), (97, 2, 1))[0]
        return float(round(max(0.0, chance.gauss(mean, sqrt(mean)))))

    return series(days, count)


def test_errors_are_those_of_the_ranges_and_of_the_week_before():
    known = series(28, of_the_week)
    last = moment(MONDAY + timedelta(days=27), 12)
    forecast = fitted(changed(known, lambda at, value: value + 24 * 14 if at == last else value))
    usual = fitted(known)
    assert forecast.hour_ahead.naive_error == pytest.approx(1.0)
    assert usual.hour_ahead.error is not None
    assert forecast.hour_ahead.error == pytest.approx(1.0 + usual.hour_ahead.error)
    assert usual.hour_ahead.within is not None
    assert forecast.hour_ahead.within == pytest.approx(usual.hour_ahead.within - 1 / (24 * 14))


def test_seasonal_naive_is_used_where_it_had_been_better():
    since = moment(MONDAY + timedelta(days=56))

    def turned(at, value):
        """Night and day are exchanged from then on: the week before knows it after a week, medians later."""
        return of_the_week(wall(at) + timedelta(hours=12)) if at >= since else value

    three_weeks = changed(series(77), turned)
    forecast = fitted(three_weeks)
    week_before = dict(zip(three_weeks.begins, three_weeks.values, strict=True))
    assert values(forecast.ahead) == [week_before[one.begin - 7 * 24 * HOUR] for one in forecast.ahead]
    assert forecast.day_ahead.naive_share is not None
    assert 0 < forecast.day_ahead.naive_share < 0.4
    assert fitted(series(56, of_the_week)).day_ahead.mase is None, "there it has no error at all"


@pytest.mark.parametrize("width_s", [0, 60, 299, 700, 7200])
def test_a_width_that_does_not_divide_an_hour_is_a_mistake(width_s):
    with pytest.raises(ValueError, match="a width of 300 to 3600"):
        fit(Readings([0], [1.0], width_s), BERLIN, 10_000)


def test_a_bucket_without_a_value_is_a_mistake():
    with pytest.raises(ValueError, match="2 buckets with 1 values"):
        fit(Readings([0, HOUR], [1.0], HOUR), BERLIN, 10_000)


# ── the next peak ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_peak_is_a_time_a_value_a_range_and_a_multiple_of_now():
    closed = series(56)
    forecast = fitted(closed, now=end_of(closed) + 15 * HOUR)  # Monday, 15:00
    peak = next_peak(forecast, current=125)
    assert peak
    assert wall(peak.begin).strftime("%a %H:%M") == "Mon 20:00"
    assert (peak.value, peak.low, peak.high) == forecast.ahead[5][1:]
    assert peak.value == pytest.approx(300, abs=sqrt(300))
    assert peak.times == peak.value / 125


def test_a_peak_has_the_minute_of_its_bucket():
    def at_quarter_past(at):
        return 400.0 if (at.hour, at.minute) == (20, 15) else 100.0

    peak = next_peak(fitted(series(28, at_quarter_past, width_s=QUARTER)), 200)
    assert peak
    assert wall(peak.begin).strftime("%H:%M") == "20:15"


def test_the_peak_may_be_now():
    forecast = fitted(series(56), now=moment(MONDAY + timedelta(days=56), 20, 30))
    peak = next_peak(forecast, 310)
    assert peak
    assert peak.begin == moment(MONDAY + timedelta(days=56), 20)
    assert peak.begin < forecast.now


@pytest.mark.parametrize("current", [0, None])
def test_a_peak_is_no_multiple_of_nothing(current):
    peak = next_peak(fitted(series(28)), current)
    assert peak
    assert peak.times is None


# ── what is loaded ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("module", "loaded"), [("analytics.health.expected", "[]"), ("analytics.health.forecast", "['numpy']")]
)
def test_values_load_no_numpy_and_forecasts_no_pandas(module, loaded):
    program = f"import sys, {module}; print(sorted({{'pandas', 'numpy'}} & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == f"{loaded}\n"

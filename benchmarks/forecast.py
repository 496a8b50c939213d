"""Forecasts of a year of the demo's visitors and of a real access log, next to seasonal naive, and how long they take.

`python -m benchmarks.forecast access.log …` back-tests the pages of other logs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.calendar.days import HOUR
from analytics.calendar.minute_series import DAY_S, MINUTE
from analytics.health.expected import Backtest, Forecast, Readings, TooShort, next_peak, side
from analytics.health.forecast import MIN_DAYS, fit
from benchmarks.common import Report, spread
from collector.imports.log_file import open_log
from collector.imports.log_reader import LogReader
from collector.simulate.traffic import make_traffic

Moments = npt.NDArray[np.int64]

EXCERPT = Path(__file__).parents[1] / "collector" / "data" / "demo-access.log"
NOW = 1_764_547_200  # the end of the year, 2025-12-01
SHARES, MAX_OFF = (0.9, 0.8), 5.0
SITES, WEEKS, MAX_S, ROUNDS = 100, 8, 2.0, 5
FEW = 50  # one visit of so many


class Year(NamedTuple):
    """When the visits of a made-up year began and ended (epoch s), in order."""

    first: int
    begins: Moments
    ends: Moments

    def hours(self, every: int = 1) -> Readings:
        """How many visits began in each hour; of so many visits one is counted."""
        edges = np.arange(self.first, NOW + 1, HOUR)
        return Readings(edges[:-1].tolist(), np.histogram(self.begins[::every], edges)[0].tolist(), HOUR)

    def people(self, width_s: int) -> Readings:
        """The most people at the same time in each bucket, looked at each minute."""
        minutes = np.arange(self.first, NOW, MINUTE)
        there = np.searchsorted(self.begins, minutes, "right") - np.searchsorted(self.ends, minutes, "right")
        most = there.reshape(-1, width_s // MINUTE).max(1)
        return Readings(minutes[:: width_s // MINUTE].tolist(), most.tolist(), width_s)


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints for each series errors, MASE and the share within the range, then the time of a fit."""
    year = _year(120 if short else 365)
    report.say(f"  {len(year.begins):,} visits of the demo; each forecast from what was known an hour or a day before")
    hours = year.hours()
    series = {
        "visits by hour": hours,
        f"  one of {FEW} visits": year.hours(FEW),
        "  spikes, gaps, twice as many from July": _disturbed(hours),
        "people at once by 15 minutes": year.people(900),
        "people at once by 5 minutes": year.people(300),
    }
    for name, readings in series.items():
        _back_test(report, name, readings)
    _log(report, EXCERPT)
    _time(report, hours, 10 if short else SITES)
    _time_of_minutes(report, year.people(300))


def _year(days: int) -> Year:
    traffic = make_traffic(1, NOW)
    first = traffic.today - timedelta(days=days)
    visits = [visit for step in range(-1, days + 2) for visit in traffic.visits(first + timedelta(days=step))]
    begins, ends = (np.sort(np.array(some)) for some in zip(*((int(v.begin), int(v.end)) for v in visits), strict=True))
    return Year(NOW - days * DAY_S, begins, ends)


def _disturbed(hours: Readings) -> Readings:
    """The hours with one of a hundred five times as high, a day of each month missing, the last five months doubled."""
    chance, found = Random(1), []
    for at, value in zip(hours.begins, hours.values, strict=True):
        level = 2.0 if at >= NOW - 153 * DAY_S else 1.0
        spike = 5.0 if chance.random() < 0.01 else 1.0
        found.append(float("nan") if at // DAY_S % 30 == 7 else value * level * spike)
    return Readings(hours.begins, found, hours.width_s)


def _fitted(readings: Readings, share: float, min_days: int = MIN_DAYS) -> Forecast:
    found = fit(readings, "UTC", readings.begins[-1] + readings.width_s, share=share, min_days=min_days)
    assert isinstance(found, Forecast)
    return found


def _back_test(report: Report, name: str, readings: Readings) -> None:
    for share in SHARES:
        forecast = _fitted(readings, share)
        if share == SHARES[0]:
            report.figure(name, f"{forecast.hour_ahead.readings:,} buckets")
            for ahead, found in _both(forecast):
                report.figure(f"    {ahead} ahead", _errors(found))
        for ahead, found in _both(forecast):
            within = 100 * (found.within or 0)
            name = f"    {share:.0%} range, {ahead} ahead: off by"
            report.at_most(name, abs(within - 100 * share), MAX_OFF, "points", f"({within:.1f} %)")


def _both(forecast: Forecast) -> Iterator[tuple[str, Backtest]]:
    yield from (("an hour", forecast.hour_ahead), ("a day", forecast.day_ahead))


def _errors(found: Backtest) -> str:
    return (
        f"error {found.error:.3g} · seasonal naive {found.naive_error:.3g} · MASE {found.mase:.2f} · "
        f"naive used for {found.naive_share:.0%}"
    )


def _log(report: Report, path: Path) -> None:
    """What a log of a few days is: not enough history. Its back-test all the same, from the third day on."""
    pages = Counter(page.time // HOUR for page in LogReader().pages(open_log(path), Counter()))
    hours = range(min(pages), max(pages))  # the last one is cut off
    readings = Readings([hour * HOUR for hour in hours], [float(pages[hour]) for hour in hours], HOUR)
    found = fit(readings, "UTC", readings.begins[-1] + HOUR)
    said = f"not enough: {found.days:.1f} days of {found.needed}" if isinstance(found, TooShort) else "enough history"
    report.figure(f"{path.name}: pages by hour", said)
    forecast = _fitted(readings, SHARES[0], MIN_DAYS if isinstance(found, Forecast) else 2)
    for ahead, tested in _both(forecast):
        within = f"{tested.within:.0%} within" if tested.within is not None else "nothing to test"
        report.figure(f"    {ahead} ahead", f"{tested.readings} hours · {_errors(tested)} · {within}")


def _time(report: Report, hours: Readings, sites: int) -> None:
    """Fits each site, with its next peak and where its last hour lies: 8 weeks up to another day for each site."""
    many = WEEKS * 7 * 24
    series = [_part(hours, len(hours.begins) - many - 24 * (site % 50), many, 1 + site % 7) for site in range(sites)]
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for one in series:
            forecast = _fitted(one, SHARES[0])
            next_peak(forecast, one.values[-1])
            side(forecast, one.begins[-1], one.values[-1])
        took.append(time.perf_counter() - begun)
    what = f"fit and predict {sites} sites, {WEEKS} weeks of hours"
    report.at_most(what, statistics.median(took), MAX_S * sites / SITES, "s", f"[{min(took):.2f}–{max(took):.2f}]")


def _part(hours: Readings, start: int, many: int, times: int) -> Readings:
    values: Sequence[float] = [times * value for value in hours.values[start : start + many]]
    return Readings(hours.begins[start : start + many], values, HOUR)


def _time_of_minutes(report: Report, people: Readings) -> None:
    many = WEEKS * 7 * DAY_S // people.width_s
    part = Readings(people.begins[-many:], people.values[-many:], people.width_s)
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        _fitted(part, SHARES[0])
        took.append(1000 * (time.perf_counter() - begun))
    report.figure(f"one site, {WEEKS} weeks of 5 minutes", f"{spread(took)} ms")


def main() -> None:
    """Back-tests the logs that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=main.__doc__)
    parser.add_argument("logs", nargs="+", type=Path, metavar="LOG")
    for path in parser.parse_args().logs:
        _log(Report(), path)


if __name__ == "__main__":
    main()

"""The chart of a day's concurrents: what plotly gets of it, and which ranges a reader can have chosen."""

from __future__ import annotations

import re
from array import array
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from plotly.graph_objects import Figure

from analytics.calendar.minute_series import MINUTES, UNKNOWN, DayOfConcurrents
from layouts.figures import day_minutes
from layouts.pages import concurrents

BERLIN = ZoneInfo("Europe/Berlin")


def day_of(date: str = "2026-11-20", **at: int) -> DayOfConcurrents:
    """A day in Berlin: nobody before 12:00 is known, then one person, and these people at minutes like `m720=5`."""
    begin = datetime.fromisoformat(date).replace(tzinfo=BERLIN)
    seconds = int(begin.timestamp()), int((begin + timedelta(days=1)).timestamp())
    many = (seconds[1] - seconds[0]) // 60
    people = array("i", [UNKNOWN] * 720 + [1] * (many - 720))
    for minute, number in at.items():
        people[int(minute[1:])] = number
    most = max(people)
    peak = most, seconds[0] + people.index(most) * 60
    return DayOfConcurrents(*seconds, people, array("i", [2] * many), peak, 1.0, True)


def test_the_day_lies_over_the_week_before_and_its_band():
    figure = Figure(day_minutes.figure(day_of(m900=7), BERLIN))
    low, high, peak, before, now = figure.data
    assert (before.name, now.name) == ("13 Nov 2026", "20 Nov 2026")
    assert (now.x0, now.dx, len(now.y), now.y[719:721]) == ("2026-11-20 00:00", 60_000, MINUTES, (None, 1))
    assert (set(low.y), set(high.y), high.fill) == ({2}, {2}, "tonexty")
    assert (peak.x, peak.y) == (("2026-11-20 15:00",), (7,))
    assert figure.layout.xaxis.range == ("2026-11-20 00:00", "2026-11-20 23:59")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [("2026-11-20 00:00", "2026-11-20 12:00")]


@pytest.mark.parametrize(("date", "minutes"), [("2026-03-29", 1_380), ("2026-10-25", 1_500)])
def test_a_day_on_which_clocks_are_set_has_the_time_of_each_minute(date, minutes):
    now = Figure(day_minutes.figure(day_of(date), BERLIN)).data[-1]
    assert (len(now.x), now.x[0], now.x[-1]) == (minutes, f"{date} 00:00", f"{date} 23:59")


def text_of(part: object) -> str:
    """All text of a component."""
    if isinstance(part, list | tuple):
        return "".join(map(text_of, part))
    return text_of(getattr(part, "children", part)) if hasattr(part, "children") else str(part or "")


def test_an_hour_that_clocks_show_twice_names_its_zone():
    day = day_of("2026-10-25")
    now = Figure(day_minutes.figure(day, BERLIN)).data[-1]
    assert (now.customdata[119], now.customdata[120], now.customdata[180], now.customdata[240]) == (
        "",
        " CEST",
        " CET",
        "",
    )
    assert now.hovertemplate == "<b>%{y:,d}</b>%{customdata}"
    hours = [row.children[0].children for row in concurrents.hours(day, BERLIN).children[1].children]
    assert hours[1:5] == ["01:00", "02:00 CEST", "02:00 CET", "03:00"]
    assert len({*hours}) == len(hours) == 25
    other = Figure(day_minutes.figure(day_of(), BERLIN)).data[-1]
    assert (other.customdata, other.hovertemplate) == (None, "<b>%{y:,d}</b>")


def test_the_average_of_nothing_is_not_known_and_has_no_change():
    day = day_of()
    nobody = DayOfConcurrents(
        day.begin, day.end, array("i", [0] * MINUTES), array("i", [0] * MINUTES), None, None, True
    )
    nobody.people[0], nobody.before[0] = 3, 2
    assert "%" not in str(concurrents.compared(nobody, (1, MINUTES), BERLIN))
    tiny = text_of(concurrents.compared(nobody, (0, MINUTES), BERLIN))
    assert "Average0vs 0 a week before" in tiny


@pytest.mark.parametrize(
    ("now", "before", "look"), [(4, 2, "ff-flat"), (9, 1, "ff-flat"), (12, 10, "ff-up"), (8, 10, "ff-worse")]
)
def test_a_change_from_few_people_is_not_judged(now, before, look):
    day = day_of()
    filled = [array("i", [people] * MINUTES) for people in (now, before)]
    found = str(concurrents.compared(DayOfConcurrents(day.begin, day.end, *filled, None, None, True), (0, 60), BERLIN))
    assert set(re.findall("ff-(?:flat|up|worse)", found)) == {look}


def test_the_band_is_between_the_least_and_the_most_of_an_hour():
    earlier = day_of()
    before = array("i", [5] * MINUTES)
    before[100], before[0] = 9, UNKNOWN
    low, high, *_ = day_minutes.figure(
        DayOfConcurrents(earlier.begin, earlier.end, earlier.people, before, None, None, True), BERLIN
    )["data"]
    assert (low["dx"], len(low["y"])) == (300_000, MINUTES // 5)
    assert (high["y"][13:15], high["y"][26:28]) == ([5, 9], [9, 5])
    assert (low["y"][0], low["y"][1], low["y"][20]) == (None, 5, 5)


def relayout(begin: object, end: object) -> dict[str, object]:
    return {"xaxis.range[0]": begin, "xaxis.range[1]": end}


def test_a_range_that_was_drawn_is_compared_with_the_same_minutes():
    day = day_of(m740=4)
    minutes = day_minutes.chosen(relayout("2026-11-20 12:10:30.25", "2026-11-20 12:59:59"), day, BERLIN)
    assert minutes == (730, 780)
    rendered = str(concurrents.compared(day, minutes, BERLIN))
    assert "12:10 – 12:59" in rendered
    assert "at 12:20" in rendered


WHOLE = ["2026-11-20 00:00", "2026-11-20 23:59"]


@pytest.mark.parametrize("given", [{"xaxis.autorange": True}, {"xaxis.range": WHOLE}, relayout(*WHOLE)])
def test_after_a_reset_the_whole_day_is_chosen(given):
    assert day_minutes.chosen(given, day_of(), BERLIN) == (0, MINUTES)


def test_a_range_of_which_nothing_is_known_says_so():
    assert "Nothing is known of these minutes." in str(concurrents.compared(day_of(), (0, 60), BERLIN))


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "xaxis.range[0]",
        {"autosize": True},
        {"xaxis.range": "2026-11-20 00:00"},
        {"xaxis.range": WHOLE * 500_000},
        {"xaxis.range[0]": "2026-11-20 12:00"},
        relayout(float("nan"), float("nan")),
        relayout("NaN", "NaN"),
        relayout("9999-12-31 23:59", "9999-12-31 23:59"),
        relayout("0001-01-01", "2026-11-20 12:00"),
        relayout("2026-11-20 12:30", "2026-11-20 12:00"),
        relayout("2026-11-19 12:00", "2026-11-19 13:00"),
        relayout("2026-11-20 12:00" + "0" * 100, "2026-11-20 13:00"),
        relayout([0] * 1_000_000, {}),
        relayout("<b>12:00</b>", "2026-11-20T13:00+99:99"),
    ],
)
def test_what_no_reader_can_have_chosen_is_ignored(given):
    assert day_minutes.chosen(given, day_of(), BERLIN) is None


def test_the_words_of_a_day():
    assert day_minutes.words(day_of(m900=7), BERLIN) == "People at each minute: at most 7 at 15:00, 1 on average."

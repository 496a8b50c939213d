"""The parts of an Overview: what they say, and its figures, each of which plotly accepts."""

from __future__ import annotations

import csv
import io
import unicodedata
from datetime import datetime
from itertools import chain, dropwhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly import graph_objects

from analytics.base import language
from analytics.calendar.period import Clock, Span, buckets
from analytics.query.filters import Match
from analytics.query.hours_of_week import MAX_SPAN_S, averaged_span, hours_of_week
from analytics.query.metrics import METRICS
from analytics.query.query import Query
from analytics.query.result import Answer, Hour, Point, Row
from analytics.reports.formats import spreadsheet
from analytics.reports.lists import EVENTS, SOURCES
from analytics.reports.values import Chart
from collector.ingest.page_url import MAX_PATH
from layouts.components import figures
from layouts.figures import countries, over_time, week_hours
from layouts.figures.countries import CountryCount
from layouts.figures.text import plain
from layouts.overview import panels, week

BERLIN, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
HOUR, DAY = 3_600, 86_400
HOSTILE = '<img src=x onerror="alert(1)">&\''


def at(*wall: int) -> int:
    return int(datetime(*wall, tzinfo=BERLIN).timestamp())


# ── the chart ────────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(
    values, *, interval="day", earlier=(), now=None, unit="visitors", span=None, notes=(), bars=False
) -> dict[str, Any]:
    """The figure of these values, which plotly accepts."""
    span = span or Span(at(2026, 11, 2), at(2026, 11, 2) + len(values) * DAY)
    parts = buckets(span, interval, Clock("Europe/Berlin"))
    before = [
        (Span(part.begin - 7 * DAY, part.end - 7 * DAY), value) for part, value in zip(parts, earlier, strict=False)
    ]
    points = list(zip(parts, values, strict=True))
    chart = Chart(METRICS[unit], interval, points, before, now or span.end, BERLIN, notes)
    found = over_time.figure(chart, bars=bars)
    graph_objects.Figure(found)
    return found


def lines(figure: dict[str, Any]) -> list[tuple[str, list]]:
    """How each line is dashed, and its values."""
    return [
        (trace["line"].get("dash", "solid"), list(trace["y"]))
        for trace in figure["data"]
        if trace.get("mode") == "lines"
    ]


def hovers(figure: dict[str, Any]) -> list[list[str]]:
    """The hover texts of each trace that has such."""
    return [trace["customdata"] for trace in figure["data"] if "customdata" in trace]


def ticks(figure: dict[str, Any]) -> list[str]:
    return figure["layout"]["yaxis"]["ticktext"]


def names(figure: dict[str, Any]) -> list[str]:
    return figure["layout"]["xaxis"]["categoryarray"]


def test_the_line_and_the_dashed_comparison():
    assert lines(drawn([0, 3, 1.5], earlier=[3, 0, 0])) == [("4px,4px", [3, 0, 0]), ("solid", [0, 3, 1.5])]


def test_the_way_into_the_bucket_that_is_not_over_is_drawn_apart_and_said():
    found = drawn([3, 3, 0, 0], now=at(2026, 11, 4, 12))
    assert lines(found) == [("solid", [3, 3]), ("2px,5px", [3, 0])]
    assert names(found) == ["Mon 2 Nov", "Tue 3 Nov", "Wed 4 Nov, so far", "Thu 5 Nov"]
    assert hovers(found) == [["Visitors: 3", "Visitors: 3", "Visitors: 0"]], "not what is to come"


def test_bars_are_paler_where_the_bucket_is_not_over_and_begin_at_0():
    found = drawn([3, 3, 1, 0], now=at(2026, 11, 4, 12), bars=True)
    (bars,) = [trace for trace in found["data"] if trace["type"] == "bar"]
    assert (bars["y"], bars["marker"]["opacity"]) == ([3, 3, 1], [1.0, 1.0, 0.5])
    assert found["layout"]["yaxis"]["range"][0] == 0


def test_where_nothing_is_known_the_line_has_a_gap():
    found = drawn([0.5, None, 0.25, 0.5], unit="bounce_rate")
    assert lines(found) == [("solid", [0.5, None, 0.25, 0.5])]
    assert hovers(found) == [["Bounce rate: 50.0%", "Bounce rate: –", "Bounce rate: 25.0%", "Bounce rate: 50.0%"]]


def test_the_hover_text_says_both_values_and_their_days():
    assert hovers(drawn([5, 6], earlier=[4, 3])) == [
        ["Mon 26 Oct: 4", "Tue 27 Oct: 3"],
        ["Visitors: 5", "Visitors: 6"],
    ]


@pytest.mark.parametrize(
    ("highest", "unit", "scale"),
    [
        (0, "visitors", ["0", "1", "2", "3"]),
        (1, "visitors", ["0", "1", "2", "3"]),
        (8_532, "visitors", ["0", "3K", "6K", "9K"]),
        (100, "visitors", ["0", "40", "80", "120"]),
        (0.97, "bounce_rate", ["0%", "50%", "100%"]),
        (0.29, "bounce_rate", ["0%", "10%", "20%", "30%"]),
        (161, "visit_duration", ["0s", "1m", "2m", "3m"]),
        (2.16, "views_per_visit", ["0", "0.80", "1.60", "2.40"]),
    ],
)
def test_the_scale_has_round_numbers_and_everything_below_its_third_line(highest, unit, scale):
    found = drawn([0, highest], unit=unit)
    assert ticks(found) == scale
    assert found["layout"]["yaxis"]["range"][0] == 0


def labels(figure: dict[str, Any]) -> list[str]:
    return figure["layout"]["xaxis"]["ticktext"]


@pytest.mark.parametrize(
    ("begin", "hours", "expected"),
    [
        ((2026, 11, 2), 24, ["00:00", "05:00", "10:00", "15:00", "20:00", "23:00"]),
        ((2026, 11, 2, 14), 25, ["14:00", "19:00", "3 Nov", "05:00", "10:00"]),
        ((2026, 11, 2), 48, ["2 Nov", "10:00", "3 Nov", "06:00", "16:00", "23:00"]),
        ((2026, 11, 2), 3 * 24, ["2 Nov", "3 Nov", "4 Nov"]),
        ((2026, 11, 2), 7 * 24, ["2 Nov", "4 Nov", "6 Nov", "8 Nov"]),
        ((2026, 10, 24), 60 * 24, ["24 Oct", "3 Nov", "13 Nov", "23 Nov", "3 Dec", "13 Dec"]),
    ],
)
def test_days_by_the_hour_have_each_date_once_where_the_day_begins(begin, hours, expected):
    """Two days by the hour said "2 Nov" three times, and "3 Nov" three times."""
    span = Span(at(*begin), at(*begin) + hours * HOUR)
    found = drawn([1] * hours, interval="hour", span=span)
    assert labels(found) == expected
    assert len(set(labels(found))) == len(expected)


def test_the_last_24_hours_by_the_minute_have_one_date():
    span = Span(at(2026, 11, 2, 14, 32), at(2026, 11, 3, 14, 32))
    assert labels(drawn([1] * 1_440, interval="minute", span=span)) == [
        "14:32",
        "19:20",
        "3 Nov",
        "04:56",
        "09:44",
        "14:31",
    ]


def test_a_day_with_a_change_of_clocks_has_its_hours():
    span = Span(at(2026, 10, 25), at(2026, 10, 26))
    found = names(drawn([1] * 25, interval="hour", span=span))
    assert len(set(found)) == 25, "places on the axis"
    assert [name.strip(over_time.REPEATED) for name in found[1:4]] == [
        "Sun 25 Oct, 01:00",
        "Sun 25 Oct, 02:00",
        "Sun 25 Oct, 02:00",
    ]


@pytest.mark.parametrize(
    ("interval", "name"),
    [("week", "2–8 Nov 2026"), ("month", "November 2026"), ("day", "Mon 2 Nov"), ("minute", "Mon 2 Nov, 00:00")],
)
def test_buckets_have_names(interval, name):
    assert figures.bucket(Span(at(2026, 11, 2), at(2026, 11, 9)), interval, BERLIN) == name


def test_dates_are_written_in_the_readers_language():
    language.write_in("de-DE")
    try:
        found = drawn([5000, 6], earlier=[4, 3])
        assert names(found)[0] == "Mo., 2. Nov."
        assert [texts[0] for texts in hovers(found)] == ["Mo., 26. Okt.: 4", "Besucher: 5.000"]
    finally:
        language.write_in("en-GB")


def test_notes_stand_at_their_bucket_those_of_one_together_and_stay_text():
    notes = [(at(2026, 11, 2), HOSTILE), (at(2026, 11, 5), "a"), (at(2026, 11, 5), "b"), (at(2026, 11, 9), "later")]
    found = drawn([1] * 4, notes=notes, now=at(2026, 11, 9))
    labels = found["layout"]["annotations"]
    assert [(one["xanchor"], one["x"], one["hovertext"]) for one in labels] == [
        ("left", 0, plain(HOSTILE)),
        ("right", 3, "a · b"),
    ]
    assert [(shape["x0"], shape["x1"]) for shape in found["layout"]["shapes"]] == [(0, 0), (3, 3)]
    assert not any("<" in one["text"] + one["hovertext"] for one in labels)


def test_each_bucket_has_its_days_so_that_a_stretch_is_a_period():
    assert drawn([1] * 2)["layout"]["meta"] == [["2026-11-02", "2026-11-02"], ["2026-11-03", "2026-11-03"]]


def test_the_figure_is_told_in_a_sentence():
    span = Span(at(2026, 11, 2), at(2026, 11, 4))
    points = list(zip(buckets(span, "day", Clock("Europe/Berlin")), (5, 6), strict=True))
    chart = Chart(METRICS["visitors"], "day", points, [], span.end, BERLIN, [(span.begin, "Version 2")])
    assert over_time.words(chart) == "Visitors by day: between 5 and 6, at last 6. Notes: Version 2."


# ── panels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(*rows: tuple[str, int]) -> Answer:
    return Answer([Row((name,), (people,)) for name, people in rows], len(rows), Query(1))


def test_a_row_of_the_longest_path_filters_and_one_excluded_value_too_many_is_no_way():
    path = "/" + "b" * (MAX_PATH - 1)
    hundred = (Match("is_not", "page", tuple(f"/{n}" for n in range(100))),)
    assert all(panels.ways("page", [path], ()).values())
    assert panels.ways("page", [path], hundred)["out"] == ""


def test_each_row_has_its_bar_its_share_and_its_number():
    shown = panels.panel(SOURCES, SOURCES.lists[0], answer(("Google", 30), ("", 6)), 40, (), "today", "/files")
    assert [(tab["label"], tab["chosen"]) for tab in shown["tabs"]] == [
        ("Sources", True),
        ("Channels", False),
        ("Referrers", False),
        ("Campaigns", False),
    ]
    assert [(row["label"], row["share"], row["number"], row["bar"]) for row in shown["rows"]] == [
        ("Google", "75.0%", "30", 1.0),
        ("Direct / None", "15.0%", "6", 0.2),
    ]
    assert (shown["file"]["href"], shown["details"]["change"]) == ("/files/source.csv", "details=source")


def test_an_empty_list_names_the_period_and_what_would_fill_it():
    shown = panels.panel(SOURCES, SOURCES.lists[-1], answer(), 0, (), "last 30 days", "")
    assert (shown["rows"], shown["empty"]) == (
        [],
        {
            "title": "No campaigns in this period: last 30 days",
            "hint": "Add utm_campaign to a link, and its visits appear here.",
        },
    )


def test_the_map_shades_countries_by_the_root_of_their_share_and_leaves_those_without_a_shape_out():
    counts = [CountryCount("US", 100, "in", "out"), CountryCount("DE", 25), CountryCount("XX", 9)]
    found = countries.figure(counts)
    graph_objects.Figure(found)
    (shaded,) = found["data"]
    assert (shaded["locations"], shaded["z"], shaded["zmax"]) == (["USA", "DEU"], [10.0, 5.0], 10.0)
    assert shaded["customdata"][0] == ["in", "out"]
    assert countries.words(counts[:2]) == (
        "Visitors by country: United States 100, Germany 25. The list of countries has all."
    )


def test_the_map_knows_nearly_every_country():
    assert len(countries.shapes()) > 180
    wanted = {"DE": "DEU", "US": "USA", "TW": "TWN", "FR": "FRA", "NO": "NOR"}
    assert {code: countries.shapes().get(code) for code in wanted} == wanted


def test_the_list_of_events_leaves_pageviews_out():
    assert [one.values for one in EVENTS.filters] == [("pageview",)]


# ── the week ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def points(span: Span, clock: Clock, value=lambda _: 1) -> list[Point]:
    return [Point(part, (value(part),)) for part in buckets(span, "hour", clock)]


def test_hours_are_means_over_the_weeks_in_the_zone_of_the_site():
    clock, monday = Clock("Europe/Berlin"), at(2026, 11, 2)
    busy = {monday + 10 * HOUR: 6, monday + 7 * DAY + 10 * HOUR: 2}
    week = hours_of_week(points(Span(monday, monday + 14 * DAY), clock, lambda part: busy.get(part.begin, 0)), clock)
    assert week[0][10] == Hour(0, 10, 4.0)
    assert {hour.visitors for day in week for hour in day} == {0.0, 4.0}


def test_a_week_begins_on_the_sites_first_weekday_and_an_hour_without_any_is_not_known():
    clock = Clock("Asia/Kathmandu", 6)
    sunday = int(datetime(2026, 11, 1, tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp())
    week = hours_of_week(points(Span(sunday, sunday + HOUR), clock), clock)
    assert [day[0].weekday for day in week] == [6, 0, 1, 2, 3, 4, 5]
    assert week[0][0] == Hour(6, 0, 1.0)
    assert {hour.visitors for day in week for hour in day} == {1.0, None}


def test_an_hour_that_the_clocks_repeat_counts_as_two_and_one_that_they_skip_as_none():
    clock = Clock("Europe/Berlin")
    repeated = hours_of_week(
        points(Span(at(2026, 10, 25), at(2026, 10, 26)), clock, lambda part: part.begin % 2 + 3), clock
    )
    skipped = hours_of_week(points(Span(at(2026, 3, 29), at(2026, 3, 30)), clock), clock)
    assert (repeated[6][2].visitors, skipped[6][2].visitors) == (3.0, None)


def test_hours_are_told_of_what_has_passed_and_of_no_more_than_a_year():
    assert averaged_span(Span(0, 30 * DAY), 10 * DAY, UTC) == Span(0, 10 * DAY + 1)
    assert averaged_span(Span(0, 2 * MAX_SPAN_S), 3 * MAX_SPAN_S, UTC) == Span(MAX_SPAN_S, 2 * MAX_SPAN_S)


def test_hours_of_less_than_a_week_are_those_of_28_days_up_to_its_end():
    """The week of the last 30 minutes was one square, and that of today a column."""
    now, first = at(2026, 11, 20, 14, 30), at(2026, 10, 24)  # 28 days, one of 25 hours
    for minutes in (30, 24 * 60, 6 * 24 * 60 - 10 * 60):
        assert averaged_span(Span(now - minutes * 60, now), now, BERLIN) == Span(first, now)
    assert averaged_span(Span(at(2026, 11, 20), at(2026, 11, 21)), now, BERLIN) == Span(first, now + 1), "today"
    month = Span(at(2026, 11, 1), at(2026, 12, 1))
    assert averaged_span(month, at(2026, 11, 3), BERLIN) == Span(at(2026, 10, 7), at(2026, 11, 3) + 1), "two days of it"
    week = Span(at(2026, 10, 24), at(2026, 10, 31))
    assert averaged_span(week, now, BERLIN) == week


def test_hours_of_a_new_site_begin_with_its_first_day():
    now, first = at(2026, 11, 20, 14, 30), at(2026, 11, 18, 9)
    assert averaged_span(Span(now - HOUR, now), now, BERLIN, first) == Span(at(2026, 11, 18), now)
    assert averaged_span(Span(at(2026, 11, 2), at(2026, 11, 3)), now, BERLIN, first) == Span(
        at(2026, 11, 2), at(2026, 11, 3)
    )


def week_of(busiest: float) -> list[list[Hour]]:
    return [[Hour(day, hour, float(day == 3 and hour == 10) * busiest) for hour in range(24)] for day in range(7)]


def test_the_week_is_a_square_for_each_hour_and_names_the_busiest():
    found = week_hours.figure(week_of(431))
    graph_objects.Figure(found)
    (squares,) = found["data"]
    assert ([len(day) for day in squares["z"]], squares["zmin"], squares["zmax"]) == ([24] * 7, 0, 431)
    assert squares["text"][3][10] == "Thu 10:00, 431"
    assert week_hours.words(week_of(431)).endswith("Busiest: Thu 10:00, 431.")
    assert "Thu 10:00" in str(week.foot(week_of(431), "last 30 days"))


def test_the_week_is_a_table_too():
    found = week.table(week_of(431))
    assert found["columns"] == ["Hour", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert found["rows"][10] == ["10:00", "0", "0", "0", "431", "0", "0", "0"]


def test_an_hour_that_is_not_known_is_as_pale_as_one_without_anybody_and_says_so():
    found = week_hours.figure([[Hour(day, hour, None) for hour in range(24)] for day in range(7)])
    graph_objects.Figure(found)
    assert (found["data"][0]["z"][0][0], found["data"][0]["text"][0][0]) == (0, "Mon 00:00, –")


def test_a_week_in_which_nobody_came_says_so():
    assert week_hours.words(week_of(0)) == "Nobody came."
    assert "No visitors in this period: today" in str(week.foot(week_of(0), "today"))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_has_bare_numbers_and_no_formula():
    rows = [
        ["Page", "Visitors", "Bounce rate"],
        ["/a,b", 1200, 0.123456],
        ['=HYPERLINK("x")', 1, None],
        ["+1", 2, 0.5],
        ["-1", 3, 1.0],
        ["@SUM(A1)", 4, 0.0],
        ["\t=1", 5, 0.0],
        [" =1", 6, -0.5],
    ]
    assert spreadsheet(rows).split("\r\n") == [
        "Page,Visitors,Bounce rate",
        '"/a,b",1200,0.1235',
        '"\'=HYPERLINK(""x"")",1,',
        "'+1,2,0.5",
        "'-1,3,1.0",
        "'@SUM(A1),4,0.0",
        "'\t'=1,5,0.0",
        "' =1,6,-0.5",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (";=cmd|' /C calc'!A0;", ";'=cmd|' /C calc'!A0;"),
        ("/;=cmd|' /C calc'!A0;", "/;'=cmd|' /C calc'!A0;"),
        ("a; =1\t+1", "a;' =1\t'+1"),
        ('a;"=1', "a;'\"=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a;\uff0b1", "a;'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("\u00a0=1+1", "'\u00a0=1+1"),
        ("\u3000=1+1", "'\u3000=1+1"),
        ("\u200b=1+1", "'\u200b=1+1"),
        ("\ufeff=1+1", "'\ufeff=1+1"),
        ("\u0301=1+1", "'\u0301=1+1"),
        ("a;\u200b\u00a0-1", "a;'\u200b\u00a0-1"),
        ("\tx", "'\tx"),
        ("a=1; b-2", "a=1; b-2"),
        ("/a;b=1", "/a;b=1"),
        ("", ""),
    ],
)
def test_no_cell_of_a_file_is_a_formula_in_any_countrys_spreadsheet(text, shown):
    assert list(csv.reader(io.StringIO(spreadsheet([[text, 1]]), newline=""))) == [[shown, "1"]]


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
TELLING = st.sampled_from(f"{SIGNS};,\t\r\n \"'\u00a0\u3000\u200b\ufeff\u0301a1") | st.characters(codec="utf-8")


@given(rows=st.lists(st.lists(st.text(TELLING, max_size=12), min_size=1, max_size=3), max_size=3))
def test_whatever_separates_the_cells_none_begins_with_the_sign_of_a_formula(rows):
    written = spreadsheet(rows)
    for delimiter in ",;\t":
        for cell in chain.from_iterable(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)):
            seen = dropwhile(lambda sign: unicodedata.category(sign)[0] in "ZCM", cell)
            assert next(seen, "") not in tuple(SIGNS), (delimiter, cell)


def test_numbers_of_a_file_stay_numbers():
    assert spreadsheet([[-5, -0.25, None]]) == "-5,-0.25,\r\n"

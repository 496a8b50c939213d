"""The parts of an Overview: what they say, and the text that is sent of them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from dash import html

from analytics.calendar.period import Clock, Span, buckets
from analytics.query.hours_of_week import MAX_SPAN_S, averaged_span, hours_of_week
from analytics.query.metrics import METRICS
from analytics.query.query import Query
from analytics.query.result import Answer, Hour, Point, Row
from analytics.reports.formats import spreadsheet
from analytics.reports.lists import EVENTS, PLACES, SOURCES
from analytics.reports.values import Chart
from layouts.components import figures
from layouts.components.markup import Tag, markup
from layouts.overview import chart, heat, panels, worldmap

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3_600, 86_400
HOSTILE = '<img src=x onerror="alert(1)">&\''


def at(*wall: int) -> int:
    return int(datetime(*wall, tzinfo=BERLIN).timestamp())


def text(parts: object) -> str:
    """What a reader reads, pieces parted by bars."""
    return "|".join(piece for piece in re.split(r"(?:<[^>]*>|\s)*<[^>]*>\s*", markup(parts)) if piece.strip())


# ── markup ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_components_become_html_with_everything_escaped():
    part = html.Td(
        [HOSTILE, html.B(7), None, Tag("input", {"value": HOSTILE, "required": True, "disabled": False})],
        className="a",
        title=HOSTILE,
        tabIndex=-1,
        style={"--w": 0.5, "marginTop": "1px"},
        **{"data-x": HOSTILE, "aria-label": "b"},
    )
    escaped = "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#x27;"
    written = markup(part)
    attributes = dict(re.findall(r' ([a-z-]+)="([^"]*)"', written.partition(">")[0]))
    assert attributes == {
        "class": "a",
        "title": escaped,
        "tabindex": "-1",
        "style": "--w:0.5;margin-top:1px",
        "data-x": escaped,
        "aria-label": "b",
    }
    inner = '&lt;img src=x onerror="alert(1)"&gt;&amp;\''
    assert written.partition(">")[2] == f'{inner}<b>7</b><input required value="{escaped}"></td>'


# ── the chart ────────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(values, *, interval="day", earlier=(), now=None, unit="visitors", span=None) -> str:
    span = span or Span(at(2026, 11, 2), at(2026, 11, 2) + len(values) * DAY)
    parts = buckets(span, interval, Clock("Europe/Berlin"))
    before = [
        (Span(part.begin - 7 * DAY, part.end - 7 * DAY), value) for part, value in zip(parts, earlier, strict=False)
    ]
    points = list(zip(parts, values, strict=True))
    return markup(
        chart.plot(Chart(METRICS[unit], interval, points, before, now or span.end, BERLIN), "Visitors by day")
    )


def paths(written: str) -> list[tuple[str, str]]:
    return re.findall(r'<path class="([^"]+)" d="([^"]+)"', written)


def spots(written: str) -> list[list]:
    (found,) = re.findall(r'data-spots="([^"]*)"', written)
    return json.loads(found.replace("&quot;", '"'))


def test_the_line_its_area_and_the_dashed_comparison():
    assert paths(drawn([0, 3, 1.5], earlier=[3, 0, 0])) == [
        ("ff-area", "M0.0 100L0.0 100.00L500.0 0.00L1000.0 50.00L1000.0 100Z"),
        ("ff-ln-prev", "M0.0 0.00L500.0 100.00L1000.0 100.00"),
        ("ff-ln", "M0.0 100.00L500.0 0.00L1000.0 50.00"),
    ]


def test_the_way_into_the_bucket_that_is_not_over_is_drawn_apart_and_said():
    written = drawn([3, 3, 0, 0], now=at(2026, 11, 4, 12))
    assert paths(written)[1:] == [("ff-ln", "M0.0 0.00L333.3 0.00"), ("ff-ln is-open", "M333.3 0.00L666.7 100.00")]
    assert [spot[3] for spot in spots(written)] == ["Mon 2 Nov", "Tue 3 Nov", "Wed 4 Nov, so far"], (
        "not what is to come"
    )


def test_where_nothing_is_known_the_line_has_a_gap():
    written = drawn([0.5, None, 0.25, 0.5], unit="bounce_rate")
    assert [kind for kind, _ in paths(written)] == ["ff-area", "ff-area", "ff-ln", "ff-ln"]
    assert [spot[4] for spot in spots(written)] == ["50.0%", "–", "25.0%", "50.0%"]


def test_the_tip_says_both_values_and_their_days():
    written = drawn([5, 6], earlier=[4, 3])
    first = [at(2026, 11, 2), 0.0, 16.67, "Mon 2 Nov", "5", "Mon 26 Oct", "4"]
    assert spots(written)[0] == first


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
    found = re.findall(r'ff-ax-y" style="[^"]*">([^<]*)<', drawn([0, highest], unit=unit))
    assert found == scale


def test_a_day_with_a_change_of_clocks_has_its_hours():
    span = Span(at(2026, 10, 25), at(2026, 10, 26))
    written = drawn([1] * 25, interval="hour", span=span)
    assert [spot[3] for spot in spots(written)][1:4] == ["Sun 25 Oct, 01:00", "Sun 25 Oct, 02:00", "Sun 25 Oct, 02:00"]


@pytest.mark.parametrize(
    ("interval", "name"),
    [("week", "2–8 Nov 2026"), ("month", "November 2026"), ("day", "Mon 2 Nov"), ("minute", "Mon 2 Nov, 00:00")],
)
def test_buckets_have_names(interval, name):
    assert figures.bucket(Span(at(2026, 11, 2), at(2026, 11, 9)), interval, BERLIN) == name


def test_dates_are_written_in_the_readers_language():
    figures.write_in("de-DE")
    try:
        assert spots(drawn([5000, 6], earlier=[4, 3]))[0][3:] == ["Mo., 2. Nov.", "5.000", "Mo., 26. Okt.", "4"]
    finally:
        figures.write_in("en-GB")


def test_notes_stand_at_their_bucket_those_of_one_together():
    parts = buckets(Span(at(2026, 11, 2), at(2026, 11, 6)), "day", Clock("Europe/Berlin"))
    notes = [(at(2026, 11, 2), HOSTILE), (at(2026, 11, 5), "a"), (at(2026, 11, 5), "b"), (at(2026, 11, 9), "later")]
    shown = Chart(METRICS["visitors"], "day", [(part, 1) for part in parts], [], at(2026, 11, 9), BERLIN, notes)
    written = markup(chart.plot(shown, "Visitors by day"))
    found = re.findall(r'class="ff-note ([a-z-]+)" style="left:([\d.]+)%">.*?<bdi>(.*?)</bdi>', written)
    assert [(side, left) for side, left, _ in found] == [("is-right", "0.00"), ("is-left", "100.00")]
    assert [text for *_, text in found] == ['&lt;img src=x onerror="alert(1)"&gt;&amp;\'', "a · b"]


# ── panels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(*rows: tuple[str, int]) -> Answer:
    return Answer([Row((name,), (people,)) for name, people in rows], len(rows), Query(1))


def test_each_row_has_its_bar_its_share_and_its_number():
    shown = panels.panel(SOURCES, SOURCES.lists[0], answer(("Google", 30), ("", 6)), 40, (), "today")
    assert text(shown) == (
        "Sources|Channels|Referrers|Campaigns|Details|Source|Visitors|Google|75.0%|30|Direct / None|15.0%|6"
    )
    assert re.findall(r"--w:([\d.]+)", markup(shown)) == ["1.000", "0.200"]


def test_an_empty_list_names_the_period_and_what_would_fill_it():
    shown = panels.panel(SOURCES, SOURCES.lists[-1], answer(), 0, (), "last 30 days")
    said = "No campaigns in this period: last 30 days|Add utm_campaign to a link, and its visits appear here."
    assert text(shown).endswith(said)


def test_hostile_names_are_text():
    shown = markup(
        panels.events(
            answer((HOSTILE, 1)), 1, (), "today", panels.properties([HOSTILE], HOSTILE, answer((HOSTILE, 1)), 1, ())
        )
    )
    assert "<img" not in shown
    assert shown.count("&lt;img") >= 8


def test_the_map_shades_countries_by_the_root_of_their_share_and_leaves_the_unknown_out():
    shown = markup(panels.panel(PLACES, PLACES.lists[0], answer(("US", 100), ("DE", 25), ("", 9)), 134, (), "today"))
    assert re.findall(r'#([A-Z]{2})" style="--v:(\d+)"', shown) == [("US", "100"), ("DE", "57")]
    assert "Visitors by country: United States 100, Germany 25." in shown


def test_the_map_knows_nearly_every_country():
    assert len(worldmap.shapes()) == 174
    assert {"DE", "US", "XK", "TW", "FR", "NO"} <= worldmap.shapes()


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
    assert averaged_span(Span(0, 10 * DAY), 3 * DAY) == Span(0, 3 * DAY + 1)
    assert averaged_span(Span(0, 2 * MAX_SPAN_S), 3 * MAX_SPAN_S) == Span(MAX_SPAN_S, 2 * MAX_SPAN_S)


def test_the_week_names_its_busiest_hour():
    week = [[Hour(day, hour, float(day == 3 and hour == 10) * 431) for hour in range(24)] for day in range(7)]
    assert text(heat.card(week, "Europe/Berlin", "last 30 days")).endswith("Busiest:|Thu 10:00|, last 30 days|0|431")


def test_the_legend_of_the_week_begins_at_nobody_as_its_shades_do():
    week = [[Hour(day, hour, 20.0 if hour == 9 else 2.25) for hour in range(24)] for day in range(7)]
    assert text(heat.card(week, "UTC", "today")).endswith("|0|20")


def test_a_week_in_which_nobody_came_says_so():
    week = [[Hour(day, hour, None) for hour in range(24)] for day in range(7)]
    assert "No visitors in this period: today" in text(heat.card(week, "UTC", "today"))


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
        "'\t=1,5,0.0",
        "' =1,6,-0.5",
        "",
    ]

"""What the address of an Overview asks for, and what its links change in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs, parse_qsl

import pytest

from analytics.base.errors import InvalidInput
from analytics.calendar.period import Clock, Comparison, Period, Span
from analytics.query.filters import Match
from analytics.query.query import Order, Query
from analytics.reports import view
from analytics.reports.lists import PANELS
from analytics.reports.view import Details, View
from layouts.overview.filters import words
from layouts.overview.toolbar import neighbour
from tests.support.factories import site

SITE = site(timezone="Europe/Berlin", week_start=6)
DAY = 86_400
BERLIN = Clock("Europe/Berlin", 6)


def parsed(text: str) -> View:
    return view.parse(text, SITE)


def after(text: str, changed: str) -> dict[str, list[str]]:
    """The names in the address after a change, as the script makes it."""
    to = parse_qsl(changed, keep_blank_values=True)
    kept = [(name, value) for name, value in parse_qsl(text) if name not in dict(to)]
    pairs: dict[str, list[str]] = {}
    for name, value in (*kept, *((name, value) for name, value in to if value)):
        pairs.setdefault(name, []).append(value)
    return pairs


def test_an_empty_address_asks_for_thirty_days_compared_with_the_weekdays_before():
    wanted = Query.of(SITE, metrics=view.TOP, comparison=Comparison("previous", None, True))
    assert parsed("") == View(wanted)
    assert wanted.clock == BERLIN


def test_an_address_without_a_period_asks_for_the_one_with_which_the_site_opens():
    opening = replace(SITE, overview_period="12mo:today")
    assert view.parse("metric=visits", opening).query.period == Period("12mo:today")
    assert view.parse("period=7d", opening).query.period == Period("7d")


def test_of_a_name_that_is_there_twice_the_last_value_counts_that_is_not_empty():
    found = parsed("details=time&details=page&details=&metric=visits&metric=&period=&filters=")
    assert (found.details.of, found.metric, found.query.period) == ("page", "visits", parsed("").query.period)
    assert parsed("details=").details is None


def test_the_address_holds_the_whole_question():
    text = (
        'period=2026-03-01,2026-03-10&compare=off&filters=[["is","country",["DE"]]]&metric=bounce_rate&interval=hour'
        "&sources=channel&property=plan&details=page&search=blog&sort=-pageviews&page=2"
    )
    wanted = Query.of(
        SITE,
        period=Period("custom", (date(2026, 3, 1), date(2026, 3, 10))),
        filters=(Match("is", "country", ("DE",)),),
        metrics=view.TOP,
    )
    found = parsed(text)
    details = Details("page", "blog", Order("pageviews"), 2)
    assert found == View(wanted, "bounce_rate", "hour", (("sources", "channel"),), "plan", details)
    assert [found.open_list(panel).id for panel in PANELS] == ["channel", "page", "map", "browser"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("period=30x", "period '30x': realtime, 24h, today"),
        ("period=2026-02-30,2026-03-01", "period '2026-02-30,2026-03-01'"),
        ("period=1971-01-01,2099-12-31", "period 1971-01-01,2099-12-31: at most 7300 days"),
        ("compare=never", "comparison 'never': previous, year"),
        ("filters=[", "filters are JSON like"),
        ('filters=[["is","colour",["red"]]]', "dimension 'colour': page, hostname"),
        ('filters=[["likes","page",["/"]]]', "operator 'likes': is, is_not"),
        ("metric=happiness", "metric 'happiness': visitors, visits"),
        ("metric=scroll_depth", "metric 'scroll_depth' is not drawn here: visitors"),
        ("interval=second", "interval 'second': minute, hour, day, week, month"),
        ("sources=nothing", "sources 'nothing': source, channel, referrer, campaign"),
        ("details=nothing", "details 'nothing': time, source"),
        ("details=page&sort=colour", "sort 'colour': name, visitors, pageviews"),
        ("details=page&page=0", "page '0' is no whole number from 1 on"),
        ("details=page&page=" + "9" * 5000, "page '999"),
        ("period=" + "x" * 20_000, "a question has at most 16000 characters"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_known(text, said):
    with pytest.raises(InvalidInput) as wrong:
        parsed(text)
    assert str(wrong.value).startswith(said)
    assert len(str(wrong.value)) < 500


def test_a_click_filters_by_the_value_and_forgets_what_the_dimension_was_before():
    given = (Match("is", "source", ("Google",)), Match("is_not", "page", ("/a",)))
    assert view.narrowed(given, "source", "Bing") == (given[1], Match("is", "source", ("Bing",)))
    assert view.narrowed((), "page", "/") == (Match("is", "page", ("/",)),)


def test_excluding_adds_to_what_is_excluded_already():
    given = (Match("is_not", "page", ("/a",)), Match("is", "source", ("Google",)))
    assert view.excluded(given, "page", "/b") == (given[1], Match("is_not", "page", ("/a", "/b")))
    assert view.excluded(given, "page", "/a") == (given[1], given[0])


def test_a_change_of_filters_keeps_the_rest_of_the_question_and_closes_the_details():
    text = "period=7d&pages=entry&details=page&search=x&page=3&filters=[]"
    changed = view.filtered((Match("is", "page", ("/a b&c",)),))
    assert after(text, changed) == {
        "period": ["7d"],
        "pages": ["entry"],
        "filters": ['[["is","page",["/a b&c"]]]'],
    }
    assert after(text, view.filtered(())) == {"period": ["7d"], "pages": ["entry"]}


def test_what_a_change_writes_is_read_again():
    given = (Match("is_not", "country", ("DE", "(unknown)")), Match("is", "prop:plan", ("pro",)))
    text = "&".join(f"{name}={value}" for name, (value,) in parse_qs(view.filtered(given)).items())
    assert parsed(text).query.filters == given


@pytest.mark.parametrize(
    ("days", "known"),
    [
        (1 / 48, ["minute"]),
        (1, ["minute", "hour"]),
        (2, ["hour", "day"]),
        (30, ["hour", "day", "week"]),
        (91, ["day", "week", "month"]),
        (365, ["day", "week", "month"]),
        (4_000, ["week", "month"]),
    ],
)
def test_intervals_on_offer_make_two_to_fifteen_hundred_points(days, known):
    assert view.intervals(Span(0, int(days * DAY))) == known


def test_too_short_an_interval_names_those_that_fit():
    shown = parsed("period=year&interval=minute")
    with pytest.raises(InvalidInput, match=r"by minute this period has more than 1500 points: day, week, month"):
        view.interval_of(shown, Span(0, 365 * DAY))
    assert view.interval_of(parsed(""), Span(0, 30 * DAY)) == "day"
    assert view.interval_of(parsed("period=today"), Span(0, DAY)) == "hour"


def test_all_of_a_young_site_is_drawn_by_what_suits_it():
    assert view.interval_of(parsed("period=all"), Span(0, 3 * DAY)) == "day"


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("", ""),
        ('filters=[["is","event",["Signup"]]]', "Signup"),
        ('filters=[["is","event",["Signup","Login"]]]', ""),
        ('filters=[["is_not","event",["Signup"]]]', ""),
        ('filters=[["is","event",["Signup"]],["is_not","event",["Login"]]]', ""),
    ],
)
def test_properties_are_shown_of_the_one_event_that_everything_is_filtered_by(text, event):
    assert parsed(text).event == event


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ('["is","country",["DE","(unknown)"]]', ("Country is any of", "Germany, Unknown")),
        ('["is_not","page",["/a","/b"]]', ("Page is none of", "/a, /b")),
        ('["is","country",["germany"]]', ("Country is", "Germany")),
        ('["contains","source",["goo"]]', ("Source contains", "goo")),
        ('["matches_not","prop:plan",["p*"]]', ("plan does not match", "p*")),
        ('["has_done",["is","event",["Signup"]]]', ("Has done", "Event is Signup")),
        ('["has_not_done",["is","event",["Signup"]]]', ("Has not done", "Event is Signup")),
        ('["not",["is","os",["Mac"]]]', ("Not", "Operating system is Mac")),
        (
            '["or",[["is","os",["Mac"]],["is","os",["iOS"]]]]',
            ("One of", "Operating system is Mac or Operating system is iOS"),
        ),
    ],
)
def test_a_filter_reads_like_a_sentence(given, read):
    (one,) = parsed(f"filters=[{given}]").query.filters
    assert words(one) == read


NOW = 1_774_000_000  # Fri 20 March 2026 in Berlin


@pytest.mark.parametrize(
    ("period", "way", "dates"),
    [
        ("7d", -1, (date(2026, 3, 6), date(2026, 3, 12))),
        ("7d", 1, (date(2026, 3, 20), date(2026, 3, 26))),
        ("today", 1, None),
        ("month", -1, (date(2026, 2, 1), date(2026, 2, 28))),
        ("month", 1, None),
        ("year", -1, (date(2025, 1, 1), date(2025, 12, 31))),
        ("2026-03-02,2026-03-03", -1, (date(2026, 2, 28), date(2026, 3, 1))),
        ("24h", -1, None),
        ("all", -1, None),
    ],
)
def test_the_arrows_lead_to_the_period_beside(period, way, dates):
    query = parsed(f"period={period}").query
    assert neighbour(query, query.span(NOW, NOW - DAY), NOW, way) == dates

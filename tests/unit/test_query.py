"""A question is one value: read from its URL as it was written, and refused with a reason where nobody can answer."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from analytics.base.errors import InvalidInput
from analytics.calendar.period import PRESETS, Clock, Comparison, Period
from analytics.query import facts as query_facts
from analytics.query import filters
from analytics.query.column_sql import EXPRESSIONS
from analytics.query.dimensions import DIMENSIONS, dimension
from analytics.query.filters import OPERATORS, Either, Every, HasDone, Match, Not
from analytics.query.metrics import METRICS, Grain, metric
from analytics.query.query import Order, Query
from tests.support.factories import site

SITE = site(id=7, timezone="Asia/Kathmandu", week_start=6)
CLOCK = Clock("Asia/Kathmandu", 6)
TEXT = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
DAYS = some.dates(date(2020, 1, 1), date(2030, 1, 1))
PERIODS = some.one_of(
    some.sampled_from(list(PRESETS)).map(Period),
    some.integers(1, 3_650).map(lambda days: Period(f"{days}d")),
    some.tuples(DAYS, DAYS).map(lambda days: Period("custom", tuple(sorted(days)))),
)
COMPARISONS = some.one_of(
    some.none(),
    some.builds(Comparison, some.sampled_from(["previous", "year"]), some.none(), some.booleans()),
    some.tuples(DAYS, DAYS).map(lambda days: Comparison("custom", Period("custom", tuple(sorted(days))))),
)
NAMES = some.one_of(
    some.sampled_from(sorted(DIMENSIONS)),
    TEXT.filter(lambda text: text and text.isprintable()).map("prop:".__add__),
)
MATCHES = some.builds(
    Match,
    some.sampled_from(OPERATORS),
    NAMES.filter(lambda name: not name.startswith("time:")),
    some.lists(TEXT, min_size=1, max_size=3).map(tuple),
    some.booleans(),
)
FILTERS = some.recursive(
    MATCHES,
    lambda inner: some.one_of(
        some.builds(Every, some.lists(inner, min_size=1, max_size=3).map(tuple)),
        some.builds(Either, some.lists(inner, min_size=1, max_size=3).map(tuple)),
        some.builds(Not, inner),
        some.builds(HasDone, inner),
    ),
    max_leaves=4,
).filter(lambda one: depth(one) < 6)


def depth(one: filters.Filter) -> int:
    return 1 + max(map(depth, filters.parts(one)), default=0)


@some.composite
def queries(draw) -> Query:
    """Any question that can be asked."""
    hits = [name for name, one in METRICS.items() if set(one.grains) - {Grain.VISITS}]
    names = draw(some.lists(some.sampled_from(hits), unique=True, min_size=1, max_size=4))
    split = draw(some.lists(NAMES, unique_by=lambda name: dimension(name).id, max_size=3))
    orders = some.builds(Order, some.sampled_from([*names, *split]), some.booleans())
    return Query(
        7,
        CLOCK,
        period=draw(PERIODS),
        metrics=tuple(names),
        dimensions=tuple(split),
        filters=tuple(draw(some.lists(FILTERS, max_size=2))),
        comparison=draw(COMPARISONS),
        order=tuple(draw(some.lists(orders, max_size=2))),
        limit=draw(some.integers(1, 10_000)),
        offset=draw(some.integers(0, 2**31)),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(queries())
def test_a_question_is_read_from_its_url_as_it_was_written(query):
    read = Query.from_url(query.to_url(), SITE)
    assert read == query
    assert hash(read) == hash(query)


@settings(deadline=None)
@given(some.text(max_size=300))
def test_any_text_is_a_question_or_says_what_is_wrong(text):
    for url in (text, f"?filters={quote(text, errors='replace')}", f"period={quote(text, errors='replace')}"):
        with suppress(InvalidInput):
            assert Query.from_url(url, SITE).site_id == 7


def test_a_usual_question_has_a_short_url():
    assert Query(7).to_url() == ""
    query = Query(
        7,
        period=Period("7d"),
        metrics=("visitors", "bounce_rate"),
        dimensions=("source",),
        filters=(Match("is_not", "country", ("DE",)),),
        comparison=Comparison(weekdays=True),
        order=(Order("bounce_rate", False),),
        limit=20,
    )
    assert query.to_url() == (
        "period=7d&metric=visitors&metric=bounce_rate&by=source"
        "&filters=%5B%5B%22is_not%22%2C%22country%22%2C%5B%22DE%22%5D%5D%5D"
        "&compare=previous%3Aweekdays&sort=bounce_rate&limit=20"
    )


def test_a_question_is_the_same_under_plausibles_names():
    assert Query(7, dimensions=("event:page", "visit:source", "event:props:plan", "time:day")) == Query(
        7, dimensions=("page", "source", "prop:plan", "time:day")
    )
    assert Match("is", "visit:country", ("DE",)) == Match("is", "country", ("DE",))


def test_what_others_put_into_the_url_is_left_alone():
    assert Query.from_url("?theme=dark&period=7d&utm_source=x", SITE) == Query(7, CLOCK, Period("7d"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("metric=hits", "metric 'hits': visitors, visits, pageviews"),
        ("metric=visits&metric=visits", "metric 'visits' is there twice"),
        ("by=colour", "dimension 'colour': page, hostname, entry_page"),
        ("by=page&by=event:page", "dimension 'page' is there twice"),
        ("by=" + "&by=".join(list(DIMENSIONS)[:9]), "at most 8 dimensions"),
        ("by=event&metric=bounce_rate", "bounce_rate belong to whole visits and cannot be split by event"),
        (
            'metric=peak_concurrents&metric=visits&by=time:day&filters=[["not",["is","source",["x"]]]]',
            "^peak_concurrents count everybody on the site and cannot be filtered by source: ask without filters$",
        ),
        (
            "metric=peak_concurrents&metric=average_concurrents&by=time:day&by=source",
            "^peak_concurrents, average_concurrents count everybody on the site and cannot be split by time:day, "
            "source: by one of time:minute, time:hour, time:day, time:week, time:month, or not at all$",
        ),
        ("metric=average_concurrents&by=time:day&by=time:hour", "average_concurrents count .* by time:day, time:hour:"),
        ("period=forever", "period 'forever': realtime, 24h, today"),
        ("compare=never", "comparison 'never': previous, year"),
        ("sort=-pageviews", "sorted by 'pageviews': visitors"),
        ("sort=colour", "dimension 'colour'"),
        ("limit=0", "limit is 1 to 10000"),
        ("limit=10001", "limit is 1 to 10000"),
        ("limit=-1", "limit '-1' is no whole number"),
        ("offset=٣", "offset '٣' is no whole number"),
        ("offset=99999999999", "offset '99999999999' is no whole number"),
        ("filters=nonsense", "filters are JSON"),
        ("filters=" + "[" * 5_000, "filters are JSON"),
        ("filters={}", "filters are a list"),
        ('filters=["is"]', "filter is: like"),
        ('filters=[["equals","source",["x"]]]', "operator 'equals': is, is_not, contains"),
        ('filters=[["is","colour",["x"]]]', "dimension 'colour'"),
        ('filters=[["is","time:day",["x"]]]', "dimension 'time:day' is no filter"),
        ('filters=[["is","source",[]]]', "a filter of source has 1 to 100 values"),
        ('filters=[["is","source",[1]]]', "the values for source are texts"),
        ('filters=[["is","source",["\\u0000"]]]', "a value for source is no text"),
        ('filters=[["is","source",["\\ud800"]]]', "a value for source is no text"),
        ('filters=[["is","source",["x"],{"case_sensitive":1}]]', r'filter \["is", "source", \["x"\], '),
        ('filters=[["is","source",["' + "x" * 2501 + '"]]]', "a value for source has at most 2500 characters"),
        ('filters=[["matches","page",["' + "x" * 301 + '"]]]', "a value for page has at most 300 characters"),
        ('filters=[["matches","page",["' + "*x" * 21 + '"]]]', "a pattern for page has at most 20 wildcards"),
        ('filters=[["and",[]]]', "filter "),
        ("filters=[" + '["not",' * 6 + "[]" + "]" * 6 + "]", "filters are at most 6 deep"),
        ('filters=[["and",[' + ",".join(['["is","city",["x"]]'] * 50) + "]]]", "at most 50 conditions"),
        ("x" * 16_001, "a question has at most 16000 characters"),
    ],
)
def test_a_question_that_nobody_can_answer_names_itself_and_what_is_known(url, reason):
    with pytest.raises(InvalidInput, match=reason):
        Query.from_url(url, SITE)


def test_a_comparison_without_dates_of_its_own_is_refused():
    with pytest.raises(InvalidInput, match="comparison 'custom': previous, year"):
        Query(7, comparison=Comparison("custom"))


def test_an_unknown_zone_is_refused():
    with pytest.raises(InvalidInput, match="'Mars/Base' is no time zone"):
        Query(7, Clock("Mars/Base"))


def test_a_property_has_any_name_that_can_be_printed():
    assert dimension("prop:$.a/b~c\"'").label == "$.a/b~c\"'"
    for name in ("prop:", "prop:a\0", "prop:\ud800", "prop:" + "x" * 301):
        with pytest.raises(InvalidInput):
            dimension(name)


def test_filters_are_written_as_plausible_reads_them():
    given = [
        ["or", [["is", "source", ["Google"], {"case_sensitive": False}], ["contains_not", "page", ["/a", "/b"]]]],
        ["has_not_done", ["is", "event", ["Signup"]]],
        ["not", ["has_done", ["matches", "page", ["/docs/**"]]]],
    ]
    found = filters.parse(given)
    assert found == (
        Either((Match("is", "source", ("Google",), False), Match("contains_not", "page", ("/a", "/b")))),
        Not(HasDone(Match("is", "event", ("Signup",)))),
        Not(HasDone(Match("matches", "page", ("/docs/**",)))),
    )
    assert [filters.plain(one) for one in found] == [*given[:2], ["has_not_done", ["matches", "page", ["/docs/**"]]]]
    assert json.loads(json.dumps([filters.plain(one) for one in found]))


def test_each_metric_and_dimension_says_what_it_is():
    for name, one in METRICS.items():
        assert (metric(name), one.id) == (one, name)
        assert one.definition.endswith(".")
        assert one.label
        assert one.better in (-1, 0, 1)
    for name, by in DIMENSIONS.items():
        assert (dimension(name), dimension(by.wire), by.id) == (by, by, name)
        assert by.label
        assert by.none


def test_the_clock_is_that_of_the_site():
    query = Query.of(site(id=3, timezone="Europe/Berlin", week_start=6), period=Period("today"))
    assert query == replace(Query(3, Clock("Europe/Berlin", 6)), period=Period("today"))


def test_a_question_knows_its_seconds_and_those_that_it_is_compared_with():
    noon = 1_773_316_800  # 12 March 2026, 12:00 UTC
    query = Query(1, period=Period("today"), comparison=Comparison())
    assert query.span(noon) == (noon - 12 * 3600, noon + 12 * 3600)
    assert query.compared(noon) == (noon - 36 * 3600, noon + 1 - 24 * 3600)
    assert query.compared(noon, whole=True) == (noon - 36 * 3600, noon - 12 * 3600)
    assert replace(query, comparison=None).compared(noon) is None


# ── names and their SQL ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_metric_has_its_sql_for_each_of_its_grains_and_no_other():
    declared = {(name, grain) for name, one in METRICS.items() for grain in one.grains}
    assert declared == {(name, grain) for grain, known in EXPRESSIONS.items() for name in known}
    assert {name for name, one in METRICS.items() if not one.grains} == {
        name for name, one in METRICS.items() if one.of_minutes
    }


def test_every_dimension_is_a_column_of_its_rows():
    visits = query_facts.VISITS.c
    assert [one.id for one in DIMENSIONS.values() if one.of == "visit" and one.column not in visits] == []
    assert [one.id for one in DIMENSIONS.values() if one.entry and one.entry not in visits] == []
    hits = {*query_facts.PAGEVIEWS.c.keys(), *query_facts.EVENTS.c.keys()}
    assert [one.id for one in DIMENSIONS.values() if one.of == "hit" and one.column not in hits] == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"dimensions": ("source",)},
        {"dimensions": ("time:day", "source")},
        {"dimensions": ("time:day",), "order": (Order("visitors"),)},
    ],
)
def test_every_bucket_is_given_of_time_alone(fields):
    with pytest.raises(InvalidInput, match="every bucket"):
        Query(1, every_bucket=True, **fields)


def test_a_question_for_every_bucket_keeps_that_in_its_url():
    query = Query.of(SITE, dimensions=("time:day",), every_bucket=True)
    assert Query.from_url(query.to_url(), SITE) == query


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["matches", "page", ["/" + "%2Aa" * 21]], "a pattern for page has at most 20 wildcards"),
        (["contains", "hostname", ["ß.ü." * 600]], "a value for hostname has at most 2500 characters"),
    ],
)
def test_a_value_is_checked_as_it_is_stored_too(given, said):
    with pytest.raises(InvalidInput, match=said):
        filters.parse([given])


def test_what_is_no_filter_is_named_as_it_was_given():
    with pytest.raises(InvalidInput, match=r"^filter null: like"):
        filters.parse([None])

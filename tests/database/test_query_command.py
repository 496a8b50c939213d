"""`query`: the visits of `tests/support/history.py` from the command line, with the numbers of the statistics API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from analytics.base.errors import InvalidInput
from analytics.commands import registry
from analytics.jobs import daily
from analytics.live.minutes import MinuteHistory
from analytics.query.backend import Backend, fetch_from
from analytics.query.metrics import METRICS
from analytics.sites.store import find
from analytics.storage.database import Database
from collector.api import plausible_query
from tests.conftest import config_on
from tests.support.factories import accepted, added_site, stored
from tests.support.history import at, keep_history
from tests.support.replica import NEVER

BOTH = "2026-03-10,2026-03-11"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def past(request, tmp_path_factory) -> Iterator[Database]:
    """A database in which the visits of `tests/support/history.py` have taken place; nobody writes to it any more."""
    database = Database(config_on(request, tmp_path_factory.mktemp("past")))
    keep_history(database)
    daily.run(daily.Work(database, at(13, 12), 30, NEVER, lambda _: None))
    yield database
    database.close()


def query(database, *metrics, site="site-1.example", by=(), period=BOTH, filters=(), limit=100, form="table"):
    options = {"site": site, "metrics": metrics, "by": by, "period": period, "filters": filters, "limit": limit}
    return registry.run(database, "https://stats.example.com", "query", options | {"form": form})


def test_numbers_in_columns(past):
    assert query(past, "visitors", "bounce_rate", "total_revenue", by=["source"]) == (
        "source         visitors  bounce_rate  total_revenue\n"
        "Direct / None  2         50           30.00 EUR\n"
        "Google         2         0            20.00 EUR\n"
        "newsletter     1         0            -"
    )


def test_numbers_for_a_spreadsheet(past):
    metrics = "pageviews", "views_per_visit", "percentage", "total_revenue"
    assert query(past, *metrics, by=["time:day", "country"], form="csv") == (
        "time:day,country,pageviews,views_per_visit,percentage,total_revenue\n"
        "2026-03-10,DE,3,1.5,50.0,\n"
        "2026-03-10,FR,1,2.0,25.0,\n"
        "2026-03-11,DE,2,2.0,25.0,\n"
        "2026-03-11,FR,1,,25.0,20.0\n"
        "2026-03-11,US,0,0.0,25.0,30.0"
    )


def test_numbers_for_a_program(past):
    found = query(past, "events", "visit_duration", "average_revenue", form="json")
    assert json.loads(found) == [
        {"events": 10, "visit_duration": 492, "average_revenue": {"value": 25.0, "currency": "EUR"}}
    ]


def test_filters_hold_together(past):
    assert query(past, "visits", filters=["country=DE", "browser=Fire*"], form="csv") == "visits\n2"
    assert query(past, "visits", filters=["event=Purchase|Signup", "prop:plan=pro"], form="csv") == "visits\n2"


def test_a_dimension_may_stand_among_the_metrics_behind_by(past):
    assert query(past, "visits", "country", by=["source"], limit=2, form="csv") == (
        "source,country,visits\nDirect / None,DE,1\nDirect / None,US,1"
    )


def test_a_period_in_which_nothing_happened(past):
    nothing = {"by": ["source"], "period": "2026-03-09"}
    assert query(past, "visits", **nothing) == "Nothing in this period."
    assert query(past, "visits", **nothing, form="csv") == "source,visits"
    assert query(past, "visits", **nothing, form="json") == "[]"


def test_any_number_of_days_is_a_period(past):
    last = datetime.now(UTC).date() - timedelta(days=1)
    for days in (1, 90, 3_650):
        dates = f"{last - timedelta(days=days - 1)},{last}"
        assert query(past, "visits", by=["page"], period=f"{days}d") == query(past, "visits", by=["page"], period=dates)
    assert query(past, "visits", period="3650d", form="csv") == query(past, "visits", period="all", form="csv")


@pytest.mark.parametrize("names", [(), ("source",), ("page",), ("time:day",), ("country", "browser")])
def test_every_number_is_the_apis(past, names):
    site = find(past, "site-1.example")
    alone = all(name.startswith("time:") for name in names)  # people at once are split by nothing but time
    metrics = [name for name, one in METRICS.items() if alone or not one.of_minutes]
    given = {"site_id": site.domain, "metrics": metrics, "date_range": BOTH.split(","), "dimensions": [*names]}
    asked = plausible_query.read(given, site, at(12), answering(past))
    answer = plausible_query.answer_json(asked, answering(past))
    api = [[*row["dimensions"], *map(_bare, row["metrics"])] for row in answer["results"]]
    found = json.loads(query(past, *metrics, by=names, form="json"))
    assert [[_bare(value) for value in row.values()] for row in found] == api


def answering(database) -> Backend:
    history = MinuteHistory(database, 60)
    return Backend(fetch_from(database), lambda site_id, span: history.minutes(site_id, span, at(13, 12), 60))


def test_how_many_people_were_there_at_once(past):
    """A visitor was active in eight minutes of either day: of 840 since the first beat at 10:00, and of 1,440."""
    assert query(past, "peak_concurrents", "average_concurrents", "visits", by=["time:day"]) == (
        "time:day    peak_concurrents  average_concurrents  visits\n"
        "2026-03-10  1                 0.01                 3\n"
        "2026-03-11  1                 0.01                 3"
    )
    assert query(past, "peak_concurrents", period="2026-03-09") == "peak_concurrents\n-"
    assert query(past, "peak_concurrents", by=["time:day"], period="2026-03-09") == "Nothing in this period."


def _bare(value):
    return (value["value"], value["currency"]) if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metrics": ["shoes"]}, r"metric 'shoes': visitors, visits, "),
        ({"metrics": ["visits", "source"]}, r"metric 'source': visitors, "),
        (
            {"metrics": ["peak_concurrents"], "by": ["page"]},
            r"peak_concurrents count everybody .* by one of time:minute",
        ),
        (
            {"metrics": ["peak_concurrents"], "filters": ["country=DE"]},
            r"peak_concurrents count .* ask without filters",
        ),
        ({"by": ["shoe"]}, r"dimension 'shoe': page, "),
        ({"period": "9y"}, r"period '9y': realtime, 24h, "),
        ({"period": "0d"}, r"period '0d': realtime, 24h, .*any number of days like 90d \(1 to 3,650\)"),
        ({"filters": ["x"]}, r"filter 'x': like country=DE"),
        ({"site": "nowhere.example"}, r"there is no site nowhere\.example; known: site-1\.example, site-2\.example"),
    ],
)
def test_what_nobody_can_answer_is_named_with_what_is_known(past, given, said):
    given = {"metrics": ["visits"]} | given
    with pytest.raises(InvalidInput, match=said):
        query(past, *given.pop("metrics"), **given)


def test_all_time_begins_with_the_first_visit(past):
    assert query(past, "visits", "pageviews", period="all", form="csv") == "visits,pageviews\n6,8"


def test_all_time_of_a_site_where_nothing_has_happened_is_today(database):
    site, ask = added_site(database), answering(database)
    assert query(database, "visits", site=site.domain, by=["time:hour"], period="all") == "Nothing in this period."
    given = {"site_id": site.domain, "metrics": ["visits"], "date_range": "all", "dimensions": ["time:hour"]}
    asked = plausible_query.read(given, site, at(12, 12), ask)
    assert asked.echo["date_range"] == ["2026-03-12T00:00:00+00:00", "2026-03-12T23:59:59+00:00"]
    assert plausible_query.answer_json(asked, answering(database))["results"] == []


def test_no_name_steers_a_terminal(database):
    site = added_site(database)
    hostile = "\x1b[31mred\x07\nnext"
    stored(database, accepted("event", "event-0001", at=at(11), site_id=site.id, name=hostile))
    shown = query(database, "events", site=site.domain, by=["event"])
    assert shown == "event           events\n·[31mred··next  1"
    assert json.loads(query(database, "events", site=site.domain, by=["event"], form="json")) == [
        {"event": hostile, "events": 1}
    ]

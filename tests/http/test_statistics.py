"""Statistics for programs, as Plausible's: whole answers for the visits of `tests/support/history.py`, and every
refusal.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from analytics.storage.database import Database
from collector.api import statistics
from collector.http.concurrency_limit import ConcurrencyLimit
from tests.conftest import config_on
from tests.support.history import keep_history
from tests.support.serving import AGENT, Server, pageview, run_command, serving

DOMAIN, OTHER = "site-1.example", "site-2.example"
BOTH = ["2026-03-10", "2026-03-11"]
BOTH_ISO = ["2026-03-10T00:00:00+00:00", "2026-03-11T23:59:59+00:00"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def past(request, tmp_path_factory) -> Iterator[Server]:
    """A server in whose database the visits of `tests/support/history.py` have taken place."""
    config = config_on(request, tmp_path_factory.mktemp("past"))
    database = Database(config)
    keep_history(database)
    database.close()
    with serving(config) as server:
        yield server


@pytest.fixture(scope="module")
def bearer(past):
    """Makes the headers of a new key."""

    def make(scope="stats", site=DOMAIN):
        return {"Authorization": "Bearer " + past.tell("key add", name="test", scope=scope, site=site)}

    return make


@pytest.fixture(scope="module")
def ask(past, bearer):
    """Asks with a key of the site: status and JSON."""
    headers = bearer()

    def asked(body, headers=headers):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = past.request("POST", statistics.QUERY, sent, {"Content-Type": "application/json"} | headers)
        return answer.status, answer.json

    return asked


def question(*metrics, site_id=DOMAIN, date_range=BOTH, **fields):
    return {"site_id": site_id, "metrics": list(metrics or ["visitors"]), "date_range": date_range} | fields


@pytest.fixture(scope="module")
def results(ask):
    """The rows of an answer: dimensions, then metrics."""

    def found(*metrics, **fields):
        status, answer = ask(question(*metrics, **fields))
        assert status == 200, answer
        return [(*row["dimensions"], *row["metrics"]) for row in answer["results"]]

    return found


def euros(value):
    return {"value": value, "currency": "EUR", "short": f"€{value:.0f}", "long": f"€{value:.2f}"}


# ── whole answers ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_metric_of_two_days(ask):
    metrics = ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration", "events"]
    more = ["time_on_page", "scroll_depth", "percentage", "total_revenue", "average_revenue"]
    assert ask(question(*metrics, *more)) == (
        200,
        {
            "results": [
                {"metrics": [4, 5, 7, 1.4, 20, 492, 10, 50, 62, 100.0, euros(50.0), euros(25.0)], "dimensions": []}
            ],
            "meta": {},
            "query": {
                "site_id": DOMAIN,
                "metrics": [*metrics, *more],
                "date_range": BOTH_ISO,
                "filters": [],
                "dimensions": [],
                "order_by": [["visitors", "desc"]],
                "include": {},
                "pagination": {"limit": 10000, "offset": 0},
            },
        },
    )


def test_any_number_of_days_is_a_date_range(results):
    last = datetime.now(UTC).date() - timedelta(days=1)
    for days in (1, 90, 3_650):
        dates = [str(last - timedelta(days=days - 1)), str(last)]
        assert results("visits", date_range=f"{days}d") == results("visits", date_range=dates)
    assert results("visits", date_range="3650d")[0][0] > 0


def test_sources_filtered_sorted_cut_and_counted(ask):
    given = {
        "dimensions": ["visit:source"],
        "filters": [["is_not", "visit:country", ["US"]]],
        "order_by": [["pageviews", "desc"], ["visit:source", "asc"]],
        "include": {"imports": True, "total_rows": True},
        "pagination": {"limit": 2, "offset": 1},
    }
    assert ask(question("visitors", "pageviews", **given)) == (
        200,
        {
            "results": [
                {"metrics": [1, 2], "dimensions": ["newsletter"]},
                {"metrics": [1, 1], "dimensions": ["Direct / None"]},
            ],
            "meta": {"total_rows": 3},
            "query": {"site_id": DOMAIN, "metrics": ["visitors", "pageviews"], "date_range": BOTH_ISO} | given,
        },
    )


def test_days_with_the_labels_of_those_in_which_nothing_happened(ask):
    status, answer = ask(
        question(
            "visitors",
            "pageviews",
            date_range=["2026-03-09", "2026-03-12"],
            dimensions=["time:day"],
            include={"time_labels": True},
        )
    )
    assert status == 200
    assert answer["results"] == [
        {"metrics": [3, 4], "dimensions": ["2026-03-10"]},
        {"metrics": [3, 3], "dimensions": ["2026-03-11"]},
        {"metrics": [1, 1], "dimensions": ["2026-03-12"]},
    ]
    assert answer["meta"] == {"time_labels": ["2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12"]}
    assert answer["query"]["order_by"] == [["time:day", "asc"]]


# ── what can be asked ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("event:page", [("/", 2), ("/blog/a", 1), ("/blog/b", 1), ("/files", 1), ("/pricing", 1)]),
        ("event:name", [("pageview", 3), ("Download", 1), ("Purchase", 1), ("Signup", 1)]),
        ("event:props:plan", [("(none)", 3), ("pro", 2), ("free", 1)]),
        ("visit:country", [("DE", 2), ("FR", 1), ("US", 1)]),
        ("visit:country_name", [("Germany", 2), ("France", 1), ("United States", 1)]),
        ("visit:city_name", [("(unknown)", 3), ("Berlin", 1), ("Paris", 1)]),
        ("visit:utm_source", [("(none)", 4), ("newsletter", 1)]),
        ("time", [("2026-03-10", 3), ("2026-03-11", 3)]),
        ("time:month", [("2026-03-01", 4)]),
        ("time:week", [("2026-03-10", 4)]),
    ],
)
def test_dimensions_by_plausibles_names(results, name, found):
    assert results(dimensions=[name]) == found


def test_hours_and_moments_by_the_clock_of_the_question(results, ask):
    moments = ["2026-03-10T10:00:00Z", "2026-03-10T11:29:59+01:00"]
    assert results("pageviews", date_range=moments) == [(2,)]  # B came a second later
    berlin = question("pageviews", date_range=moments, dimensions=["time:hour"], timezone="Europe/Berlin")
    status, answer = ask(berlin)
    assert (status, answer["results"]) == (200, [{"metrics": [2], "dimensions": ["2026-03-10 11:00:00"]}])
    assert answer["query"]["date_range"] == ["2026-03-10T11:00:00+01:00", "2026-03-10T11:29:59+01:00"]


@pytest.mark.parametrize(
    ("given", "visits"),
    [
        ([["is", "event:page", ["/pricing", "/files"]]], 2),  # A, E
        ([["contains", "visit:source", ["oo"]], ["is", "visit:country", ["FR"]]], 1),  # C
        ([["or", [["is", "visit:source", ["newsletter"]], ["is", "visit:country", ["US"]]]]], 2),  # D, E
        ([["and", [["is", "visit:source", ["Google"]], ["not", ["is", "visit:country", ["FR"]]]]]], 1),  # A
        ([["has_done", ["is", "event:name", ["Purchase"]]]], 1),
        ([["has_not_done", ["is", "event:name", ["Purchase"]]]], 4),
        ([["matches", "event:page", ["/blog/*"]]], 1),
        ([["is", "visit:source", ["GOOGLE"], {"case_sensitive": False}]], 2),
        ([["is", "visit:source", ["Direct / None"]]], 2),
    ],
)
def test_filters_of_every_kind(results, given, visits):
    assert results("visits", filters=given) == [(visits,)]


def test_every_preset_has_an_answer(ask):
    for name in ("day", "24h", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all"):
        status, answer = ask(question("visits", "bounce_rate", date_range=name))
        assert (status, len(answer["results"])) == (200, 1), name
    assert answer["results"] == [{"metrics": [6, 33], "dimensions": []}]
    assert answer["query"]["date_range"][0] == "2026-03-10T00:00:00+00:00"


def test_an_empty_period_has_no_means_and_past_the_last_row_the_total_is_told(ask):
    empty = question("visits", "bounce_rate", "total_revenue", date_range=["2026-03-01", "2026-03-01"])
    assert ask(empty)[1]["results"] == [{"metrics": [0, None, None], "dimensions": []}]
    past_last = question(dimensions=["visit:source"], pagination={"offset": 50}, include={"total_rows": True})
    status, answer = ask(past_last)
    assert (status, answer["results"], answer["meta"]) == (200, [], {"total_rows": 3})


def test_the_people_of_the_last_five_minutes_are_a_bare_number(past, bearer):
    for number in (1, 2):
        sent = pageview(f"view-now-{number}", site=OTHER)
        assert past.collect(sent, {"User-Agent": AGENT.replace("140", str(140 + number))}).status == 202
    answer = past.request("GET", f"{statistics.REALTIME}?site_id={OTHER}", headers=bearer(site=OTHER))
    assert (answer.status, answer.body) == (200, b"2")


def test_how_many_people_were_there_at_once(past, ask, bearer):
    minute = int(time.time()) // 60 * 60 - 600
    ingest = bearer("ingest", OTHER)
    for number in (0, 1):
        said = {"ip": f"203.0.113.{number}", "user_agent": AGENT, "time": minute - number}
        assert past.collect(pageview(f"view-once-{number}", site=OTHER, **said), ingest).status == 202
    asked = question(
        "peak_concurrents",
        "average_concurrents",
        site_id=OTHER,
        date_range=[_utc(minute), _utc(minute + 119)],
        dimensions=["time:minute"],
    )
    by_minute = ask(asked, bearer(site=OTHER))
    shown = [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:00") for at in (minute, minute + 60)]
    assert (by_minute[0], by_minute[1]["results"]) == (
        200,
        [{"metrics": [2, 2], "dimensions": [shown[0]]}, {"metrics": [0, 0], "dimensions": [shown[1]]}],
    )
    whole = ask(asked | {"dimensions": []}, bearer(site=OTHER))
    assert whole[1]["results"] == [{"metrics": [2, 1], "dimensions": []}]


def _utc(at):
    return datetime.fromtimestamp(at, UTC).isoformat()


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

NO_KEY = "Missing API key. Please use a valid API key as a Bearer Token."
WRONG_KEY = (
    "Invalid API key or site ID. Please make sure you're using a valid API key with access to the site you've "
    "requested."
)


def test_who_has_no_key_of_the_site_is_told_nothing(past, ask, bearer):
    def realtime(site_id, headers):
        answer = past.request("GET", f"{statistics.REALTIME}?site_id={site_id}", headers=headers)
        return answer.status, answer.json

    for headers in ({"Authorization": ""}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}):
        assert ask(question(), headers) == realtime(DOMAIN, headers) == (401, {"error": NO_KEY})
    wrong = [{"Authorization": f"Bearer {key}"} for key in ("ff_" + "x" * 32, "ff_", "\xff")]
    for headers in (*wrong, bearer("ingest"), bearer(site=OTHER)):
        assert ask(question(), headers) == realtime(DOMAIN, headers) == (401, {"error": WRONG_KEY})
    assert ask(question(site_id="nowhere.example")) == (401, {"error": WRONG_KEY})


def test_keys_of_every_site_and_admin_keys_may_ask(ask, bearer):
    for headers in (bearer(site=None), bearer("admin", None), bearer("admin")):
        assert ask(question("visits"), headers)[1]["results"] == [{"metrics": [5], "dimensions": []}]


def test_a_missing_or_unknown_site_is_said(past, ask, bearer):
    headers = bearer(site=None)
    missing = "Missing site ID. Please provide the required site_id parameter with your request."
    assert ask({"metrics": ["visitors"]}, headers) == (400, {"error": missing})
    unknown = f'#/site_id: Invalid site "nowhere.example"; known: {DOMAIN}, {OTHER}'
    assert ask(question(site_id="nowhere.example"), headers) == (400, {"error": unknown})
    assert ask(question(site_id=7), headers) == (400, {"error": "#/site_id: Expected the domain of a site"})
    assert past.request("GET", statistics.REALTIME, headers=headers).json == {"error": missing}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"metrics": ["visitors", "baa"]}, '#/metrics/1: Invalid metric "baa"; known: visitors, visits, pageviews, '),
        ({"metrics": []}, "#/metrics: Expected a minimum of 1 items but got 0."),
        ({"metrics": ["visits", "visits"]}, "#/metrics: Expected items to be unique but they were not."),
        ({"metrics": "visits"}, "#/metrics: Expected a list of names"),
        ({"metrics": ["conversion_rate"]}, "Metric `conversion_rate` can only be queried with event:goal "),
        ({"dimensions": ["visit:x"]}, '#/dimensions/0: Invalid dimension "visit:x"; known: time, visit:country_name, '),
        ({"dimensions": ["event:goal"]}, '#/dimensions/0: Invalid dimension "event:goal"; known: '),
        ({"dimensions": {}}, "#/dimensions: Expected a list of names"),
        ({"metrics": ["bounce_rate"], "dimensions": ["event:name"]}, "bounce_rate belong to whole visits"),
        (
            {"metrics": ["peak_concurrents"], "dimensions": ["visit:source"]},
            "peak_concurrents count everybody on the site and cannot be split by source: by one of time:minute, ",
        ),
        (
            {"metrics": ["average_concurrents"], "filters": [["is", "visit:country", ["DE"]]]},
            "average_concurrents count everybody on the site and cannot be filtered by country: ask without filters",
        ),
        ({"date_range": "bad_period"}, '#/date_range: Invalid date range "bad_period"; known: day, yesterday, 24h, '),
        ({"date_range": "0d"}, '#/date_range: Invalid date range "0d"; known: day, yesterday, 24h, '),
        ({"date_range": "3651d"}, '#/date_range: Invalid date range "3651d"; known: day, yesterday, 24h, '),
        ({"date_range": "tod"}, '#/date_range: Invalid date range "tod"; known: day, yesterday, 24h, '),
        ({"date_range": ["2026-13-01", "2026-13-02"]}, "#/date_range: Invalid date range ['2026-13-01', "),
        ({"date_range": ["2026-03-02", "2026-03-01"]}, "#/date_range: period 2026-03-02,2026-03-01: from "),
        ({"date_range": ["2026-03-01T00:00:00", "2026-03-02T00:00:00"]}, "#/date_range: Invalid date range ["),
        ({"date_range": ["0001-01-01T00:00:00+14:00", "9999-12-31T00:00:00-14:00"]}, "#/date_range: "),
        ({"date_range": None}, "#/date_range: Invalid date range None; known: "),
        ({"timezone": "Mars/Base"}, "'Mars/Base' is no time zone; give one like Europe/Berlin or UTC"),
        ({"timezone": 3}, "#/timezone: Expected a name like Europe/Berlin"),
        ({"filters": [["matches_regex", "event:page", ["x"]]]}, "operator 'matches_regex': is, is_not, contains, "),
        ({"filters": [["is", "visit:shoe", ["x"]]]}, "dimension 'visit:shoe': page, hostname, "),
        ({"filters": [["is", "event:page", []]]}, "a filter of page has 1 to 100 values"),
        ({"filters": [["is", "event:page", [7]]]}, "the values for event:page are texts"),
        ({"filters": "x"}, "filters are a list like "),
        ({"order_by": [["events", "desc"]]}, "#/order_by/0: Invalid order ['events', 'desc']; one of visitors, "),
        ({"order_by": 7}, "#/order_by: Expected a list like "),
        ({"include": {"time_labels": True}}, "Invalid include.time_labels: requires a time dimension."),
        ({"include": {"money": True}}, '#/include: Unknown property "money"; known: imports, time_labels, total_rows'),
        ({"include": []}, "#/include: Expected an object with some of imports, time_labels, total_rows"),
        ({"pagination": {"limit": True}}, "#/pagination: Expected whole numbers"),
        ({"pagination": {"limit": 10001}}, "limit is 1 to 10000, offset 0 or more"),
        ({"pagination": {"limit": 2**70}}, "limit is 1 to 10000, offset 0 or more"),
        ({"dimensions": ["time:minute"], "date_range": "12mo"}, "by minute this period has more than 10000 points"),
        ({"what": 1}, '#: Unknown property "what"; known: site_id, metrics, date_range, '),
    ],
)
def test_what_nobody_can_answer_is_named_with_what_is_known(ask, fields, said):
    status, answer = ask(question() | fields)
    assert (status, answer.keys()) == (400, {"error"})
    assert answer["error"].startswith(said), answer["error"]


def nested(depth):
    return b'{"site_id": "site-1.example", "filters": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"\xff"',
        b'{"site_id": NaN}',
        b'{"site_id": "site-1.example", "metrics": ["\\ud800"], "date_range": "day"}',
        b'{"site_id": "site-1.example", "metrics": ["\\u0000"], "date_range": "day"}',
        b'{"site_id": "site-1.example", "metrics": ["visits"], "date_range": "day", "pagination": {"limit": 1e400}}',
        nested(30),
        nested(1_000),
        nested(30_000),
        b'{"site_id": "site-1.example", "metrics": [' + b'"visits",' * 6_000 + b'"visits"]}',
        b'{"site_id": "site-1.example", "metrics": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_hostile_bodies_are_refused(ask, body):
    status, answer = ask(body)
    assert (status, answer.keys()) == (400, {"error"})
    assert isinstance(answer["error"], str)


def test_the_most_conditions_and_values_that_are_taken_are_answered(ask):
    every = [["is_not", "event:page", [f"/{number}-{one}" for one in range(20)]] for number in range(49)]
    metrics = ["visitors", "bounce_rate", "pageviews", "time_on_page", "percentage", "total_revenue"]
    status, answer = ask(question(*metrics, filters=every))
    assert (status, answer["results"][0]["metrics"][0]) == (200, 4)


def test_what_is_too_large_is_not_read(past, bearer):
    answer = past.request("POST", statistics.QUERY, b" " * 100_000, bearer())
    assert answer.status == 413


def test_other_methods_are_refused(past):
    assert past.request("GET", statistics.QUERY).headers["allow"] == "POST"
    assert past.request("POST", statistics.REALTIME).headers["allow"] == "GET, HEAD"


def test_a_key_that_asks_without_end_is_slowed_down_and_nobody_else(past, bearer, ask):
    greedy = bearer()
    path = f"{statistics.REALTIME}?site_id={DOMAIN}"
    refused = []
    with ThreadPoolExecutor(8) as threads:
        while not refused:  # a new minute may begin meanwhile
            answers = threads.map(
                lambda _: past.request("GET", path, headers=greedy), range(statistics.REQUESTS_PER_MINUTE)
            )
            refused = [answer for answer in answers if answer.status != 200]
    assert {answer.status for answer in refused} == {429}
    assert refused[0].json == {"error": "Too many API requests. Your API key is limited to 600 requests per minute."}
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert ask(question(), bearer())[0] == 200


def test_parallel_questions_are_limited_per_client_and_in_total():
    limit = ConcurrencyLimit(max_total=3, max_per_client=2)
    assert [limit.acquire(client) for client in "aaabb"] == [True, True, False, True, False]
    limit.release("a")
    assert [limit.acquire(client) for client in "bc"] == [True, False]


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_beside_the_server_says_the_same(past, results):
    words = ("--site", DOMAIN, "visitors", "bounce_rate", "--by", "source", "--period", ",".join(BOTH))
    rows = json.loads(past.command("query", *words, "--filter", "country!=US", "--format", "json"))
    given = {"dimensions": ["visit:source"], "filters": [["is_not", "visit:country", ["US"]]]}
    assert [tuple(row.values()) for row in rows] == results("visitors", "bounce_rate", **given)
    assert len(rows) == 3


def test_what_the_command_does_not_know_is_one_line_and_exit_2(past):
    done = run_command(past.config, "query", "--site", DOMAIN, "shoes")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "metric 'shoes': visitors, visits, pageviews, " in done.stderr

"""What a field may say: what only decorates sinks no event, what says nothing is nobody, and what is wrong is counted
under the site that it names.
"""

from __future__ import annotations

import itertools
import time

import pytest

from tests.support.serving import event, eventually, heartbeat, leave, pageview, rows, serving

_numbers = itertools.count(50_000_000)
STORED = (202, {"stored": 1, "duplicate": 0})


def new_id():
    return f"page-{next(_numbers)}"


def of_site(server, columns, table, site):
    """Rows of one site, oldest first."""
    return rows(
        server.config,
        f"SELECT {columns} FROM {table} AS t JOIN sites ON sites.id = t.site_id "
        f"WHERE sites.domain = '{site}' ORDER BY t.id",
    )


def counted(server, site, many):
    """So many rows of a site's counters, as soon as they are there: (outcome, reason, count)."""
    asked = "SELECT outcome, reason, count FROM outcomes JOIN sites ON sites.id = site_id WHERE domain = '{}'"
    return eventually(lambda: len(found := sorted(rows(server.config, asked.format(site)))) == many and found)


@pytest.fixture
def key(shared, site):
    """A key that may speak for visitors of the site."""
    bearer = shared.tell("key add", name="panel", scope="ingest", site=site)
    return {"Authorization": f"Bearer {bearer}"}


# ── what only decorates ──────────────────────────────────────────────────────────────────────────────────────────────

WRONG = {"title": {}, "screen": ["a", 0], "language": "x" * 36, "timezone": 7, "referrer": []}


@pytest.mark.parametrize("field", WRONG)
def test_a_pageview_whose_decoration_is_wrong_is_stored_without_it_and_noted(shared, site, field):
    page = pageview(new_id(), "/a", site) | {field: WRONG[field]}
    answer = shared.collect(page)
    assert (answer.status, answer.json) == STORED
    assert of_site(shared, "path, title", "pageviews", site) == [("/a", "")]
    assert of_site(shared, "screen, t.language, referrer", "visits", site) == [("", "", "")]
    assert counted(shared, site, 2) == [("dropped", field, 1), ("stored", "", 1)]


def test_all_of_it_wrong_in_one_event_of_a_batch_sinks_nothing(shared, site):
    page = new_id()
    batch = [pageview(page, "/a", site) | WRONG, heartbeat(page, site, title=7), leave(page, site)]
    answer = shared.collect(batch)
    assert (answer.status, answer.json) == (202, {"stored": 3, "duplicate": 0})
    assert counted(shared, site, 6) == [
        ("dropped", "language", 1),
        ("dropped", "referrer", 1),
        ("dropped", "screen", 1),
        ("dropped", "timezone", 1),
        ("dropped", "title", 2),
        ("stored", "", 3),
    ]


def test_a_title_of_over_300_letters_is_cut_through_the_ingest_door_too(shared, site, key):
    spoken_for = {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0 Firefox/130.0", "time": int(time.time()) - 60}
    for sent, headers in ((pageview(new_id(), "/a", site), {}), (pageview(new_id(), "/b", site) | spoken_for, key)):
        answer = shared.collect(sent | {"title": "é" * 301}, headers)
        assert (answer.status, answer.json) == STORED
    assert sorted(of_site(shared, "path, title", "pageviews", site)) == [("/a", "é" * 300), ("/b", "é" * 300)]


def test_what_is_left_out_of_an_event_of_no_site_is_not_counted(shared):
    before = rows(shared.config, "SELECT SUM(count) FROM outcomes WHERE outcome = 'dropped' AND site_id = 0")
    assert shared.collect(pageview(new_id(), site="nowhere.example") | {"title": 7}).status == 404
    assert rows(shared.config, "SELECT SUM(count) FROM outcomes WHERE outcome = 'dropped' AND site_id = 0") == before


# ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("printed", ["undefined", "null", "NaN", "None", "[object Object]", " "])
def test_a_user_id_that_a_template_printed_for_nothing_makes_three_visitors_no_one_person(shared, site, key, printed):
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        answer = shared.collect(pageview(new_id(), "/a", site, ip=address, user_id=printed), key)
        assert (answer.status, answer.json) == STORED
    reading = {"Authorization": "Bearer " + shared.tell("key add", name="reader", scope="stats", site=site)}
    live = shared.request("GET", f"/api/live?site={site}", headers=reading).json
    assert (live["active_sessions"], live["authenticated_users"], live["anonymous_sessions"]) == (3, 0, 3)
    assert of_site(shared, "user_id", "visits", site) == [(None,)] * 3


# ── whose a refused event is ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"scroll": 101}, "wrong_field"),
        ({"id": "short"}, "wrong_field"),
        ({"id": None}, "missing_field"),
        ({"url": None}, "missing_field"),
        ({"url": "javascript:alert(1)"}, "wrong_field"),
        ({"currency": "XXY"}, "wrong_field"),
        ({"value": 2**63}, "bad_number"),
        ({"type": "click"}, "wrong_field"),
    ],
)
@pytest.mark.parametrize("batch", [False, True])
def test_an_event_of_a_known_site_with_a_wrong_field_counts_under_its_site(shared, site, wrong, reason, batch):
    sent = pageview(new_id(), "/a", site) | wrong
    answer = shared.collect([sent] if batch else sent)
    assert answer.status in (400, 422)
    assert counted(shared, site, 1) == [("rejected", reason, 1)]


def test_a_wrong_moment_or_address_of_the_ingest_door_counts_under_its_site(shared, site, key):
    for server_fields in ({"time": 0}, {"ip": "nowhere"}):
        assert shared.collect(event(new_id(), "Sign-up", "/a", site) | server_fields, key).status == 422
    assert counted(shared, site, 2) == [("rejected", "bad_time", 1), ("rejected", "wrong_field", 1)]


def test_what_names_no_site_counts_under_none(shared, site):
    asked = "SELECT SUM(count) FROM outcomes WHERE site_id = 0"
    (before,) = rows(shared.config, asked)
    for sent in (b"{", b"null", {"site": 7, "type": "leave"}, pageview(new_id(), site="nowhere.example")):
        assert shared.collect(sent).status in (400, 404, 422)
    eventually(lambda: rows(shared.config, asked)[0][0] == (before[0] or 0) + 4)
    assert rows(shared.config, f"SELECT 1 FROM outcomes JOIN sites ON sites.id = site_id WHERE domain = '{site}'") == []


# ── where from ───────────────────────────────────────────────────────────────────────────────────────────────────────

WRITTEN = ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7:4711", "[::ffff:203.0.113.7]:443", "::ffff:cb00:7107")
SIX = ("2001:db8::7", "2001:DB8:0:0::7", "[2001:db8::7]", "[2001:db8::7]:443", "2001:db8::7%eth0")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.mark.parametrize(
    "excluded", ["203.0.113.0/24", "::ffff:203.0.113.0/120", "::ffff:203.0.113.7", "203.0.113.7:80"]
)
@pytest.mark.parametrize("ip", WRITTEN)
def test_an_excluded_address_is_excluded_however_the_two_are_written(shared, site, key, excluded, ip):
    shared.tell("site set", domain=site, excluded_addresses=[excluded])
    answer = shared.collect(pageview(new_id(), "/a", site, ip=ip), key)
    assert (answer.status, answer.json) == (200, {"stored": 0, "filtered": "excluded_address"})
    answer = shared.collect(pageview(new_id(), "/a", site, ip="198.51.100.1"), key)
    assert (answer.status, answer.json) == STORED


@pytest.mark.parametrize("addresses", [WRITTEN, SIX])
def test_one_address_is_one_visitor_however_it_is_written(shared, site, key, addresses):
    for ip in addresses:
        answer = shared.collect(pageview(new_id(), "/a", site, ip=ip, user_agent=FIREFOX), key)
        assert (answer.status, answer.json) == STORED
    assert of_site(shared, "pageviews", "visits", site) == [(len(addresses),)]


def test_the_proxy_in_front_may_write_an_address_with_a_port_or_as_ipv6(config):
    with serving(config, FOOTFALL_TRUSTED_PROXIES="::ffff:127.0.0.0/104") as server:
        server.tell("site add", domain="example.com", name="", timezone="UTC")
        for hop in (*WRITTEN, "203.0.113.8"):
            answer = server.collect(pageview(new_id(), "/a"), {"X-Forwarded-For": hop})
            assert (answer.status, answer.json) == STORED
        assert of_site(server, "pageviews", "visits", "example.com") == [(5,), (1,)]

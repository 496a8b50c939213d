"""Whose moment, address and agent an event has: the request's, unless a server with a key speaks for a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from analytics.base.config import Config
from analytics.sites import store
from analytics.storage.database import Database
from collector.ingest.accepted import Accepted, EventDetails, Kind
from collector.ingest.event import Engagement, Event
from collector.ingest.geo import Places, open_places
from collector.ingest.outcomes import Filtered, Rejected, Shed
from collector.ingest.pipeline import Hit, Kit, read_hit, run
from collector.ingest.visit import Origin
from tests.support.factories import AGENT, NOW, added_site, kit

MS = NOW * 1000 + 250
HEADERS = {"user-agent": AGENT}
ADDRESS = "203.0.113.7"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory) -> Iterator[tuple[Database, Places]]:
    """A database with one site, and the bundled places: the steps read them and change nothing."""
    folder = tmp_path_factory.mktemp("data")
    database, places = Database(Config(data_dir=folder)), open_places(None, folder)
    added_site(database)
    yield database, places
    places.close()
    database.close()


@pytest.fixture
def steps(embedded) -> Kit:
    database, places = embedded
    return kit(database, places, per_minute=3)


def pageview(**fields) -> Event:
    named = {
        "site": "example.com",
        "type": "pageview",
        "id": "page-0001",
        "url": "https://example.com/a?utm_source=x",
    }
    return Event(**named | fields)


def hit(steps: Kit, event: Event, headers=HEADERS, trusted: bool = True) -> Hit | Rejected:
    return read_hit(event, steps, ADDRESS, headers, MS, trusted=trusted)


def taken(steps: Kit, event: Event, headers=HEADERS, trusted: bool = False):
    found = hit(steps, event, headers, trusted)
    assert isinstance(found, Hit)
    return run(found, steps)


def moment(steps: Kit, time: float | None, trusted: bool = True) -> int:
    found = hit(steps, pageview(time=time), trusted=trusted)
    assert isinstance(found, Hit)
    return found.at_ms


@pytest.mark.parametrize("time", [NOW - 7 * 86_400 + 1, NOW - 60, NOW - 1])
def test_a_server_s_whole_second_is_kept_to_the_second(steps, time):
    assert moment(steps, time) // 1000 == time


def test_a_server_s_moment_is_kept_to_the_millisecond(steps):
    assert moment(steps, NOW - 60.5) == NOW * 1000 - 60_500


@pytest.mark.parametrize("ahead", [0.5, 1, 60, 300])
def test_a_server_s_clock_that_is_ahead_makes_nothing_happen_in_the_future(steps, ahead):
    assert moment(steps, NOW + ahead) == MS


@pytest.mark.parametrize("time", [0, NOW - 7 * 86_400 - 1, NOW + 301, NOW * 1000, -1, 1e300, 2**63])
def test_a_server_s_moment_out_of_bounds_is_rejected(steps, time):
    assert hit(steps, pageview(time=time)) == Rejected(
        422, "bad_time", "`time` lies more than 7 days back or 5 minutes ahead", "time"
    )


def test_without_a_key_moment_address_and_agent_are_the_request_s(steps):
    sent = pageview(time=5, ip="198.51.100.1", user_agent="Googlebot/2.1")
    found = hit(steps, sent, trusted=False)
    assert isinstance(found, Hit)
    assert (found.at_ms, found.address, found.agent) == (MS, ADDRESS, AGENT)


def test_with_a_key_they_are_the_visitor_s_and_the_server_s_headers_say_nothing(steps):
    found = hit(steps, pageview(ip="198.51.100.1", user_agent="Firefox"), {"dnt": "1", "user-agent": "server"})
    assert isinstance(found, Hit)
    assert (found.address, found.agent, found.headers) == ("198.51.100.1", "Firefox", {})


def test_an_address_that_is_none_is_rejected(steps):
    assert hit(steps, pageview(ip="nowhere")) == Rejected(422, "wrong_field", "`ip` is no address", "ip")


def test_an_unknown_site_and_a_page_that_is_none_are_rejected(steps):
    assert hit(steps, pageview(site="nowhere.example")) == Rejected(
        404, "unknown_site", "no site 'nowhere.example' here", "site"
    )
    found = hit(steps, pageview(url="javascript:alert(1)"))
    assert isinstance(found, Rejected)
    assert (found.status, found.field) == (422, "url")


AHEAD = (
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
    ("sec-purpose", "prefetch;anonymous-client-ip"),
    ("sec-purpose", "Prefetch"),
    ("purpose", "prefetch"),
    ("purpose", "preview"),
    ("x-moz", "prefetch"),
    ("x-purpose", "preview"),
    ("x-purpose", ": preview"),
)


@pytest.mark.parametrize(
    ("name", "value"), [("sec-purpose", ""), ("purpose", "fetch"), ("x-moz", "1"), ("sec-fetch-dest", "image")]
)
def test_another_purpose_is_no_reason(steps, name, value):
    assert isinstance(taken(steps, pageview(), HEADERS | {name: value}), Accepted)


@pytest.mark.parametrize(
    ("fields", "headers", "filtered"),
    [
        ({"url": "https://evil.example/"}, HEADERS, Filtered("unlisted_host", "evil.example")),
        ({}, HEADERS | {"dnt": "1"}, Filtered("opted_out")),
        ({}, HEADERS | {"sec-gpc": "1"}, Filtered("opted_out")),
        ({}, {"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}, Filtered("bot", "Googlebot")),
        ({}, HEADERS | {"x-footfall-ip-type": "dc_ip"}, Filtered("datacenter")),
        ({}, HEADERS | {"x-plausible-ip-type": "dc_ip"}, Filtered("datacenter")),
        ({"referrer": "https://www.semalt.com/project"}, HEADERS, Filtered("spam_referrer")),
        *(({}, HEADERS | {name: value}, Filtered("prefetch")) for name, value in AHEAD),
    ],
)
def test_what_is_not_wanted_is_filtered_with_its_reason(steps, fields, headers, filtered):
    assert taken(steps, pageview(**fields), headers) == filtered


def test_what_a_page_from_a_spammer_tells_later_shares_its_fate(steps):
    taken(steps, pageview(referrer="http://semalt.com", id="page-spam"))
    later = Event(site="example.com", type="heartbeat", pageview="page-spam", url="https://example.com/")
    other = Event(site="example.com", type="heartbeat", pageview="page-fine", url="https://example.com/")
    assert taken(steps, later) == Filtered("spam_referrer")
    assert isinstance(taken(steps, other), Accepted)


def test_an_excluded_host_is_left_out_before_anybody_asks_for_the_list(steps, embedded):
    database, _ = embedded
    store.change(database, store.find(database, "example.com"), excluded_hosts=["staging.example.com", "mirror.test"])
    try:
        for host in ("staging.example.com", "a.staging.example.com", "mirror.test"):
            assert taken(steps, pageview(url=f"https://{host}/")) == Filtered("excluded_host")
        assert isinstance(taken(steps, pageview(url="https://notstaging.example.com/")), Accepted)
    finally:
        store.change(database, store.find(database, "example.com"), excluded_hosts=[])


def test_past_the_rate_it_is_shed(steps):
    outcomes = [taken(steps, pageview()) for _ in range(4)]
    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted, Accepted, Shed]
    assert (outcomes[3].status, 1 <= outcomes[3].retry_after <= 60) == (429, True)


def test_what_is_wanted_is_accepted_with_its_origin(steps):
    arrived = taken(steps, pageview(screen=(1440, 900), language="de", timezone="Asia/Kathmandu"))
    assert isinstance(arrived, Accepted)
    assert (arrived.at, arrived.host, arrived.path) == (NOW, "example.com", "/a")
    origin = arrived.origin()
    assert (origin.utm_source, origin.country, origin.browser, origin.os) == ("x", "NP", "Chrome", "GNU/Linux")
    assert (origin.screen, origin.language) == ("1440x900", "de")


def test_a_heartbeat_finds_out_the_same_origin_and_only_when_it_is_asked(steps):
    found = {"screen": (1440, 900), "language": "de", "timezone": "Asia/Kathmandu"}
    beat = taken(steps, pageview(type="heartbeat", id=None, pageview="page-0001", **found))
    assert beat.origin() == taken(steps, pageview(**found)).origin()
    closed = replace(steps, places=None)  # whatever it would ask for fails
    beat = taken(closed, pageview(type="heartbeat", id=None, pageview="page-0001", **found))
    assert isinstance(beat, Accepted)
    assert beat.origin() == Origin()


def test_what_only_an_event_has_is_no_matter_of_other_kinds(steps):
    props = {"name": "Signup", "props": {"plan": "pro"}, "value": 7, "currency": "EUR"}
    event = taken(steps, pageview(type="event", **props))
    assert event.details == EventDetails("Signup", '{"plan":"pro"}', 7.0, "EUR", "", "", True)
    assert taken(steps, pageview(**props)).details is None


def test_what_comes_without_ids_gets_one_that_begins_with_its_visitors_page(steps):
    page = {"site": "example.com", "url": "https://example.com/a"}
    seen = taken(steps, Event(type="pageview", **page))
    happened = taken(steps, Event(type="event", name="Signup", interactive=False, **page))
    gained = taken(steps, Engagement(type="heartbeat", engaged_ms=500, **page))
    (key,) = gained.page_keys
    assert (gained.kind, gained.engaged_ms, gained.pageview) == (Kind.ENGAGEMENT, 500, "")
    assert [(one.page_id[:16], len(one.page_id)) for one in (seen, happened)] == [(key, 36)] * 2
    assert seen.tab == happened.tab == gained.tab
    assert (seen.page_keys, happened.details.interactive) == ((), False)

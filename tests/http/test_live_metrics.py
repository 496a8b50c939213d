"""`GET /api/live/metrics`: who is there, what they do, and who may read it."""

from __future__ import annotations

import itertools
import time

import pytest
from house import NOW, open_house

from analytics.access import api_keys, embeds
from analytics.activity.change import ChangeEvent
from analytics.base.config import Config
from analytics.base.link import ROW_LINK
from collector.api.live_metrics import trend
from collector.api.system_load import Load, SystemLoad
from collector.http.counts import Counts
from collector.ingest.change import accepted_change
from tests.support.factories import stored
from tests.support.gauges import added_gauge
from tests.support.serving import AGENT, event, eventually, pageview

_numbers = itertools.count(40_000_000)


def new_id():
    return f"done-{next(_numbers)}"


@pytest.fixture
def metrics(shared, site):
    """Asks for the metrics of the site."""
    headers = {"Authorization": "Bearer " + shared.tell("key add", name="test", scope="stats", site=site)}

    def ask():
        answer = shared.request("GET", f"/api/live/metrics?site={site}", headers=headers)
        assert answer.status == 200, answer
        return answer.json

    return ask


@pytest.fixture
def happens(shared, site):
    """Sends an event of the site by a browser of that number."""

    def send(name, browser=1, **fields):
        sent = event(new_id(), name, "/checkout", site, **fields)
        answer = shared.collect(sent, {"User-Agent": AGENT.replace("140", str(100 + browser))})
        assert answer.json == {"stored": 1, "duplicate": 0}, answer

    return send


def test_a_site_without_visitors_has_all_fields_and_nothing_in_them(metrics):
    found = metrics()
    assert list(found) == ["activeUsers", "liveActivity", "systemLoad", "alerts"]
    assert found["activeUsers"] == {"current": 0, "byType": {}, "locations": [], "trend": None, "history": []}
    assert (found["liveActivity"], found["alerts"]) == ({}, [])
    assert list(found["systemLoad"]) == ["requestsPerSecond", "avgResponseTime", "errorRate", "queueDepth"]


def test_people_are_counted_by_type_and_events_are_listed_by_name(metrics, happens):
    happens("Payment", user_id="u-17", user_type="couple", user_name="Ada", description="Team plan", value=49.5)
    paid = {"value": 20, "currency": "EUR", "props": {"plan": "Team"}}
    happens("Payment", 2, user_id="u-18", user_type="supplier", **paid)
    happens("Signup", 3)
    found = metrics()
    assert found["activeUsers"]["current"] == 3
    assert found["activeUsers"]["byType"] == {"couple": 1, "supplier": 1}
    assert list(found["liveActivity"]) == ["Signup", "Payment"]
    later, earlier = found["liveActivity"]["Payment"]
    assert earlier == {
        "id": earlier["id"],
        "type": "Payment",
        "userId": "u-17",
        "userName": "Ada",
        "description": "Team plan",
        "value": 49.5,
        "timestamp": earlier["timestamp"],
        "metadata": {"path": "/checkout", "props": {}},
    }
    assert (later["userId"], later["userName"], later["value"]) == ("u-18", None, 20)
    assert later["metadata"] == {"path": "/checkout", "currency": "EUR", "props": {"plan": "Team"}}
    assert int(later["id"]) > int(earlier["id"])


def test_of_each_name_the_newest_twenty_are_listed(shared, site, metrics):
    shared.collect([event(new_id(), "Review", "/", site, description=str(nth)) for nth in range(25)])
    assert [one["description"] for one in metrics()["liveActivity"]["Review"]] == [str(nth) for nth in range(24, 4, -1)]


def test_mail_addresses_and_network_addresses_are_left_out(metrics, happens):
    props = {"mail": "ada@example.com", "ip": "203.0.113.7", "v6": "[2001:db8::1]:443", "plan": "Team", "seats": 3}
    happens("Invitation", user_id="ada@example.com", props=props)
    (found,) = metrics()["liveActivity"]["Invitation"]
    assert (found["userId"], found["metadata"]["props"]) == (None, {"plan": "Team", "seats": 3})


def test_a_key_of_another_site_and_a_stranger_read_nothing(shared, site):
    shared.tell("site add", domain=f"other-{site}", name="", timezone="UTC")
    foreign = {"Authorization": "Bearer " + shared.tell("key add", name="x", scope="stats", site=f"other-{site}")}
    path = f"/api/live/metrics?site={site}"
    assert [shared.request("GET", path, headers=headers).status for headers in ({}, foreign)] == [401, 404]


def test_a_card_may_read_what_its_site_may_show(shared, site):
    line = shared.tell("embed add", site=site, hosts=["panel.example"], expires="7d")
    token = line.partition("token=")[2].partition('"')[0].partition("&")[0]
    assert shared.request("GET", f"/api/live/metrics?token={token}").status == 200


def test_gauges_on_cards_are_with_the_events_but_not_for_the_readers_of_an_embedded_card(tmp_path):
    with open_house(Config(data_dir=tmp_path)) as house:
        database, site_id = house.service.database, house.add_site("example.com")
        revenue = added_gauge(database, site_id, "Revenue", 12.5, currency="EUR", changed_at=NOW)
        added_gauge(database, site_id, "Unseen", on_card=False)
        key = api_keys.add(database, "reader", "stats", site_id, now=NOW)
        _, token = embeds.add(database, site_id, ["panel.example"], 600, now=int(time.time()))
        house.service.refresh()
        reader, address = house.app.server.test_client(), "/api/live/metrics"
        own = reader.get(f"{address}?site=example.com", headers={"Authorization": f"Bearer {key}"}).json
        embedded = reader.get(f"{address}?token={token}").json
    gauge = {"id": f"gauge-{revenue}", "type": "gauge", "userId": None, "userName": None, "description": None}
    gauge |= {"value": 12.5, "timestamp": NOW, "metadata": {"currency": "EUR"}}
    assert (own["liveActivity"], embedded["liveActivity"]) == ({"Revenue": [gauge]}, {})


def test_changes_of_rows_are_not_for_the_readers_of_an_embedded_card(tmp_path):
    with open_house(Config(data_dir=tmp_path)) as house:
        database, site_id, now = house.service.database, house.add_site("example.com"), int(time.time())
        link = {ROW_LINK: "https://app.example/bookings/17", "room": "4"}
        change = ChangeEvent("row-1", site_id, now * 1000, "Booking", "Ada booked room 4", None, "", "7", "Ada", link)
        stored(database, accepted_change(change, now * 1000))
        key = api_keys.add(database, "reader", "stats", site_id, now=NOW)
        _, token = embeds.add(database, site_id, ["panel.example"], 600, now=now)
        house.service.refresh()
        reader, address = house.app.server.test_client(), "/api/live/metrics"
        own = reader.get(f"{address}?site=example.com", headers={"Authorization": f"Bearer {key}"}).json
        embedded = reader.get(f"{address}?token={token}").json
    assert [one["metadata"]["props"] for one in own["liveActivity"]["Booking"]] == [link]
    assert embedded["liveActivity"] == {}


def test_the_load_is_of_the_last_minute(shared, site, metrics):
    metrics()
    shared.collect(pageview(new_id(), "/", site))
    load = eventually(lambda: found if (found := metrics()["systemLoad"])["requestsPerSecond"] else None)
    assert load["avgResponseTime"] > 0
    assert (load["errorRate"], load["queueDepth"]) == (0, 0)


def test_readings_of_the_load_are_compared_with_those_of_a_minute_ago():
    counts, load = Counts(), SystemLoad()
    assert load.read(counts, 1_000) == Load(0, 0, 0)
    for status in (200, 202, 429, 503):
        counts.record("/api/collect", status, 0.02)
    assert load.read(counts, 1_010) == Load(0.4, 20, 25)
    assert load.read(counts, 1_061) == Load(0, 0, 0)  # nothing since 1,010
    assert load.read(counts, 2_000) == Load(0, 0, 0)


def test_rules_read_the_load_by_the_names_of_their_metrics():
    counts, load = Counts(), SystemLoad()
    assert load.measured(counts, 7, 1_000) == {"queue_depth": 7}
    for status in (200, 202, 429, 503):
        counts.record("/api/collect", status, 0.02)
    expected = {"requests_per_second": 0.4, "average_response_ms": 20, "error_rate": 25, "queue_depth": 0}
    assert load.measured(counts, 0, 1_010) == expected
    assert load.measured(counts, 3, 2_000) == {"queue_depth": 3}


@pytest.mark.parametrize(("now", "before", "percent"), [(12, 11, 9.1), (5, 10, -50), (3, 0, None), (3, None, None)])
def test_the_trend_is_a_change_in_percent(now, before, percent):
    assert trend(now, before) == percent

"""Open alerts and gauges on the streams of their sites: which list is sent to whom, and when."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import SQLAlchemyError

from analytics.activity.readings import shown
from analytics.notify.alerts import live_of_sites
from analytics.storage import schema
from analytics.storage.database import Database
from collector.live.changing import ChangingList
from collector.live.hub import MAX_BUFFER_BYTES, Subscription
from collector.live.slow_readers import SlowReaders
from tests.support.factories import NOW, added_site, away
from tests.support.gauges import added_gauge, change_gauge

HERE, THERE = 1, 2


@pytest.fixture
def slow_readers() -> SlowReaders:
    return SlowReaders()


@pytest.fixture
def open_alerts(database, slow_readers) -> ChangingList:
    return ChangingList("alerts", partial(live_of_sites, database), lambda _site_id: "7", slow_readers)


@pytest.fixture
def gauges(database, slow_readers) -> ChangingList:
    return ChangingList("gauges", partial(shown, database), lambda _site_id: "7", slow_readers)


class Stream:
    """A stream of a site, with what each message that came since the last look has: the titles of open alerts, or what
    gauges are by name.
    """

    def __init__(self, listed: ChangingList, site_id: int = HERE) -> None:
        self.subscription = Subscription(site_id, lambda: None)
        listed.listen(self.subscription)

    def _taken(self, kind: str) -> list[Any]:
        lines = self.subscription.take().decode().splitlines()
        messages = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        assert {one["type"] for one in messages} <= {kind}
        return [one["data"] for one in messages]

    @property
    def seen(self) -> list[list[str]]:
        return [[alert["message"] for alert in found] for found in self._taken("alerts")]

    @property
    def gauges(self) -> list[dict[str, float]]:
        return [{gauge["name"]: gauge["value"] for gauge in found} for found in self._taken("gauges")]


def fire(database: Database, title: str, site_id: int = HERE) -> None:
    row = {"site_id": site_id, "rule_id": 1, "severity": "error", "title": title, "metric": "visitors"}
    with database.transaction() as connection:
        connection.execute(insert(schema.alerts).values(row | {"fired_at": NOW, "told_at": NOW}))


def change(database: Database, title: str, **values: Any) -> None:
    with database.transaction() as connection:
        connection.execute(update(schema.alerts).where(schema.alerts.c.title == title).values(values))


def test_a_stream_begins_with_those_that_are_open_and_gets_the_list_whenever_it_changes(database, open_alerts):
    fire(database, "Slow")
    stream = Stream(open_alerts)
    open_alerts.send_changed()
    open_alerts.send_changed()
    assert stream.seen == [["Slow"]]
    fire(database, "Down")
    open_alerts.send_changed()
    change(database, "Slow", resolved_at=NOW + 60)
    open_alerts.send_changed()
    assert stream.seen == [["Down", "Slow"], ["Down"]]


def test_without_an_alert_it_begins_with_an_empty_list(open_alerts):
    stream = Stream(open_alerts)
    open_alerts.send_changed()
    assert stream.seen == [[]]


def test_that_one_is_acknowledged_is_sent(database, open_alerts):
    fire(database, "Slow")
    stream = Stream(open_alerts)
    open_alerts.send_changed()
    change(database, "Slow", acknowledged_at=NOW + 60, acknowledged_by="lena@example.com")
    open_alerts.send_changed()
    assert stream.seen == [["Slow"], ["Slow"]]


def test_each_stream_gets_those_of_its_site(database, open_alerts):
    here, there = Stream(open_alerts, HERE), Stream(open_alerts, THERE)
    fire(database, "Here", HERE)
    open_alerts.send_changed()
    fire(database, "There", THERE)
    open_alerts.send_changed()
    assert (here.seen, there.seen) == ([["Here"]], [[], ["There"]])


def test_a_stream_that_has_ended_gets_nothing(database, open_alerts):
    ended, dropped = Stream(open_alerts), Stream(open_alerts)
    open_alerts.unsubscribe(ended.subscription)
    dropped.subscription.close()
    open_alerts.send_changed()
    fire(database, "Slow")
    open_alerts.send_changed()
    assert (ended.seen, dropped.seen) == ([], [])


def test_each_stream_gets_the_gauges_of_its_site_first_and_when_they_change(database, gauges):
    one, other = added_site(database).id, added_site(database, "other.example").id
    bookings = added_gauge(database, one)
    mine, theirs = Stream(gauges, one), Stream(gauges, other)
    gauges.send_changed()
    gauges.send_changed()
    assert (mine.gauges, theirs.gauges) == ([{"Bookings": 31}], [{}])
    change_gauge(database, bookings, 32, NOW + 1)
    gauges.send_changed()
    late = Stream(gauges, one)
    gauges.send_changed()
    assert (mine.gauges, theirs.gauges, late.gauges) == ([{"Bookings": 32}], [], [{"Bookings": 32}])
    gauges.unsubscribe(mine.subscription)
    change_gauge(database, bookings, 33, NOW + 2)
    gauges.send_changed()
    assert (mine.gauges, late.gauges) == ([], [{"Bookings": 33}])


def test_a_reader_that_is_too_slow_is_dropped_and_counted(open_alerts, slow_readers):
    stream = Stream(open_alerts)
    stream.subscription.offer(b"x" * MAX_BUFFER_BYTES)
    open_alerts.send_changed()
    assert (stream.subscription.closed, slow_readers.dropped) == (True, 1)


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_while_the_database_is_away_streams_wait(database, open_alerts, config):
    stream = Stream(open_alerts)
    with away(database, config), pytest.raises(SQLAlchemyError):
        open_alerts.send_changed()
    open_alerts.send_changed()
    assert stream.seen == [[]]

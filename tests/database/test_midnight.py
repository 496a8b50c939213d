"""A site's midnight, through the collector of a whole service whose clock the test is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import flask
import pytest

from analytics.base.config import Config
from analytics.jobs import daily
from analytics.live.today_counts import TodayCounts
from analytics.sites import site as sites_site
from analytics.sites import store
from analytics.sites.salt_store import OPEN_S
from analytics.storage import schema
from collector import service
from collector.doors.wsgi import attach
from collector.service import Service
from tests.support import serving
from tests.support.factories import AGENT, rows

MINUTE, HOUR = 60, 3600
SITE = "example.com"
PAGES = count(1)

# the day that ends at the midnight in question
ZONES = [
    ("UTC", "2027-01-15"),
    ("Asia/Kathmandu", "2027-01-15"),  # +05:45
    ("Pacific/Honolulu", "2027-01-15"),  # -10
    ("Europe/Berlin", "2027-03-28"),  # 23 hours
    ("Europe/Berlin", "2027-10-31"),  # 25 hours
    ("America/Santiago", "2027-09-04"),  # the next day begins at 01:00: its midnight is left out
    ("America/Havana", "2027-11-06"),  # the next day has its midnight twice
]


class Town:
    """A service with one site, whose time is `now`; a browser sends to it."""

    def __init__(self, config: Config, zone: str, now: int) -> None:
        self.config = config
        self.now = float(now)
        self.service = Service(config, clock=lambda: self.now)
        store.add(self.service.database, SITE, timezone=zone, now=now)
        self.service.refresh()
        server = flask.Flask("town")
        attach(server, self.service.routes(lambda _: None))
        self._client = server.test_client()

    @property
    def site(self) -> sites_site.Site:
        return self.service.sites.all()[0]

    def at(self, moment: float, *, agent: str = AGENT, **event) -> str:
        """The id of the page of what is sent at that moment: a pageview, or a heartbeat of a page, or an event."""
        self.now = moment
        self.service.refresh()  # as the service does by itself, a moment later
        page = event.get("pageview") or event.get("id") or f"page-{next(PAGES):06}"
        named = {"site": SITE, "type": "pageview", "id": page, "url": f"https://{SITE}/"} | event
        if named["type"] == "heartbeat":
            del named["id"], named["url"]
        sent = self._client.post("/api/collect", json=named, headers={"User-Agent": agent})
        assert (sent.status_code, sent.json["stored"]) == (202, 1), sent.data
        return str(page)

    def tidy(self, moment: float) -> None:
        """What the service does each minute."""
        self.now = moment
        self.service.salts.destroy_old(self.service.sites.all(), int(moment))


@pytest.fixture
def town(config) -> Iterator:
    """Opens towns; the last one is closed."""
    opened: list[Town] = []

    def open_town(zone: str = "UTC", now: int = 0) -> Town:
        opened.append(Town(config, zone, now))
        return opened[-1]

    yield open_town
    for one in opened:
        one.service.close()


def midnight_after(zone: str, day: str) -> int:
    following = datetime.fromisoformat(day) + timedelta(days=1)
    return int(following.replace(tzinfo=ZoneInfo(zone)).timestamp())


def everybody(database) -> set[int]:
    tables = (schema.heartbeats, schema.pageviews, schema.events, schema.visits)
    return {visitor for table in tables for (visitor,) in rows(database, table, "visitor")}


@pytest.mark.parametrize(("zone", "day"), ZONES)
def test_a_visit_over_midnight_stays_one_visit_of_one_visitor(town, zone, day):
    midnight = midnight_after(zone, day)
    here = town(zone, midnight - HOUR)
    page = here.at(midnight - 10 * MINUTE)
    here.at(midnight - 1, type="heartbeat", pageview=page)
    here.at(midnight + 1, type="heartbeat", pageview=page)
    here.at(midnight + 5 * MINUTE)
    here.at(midnight + 35 * MINUTE, type="event", id="event-0001", name="Signup")
    database = here.service.database
    assert len(everybody(database)) == 1
    assert rows(database, schema.visits, "started_at", "last_at", "pageviews", "events") == [
        (midnight - 10 * MINUTE, midnight + 35 * MINUTE, 2, 1)
    ]
    here.at(midnight + 90 * MINUTE)  # the same browser, after the visit has ended: nobody can tell that it is the same
    assert len(rows(database, schema.visits)) == 2
    assert len(everybody(database)) == 2


@pytest.mark.parametrize(("zone", "day"), ZONES)
def test_the_last_second_before_midnight_and_the_first_after_it_are_of_two_days(town, zone, day):
    midnight = midnight_after(zone, day)
    here = town(zone, midnight - HOUR)
    here.at(midnight - 1, agent=AGENT.replace("140", "139"))
    before = here.service.salts.of(here.site, midnight - 1)
    here.at(midnight)
    counts = here.service.today.read([here.site.id], midnight)
    assert counts == {here.site.id: TodayCounts(people=1, visits=1, pageviews=1)}
    after = here.service.salts.of(here.site, midnight)
    assert (before.until, after.before) == (midnight, before.today)
    assert after.today != before.today
    assert sorted(name for (name,) in rows(here.service.database, schema.salts, "day")) == [
        day,
        datetime.fromtimestamp(midnight, ZoneInfo(zone)).date().isoformat(),
    ]


def test_a_visit_that_began_early_on_a_day_of_25_hours_keeps_its_salt_while_it_is_open(town):
    zone, day = "Europe/Berlin", "2027-10-31"
    midnight = midnight_after(zone, day)
    here = town(zone, midnight - 26 * HOUR)
    page = here.at(midnight - 25 * HOUR + MINUTE)
    for step in range(1, 25 * 3 + 3):  # a screen that beats all day
        here.at(midnight - 25 * HOUR + step * 20 * MINUTE, type="heartbeat", pageview=page)
    here.tidy(midnight + OPEN_S + MINUTE)
    here.at(midnight + OPEN_S + 2 * MINUTE)
    assert len(everybody(here.service.database)) == 1


# ── yesterday's salts ────────────────────────────────────────────────────────────────────────────────────────────────


def written(config: Config) -> dict[str, bytes]:
    """Every file of the installation and, with PostgreSQL, of its server."""
    folders = [config.data_dir]
    if not config.embedded:
        folders.append(Path(serving.rows(config, "SHOW data_directory")[0][0]))
    return {str(file): file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


def test_yesterday_s_salt_is_nowhere_once_its_visits_are_over(town, config):
    """Not in a file, the log of the database among them, and not in the service's memory."""
    zone, day = "Asia/Kathmandu", "2027-01-15"
    midnight = midnight_after(zone, day)
    here = town(zone, midnight - HOUR)
    page = here.at(midnight - 10 * MINUTE)
    yesterday = here.service.salts.of(here.site, midnight - 1).today
    (nonce,) = (nonce for name, nonce in rows(here.service.database, schema.salts, "day", "nonce") if name == day)
    here.at(midnight + 20 * MINUTE, type="heartbeat", pageview=page)
    here.tidy(midnight + 50 * MINUTE)
    assert here.service.salts.of(here.site, midnight + 50 * MINUTE).before == yesterday, "its visit is open"
    here.tidy(midnight + 52 * MINUTE)
    assert here.service.salts.of(here.site, midnight + 52 * MINUTE).before is None
    today = here.service.salts.of(here.site, midnight + 52 * MINUTE).today
    secrets = [salt for both in (yesterday, today) for salt in (both, both.hex().encode())]
    if config.embedded:  # what PostgreSQL keeps of a deleted row is its administrator's
        secrets.append(nonce.encode())
    found = [name for name, content in written(config).items() for secret in secrets if secret in content]
    assert found == []
    assert any(SITE.encode() in content for content in written(config).values())  # we looked in the right place


def test_what_another_process_or_maintain_has_destroyed_is_forgotten_here_too(town):
    midnight = midnight_after("UTC", "2027-01-15")
    here = town("UTC", midnight - HOUR)
    here.at(midnight - 10 * MINUTE)
    here.at(midnight + MINUTE)
    late = midnight + 2 * HOUR
    work = daily.Work(here.service.database, late, 7, lambda _: False, lambda _: None)
    assert "Destroyed 1 old salt." in daily.run(work)
    asked = len(rows(here.service.database, schema.salts))
    here.tidy(late)
    salts = here.service.salts.of(here.site, late)
    assert (salts.before, len(rows(here.service.database, schema.salts))) == (None, asked)


# ── the night ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_at_one_o_clock_utc_the_service_does_the_day_s_work_by_itself(town, monkeypatch):
    monkeypatch.setattr(service, "DAILY_CHECK_S", 0.02)
    midnight = midnight_after("UTC", "2027-01-15")
    here = town("Asia/Kathmandu", midnight - 9 * 24 * HOUR)
    here.at(midnight - 8 * 24 * HOUR, id="page-old")
    here.at(midnight - HOUR, id="page-new")
    database = here.service.database

    def days() -> list[str]:
        return [day for (day,) in rows(database, schema.daily_usage, "day")]

    serving.eventually(lambda: days() == ["2027-01-08"], within=30)  # what was missed
    serving.eventually(lambda: not daily.due(database, midnight + HOUR - 1), within=30)
    here.now = midnight + HOUR
    serving.eventually(lambda: days() == ["2027-01-08", "2027-01-15"], within=30)
    serving.eventually(lambda: rows(database, schema.heartbeats, "at") == [(midnight - HOUR,)], within=30)


@pytest.mark.slow
def test_yesterday_s_unique_people_equal_a_recount(town):
    """A dozen browsers, some of whose people sign in; the site's midnight lies within the UTC day."""
    utc_midnight = midnight_after("UTC", "2027-01-15")
    here = town("Asia/Kathmandu", utc_midnight - 30 * HOUR)
    for number in range(12):
        agent = AGENT.replace("140", str(100 + number))
        user = {"user_id": f"u-{number % 4}"} if number % 3 == 0 else {}
        for hour in (-27, -20, -9, -5, -1, 1):
            page = here.at(utc_midnight + hour * HOUR + number * MINUTE, agent=agent)
            late = utc_midnight + hour * HOUR + number * MINUTE + 30
            here.at(late, agent=agent, type="heartbeat", pageview=page, **(user if hour > -6 else {}))
    here.now = utc_midnight + HOUR
    work = daily.Work(here.service.database, int(here.now), 7, lambda _: False, lambda _: None)
    daily.run_if_due(work)
    users, signed, visitors = set(), set(), set()
    for at, visitor, user_id in rows(here.service.database, schema.heartbeats, "at", "visitor", "user_id"):
        if utc_midnight - 24 * HOUR <= at < utc_midnight:
            visitors.add(visitor)
            if user_id is not None:
                users.add(user_id)
                signed.add(visitor)
    counted = {row[1]: row[2:] for row in rows(here.service.database, schema.daily_usage)}
    expected = (len(users) + len(visitors - signed), len(users), len(visitors - signed))
    assert counted["2027-01-15"] == expected
    assert len(users) == 4
    assert len(visitors) > 12, "the site's midnight lies within the day: most browsers have two numbers"

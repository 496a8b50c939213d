"""Demo traffic in a running service, on SQLite and on PostgreSQL: it comes, leaves, and nothing of it is left."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.storage import schema
from collector.service import Service
from collector.simulate.people import DEMO_DOMAIN
from tests.support.serving import eventually

pytestmark = pytest.mark.slow

OWN = "example.com"
PATIENCE_S = 60
FEW = 3  # people: at any hour there are more


@pytest.fixture
def service(config) -> Iterator[Service]:
    running = Service(config)
    store.add(running.database, OWN, now=now())
    running.refresh()
    yield running
    running.close()


def now() -> int:
    return int(time.time())


def made(service: Service) -> int:
    """The number of a demo site that has been there before: its crowd comes without a past."""
    return store.add(service.database, DEMO_DOMAIN, now=now(), demo=True).id


def count(service: Service, table, *conditions) -> int:
    with service.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def left(service: Service, site_id: int) -> dict[str, int]:
    """How many rows of each table are about that site; the site itself is one. Left out are the lines that tell copies
    that its rows are gone.
    """
    about = [table for table in schema.metadata.sorted_tables if "site_id" in table.c and table is not schema.changes]
    tables = {table.name: table.c.site_id for table in about}
    found = {name: count(service, column.table, column == site_id) for name, column in tables.items()}
    found["sites"] = count(service, schema.sites, schema.sites.c.id == site_id)
    return {name: rows for name, rows in found.items() if rows}


def domains(service: Service) -> list[tuple[str, bool]]:
    return [(site.domain, site.demo) for site in store.all_sites(service.database)]


def test_starting_makes_a_site_of_its_own_with_its_past_and_removing_leaves_nothing(service):
    site = service.demo_traffic.start(now=now())
    assert domains(service) == [(DEMO_DOMAIN, True), (OWN, False)]
    an_hour_ago = schema.pageviews.c.at < now() - 3600
    eventually(lambda: count(service, schema.pageviews, an_hour_ago) > 100, PATIENCE_S)
    assert service.demo_traffic.is_running
    tables = {"sites", "pageviews", "visits", "heartbeats", "outcomes", "daily_usage", "concurrents"}
    eventually(lambda: left(service, site.id).keys() >= tables, PATIENCE_S)
    service.demo_traffic.remove()
    assert service.writer.settle(PATIENCE_S)
    assert not service.demo_traffic.is_running
    assert left(service, site.id) == {}
    assert domains(service) == [(OWN, False)]


def test_the_days_before_come_with_them_and_go_even_while_they_are_written(service):
    site = service.demo_traffic.start(now=now())
    eventually(lambda: count(service, schema.daily_usage, schema.daily_usage.c.site_id == site.id) > 1, PATIENCE_S)
    service.demo_traffic.remove()
    assert service.writer.settle(PATIENCE_S)
    assert left(service, site.id) == {}


def test_today_counts_from_midnight_on_and_whoever_was_there_is_counted_once(service):
    begun = now()
    site = service.demo_traffic.start(now=begun)
    eventually(lambda: service.today.read([site.id], now()) and service.hub.active(site.id) > FEW, PATIENCE_S)
    service.demo_traffic.stop()
    assert service.writer.settle(PATIENCE_S)
    today = service.today.read([site.id], now())[site.id]
    midnight = begun - begun % 86_400
    of_site = [table.c.site_id == site.id for table in (schema.visits, schema.pageviews)]
    assert today.visits == count(service, schema.visits, of_site[0], schema.visits.c.started_at >= midnight)
    assert today.pageviews == count(service, schema.pageviews, of_site[1], schema.pageviews.c.at >= midnight)


def test_people_come_and_when_it_is_stopped_they_leave(service):
    site_id = made(service)
    service.demo_traffic.start(now=now())
    eventually(lambda: service.hub.active(site_id) > FEW, PATIENCE_S)
    own = service.sites.get(OWN)
    assert service.hub.active(own.id) == 0
    assert count(service, schema.heartbeats, schema.heartbeats.c.site_id == own.id) == 0
    service.demo_traffic.stop()
    assert not service.demo_traffic.is_running
    assert service.hub.active(site_id) == 0
    assert left(service, site_id)["sites"] == 1


def test_they_are_let_come_once_and_come_again_after_they_were_stopped(service):
    made(service)
    first, second = service.demo_traffic.start(now=now()), service.demo_traffic.start(now=now())
    assert first == second
    service.demo_traffic.stop()
    service.demo_traffic.stop()
    assert service.demo_traffic.start(now=now()) == first
    assert service.demo_traffic.is_running


def test_a_site_of_that_name_that_is_somebodys_own_is_left_alone(service):
    store.add(service.database, DEMO_DOMAIN, now=now())
    with pytest.raises(InvalidInput, match=r"demo\.example is a site of your own here"):
        service.demo_traffic.start(now=now())
    service.demo_traffic.remove()
    assert domains(service) == [(DEMO_DOMAIN, False), (OWN, False)]


def test_they_end_when_the_site_is_removed_in_another_way(service):
    site_id = made(service)
    service.demo_traffic.start(now=now())
    eventually(lambda: service.hub.active(site_id), PATIENCE_S)
    store.remove(service.database, DEMO_DOMAIN)
    eventually(lambda: not service.demo_traffic.is_running, PATIENCE_S)


def test_they_leave_when_the_server_stops(service):
    site_id = made(service)
    service.demo_traffic.start(now=now())
    eventually(lambda: service.hub.active(site_id), PATIENCE_S)
    service.drain()
    assert not service.demo_traffic.is_running


def test_removing_what_is_not_there_changes_nothing(service):
    service.demo_traffic.remove()
    assert domains(service) == [(OWN, False)]

"""Who stores for a site and who removes it take turns on PostgreSQL; every lock's number stands in one file."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from analytics.sites import store
from analytics.storage import locks
from tests.support.factories import NOW, accepted, stored
from tests.support.serving import eventually

pytestmark = pytest.mark.parametrize("config", ["postgresql"], indirect=True)
WAITING = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :space AND NOT granted"


@contextmanager
def taken(database, *numbers: int):
    """Another connection has that lock as long as the block lasts."""
    with database.writing.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({', '.join(map(str, numbers))})"))
        yield


def waiting(database) -> int:
    with database.read() as connection:
        return connection.execute(text(WAITING), {"space": locks.SITE}).scalar()


@pytest.mark.parametrize("work", ["store", "remove"])
def test_storing_for_a_site_and_removing_it_wait_for_its_lock(database, work):
    site = store.add(database, "example.com", now=NOW)
    does = {
        "store": lambda: stored(database, accepted(site_id=site.id)),
        "remove": lambda: store.remove(database, site.domain),
    }
    worker = threading.Thread(target=does[work])
    with taken(database, locks.SITE, site.id):
        worker.start()
        assert eventually(lambda: waiting(database)) == 1
    worker.join(20)
    assert not worker.is_alive()


def test_the_lock_of_the_day_s_work_is_taken_by_one_without_waiting(database):
    with database.daily_work_lock() as first, database.daily_work_lock() as second:
        assert (first, second) == (True, False)
    with taken(database, locks.DAILY_WORK), database.daily_work_lock() as third:
        assert third is False
    with database.daily_work_lock() as fourth:
        assert fourth is True

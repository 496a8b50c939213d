"""The salts of visitors: a new one at each midnight of the site, the one before stays while it is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from analytics.base.config import Config
from analytics.sites.salt_store import OPEN_S, SaltStore
from analytics.sites.salts import Salts
from analytics.storage import schema
from analytics.storage.database import Database
from collector.ingest.pipeline import visitor_of, visitors_of
from tests.support.factories import AGENT, MINUTE, NOW, SECRET, accepted, heartbeat, one_by_one, rows, site

ADDRESS = "203.0.113.7"
DAY = 86_400
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"]


def midnight(zone: str, day: str = "2027-01-16") -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp())


def keeper(database, secret: bytes = SECRET) -> SaltStore:
    return SaltStore(database, secret)


def visitor(salts: Salts, of=None, address: str = ADDRESS, agent: str = AGENT) -> tuple[int, int | None]:
    return visitors_of(salts, SECRET, of or site(), address, agent, None)


def days(database) -> list[str]:
    return [row[0] for row in rows(database, schema.salts, "day")]


# ── a day ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visitor_is_the_same_within_the_site_s_day_and_another_after_its_midnight(database):
    kept = keeper(database)
    for number, zone in enumerate(ZONES):
        end = midnight(zone)
        first, last, after = (kept.of(site(id=number, timezone=zone), at) for at in (end - DAY, end - 1, end))
        assert visitor(first) == visitor(last)
        assert visitor(after)[0] != visitor(last)[0]
        assert visitor(after)[1] == visitor(last)[0]
        assert (first.until, after.until) == (end, end + DAY)


def test_a_read_that_began_before_midnight_gives_the_next_day_no_salts(database):
    kept, end, before = keeper(database), midnight("UTC"), threading.active_count()
    with ThreadPoolExecutor(2) as pool:
        with database.transaction() as connection:  # so that both reads wait
            if not database.embedded:
                connection.execute(text("LOCK TABLE salts"))
            last = pool.submit(kept.of, site(), end - 1)
            while threading.active_count() < before + 2:  # the one that asks, and the one that reads
                time.sleep(0.001)
            after = pool.submit(kept.of, site(), end)
        assert (last.result().until, after.result().until) == (end, end + DAY)


def test_a_day_of_23_hours_and_one_of_25_have_one_salt(database):
    of, kept = site(timezone="Europe/Berlin"), keeper(database)
    for day, hours in (("2027-03-28", 23), ("2027-10-31", 25)):
        begin = midnight("Europe/Berlin", day)
        salts = kept.of(of, begin)
        assert (salts.until, kept.of(of, salts.until - 1)) == (begin + hours * 3600, salts)
        assert kept.of(of, salts.until).before == salts.today


def test_every_process_and_every_start_has_the_same_salt(database):
    first = keeper(database).of(site(), NOW)
    assert keeper(database).of(site(), NOW + 60) == first


def test_the_salts_of_many_sites_are_made_at_once_and_are_those_of_each_alone(database):
    many = [site(id=number, timezone=ZONES[number % len(ZONES)]) for number in range(1, 1_201)]
    prepared, alone = keeper(database), keeper(database)
    prepared.prepare(many, NOW)
    assert len(rows(database, schema.salts)) == 1_200
    for one in (many[0], many[1], many[600], many[-1]):
        assert prepared.of(one, NOW) == alone.of(one, NOW)


def test_tomorrow_s_salts_of_many_sites_are_there_before_their_midnight(database):
    many, end = [site(id=1), site(id=2), site(id=3, timezone="Asia/Kathmandu")], midnight("UTC")
    kept = keeper(database)
    kept.prepare(many, end - 601)
    assert len(rows(database, schema.salts)) == 3
    kept.prepare(many, end - 599)
    assert sorted(rows(database, schema.salts, "site_id", "day"))[1] == (1, "2027-01-16")
    assert len(rows(database, schema.salts)) == 5
    tomorrow = keeper(database).of(many[0], end)
    kept.prepare(many, end)
    assert kept.of(many[0], end) == tomorrow


def test_another_site_another_key_and_another_day_have_another_salt(database):
    salts = [
        keeper(database).of(site(), NOW).today,
        keeper(database).of(site(id=2), NOW).today,
        keeper(database, b"another key").of(site(), NOW).today,
        keeper(database).of(site(), NOW + DAY).today,
    ]
    assert len(set(salts)) == 4


def test_two_days_later_there_is_no_salt_before(database):
    kept = keeper(database)
    kept.of(site(), NOW)
    assert kept.of(site(), NOW + 2 * DAY).before is None


# ── who a visitor is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_address_agent_or_site_is_another_visitor():
    salts = Salts(b"a" * 32, None, 0)
    found = [
        visitor(salts),
        visitor(salts, address="203.0.113.8"),
        visitor(salts, agent="curl"),
        visitor(salts, site(id=2)),
        visitor(Salts(b"b" * 32, None, 0)),
    ]
    assert len({number for number, _ in found}) == 5
    assert all(before is None and -(2**63) <= number < 2**63 for number, before in found)


def test_the_browser_s_own_id_counts_only_where_the_site_says_so():
    salts, browser = Salts(b"a" * 32, b"b" * 32, 0), site(identity="browser")
    own = visitors_of(salts, SECRET, browser, ADDRESS, AGENT, "id of it")
    assert own == visitors_of(Salts(b"c" * 32, None, 0), SECRET, browser, "198.51.100.1", "curl", "id of it")
    assert own[1] is None
    assert visitors_of(salts, SECRET, site(), ADDRESS, AGENT, "id of it") == visitor(salts)
    assert visitors_of(salts, SECRET, browser, ADDRESS, AGENT, None) == visitor(salts, browser)


def test_odd_text_makes_a_visitor_too():
    assert isinstance(visitor_of(b"a" * 32, 1, "\ud800", "\x00" * 9999), int)


# ── the end of a salt ────────────────────────────────────────────────────────────────────────────────────────────────


def test_yesterday_s_salt_is_kept_for_half_an_hour_and_then_destroyed(database):
    kept, end = keeper(database), midnight("UTC")
    kept.of(site(), end - 60)
    kept.of(site(), end)
    kept.destroy_old([site()], end + OPEN_S - 1)
    assert days(database) == ["2027-01-15", "2027-01-16"]
    kept.destroy_old([site()], end + OPEN_S)
    assert days(database) == ["2027-01-16"]
    assert kept.of(site(), end + OPEN_S).before is None


def test_yesterday_s_salt_is_kept_while_a_visit_that_began_with_it_is_open(database):
    kept, end = keeper(database), midnight("UTC")
    yesterday = kept.of(site(), end - 60).today
    one_by_one(database, accepted(at=end - 60))
    one_by_one(database, *(heartbeat(at=end + n * 20 * MINUTE) for n in range(7)))  # until two hours after midnight
    kept.destroy_old([site()], end + 150 * MINUTE)
    assert kept.of(site(), end + 150 * MINUTE).before == yesterday
    kept.destroy_old([site()], end + 152 * MINUTE)
    assert kept.of(site(), end + 152 * MINUTE).before is None


def test_a_visit_that_began_today_keeps_no_salt(database):
    kept, end = keeper(database), midnight("UTC")
    kept.of(site(), end - 60)
    kept.of(site(), end)
    one_by_one(database, accepted(at=end + 60), heartbeat(at=end + 60 * MINUTE))
    kept.destroy_old([site()], end + 61 * MINUTE)
    assert days(database) == ["2027-01-16"]


def test_older_salts_and_those_of_other_zones_days_are_destroyed(database):
    kept = keeper(database)
    for back in (5, 4, 3, 2, 0):
        kept.of(site(), NOW - back * DAY)
    kept.destroy_old([site()], NOW)
    assert days(database) == ["2027-01-15"]


def test_destroying_leaves_other_sites_alone(database):
    kept = keeper(database)
    kept.of(site(id=2), NOW - 5 * DAY)
    kept.of(site(id=1), NOW - 5 * DAY)
    kept.destroy_old([site(id=1)], NOW)
    assert rows(database, schema.salts, "site_id") == [(2,)]


@pytest.fixture
def embedded(tmp_path) -> Iterator[tuple[Database, Path]]:
    """A database on SQLite and the folder of its files: PostgreSQL's are its administrator's."""
    database = Database(Config(data_dir=tmp_path))
    yield database, tmp_path
    database.close()


def test_neither_a_salt_nor_a_destroyed_nonce_is_in_any_file(embedded):
    """With the files, the key among them, nobody can find out who yesterday's visitors were."""
    database, folder = embedded
    kept, end = keeper(database), midnight("UTC")
    yesterday = kept.of(site(), end - 60).today
    ((nonce,),) = rows(database, schema.salts, "nonce")
    one_by_one(database, accepted(at=end - 60))
    today = kept.of(site(), end).today
    secrets = (yesterday, today, yesterday.hex().encode(), today.hex().encode())
    assert containing(folder, *secrets) == []
    assert containing(folder, nonce.encode()) != []
    kept.destroy_old([site()], end + OPEN_S)
    assert containing(folder, *secrets, nonce.encode()) == []
    assert days(database) == ["2027-01-16"]


def containing(folder: Path, *secrets: bytes) -> list[str]:
    """The files that hold one of these."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {"footfall.db", "footfall.db-wal"} <= set(files)
    return sorted(name for name, content in files.items() if any(secret in content for secret in secrets))

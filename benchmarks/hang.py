"""PostgreSQL hangs for a minute under load: how long collects and `/readyz` wait, and what is lost or doubled."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from benchmarks.common import Report, footfall, rows, times
from benchmarks.kill import Clients
from benchmarks.postgresql import postgresql
from tests.support.serving import Server

HANG_S = 60.0
MAX_MS = 1000.0


class _Ready:
    """Requests `/readyz` without a pause; `took` has the milliseconds of each answer, `statuses` its status."""

    def __init__(self, server: Server) -> None:
        self.took: list[float] = []
        self.statuses: set[int] = set()
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        while not self._over.wait(0.01):
            begun = time.monotonic()
            self.statuses.add(self._server.request("GET", "/readyz", timeout=90).status)
            self.took.append(1000 * (time.monotonic() - begun))

    def end(self) -> None:
        """Ends after the current answer."""
        self._over.set()
        self._thread.join(90)


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the longest waits, and the losses."""
    hang_s = HANG_S / 10 if short else HANG_S
    with postgresql(folder) as address:
        _measure(report, folder, address, hang_s)


def _measure(report: Report, folder: Path, address: str, hang_s: float) -> None:
    with footfall(folder / "beside", address) as server:
        clients, ready = Clients(server.port), _Ready(server)
        try:
            time.sleep(2)
            stopped = _stop(folder / "postgresql")
            time.sleep(hang_s)
            for process in stopped:
                os.kill(process, signal.SIGCONT)
            again = time.monotonic()
            back_s = _next_answer(clients, again) - again
            time.sleep(2)
        finally:
            clients.end()
            ready.end()
        report.say(f"  PostgreSQL stopped (SIGSTOP, {len(stopped)} processes) for {hang_s:.0f} s")
        report.figure("collects", times(clients.took))
        report.at_most("slowest collect", max(clients.took), MAX_MS, "ms")
        report.at_most("slowest /readyz", max(ready.took), MAX_MS, "ms", f"of {len(ready.took):,}")
        report.at_most("back to the next acknowledgement", back_s, 5, "s")
        server.stop()
    _check(report, server, clients)


def _stop(data: Path) -> set[int]:
    """Stops the postmaster of that folder and all of its children; returns their process ids."""
    first = int((data / "postmaster.pid").read_text().split()[0])
    stopped: set[int] = set()
    while more := {first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())} - stopped:
        for process in more:
            os.kill(process, signal.SIGSTOP)
        stopped |= more
    return stopped


def _next_answer(clients: Clients, since: float) -> float:
    """The moment of the first acknowledgement after that moment."""
    while True:
        if found := [at for at in list(clients.acknowledged.values())[-100:] if at > since]:
            return min(found)
        time.sleep(0.005)


def _check(report: Report, server: Server, clients: Clients) -> None:
    stored = [name for table in ("pageviews", "events") for (name,) in rows(server, f"SELECT page_id FROM {table}")]
    report.figure("acknowledged", f"{len(clients.acknowledged):,}")
    report.figure("sent again · of these stored before", f"{clients.resent:,} · {clients.repeats:,}")
    report.zero("acknowledged but missing", len(clients.acknowledged.keys() - set(stored)))
    report.zero("doubled after a retry", len(stored) - len(set(stored)))
    ((counted,),) = rows(server, "SELECT sum(count) FROM outcomes WHERE outcome = 'stored'")
    report.zero("outcomes beside the rows", abs(counted - len(stored)))
    report.zero("answers other than 202 and 503", len(clients.strange))

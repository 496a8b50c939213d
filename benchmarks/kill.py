"""`kill -9` under load, again and again: acknowledged events are stored, repeated ones are stored once."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.common import BEHIND_PROXY, Report, footfall, rows, times
from benchmarks.load import AGENTS
from benchmarks.postgresql import postgresql
from tests.support.serving import Server, event, pageview

CLIENTS = 24
RETRY_S = 0.1


class Clients:
    """24 visitors at the same time, each of whom sends a pageview or an event until it is acknowledged."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.acknowledged: dict[str, float] = {}  # id -> when, on the monotonic clock
        self.took: list[float] = []  # milliseconds until an answer came
        self.repeats = 0  # ids that a later answer called a duplicate: stored, but the first answer never came
        self.resent = 0
        self.strange: list[int] = []
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _send(self, client: int) -> None:
        number = 0
        while not self._ending.is_set():
            number += 1
            name = f"kill-{client:02d}-{number:06d}"
            path = f"/{number % 50}"
            body = event(name, "Ping", path) if number % 3 == 0 else pageview(name, path)
            headers = {"X-Forwarded-For": f"11.{client}.{number >> 8 & 255}.{number & 255}"}
            self._until_acknowledged(name, json.dumps(body), headers | {"User-Agent": AGENTS[client]})

    def _until_acknowledged(self, name: str, body: str, headers: dict[str, str]) -> None:
        while True:
            begun = time.monotonic()
            status, answer = self._sent(body, headers)
            if status:
                self.took.append(1000 * (time.monotonic() - begun))
            if status == 202:
                self.acknowledged[name] = time.monotonic()
                self.repeats += answer["duplicate"]
                return
            if status not in (0, 503):
                self.strange.append(status)
                return
            self.resent += 1
            time.sleep(RETRY_S)

    def _sent(self, body: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The status and the answer; 0 where there was none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/api/collect", body, headers | {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()

    def end(self) -> None:
        """Ends when each client has its current event acknowledged."""
        self._ending.set()
        for thread in self._threads:
            thread.join(30)


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints for each database the lost and the doubled events, and how long the server was away."""
    kills = 3 if short else 20
    _measure(report, "SQLite", folder / "sqlite", "", kills)
    with postgresql(folder) as address:
        _measure(report, "PostgreSQL", folder / "beside", address, kills)


def _measure(report: Report, database: str, folder: Path, address: str, kills: int) -> None:
    report.say(f"  {database}: kill -9 {kills} times, {CLIENTS} clients that send pageviews and events without a pause")
    chance = random.Random(7)
    with footfall(folder, address) as first:
        clients, last, away = Clients(first.port), first, []
        try:
            for _ in range(kills):
                time.sleep(chance.uniform(0.4, 1.6))
                last.kill()
                killed = time.monotonic()
                last = _started_again(last)
                ready = time.monotonic() - killed
                clients.port = last.port
                away.append((ready, _next_answer(clients, killed + ready) - killed))
            time.sleep(0.5)
        finally:
            clients.end()
            last.close()
    report.figure("kill to ready line", times([1000 * ready for ready, _ in away]))
    report.figure("kill to the next acknowledgement", times([1000 * answered for _, answered in away]))
    _check(report, first, clients)


def _started_again(server: Server) -> Server:
    server.close()
    return Server(server.config, **BEHIND_PROXY)


def _next_answer(clients: Clients, since: float) -> float:
    """The moment of the first acknowledgement after that moment."""
    while True:
        if found := [at for at in list(clients.acknowledged.values())[-CLIENTS:] if at > since]:
            return min(found)
        time.sleep(0.005)


def _check(report: Report, server: Server, clients: Clients) -> None:
    stored = [name for table in ("pageviews", "events") for (name,) in rows(server, f"SELECT page_id FROM {table}")]
    known = set(stored)
    report.figure("acknowledged", f"{len(clients.acknowledged):,}")
    report.figure("sent again · of these stored before", f"{clients.resent:,} · {clients.repeats:,}")
    report.zero("acknowledged but missing", len(clients.acknowledged.keys() - known))
    report.zero("doubled after a retry", len(stored) - len(known))
    ((visited,),) = rows(server, "SELECT sum(pageviews) + sum(events) FROM visits")
    ((beats,),) = rows(server, "SELECT count(*) FROM heartbeats")
    report.zero("pageviews and events that visits count, beyond", abs(visited - len(stored)))
    report.zero("heartbeats beyond them", abs(beats - len(stored)))
    report.zero("answers other than 202 and 503", len(clients.strange))

"""Clients that write down what was acknowledged, and what the database holds of it in the end."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from analytics.base.config import Config
from tests.support.serving import AGENT, SITE, pageview, rows, run_command

PAUSE_S = 0.1  # between two tries of one event
REFUSED = -1  # nobody listened; 0: the request was sent, and no answer came
PATIENCE_S = 30.0


def a_pageview(page_id: str) -> dict[str, Any]:
    """A pageview of a page of its own."""
    return pageview(page_id, f"/{page_id}")


class Senders:
    """Threads that send pageviews, each with ids and a user agent of its own, over a connection that it keeps.

    An event without an answer, or with one that says later, is sent again with its id. `statuses` counts the answers,
    with 0 and `REFUSED` for none; `repeats` are the ids of which the server knew when it acknowledged them, because an
    answer before had not arrived, or said later. `port` may be changed while they send.

    `make` makes an event of its id. Each client sends `each` events, or goes on until `finish`.
    """

    def __init__(
        self, port: int, clients: int = 8, make: Callable[[str], dict[str, Any]] = a_pageview, each: int = 0
    ) -> None:
        self.port = port
        self._make = make
        self._each = each
        self.sent: list[str] = []  # appending to a list is atomic
        self.acknowledged: list[str] = []
        self.repeats: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.answers: list[tuple[int, dict[str, str]]] = []  # those that are neither 202 nor none
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def complete(self, within: float) -> None:
        """Waits until each has delivered all of its events."""
        for thread in self._threads:
            thread.join(within)
            assert not thread.is_alive()

    def finish(self) -> None:
        """Lets each deliver its last event, and ends."""
        self._enough.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self.abandon()

    def abandon(self) -> None:
        """Ends where they are."""
        self._over.set()
        self._enough.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _send(self, number: int) -> None:
        client = _Client(AGENT.replace("140", str(100 + number)))
        for count in range(self._each) if self._each else itertools.count():
            if self._enough.is_set():
                break
            page_id = f"client-{number}-{count:06}"
            self.sent.append(page_id)
            if not self._deliver(client, page_id):
                break
        client.close()

    def _deliver(self, client: _Client, page_id: str) -> bool:
        while not self._over.is_set():
            status, headers, body = client.post(self.port, self._make(page_id))
            with self._lock:
                self.statuses[status] += 1
            if status == 202:
                self.acknowledged.append(page_id)
                if json.loads(body)["duplicate"]:
                    self.repeats.append(page_id)
                return True
            if status > 0:
                self.answers.append((status, headers))
            self._over.wait(PAUSE_S)
        return False


class _Client:
    """One kept connection."""

    def __init__(self, agent: str) -> None:
        self._headers = {"User-Agent": agent, "Content-Type": "text/plain"}
        self._connection: http.client.HTTPConnection | None = None
        self._port = 0

    def post(self, port: int, event: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer, 0 or `REFUSED` where there is none."""
        if self._connection is None or port != self._port:
            self.close()
            self._connection, self._port = http.client.HTTPConnection("127.0.0.1", port, timeout=15), port
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError:
                self.close()
                return REFUSED, {}, b""
        try:
            self._connection.request("POST", "/api/collect", json.dumps(event), self._headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, {}, b""
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def close(self) -> None:
        """Closes the connection."""
        if self._connection:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


class Books(NamedTuple):
    """What the database holds: the ids of pageviews, and how often each of the other tables counts one."""

    stored: list[str]
    beats: int
    counted_by_visits: int
    counted_by_outcomes: int


def books(config: Config) -> Books:
    """The books of the site, read from the database itself."""
    one_site = f"site_id = (SELECT id FROM sites WHERE domain = '{SITE}')"
    return Books(
        [page_id for (page_id,) in rows(config, f"SELECT page_id FROM pageviews WHERE {one_site}")],
        int(rows(config, f"SELECT COUNT(*) FROM heartbeats WHERE {one_site}")[0][0]),
        int(rows(config, f"SELECT COALESCE(SUM(pageviews), 0) FROM visits WHERE {one_site}")[0][0]),
        int(
            rows(config, f"SELECT COALESCE(SUM(count), 0) FROM outcomes WHERE {one_site} AND outcome = 'stored'")[0][0]
        ),
    )


def check_books(config: Config, senders: Senders) -> Books:
    """Asserts: nothing lost, nothing doubled, nothing made up, every table and the columnar replica count the same."""
    kept = books(config)
    stored = set(kept.stored)
    assert set(senders.acknowledged) - stored == set(), "lost"
    assert len(kept.stored) == len(stored), "doubled"
    assert stored - set(senders.sent) == set(), "made up"
    assert (kept.beats, kept.counted_by_visits, kept.counted_by_outcomes) == (len(stored),) * 3
    assert_verified(config)
    return kept


def assert_verified(config: Config) -> None:
    """The columnar replica has followed whatever happened, row by row. No server is running."""
    verified = run_command(config, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    # on a slow machine lines that say how far it is come before
    assert "\nThe columnar replica agrees with the database" in f"\n{verified.stdout}", verified.stdout


def took(work) -> float:
    """How many seconds the work takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started

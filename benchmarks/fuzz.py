"""A million malformed requests through the shipped edge and doors in this process, and through h11.

It counts what must not happen: a failure in the log, a 5xx other than 503, a request without an answer, and two
parsers that read different requests. Where only one of them refuses, nothing is smuggled. Ctrl-C
ends it early, with the figures so far. `FUZZ_SEED` and `FUZZ_REQUESTS` choose others.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from analytics.base.config import Config
from analytics.sites import store
from app import create_app, person_of
from benchmarks.common import Report
from collector.doors.endpoint import Endpoint
from collector.service import Service
from tests.support import h11_reader, wire
from tests.support.edge import Memory, Noting, statuses

MANY, FEW = 1_000_000, 5_000  # requests
CONNECTION_BATCH = 250  # connections at the same time
SEED = 9
PATIENCE_S = 60.0
STEP = 50_000  # requests per line of progress
SHOWN = 5  # disagreements that are printed


class FailureLog(logging.Handler):
    """The failures in the log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the counts of what must not happen."""
    count = int(os.environ.get("FUZZ_REQUESTS", FEW if short else MANY))
    failures = FailureLog()
    logging.getLogger().addHandler(failures)
    logging.getLogger().setLevel(logging.WARNING)
    seed = int(os.environ.get("FUZZ_SEED", SEED))
    report.say(f"  {count:,} requests, one to three on a connection · seed {seed} · SQLite")
    service = Service(Config(data_dir=folder / "data", collect_rate=0))
    try:
        store.add(service.database, wire.SITE, now=int(time.time()))
        service.refresh()
        found = asyncio.run(_fuzzed(report, service, count, Random(seed)))
    finally:
        service.close()
        logging.getLogger().removeHandler(failures)
    for line, times in Counter(failures.lines).most_common(SHOWN):
        report.say(f"    {times:,} × {line}")
    for said in found.disagreements[:SHOWN]:
        report.say(f"    {said}")
    report.figure("requests answered", f"{found.answers.total():,} in {found.seconds:,.0f} s")
    report.figure("by status", ", ".join(f"{status}: {times:,}" for status, times in sorted(found.answers.items())))
    report.figure("requests that both parsers read alike", f"{found.alike:,}")
    report.figure("refused by us alone, by h11 alone", f"{found.by_us:,}, {found.by_h11:,}")
    report.zero("failures in the log", len(failures.lines))
    wrong = sum(times for status, times in found.answers.items() if status >= 500 and status != 503)
    report.zero("5xx other than 503", wrong)
    report.zero("requests without an answer", found.unanswered)
    report.zero("parsers that disagree", len(found.disagreements))


class Found:
    """The results so far."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.disagreements: list[str] = []
        self.alike = self.by_us = self.by_h11 = self.unanswered = 0
        self.seconds = 0.0

    def compare(self, sent: bytes, ours: Sequence[h11_reader.Message], refused: bool) -> None:
        """Compares the requests that both read, up to where one of them refuses the rest."""
        theirs, they_refuse = h11_reader.messages(sent)
        both = min(len(ours), len(theirs))
        same = all(mine == other._replace(left=-1) for mine, other in zip(ours, theirs, strict=False))
        if not same or (len(ours) < len(theirs) and not refused) or (len(theirs) < len(ours) and not they_refuse):
            self.disagreements.append(
                f"{sent!r}: {_lengths(ours)}, refused: {refused} · h11: {_lengths(theirs)}, {they_refuse}"
            )
        self.alike += both
        self.by_us += refused and not they_refuse
        self.by_h11 += they_refuse and not refused


def _lengths(messages: Sequence[h11_reader.Message]) -> list[tuple[str, str, int]]:
    return [(one.method, one.target, len(one.body)) for one in messages]


async def _fuzzed(report: Report, service: Service, count: int, random: Random) -> Found:
    found, started = Found(), time.monotonic()
    app = create_app(service)
    endpoint = Endpoint(service.routes(person_of(service)), service.writer, app.server)
    watching = asyncio.create_task(endpoint.watch())
    await asyncio.sleep(0)
    sent_requests = 0
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    while sent_requests < count and not stopped.is_set():
        clients, requests_now = [], 0
        for _ in range(CONNECTION_BATCH):
            requests = random.choice((1, 1, 1, 2, 3))
            sent_requests += requests
            requests_now += requests
            sent = wire.messages(random, requests)
            connection, transport = Noting(endpoint), Memory()
            connection.connection_made(transport)
            for piece in wire.pieces(random, sent):
                connection.data_received(piece)
            clients.append((sent, connection, transport))
        until = time.monotonic() + PATIENCE_S
        while any(connection.is_answering or connection.has_waiting for _, connection, _ in clients):
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.002)
        for sent, connection, transport in clients:
            found.unanswered += connection.is_answering
            found.answers.update(statuses(bytes(transport.written)))
            found.compare(sent, connection.read, connection.refused)
            connection.connection_lost(None)
        found.seconds = time.monotonic() - started
        if sent_requests // STEP > (sent_requests - requests_now) // STEP:
            report.say(f"    {sent_requests:,} requests after {found.seconds:,.0f} s")
    watching.cancel()
    endpoint.close()
    return found

"""10,000 samples a second for a minute while the collector takes load; then a week of 20 metrics is read."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from analytics.base.config import Config
from analytics.calendar.period import Span
from analytics.health import history
from analytics.storage import schema
from analytics.storage.database import Database
from benchmarks.common import Report, cpu_s, footfall, percentile, rows, times
from benchmarks.load import Load, loaded
from benchmarks.postgresql import postgresql
from tests.support.serving import Server

PER_SECOND, BODY = 10_000, 500
METRICS, INSTANCES = 20, 5
LATE_SHARE, MAX_LATE_S = 0.02, 86_400
CONNECTIONS = 8
ROUND_S = 4.0
WEEK_S, WEEK_METRICS, MAX_READ_MS = 7 * 86_400, 20, 300
STEPS = {"minutes": (schema.health_minutes, 60), "hours": (schema.health_hours, 3_600)}


class Sent(NamedTuple):
    """Samples that were answered with 202, bodies that were not stored whole, times of answers in ms."""

    stored: int
    refused: int
    took_ms: list[float]


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints what a minute of samples costs, whether it is all there, and how long a week takes to read."""
    seconds = 10 if short else 60
    _on(report, "SQLite", folder / "sqlite", "", seconds)
    with postgresql(folder) as url:
        _on(report, "PostgreSQL", folder / "beside", url, seconds)


def _on(report: Report, name: str, folder: Path, url: str, seconds: int) -> None:
    with footfall(folder, url) as server:
        before = [loaded(server.port, 1 + 1_000_000 * nth, ROUND_S) for nth in range(3)]
        used, begun = cpu_s(server.process.pid), time.monotonic()
        sent = _send(server, seconds)
        share = (cpu_s(server.process.pid) - used) / (time.monotonic() - begun)
        during = _under_samples(server, seconds)
        stored = sent.stored + during[0].stored
        report.figure(f"{name}, {PER_SECOND:,} samples /s", f"{times(sent.took_ms)} · {100 * share:.0f} % of a core")
        report.zero("  bodies that were refused", sent.refused + during[0].refused)
        report.zero("  samples that are missing", stored - rows(server, "SELECT count(*) FROM health_samples")[0][0])
        for table, step in STEPS.values():
            report.zero(f"  {table.name} that differ from a recount", _different(server, table.name, step))
        for when, loads in (("without samples", before), ("with samples", during[1])):
            load = sorted(loads, key=lambda one: one.p99)[len(loads) // 2]
            report.figure(f"{name}, collector {when}", f"{load.rate:,.0f} /s · p99 {load.p99:.1f} ms")
    _read_a_week(report, name, Config(data_dir=folder / "data", database_url=url))


def _send(server: Server, seconds: int) -> Sent:
    """Sends bodies at their pace, each as soon as its time has come and a connection is free."""
    key = server.tell("key add", name="application", scope="ingest", site=None)
    headers = {"Authorization": f"Bearer {key}"}
    many, begun, own = PER_SECOND * seconds // BODY, time.monotonic(), threading.local()

    def post(number: int) -> tuple[int, float]:
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        body = _body(number)
        time.sleep(max(0.0, begun + number * BODY / PER_SECOND - time.monotonic()))
        at = time.perf_counter()
        own.connection.request("POST", "/api/metrics", body, headers)
        answer = own.connection.getresponse()
        stored = json.loads(answer.read()).get("stored", 0) if answer.status == 202 else 0
        return stored, 1000 * (time.perf_counter() - at)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(post, range(many)))
    return Sent(
        sum(stored for stored, _ in answers), sum(stored != BODY for stored, _ in answers), [ms for _, ms in answers]
    )


def _body(number: int) -> bytes:
    """The samples of a body: each metric of each instance a few times, some of them late."""
    chance, now = random.Random(number), int(time.time())
    found = []
    for nth in range(BODY):
        late = chance.randrange(MAX_LATE_S) if chance.random() < LATE_SHARE else 0
        tags = {"instance": f"web-{nth // METRICS % INSTANCES}"}
        value = chance.randrange(8_000) / 8  # sums are exact
        found.append({"name": f"metric_{nth % METRICS}", "value": value, "timestamp": now - late, "tags": tags})
    return json.dumps(found, separators=(",", ":")).encode()


def _under_samples(server: Server, seconds: int) -> tuple[Sent, list[Load]]:
    """The collector's loads while samples come."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_send, server, seconds)
        loads = [loaded(server.port, 10_000_001 + 1_000_000 * nth, ROUND_S) for nth in range(2 if seconds < 20 else 5)]
        return sending.result(), loads


def _different(server: Server, table: str, step: int) -> int:
    """How many rows of a roll-up differ from what the samples add up to, or are missing or too many."""
    counted = rows(
        server,
        f"SELECT series_id, at / {step} * {step}, count(*), sum(value), min(value), max(value) "
        "FROM health_samples GROUP BY series_id, 2",
    )
    kept = rows(server, f"SELECT series_id, at, count, sum, min, max FROM {table}")
    return len(set(counted) ^ set(kept))


def _read_a_week(report: Report, name: str, config: Config) -> None:
    """Fills in what samples of each second of a week have made, and reads it."""
    database, end = Database(config), int(time.time()) // 3_600 * 3_600
    try:
        for table, step in STEPS.values():
            key = {"site_id": 0, "count": step, "sum": 30.0 * step, "min": 10.0, "max": 50.0}
            for number in range(10_001, 10_001 + WEEK_METRICS):
                with database.transaction() as connection:
                    made = [key | {"series_id": number, "at": at} for at in range(end - WEEK_S, end, step)]
                    connection.execute(table.insert(), made)
        ids, span = range(10_001, 10_001 + WEEK_METRICS), Span(end - WEEK_S, end)
        for step, kind in ((3_600, "hours"), (600, "ten minutes")):
            took = []
            for _ in range(9):
                begun = time.perf_counter()
                found = history.read(database, 0, ids, span, step)
                took.append(1000 * (time.perf_counter() - begun))
                assert sum(map(len, found.values())) == WEEK_METRICS * WEEK_S // step
            report.at_most(
                f"{name}, a week of {WEEK_METRICS} metrics by {kind}", percentile(took, 0.5), MAX_READ_MS, "ms"
            )
    finally:
        database.close()

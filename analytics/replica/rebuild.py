"""The columnar replica made anew from the truth, beside the one that there may be."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from sqlalchemy import Table, func, select

from analytics.base import private_files
from analytics.base.background import Pause, Report
from analytics.base.ids import time_ms
from analytics.replica import codec, first_seen, follow
from analytics.replica.codec import TABLES
from analytics.storage import changes, schema
from analytics.storage.database import Database

FORMAT = 4  # raise it when what the replica holds changes in another way than its tables
NICENESS = 10  # the collector's threads go first
MEMORY = "768MB"  # with less, the order of ten million rows goes by way of the disk
COPY_THREADS = 2  # threads that copy

MADE = [*map(codec.made, TABLES), follow.CREATE_FOLLOWED]
SHAPE = blake2b(repr((FORMAT, MADE)).encode(), digest_size=12).hexdigest()


class Stopped(Exception):
    """It was told to stop; what it had made is gone."""


class _Span(NamedTuple):
    """The rows of one table and site, from the first id to the last."""

    table: Table
    site_id: int
    first: int
    last: int

    @property
    def seconds(self) -> float:
        return (time_ms(self.last) - time_ms(self.first)) / 1000 + 1


class _Batch(NamedTuple):
    """The next rows of a span."""

    span: _Span
    rows: codec.Rows


Progress = Callable[[_Span, codec.Rows], None]


def connect(path: Path, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB on that file, with so much memory and so many threads. It reads no other file and asks no network."""
    replica = duckdb.connect(
        path,
        config={
            "memory_limit": memory,
            "threads": threads,
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
        },
    )
    private_files.close(path)
    return replica


def rebuild(database: Database, path: Path, pause: Pause, report: Report) -> None:
    """Makes the replica at `path`. It is there as a whole or not at all; raises `Stopped` where `rest` says so.

    Runs in a thread of its own, which gives way to the others.
    """
    failed: list[BaseException] = []

    def work() -> None:
        try:
            _give_way()
            _make(database, path, pause, report)
        except BaseException as why:
            failed.append(why)

    thread = threading.Thread(target=work, name="footfall-rebuild", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _give_way() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _make(database: Database, path: Path, pause: Pause, report: Report) -> None:
    making = path.with_name(f"{path.name}.new")
    forget(making)
    try:
        replica = connect(making, MEMORY, threads=1)
        try:
            _fill(database, replica, pause, report)
        finally:
            replica.close()
        forget(path)
        making.replace(path)
    finally:
        forget(making)


def forget(path: Path) -> None:
    """Deletes a replica and what DuckDB keeps beside it."""
    for beside in (path, path.with_name(f"{path.name}.wal")):
        beside.unlink(missing_ok=True)
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)


def _fill(database: Database, replica: duckdb.DuckDBPyConnection, pause: Pause, report: Report) -> None:
    for statement in MADE:
        replica.execute(statement)
    with database.transaction() as connection:
        changes.write_marker(connection)
    with database.read() as connection:
        position = follow.start(connection, time.monotonic())
    spans = _spans(database)
    progress = _progress(spans, report)
    for table in TABLES:  # visits first: the others carry facts of them
        _copy(replica, _batches(database, [span for span in spans if span.table is table]), pause, progress)

    def step(done: int, whole: int) -> None:
        report(f"the columnar replica is made: all rows, and {done} of {whole} columns about who was there before")
        if pause(0):
            raise Stopped

    replica.execute(f"SET threads = {os.cpu_count() or 1:d}")  # nothing is read meanwhile
    first_seen.renew_all(replica, step=step)
    follow.save(replica, SHAPE, position)
    replica.execute("CHECKPOINT")


def _spans(database: Database) -> list[_Span]:
    found = []
    for table in TABLES:
        own = table.c.site_id == schema.sites.c.id
        first, last = (select(edge(table.c.id)).where(own).scalar_subquery() for edge in (func.min, func.max))
        with database.read_without_timeout() as connection:
            rows: Any = connection.execute(select(schema.sites.c.id, first, last).order_by(schema.sites.c.id)).all()
        found += [_Span(table, *row) for row in rows if row[1] is not None]
    return found


def _copy(replica: duckdb.DuckDBPyConnection, batches: Generator[_Batch], pause: Pause, progress: Progress) -> None:
    """Writes one batch while another thread reads the next: both databases work without Python's lock."""
    reading = threading.Lock()

    def work() -> None:
        with replica.cursor() as own:
            own.execute("BEGIN")  # a whole row group goes to the file as soon as it is full: memory stays small
            while batch := _next(batches, reading):
                codec.add(own, batch.span.table, batch.rows)
                progress(*batch)
                if pause(0):
                    raise Stopped
            own.execute("COMMIT")

    with ThreadPoolExecutor(COPY_THREADS, "footfall-rebuild-copy", _give_way) as pool:
        copying = [pool.submit(work) for _ in range(COPY_THREADS)]
        wait(copying, return_when=FIRST_EXCEPTION)
        with reading:
            batches.close()
    for one in copying:
        one.result()


def _next(batches: Iterator[_Batch], reading: threading.Lock) -> _Batch | None:
    with reading:
        return next(batches, None)


def _batches(database: Database, spans: Sequence[_Span]) -> Generator[_Batch]:
    for span in spans:
        last, rows = span.first - 1, None
        while True:
            with (
                database.read_without_timeout() as connection
            ):  # a new one for each: SQLite's log can be taken over between
                rows = codec.after(connection, *span[:2], last, span.last, follow.at_once(span.table, rows))
            if rows is None:
                break
            yield _Batch(span, rows)
            last = rows.last


def _progress(spans: list[_Span], report: Report) -> Progress:
    """Tells how far it is by the time that the rows cover: counting them would take long on SQLite."""
    whole = sum(span.seconds for span in spans)
    many = 0
    reached: dict[int, float] = {}
    telling = threading.Lock()

    def step(span: _Span, rows: codec.Rows) -> None:
        nonlocal many
        with telling:
            many += rows.many
            reached[id(span)] = max(reached.get(id(span), 0), span._replace(last=rows.last).seconds)
            report(f"the columnar replica is made: {sum(reached.values()) / whole:.0%}, {many:,} rows")

    return step

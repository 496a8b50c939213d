"""Rebuilds the columnar replica from the database, in a new file that replaces the old one at the end."""

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

FORMAT = 4  # raise it when the replica's content changes without a change of its tables
NICENESS = 10  # lets the collector's threads run first
MEMORY = "768MB"  # with less, sorting ten million rows spills to the disk
COPY_THREADS = 2  # threads that copy

TABLES_SQL = [*map(codec.create_table, TABLES), follow.CREATE_FOLLOWED]
SHAPE = blake2b(repr((FORMAT, TABLES_SQL)).encode(), digest_size=12).hexdigest()


class Stopped(Exception):
    """The rebuild was stopped; its unfinished file is deleted."""


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


OnBatch = Callable[[_Span, codec.Rows], None]


def connect(path: Path, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """Opens the file with DuckDB, limited to so much memory and so many threads, without other files and network."""
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
    """Makes the replica at `path`, as a whole or not at all. Raises `Stopped` if `pause` says to stop.

    It runs in a thread of its own with a low priority, so that it yields to the writer.
    """
    failed: list[BaseException] = []

    def work() -> None:
        try:
            _lower_priority()
            _make(database, path, pause, report)
        except BaseException as why:
            failed.append(why)

    thread = threading.Thread(target=work, name="footfall-rebuild", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _make(database: Database, path: Path, pause: Pause, report: Report) -> None:
    making = path.with_name(f"{path.name}.new")
    delete_files(making)
    try:
        replica = connect(making, MEMORY, threads=1)
        try:
            _fill(database, replica, pause, report)
        finally:
            replica.close()
        delete_files(path)
        making.replace(path)
    finally:
        delete_files(making)


def delete_files(path: Path) -> None:
    """Deletes a replica's file with DuckDB's log and temporary files."""
    for file in (path, path.with_name(f"{path.name}.wal")):
        file.unlink(missing_ok=True)
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)


def _fill(database: Database, replica: duckdb.DuckDBPyConnection, pause: Pause, report: Report) -> None:
    for statement in TABLES_SQL:
        replica.execute(statement)
    with database.transaction() as connection:
        changes.write_marker(connection)
    with database.read() as connection:
        position = follow.start(connection, time.monotonic())
    spans = _spans(database)
    progress = _progress(spans, report)
    for table in TABLES:  # visits first: the others have denormalised columns of them
        _copy(replica, _batches(database, [span for span in spans if span.table is table]), pause, progress)

    def step(done: int, whole: int) -> None:
        report(f"the columnar replica is made: all rows, and {done} of {whole} columns about who was there before")
        if pause(0):
            raise Stopped

    replica.execute(f"SET threads = {os.cpu_count() or 1:d}")  # nothing reads meanwhile
    first_seen.update_all(replica, step=step)
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


def _copy(replica: duckdb.DuckDBPyConnection, batches: Generator[_Batch], pause: Pause, progress: OnBatch) -> None:
    """Writes one batch while another thread reads the next: both databases release the GIL while they work."""
    reading = threading.Lock()

    def work() -> None:
        with replica.cursor() as own:
            own.execute("BEGIN")  # DuckDB writes each full row group to the file at once, so memory stays small
            while batch := _next(batches, reading):
                codec.insert(own, batch.span.table, batch.rows)
                progress(*batch)
                if pause(0):
                    raise Stopped
            own.execute("COMMIT")

    with ThreadPoolExecutor(COPY_THREADS, "footfall-rebuild-copy", _lower_priority) as pool:
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
            # One connection a batch, so that SQLite can checkpoint its log in between.
            with database.read_without_timeout() as connection:
                rows = codec.read_after(connection, *span[:2], last, span.last, follow.batch_size(span.table, rows))
            if rows is None:
                break
            yield _Batch(span, rows)
            last = rows.last


def _progress(spans: list[_Span], report: Report) -> OnBatch:
    """Reports the share of the time that the copied rows cover: counting all rows would take long on SQLite."""
    whole = sum(span.seconds for span in spans)
    copied = 0
    reached: dict[int, float] = {}
    reporting = threading.Lock()

    def step(span: _Span, rows: codec.Rows) -> None:
        nonlocal copied
        with reporting:
            copied += rows.row_count
            reached[id(span)] = max(reached.get(id(span), 0), span._replace(last=rows.last).seconds)
            report(f"the columnar replica is made: {sum(reached.values()) / whole:.0%}, {copied:,} rows")

    return step

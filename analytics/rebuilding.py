"""The columnar replica made anew from the truth, beside the one that there may be."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from sqlalchemy import Table, func, select

from analytics import changes, firsts, following, schema, transfer
from analytics.database import Database
from analytics.ids import time_ms
from analytics.jobs import Rest, Tell
from analytics.transfer import TABLES

FORMAT = 2  # raise it when what the replica holds changes in another way than its tables
NICENESS = 10  # the collector's threads go first
MEMORY = "512MB"

MADE = [*map(transfer.made, TABLES), following.KEPT_IN]
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


def connect(path: Path, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB on that file, with so much memory and so many threads. It reads no other file and asks no network."""
    return duckdb.connect(
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


def rebuild(database: Database, path: Path, rest: Rest, tell: Tell) -> None:
    """Makes the replica at `path`. It is there as a whole or not at all; raises `Stopped` where `rest` says so.

    Runs in a thread of its own, which gives way to the others.
    """
    failed: list[BaseException] = []

    def work() -> None:
        try:
            _give_way()
            _make(database, path, rest, tell)
        except BaseException as why:
            failed.append(why)

    thread = threading.Thread(target=work, name="footfall-rebuild", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _give_way() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _make(database: Database, path: Path, rest: Rest, tell: Tell) -> None:
    making = path.with_name(f"{path.name}.new")
    forget(making)
    try:
        replica = connect(making, MEMORY, threads=1)
        try:
            _fill(database, replica, rest, tell)
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


def _fill(database: Database, replica: duckdb.DuckDBPyConnection, rest: Rest, tell: Tell) -> None:
    for statement in MADE:
        replica.execute(statement)
    with database.transaction() as connection:
        changes.mark(connection)
    with database.read() as connection:
        position = following.start(connection, time.monotonic())
    spans = _spans(database)
    progress = _progress(spans, tell)
    with ThreadPoolExecutor(1, "footfall-rebuild-read", _give_way) as reader:
        for table in TABLES:
            replica.execute("BEGIN")  # a whole row group goes to the file as soon as it is full: memory stays small
            for span in spans:
                if span.table is table:
                    _copy(database, reader, replica, span, rest, progress)
            replica.execute("COMMIT")

    def step(done: int, whole: int) -> None:
        tell(f"the columnar replica is made: all rows, and {done} of {whole} columns about who was there before")
        if rest(0):
            raise Stopped

    replica.execute(f"SET threads = {os.cpu_count() or 1:d}")  # nothing is read meanwhile
    firsts.renew_all(replica, step=step)
    following.save(replica, SHAPE, position)
    replica.execute("CHECKPOINT")


def _spans(database: Database) -> list[_Span]:
    found = []
    for table in TABLES:
        own = table.c.site_id == schema.sites.c.id
        first, last = (select(edge(table.c.id)).where(own).scalar_subquery() for edge in (func.min, func.max))
        with database.read_patiently() as connection:
            rows: Any = connection.execute(select(schema.sites.c.id, first, last).order_by(schema.sites.c.id)).all()
        found += [_Span(table, *row) for row in rows if row[1] is not None]
    return found


def _copy(
    database: Database,
    reader: Executor,
    replica: duckdb.DuckDBPyConnection,
    span: _Span,
    rest: Rest,
    progress: Callable[[_Span, transfer.Rows], None],
) -> None:
    """Reads the next rows while it writes the last: both databases work without Python's lock."""

    def read(at: int) -> transfer.Rows | None:
        with database.read_patiently() as connection:  # a new one for each: SQLite's log can be taken over in between
            return transfer.after(connection, span.table, span.site_id, at, span.last, following.ROWS)

    coming = reader.submit(read, span.first - 1)
    while rows := coming.result():
        coming = reader.submit(read, rows.last)
        transfer.add(replica, span.table, rows)
        progress(span, rows)
        if rest(0):
            raise Stopped


def _progress(spans: list[_Span], tell: Tell) -> Callable[[_Span, transfer.Rows], None]:
    """Tells how far it is by the time that the rows cover: counting them would take long on SQLite."""
    whole = sum(span.seconds for span in spans)
    many = 0
    reached: dict[int, float] = {}

    def step(span: _Span, rows: transfer.Rows) -> None:
        nonlocal many
        many += rows.many
        reached[id(span)] = span._replace(last=rows.last).seconds
        tell(f"the columnar replica is made: {sum(reached.values()) / whole:.0%}, {many:,} rows")

    return step

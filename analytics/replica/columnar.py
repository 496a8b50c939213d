"""The columnar replica: a copy of the facts in DuckDB, within this process, for queries over long periods.

The database stays the source of truth. The replica's file may be deleted at any time: if it is missing, unreadable,
broken or of an older shape, it is rebuilt from the database. Until then, and with `FOOTFALL_COLUMNAR=off`, the same
queries run on the database.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import duckdb
from sqlalchemy import Connection, Select

from analytics.base import error_causes, private_files
from analytics.base.background import Pause, Report
from analytics.base.config import Config
from analytics.query.dialects import run
from analytics.replica import follow
from analytics.replica.follow import Position
from analytics.replica.rebuild import SHAPE, Stopped, connect, delete_files, rebuild
from analytics.replica.state import FOLLOWING, MAKING, OFF, WAITING, ReplicaState
from analytics.replica.versions import Versions
from analytics.storage import changes
from analytics.storage.database import Database

log = logging.getLogger("footfall.columnar")

MEMORY = "512MB"
READERS_WAIT_S = 30.0  # how long closing the file waits for running queries
CLOSE_WAIT_S = 5.0
MIN_RETRY_S, MAX_RETRY_S = 5.0, 600.0  # before the next rebuild after a failed one

# Errors which mean that the file is broken, not the query.
BROKEN = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException, duckdb.SerializationException)


class Columnar:
    """The replica of one process: `follow` keeps it up to date, `rows` queries it. Safe for many threads. Close it."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database = database
        self._on = config.columnar
        self._folder = config.data_dir
        self._lock_file: IO[str] | None = None
        self._path = Path()
        self._work_lock = threading.RLock()  # taken to follow, rebuild or freeze
        self._readers_changed = threading.Condition()
        self._readers = 0
        self._replica: duckdb.DuckDBPyConnection | None = None
        self._position = Position(0, "", {})
        self._versions = Versions()
        self._broken = ""  # the reason; from then on there are no new readers, and `follow` deletes the file
        self._progress = ""
        self._followed_at = 0.0
        self._retry_s, self._retry_at = MIN_RETRY_S, 0.0

    @property
    def state(self) -> ReplicaState:
        """The state now; never waits."""
        if not self._on:
            return ReplicaState(OFF)
        if self._replica is None or self._broken:
            return ReplicaState(MAKING, self._progress) if self._progress else ReplicaState(WAITING)
        return ReplicaState(FOLLOWING, behind_s=max(0.0, time.monotonic() - self._followed_at))

    # ── querying ─────────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        """The rows of a SELECT over the facts, from the replica, or from the database while there is no replica.

        A query that DuckDB does not understand raises `duckdb.Error`; that is a bug.
        """
        with self._open_to_read() as replica:
            if replica is not None:
                try:
                    return run(replica, query)
                except BROKEN as broken:
                    self._broken = _cause(broken)
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def version(self, site_id: int, end: int) -> str:
        """The version of the facts of a site before `end` (epoch s) that `rows` reads now, or older ones.

        As long as it stays the same, so do the answers to questions that end by then.
        """
        if self._replica is not None and not self._broken:
            return self._versions.of(site_id, end)
        with self.database.read() as connection:
            return changes.version(connection)

    @contextmanager
    def _open_to_read(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        with self._readers_changed:
            replica = None if self._replica is None or self._broken else self._replica.cursor()
            self._readers += replica is not None
        if replica is None:
            yield None
            return
        try:
            yield replica
        finally:
            replica.close()
            with self._readers_changed:
                self._readers -= 1
                self._readers_changed.notify_all()

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────

    def follow(self, pause: Pause, report: Report = lambda _: None) -> None:
        """Brings the replica up to date; rebuilds it first if necessary, which may take a minute.

        If DuckDB fails, the failure is logged and the replica is rebuilt by a later call, with a growing delay. Raises
        SQLAlchemy's errors if the database fails.
        """
        if not self._on:
            return
        with self._work_lock:
            if self._broken:
                self._discard()
            if self._replica is None and time.monotonic() < self._retry_at:
                return
            try:
                self._catch_up(pause, report)
            except Stopped:
                pass
            except (duckdb.Error, OSError) as broken:
                self._broken = _cause(broken)
                self._discard()
            except Exception:
                self._delay_retry()
                raise

    def rebuild(self, pause: Pause, report: Report) -> None:
        """Rebuilds the replica from the database, whatever its state."""
        with self._work_lock:
            self._broken = "asked for"
            self._discard()
            self._retry_s, self._retry_at = MIN_RETRY_S, 0.0
            self.follow(pause, report)

    def _catch_up(self, pause: Pause, report: Report) -> None:
        if self._replica is None:
            self._open(pause, report)
        with self.database.snapshot() as source:
            self._follow(source)

    def _follow(self, source: Connection) -> None:
        """Applies all changes in this snapshot of the database."""
        assert self._replica is not None
        begun = time.monotonic()
        with self._replica.cursor() as replica:
            while True:
                position, applied = follow.follow(source, replica, SHAPE, self._position, begun)
                self._versions.take(applied, position.holes)
                if position.seen == self._position.seen and position.holes.keys() == self._position.holes.keys():
                    break
                self._position = position
        self._followed_at = begun
        self._retry_s = MIN_RETRY_S

    @contextmanager
    def frozen(self, pause: Pause, report: Report) -> Iterator[tuple[Connection, duckdb.DuckDBPyConnection] | None]:
        """A snapshot of the database and the replica, which has followed exactly that; neither changes in the block.

        Yields None if the replica is off or cannot be made.
        """
        with self._work_lock:
            self._retry_at = 0.0
            self.follow(pause, report)
            if self._replica is None:
                yield None
                return
            with self.database.snapshot() as source, self._replica.cursor() as replica:
                self._follow(source)
                yield source, replica

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, pause: Pause, report: Report) -> None:
        if self._lock_file is None:
            self._path, self._lock_file = _lock_free_file(self._folder)
        if not (self._path.exists() and self._open_file()):
            self._rebuild(pause, report)
            if not self._open_file():
                raise duckdb.IOException("the file that was just made cannot be used")

    def _open_file(self) -> bool:
        """Opens the file; False if it is unreadable, of another shape, or a copy of another database."""
        replica = None
        try:
            replica = connect(self._path, MEMORY, threads=os.cpu_count() or 1)
            with self.database.read() as source:
                position = follow.load(replica, SHAPE, source, time.monotonic())
        except duckdb.Error as unreadable:
            log.warning("the columnar replica cannot be read: %s", _cause(unreadable))
            position = None
        except BaseException:
            if replica is not None:
                replica.close()
            raise
        if replica is None or position is None:
            if replica is not None:
                replica.close()
            return False
        with self._readers_changed:
            self._versions.begin(f"{position.seen}.{position.digest}.{','.join(map(str, position.holes))}")
            self._replica, self._position = replica, position
        return True

    def _rebuild(self, pause: Pause, report: Report) -> None:
        log.info("the columnar replica is made from the stored rows")
        begun = time.monotonic()
        delete_files(self._path)

        def report_and_keep(progress: str) -> None:
            self._progress = progress
            report(progress)

        try:
            report_and_keep("the columnar replica is made")
            rebuild(self.database, self._path, pause, report_and_keep)
        finally:
            self._progress = ""
        log.info("the columnar replica is made; it took %.1f s", time.monotonic() - begun)

    def _discard(self) -> None:
        """Closes the broken file and deletes it; it is rebuilt after a delay."""
        log.error("the columnar replica is in doubt, and is rebuilt in %.0f s: %s", self._retry_s, self._broken)
        self._delay_retry()
        self._close()
        if self._lock_file is not None:
            with suppress(OSError):
                delete_files(self._path)
        self._broken = ""

    def _delay_retry(self) -> None:
        """Sets when to try the next rebuild: later after each failure."""
        self._retry_at = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 4, MAX_RETRY_S)

    def _close(self) -> None:
        with self._readers_changed:
            replica, self._replica = self._replica, None
            self._readers_changed.wait_for(lambda: self._readers == 0, READERS_WAIT_S)
        if replica is not None:
            with suppress(duckdb.Error):
                replica.close()

    def close(self) -> None:
        """Closes the file, which keeps all that it has followed. Waits at most `CLOSE_WAIT_S` for running work."""
        if not self._work_lock.acquire(timeout=CLOSE_WAIT_S):
            return  # the process ends anyway; DuckDB's own log keeps the file consistent
        try:
            self._on = False
            self._close()
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None
        finally:
            self._work_lock.release()


def _lock_free_file(folder: Path) -> tuple[Path, IO[str]]:
    """The first file that no other process uses, and its lock: processes on one PostgreSQL may share a directory."""
    private_files.directory(folder)
    for number in itertools.count():
        path = folder / ("columnar.duckdb" if number == 0 else f"columnar-{number}.duckdb")
        lock = open(f"{path}.lock", "a+", opener=private_files.opener)  # noqa: SIM115 - it stays open as long as the file is ours
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return path, lock
    raise AssertionError


def _cause(broken: Exception) -> str:
    """The failure, for the log. Of DuckDB's messages only those about files: others may quote a visitor's data."""
    if known := error_causes.explain(broken):
        return known
    message = str(broken).partition("\n")[0][:200] if isinstance(broken, (duckdb.IOException, OSError)) else ""
    return f"{type(broken).__name__} {message}".strip()

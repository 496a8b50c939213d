"""The columnar replica: the facts of the truth again, in DuckDB within this process, for questions over history.

It is no source. Its file may be deleted at any time; missing, unreadable, of an older shape or in doubt, it is made
anew from the truth. Until then, and with `FOOTFALL_COLUMNAR=off`, the same questions are asked of the truth.
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
from typing import IO, Any, NamedTuple

import duckdb
from sqlalchemy import Connection, Select

from analytics.base import error_causes, private_files
from analytics.base.background import Pause, Report
from analytics.base.config import Config
from analytics.query.dialects import run
from analytics.replica import follow as following
from analytics.replica.follow import Position
from analytics.replica.rebuild import SHAPE, Stopped, connect, forget, rebuild
from analytics.storage.database import Database

log = logging.getLogger("footfall.columnar")

MEMORY = "512MB"
PATIENCE_S = 30.0  # for questions that are being answered, before the file is closed
CLOSING_S = 5.0
MIN_RETRY_S, MAX_RETRY_S = 5.0, 600.0  # before it is made anew once more, where that failed

# What says that the file, not the question, is wrong.
BROKEN = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException, duckdb.SerializationException)

OFF, WAITING, MAKING, FOLLOWING = "off", "waiting", "making", "following"


class ReplicaState(NamedTuple):
    """How the replica is: `OFF`, `WAITING` (not opened yet, or failed and tried again later), `MAKING` or
    `FOLLOWING`; how far it is made, in words; and how many seconds ago it had followed all that there was.
    """

    kind: str
    progress: str = ""
    behind_s: float = 0.0


class Columnar:
    """The replica of one process; `follow` keeps it up to date, `rows` asks it. Safe for many threads. Close it."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database = database
        self._on = config.columnar
        self._folder = config.data_dir
        self._lock_file: IO[str] | None = None
        self._path = Path()
        self._working = threading.RLock()  # one at a time follows, makes or freezes
        self._asked = threading.Condition()
        self._asking = 0
        self._replica: duckdb.DuckDBPyConnection | None = None
        self._position = Position(0, "", {})
        self._doubted = ""  # why: from then on nobody is let in, and `follow` closes and deletes it
        self._progress = ""
        self._followed_at = 0.0
        self._wait_s, self._again_at = MIN_RETRY_S, 0.0

    @property
    def state(self) -> ReplicaState:
        """How it is right now; waits for nobody."""
        if not self._on:
            return ReplicaState(OFF)
        if self._replica is None or self._doubted:
            return ReplicaState(MAKING, self._progress) if self._progress else ReplicaState(WAITING)
        return ReplicaState(FOLLOWING, behind_s=max(0.0, time.monotonic() - self._followed_at))

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, asked: Select[Any]) -> list[tuple[Any, ...]]:
        """The rows of a SELECT over the facts, from the replica, or from the truth while there is none.

        A question that DuckDB does not understand raises `duckdb.Error`: that is a mistake in the program.
        """
        with self._open_to_read() as replica:
            if replica is not None:
                try:
                    return run(replica, asked)
                except BROKEN as broken:
                    self._doubted = _said(broken)
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(asked)]

    @contextmanager
    def _open_to_read(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        with self._asked:
            replica = None if self._replica is None or self._doubted else self._replica.cursor()
            self._asking += replica is not None
        if replica is None:
            yield None
            return
        try:
            yield replica
        finally:
            replica.close()
            with self._asked:
                self._asking -= 1
                self._asked.notify_all()

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────

    def follow(self, pause: Pause, report: Report = lambda _: None) -> None:
        """Brings the replica up to date; makes it first where that has to be, which may take a minute.

        Where DuckDB fails, the log says so and the replica is made anew, at first soon and then more and more rarely.
        Raises SQLAlchemy's errors where the truth does not answer.
        """
        if not self._on:
            return
        with self._working:
            if self._doubted:
                self._give_up()
            if self._replica is None and time.monotonic() < self._again_at:
                return
            try:
                self._catch_up(pause, report)
            except Stopped:
                pass
            except (duckdb.Error, OSError) as broken:
                self._doubted = _said(broken)
                self._give_up()
            except Exception:
                self._put_off()
                raise

    def remake(self, pause: Pause, report: Report) -> None:
        """Makes it anew from the truth, whatever it has now."""
        with self._working:
            self._doubted = "asked for"
            self._give_up()
            self._wait_s, self._again_at = MIN_RETRY_S, 0.0
            self.follow(pause, report)

    def _catch_up(self, pause: Pause, report: Report) -> None:
        if self._replica is None:
            self._open(pause, report)
        with self.database.snapshot() as truth:
            self._follow(truth)

    def _follow(self, truth: Connection) -> None:
        """Follows all that this snapshot of the truth holds."""
        assert self._replica is not None
        begun = time.monotonic()
        with self._replica.cursor() as replica:
            while True:
                position = following.follow(truth, replica, SHAPE, self._position, begun)
                if position.seen == self._position.seen and position.holes.keys() == self._position.holes.keys():
                    break
                self._position = position
        self._followed_at = begun
        self._wait_s = MIN_RETRY_S

    @contextmanager
    def frozen(self, pause: Pause, report: Report) -> Iterator[tuple[Connection, duckdb.DuckDBPyConnection] | None]:
        """A snapshot of the truth and the replica that has followed exactly that; nothing moves within the block.

        None where the replica is off, or cannot be made.
        """
        with self._working:
            self._again_at = 0.0
            self.follow(pause, report)
            if self._replica is None:
                yield None
                return
            with self.database.snapshot() as truth, self._replica.cursor() as replica:
                self._follow(truth)
                yield truth, replica

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, pause: Pause, report: Report) -> None:
        if self._lock_file is None:
            self._path, self._lock_file = _own(self._folder)
        if not (self._path.exists() and self._take_up()):
            self._make(pause, report)
            if not self._take_up():
                raise duckdb.IOException("the file that was just made cannot be used")

    def _take_up(self) -> bool:
        """Opens the file; False where it is unreadable, of another shape, or of another truth."""
        replica = None
        try:
            replica = connect(self._path, MEMORY, threads=os.cpu_count() or 1)
            with self.database.read() as truth:
                position = following.load(replica, SHAPE, truth, time.monotonic())
        except duckdb.Error as unreadable:
            log.warning("the columnar replica cannot be read: %s", _said(unreadable))
            position = None
        except BaseException:
            if replica is not None:
                replica.close()
            raise
        if replica is None or position is None:
            if replica is not None:
                replica.close()
            return False
        with self._asked:
            self._replica, self._position = replica, position
        return True

    def _make(self, pause: Pause, report: Report) -> None:
        log.info("the columnar replica is made from the stored rows")
        begun = time.monotonic()
        forget(self._path)

        def told(progress: str) -> None:
            self._progress = progress
            report(progress)

        try:
            told("the columnar replica is made")
            rebuild(self.database, self._path, pause, told)
        finally:
            self._progress = ""
        log.info("the columnar replica is made; it took %.1f s", time.monotonic() - begun)

    def _give_up(self) -> None:
        """Closes what is in doubt and deletes it; it is made anew after a while."""
        log.error("the columnar replica is in doubt, and made anew in %.0f s: %s", self._wait_s, self._doubted)
        self._put_off()
        self._close()
        if self._lock_file is not None:
            with suppress(OSError):
                forget(self._path)
        self._doubted = ""

    def _put_off(self) -> None:
        """The next time that it may be made anew is a little later each time."""
        self._again_at = time.monotonic() + self._wait_s
        self._wait_s = min(self._wait_s * 4, MAX_RETRY_S)

    def _close(self) -> None:
        with self._asked:
            replica, self._replica = self._replica, None
            self._asked.wait_for(lambda: self._asking == 0, PATIENCE_S)
        if replica is not None:
            with suppress(duckdb.Error):
                replica.close()

    def close(self) -> None:
        """Lets go of the file; what it has followed stays in it. Waits a little for who is at work on it."""
        if not self._working.acquire(timeout=CLOSING_S):
            return  # the process ends with it; DuckDB's own log keeps the file whole
        try:
            self._on = False
            self._close()
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None
        finally:
            self._working.release()


def _own(folder: Path) -> tuple[Path, IO[str]]:
    """A file that no other process has: several of them on one PostgreSQL may share a data directory."""
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


def _said(broken: Exception) -> str:
    """What failed, for the log. Only what DuckDB says of files: the rest may quote what a visitor has sent."""
    if known := error_causes.explain(broken):
        return known
    told = str(broken).partition("\n")[0][:200] if isinstance(broken, (duckdb.IOException, OSError)) else ""
    return f"{type(broken).__name__} {told}".strip()

"""The database, the source of truth: one connection that writes on SQLite, many that read, and the newest schema."""

from __future__ import annotations

import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import alembic.command
import alembic.config
import psycopg
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from analytics.base import error_causes, private_files
from analytics.base.config import Config
from analytics.base.ids import IMPORTED
from analytics.storage import engines, locks
from analytics.storage.availability import UNRESPONSIVE_S, Availability, Unresponsive

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class DatabaseInUse(RuntimeError):
    """Another process uses the SQLite file; the message names the process."""


class NoData(RuntimeError):
    """There is no data to work on; the message names the place."""


class Database:
    """The database: SQLite's file or PostgreSQL. Close it to release the file and the connections.

    `transaction()` writes: on SQLite through the only writing connection, one transaction at a time. `read()` never
    writes. `worker` is this process's number among those on the same PostgreSQL server; row ids contain it. If `probe`
    is called regularly, `availability` says whether the database answers; while it hangs, both raise `Unresponsive` at
    once.
    """

    def __init__(self, config: Config) -> None:
        self.embedded = config.embedded
        self.availability = Availability()
        self._write_lock = threading.RLock()
        self._daily_work_lock = threading.Lock()
        if config.embedded or config.data_dir.exists():
            private_files.directory(config.data_dir)
        if config.embedded:
            error_causes.DATA.path = engines.sqlite_path(config).parent
            private_files.file(engines.sqlite_path(config))
        self._lock_file = _own(engines.sqlite_path(config)) if config.embedded else None
        self.writing, self.reading = engines.sqlite(config) if config.embedded else engines.postgresql(config)
        self._probing = self.reading if config.embedded else engines.postgresql_probe(config)
        self._readers: set[Any] = set()
        if not self.embedded:
            event.listen(self.reading, "connect", lambda driver, _: self._readers.add(driver))
            event.listen(self.reading, "close", lambda driver, _: self._readers.discard(driver))
        try:
            self._upgrade()
            self._lease: Connection | None = None if config.embedded else self.writing.connect()
            self.worker = _lease_worker(self._lease) if self._lease else 0
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose statements are committed together, and synced, when the block ends."""
        self._check_availability()
        if not self.embedded:
            with self.writing.begin() as connection:
                yield connection
            return
        with self._write_lock, self.writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that only reads."""
        self._check_availability()
        with self.reading.connect() as connection:
            yield connection

    def _check_availability(self) -> None:
        if time.monotonic() - self.availability.probe_began > UNRESPONSIVE_S:
            raise Unresponsive

    def probe(self) -> None:
        """Runs a cheap query over a connection of its own and records in `availability` whether it was answered."""
        with self.availability.probing(), self._probing.connect() as connection:
            connection.execute(text("SELECT 1 FROM sites LIMIT 1"))

    def cut_readers(self) -> None:
        """Shuts down the reading connections to PostgreSQL: queries that wait for an answer fail. No data is lost.

        A stopped server process keeps its connections open, so no network time-out ends them.
        """
        for driver in list(self._readers):
            with suppress(OSError, psycopg.Error), closing(socket.socket(fileno=os.dup(driver.fileno()))) as connection:
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def read_without_timeout(self) -> Iterator[Connection]:
        """As `read`, without a time limit: for work that no page waits for."""
        if self.embedded:
            with self.read() as connection:
                yield connection
            return
        with self.writing.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that reads one consistent state, that of its first statement, until the block ends."""
        if self.embedded:
            with self.reading.connect() as connection:
                connection.exec_driver_sql("BEGIN")  # the pool rolls it back
                yield connection
            return
        still = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.writing.connect().execution_options(**still) as connection, connection.begin():
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield connection

    @contextmanager
    def daily_work_lock(self) -> Iterator[bool]:
        """Tries to take the lock of the day's work without waiting; yields whether it was free.

        One block at a time has it, of all threads and processes on this database.
        """
        if self.embedded:
            acquired = self._daily_work_lock.acquire(blocking=False)
            try:
                yield acquired
            finally:
                if acquired:
                    self._daily_work_lock.release()
            return
        with self.writing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # so that it is closed at the end, which releases the lock
            yield bool(connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": locks.DAILY_WORK}).scalar())

    def scrub_deleted(self) -> bool:
        """Removes deleted rows from SQLite's log too; False if a reader prevents it: call again later."""
        if not self.embedded:
            return True  # PostgreSQL recycles its log by itself
        with self._write_lock, self.writing.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA busy_timeout=50")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA {engines.BUSY}")
            return not busy

    def renew_lease(self) -> None:
        """Leases a worker number again if the connection that held the lease has died."""
        if self._lease is None:
            return
        try:
            self._lease.execute(text("SELECT 1"))
            self._lease.commit()
        except DBAPIError:
            self._lease.close()
            self._lease = self.writing.connect()
            self.worker = _lease_worker(self._lease)

    def _upgrade(self) -> None:
        settings = alembic.config.Config()
        settings.set_main_option("script_location", str(MIGRATIONS))
        with self.transaction() as connection:
            if not self.embedded:
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": locks.MIGRATION})
            settings.attributes["connection"] = connection
            alembic.command.upgrade(settings, "head")

    def close(self) -> None:
        """Closes the connections and releases the file."""
        if lease := getattr(self, "_lease", None):
            lease.close()
        self.reading.dispose()
        self._probing.dispose()
        self.writing.dispose()
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None


def check_free(config: Config) -> None:
    """Raises `DatabaseInUse` if another process uses the SQLite file."""
    if config.embedded and engines.sqlite_path(config).exists():
        _own(engines.sqlite_path(config)).close()


def check_there(config: Config, *, directory: bool = False) -> None:
    """Raises `NoData` if there is no SQLite file, so that a command that only reads makes none.

    With PostgreSQL it raises only if the caller needs the data `directory` and there is none.
    """
    if engines.sqlite_path(config).exists() if config.embedded else (config.data_dir.exists() or not directory):
        return
    place, named = config.data_dir, "--data-dir or FOOTFALL_DATA_DIR"
    if config.embedded and config.database_url:
        place, named = engines.sqlite_path(config), "FOOTFALL_DATABASE_URL"
    raise NoData(f"no data in {place.absolute()}; `serve` makes it there, {named} names another place")


def _own(path: Path) -> IO[str]:
    """Locks the SQLite file for this process: the open lock file, which contains the process's number."""
    file = open(f"{path.resolve()}.lock", "a+", opener=private_files.opener)  # noqa: SIM115 - it stays open as long as we own the data
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "an unknown process"
        file.close()
        raise DatabaseInUse(f"{path} is in use by {holder}; SQLite has one server, several need PostgreSQL") from None
    file.truncate(0)
    file.write(f"process {os.getpid()}")
    file.flush()
    return file


def _lease_worker(connection: Connection) -> int:
    """Leases the lowest worker number that no other live process on this database has."""
    taking = text("SELECT pg_try_advisory_lock(:space, :n)")
    for number in range(IMPORTED):
        if connection.execute(taking, {"space": locks.WORKER, "n": number}).scalar():
            connection.commit()
            return number
    raise DatabaseInUse(f"all {IMPORTED} worker numbers of this database are in use")

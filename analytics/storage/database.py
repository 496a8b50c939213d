"""The database: one that writes, many that read, the schema brought up to date at start."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import alembic.command
import alembic.config
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from analytics.base import error_causes, private_files
from analytics.base.config import Config
from analytics.base.ids import IMPORTED
from analytics.storage import locks
from analytics.storage.availability import UNRESPONSIVE_S, Availability, Unresponsive

MIGRATIONS = Path(__file__).parents[1] / "migrations"

BUSY = "busy_timeout=5000"
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit returns when the log is synced: what "stored" means
    "secure_delete=ON",  # a destroyed salt is nowhere in the file
    "temp_store=MEMORY",
    "cache_size=-65536",
    "wal_autocheckpoint=4000",
    BUSY,
)


class DatabaseInUse(RuntimeError):
    """Another process owns the SQLite file; the message names it."""


class NoData(RuntimeError):
    """Nothing is there to work on; the message names the place that was looked at."""


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
            error_causes.DATA.path = _path(config).parent
            private_files.file(_path(config))
        self._lock_file = _own(_path(config)) if config.embedded else None
        self.writing, self.reading = _sqlite(config) if config.embedded else _postgresql(config)
        self._probing = self.reading if config.embedded else _create_probe(config)
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
        """Ends the connections to PostgreSQL that only read: whoever waits for an answer gets an error in its place.

        A process that is stopped keeps its connections, so no time-out of the network ends them. Nothing is lost by it.
        """
        for driver in list(self._readers):
            with suppress(OSError, psycopg.Error), closing(socket.socket(fileno=os.dup(driver.fileno()))) as connection:
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def read_without_timeout(self) -> Iterator[Connection]:
        """As `read`, for work that no page waits for: the answer may take as long as it takes."""
        if self.embedded:
            with self.read() as connection:
                yield connection
            return
        with self.writing.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that reads the database as it is at its first statement, for as long as the block lasts."""
        if self.embedded:
            with self.reading.connect() as connection:
                connection.exec_driver_sql("BEGIN")  # rolled back when the connection is given back
                yield connection
            return
        still = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.writing.connect().execution_options(**still) as connection, connection.begin():
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            yield connection

    @contextmanager
    def daily_work_lock(self) -> Iterator[bool]:
        """Whether nobody else, in this process or in another on this database, is within such a block."""
        if self.embedded:
            taken = self._daily_work_lock.acquire(blocking=False)
            try:
                yield taken
            finally:
                if taken:
                    self._daily_work_lock.release()
            return
        with self.writing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # it is closed for good at the end, and with it the lock is gone
            yield bool(connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": locks.DAILY_WORK}).scalar())

    def scrub_deleted(self) -> bool:
        """Makes deleted rows unreadable in SQLite's log too; False where a reader holds the log: ask again later."""
        if not self.embedded:
            return True  # PostgreSQL's log goes its own way
        with self._write_lock, self.writing.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA busy_timeout=50")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA {BUSY}")
            return not busy

    def renew_lease(self) -> None:
        """Takes the worker's number anew where the connection that held it has died."""
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
        """Lets go of connections and of the file."""
        if lease := getattr(self, "_lease", None):
            lease.close()
        self.reading.dispose()
        self._probing.dispose()
        self.writing.dispose()
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None


def check_free(config: Config) -> None:
    """Raises `Taken` where another process has the SQLite file."""
    if config.embedded and _path(config).exists():
        _own(_path(config)).close()


def check_there(config: Config, *, directory: bool = False) -> None:
    """Raises `NoData` where there is no SQLite file, so that nothing is made by looking.

    PostgreSQL's database is the one that the settings name, with data or without; there is no data only for who needs
    the data `directory`, where there is none.
    """
    if _path(config).exists() if config.embedded else (config.data_dir.exists() or not directory):
        return
    place, named = config.data_dir, "--data-dir or FOOTFALL_DATA_DIR"
    if config.embedded and config.database_url:
        place, named = _path(config), "FOOTFALL_DATABASE_URL"
    raise NoData(f"no data in {place.absolute()}; `serve` makes it there, {named} names another place")


def _path(config: Config) -> Path:
    return Path(config.url.removeprefix("sqlite:///"))


def _own(path: Path) -> IO[str]:
    """The locked file that says who owns the SQLite file."""
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


def _sqlite(config: Config) -> tuple[Engine, Engine]:
    path = _path(config)

    def connect_writer() -> sqlite3.Connection:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=2048)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def connect_reader() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)

    writing = create_engine("sqlite://", creator=connect_writer, poolclass=StaticPool, hide_parameters=True)
    event.listen(writing, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    reading = create_engine(
        "sqlite://", creator=connect_reader, poolclass=QueuePool, pool_size=16, hide_parameters=True
    )
    return writing, reading


# What is sent and not received within 10 s ends a connection, and so does a machine that is silent for as long: libpq
# would wait for two hours. A process that is stopped on a machine that lives is noticed by `Database.probe` alone.
NETWORK = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
NETWORK |= {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3}


def _postgresql(config: Config) -> tuple[Engine, Engine]:
    options: dict[str, Any] = {
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "pool_timeout": 5,
        "hide_parameters": True,  # what visitors send stays out of our logs
    }
    network = {**NETWORK, "options": "-c statement_timeout=20000"}
    writing = create_engine(config.url, pool_size=4, connect_args=network, **options)
    quick = {**network, "connect_timeout": 3}  # somebody waits for a page
    reading = create_engine(config.url, pool_size=8, isolation_level="AUTOCOMMIT", connect_args=quick, **options)
    return writing, reading


def _create_probe(config: Config) -> Engine:
    return create_engine(config.url, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT", connect_args=NETWORK)


def _lease_worker(connection: Connection) -> int:
    """The lowest number that no other living process on this database has."""
    taking = text("SELECT pg_try_advisory_lock(:space, :n)")
    for number in range(IMPORTED):
        if connection.execute(taking, {"space": locks.WORKER, "n": number}).scalar():
            connection.commit()
            return number
    raise DatabaseInUse(f"all {IMPORTED} worker numbers of this database are in use")

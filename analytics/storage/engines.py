"""The engines of a database: how SQLite and PostgreSQL are connected to."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from analytics.base.config import Config

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


def sqlite_path(config: Config) -> Path:
    """The SQLite file that the settings name."""
    return Path(config.url.removeprefix("sqlite:///"))


def sqlite(config: Config) -> tuple[Engine, Engine]:
    """The engines that write, over one connection, and read."""
    path = sqlite_path(config)

    def connect_writer() -> sqlite3.Connection:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=2048)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    writing = create_engine("sqlite://", creator=connect_writer, poolclass=StaticPool, hide_parameters=True)
    event.listen(writing, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return writing, _sqlite_reader(path)


def _sqlite_reader(path: Path) -> Engine:
    def connect_reader() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)

    return create_engine("sqlite://", creator=connect_reader, poolclass=QueuePool, pool_size=16, hide_parameters=True)


# A connection ends if sent data is not acknowledged within 10 s, or if the server's machine is silent for as long:
# libpq would wait for two hours. A stopped server process on a live machine is noticed by `Database.probe` only.
NETWORK = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
NETWORK |= {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3}


def postgresql(config: Config) -> tuple[Engine, Engine]:
    """The engines that write and read. Queries take at most 20 s."""
    options: dict[str, Any] = {
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "pool_timeout": 5,
        "hide_parameters": True,  # keeps visitors' data out of our logs
    }
    network = {**NETWORK, "options": "-c statement_timeout=20000"}
    writing = create_engine(config.url, pool_size=4, connect_args=network, **options)
    quick = {**network, "connect_timeout": 3}  # pages wait for these
    reading = create_engine(config.url, pool_size=8, isolation_level="AUTOCOMMIT", connect_args=quick, **options)
    return writing, reading


def read_only(config: Config) -> Engine:
    """An engine that can only read, for a process without a `Database`."""
    if config.embedded:
        return _sqlite_reader(sqlite_path(config))
    session = {**NETWORK, "options": "-c default_transaction_read_only=on"}
    return create_engine(config.url, isolation_level="AUTOCOMMIT", connect_args=session, hide_parameters=True)


def postgresql_probe(config: Config) -> Engine:
    """The engine of the probe, with one connection of its own."""
    return create_engine(config.url, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT", connect_args=NETWORK)

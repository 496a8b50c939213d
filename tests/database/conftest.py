"""On PostgreSQL these tests share one database, emptied before each: a new one would take longer than a test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from analytics.base.config import Config
from analytics.query.backend import Fetch
from analytics.storage import schema
from tests.support.replica import ENGINES, answering

EMPTY = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in schema.metadata.sorted_tables),
        *(f"ALTER SEQUENCE {name}_id_seq RESTART" for name in ("sites", "people", "keys", "embeds", "invitations")),
    ]
)


@pytest.fixture(scope="session")
def rooms(postgresql_server, migrated_template) -> str:
    """The address of the database on PostgreSQL that these tests share."""
    with psycopg.connect(postgresql_server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE rooms TEMPLATE {migrated_template}")
    return postgresql_server.format(name="rooms")


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request, tmp_path) -> Config:
    """Settings of an installation of its own, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return Config(data_dir=tmp_path / "data")
    url = request.getfixturevalue("rooms")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(EMPTY)
    return Config(data_dir=tmp_path / "data", database_url=url)


@pytest.fixture(params=ENGINES)
def ask(request, database, config) -> Iterator[Fetch]:
    """Queries the database itself, or its replica."""
    with answering(request.param, database, config) as ask:
        yield ask

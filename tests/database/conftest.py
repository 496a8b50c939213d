"""On PostgreSQL these tests share one database, emptied before each: a new one would take longer than a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from analytics.base.config import Config
from analytics.notify.rule import Rule
from analytics.query.backend import Fetch
from analytics.sites.site import Site
from analytics.storage import schema
from tests.support.alerts import Watch, Watching
from tests.support.factories import added_site
from tests.support.replica import ENGINES, answering

SEQUENCES = ("sites", "people", "keys", "embeds", "invitations", "rules", "alerts", "notifications")
EMPTY = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in schema.metadata.sorted_tables),
        *(f"ALTER SEQUENCE {name}_id_seq RESTART" for name in SEQUENCES),
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


@pytest.fixture
def site(database) -> Site:
    """A site without anything."""
    return added_site(database)


@pytest.fixture
def watching(database) -> Iterator[Watching]:
    """Makes evaluators on invented people: `watching(RULE, …)`."""
    made: list[Watch] = []

    def make(*rules: Rule, **sources: Any) -> Watch:
        made.append(Watch(database, *rules, **sources))
        return made[-1]

    yield make
    for watch in made:
        watch.close()


@pytest.fixture(params=ENGINES)
def ask(request, database, config) -> Iterator[Fetch]:
    """Queries the database itself, or its replica."""
    with answering(request.param, database, config) as ask:
        yield ask

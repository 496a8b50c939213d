"""The schema in the database is the schema in the code."""

from __future__ import annotations

import alembic.command
import alembic.config
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Text, delete, insert, inspect

from analytics.storage import partitions, schema
from analytics.storage.database import MIGRATIONS, Database
from tests.support.factories import added_site, rows


def settings() -> alembic.config.Config:
    found = alembic.config.Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    return found


def test_the_migrations_end_in_one_head_and_the_database_is_there(database):
    (head,) = ScriptDirectory.from_config(settings()).get_heads()
    with database.transaction() as connection:
        assert MigrationContext.configure(connection).get_current_heads() == (head,)


def test_the_migrated_database_is_the_schema_of_the_code(database):
    with database.transaction() as connection:
        # SQLite tells defaults in quotes that Alembic takes for a difference
        opts = {"compare_type": True, "compare_server_default": not database.embedded}
        days = partitions.names(connection)
        opts["include_name"] = lambda name, kind, _: kind != "table" or name not in days
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, schema.metadata) == []


def test_the_tables_and_columns_are_those_of_the_code(database):
    with database.transaction() as connection:
        found = inspect(connection)
        names = set(found.get_table_names()) - {"alembic_version", *partitions.names(connection)}
        columns = {name: [column["name"] for column in found.get_columns(name)] for name in names}
    assert columns == {table.name: [column.name for column in table.c] for table in schema.metadata.sorted_tables}


def test_every_key_of_a_fact_begins_with_the_site(database):
    with database.transaction() as connection:
        found = inspect(connection)
        keys = {table: found.get_pk_constraint(table)["constrained_columns"] for table in found.get_table_names()}
    facts = ("visits", "pageviews", "events", "heartbeats", "outcomes", "salts", "daily_usage")
    assert {table: keys[table][0] for table in facts} == dict.fromkeys(facts, "site_id")


@pytest.mark.parametrize("name", ["alerts", "channels", "deliveries", "gauges", "notifications", "rules", "watches"])
def test_the_id_of_a_removed_row_is_never_given_again(database, name):
    """People have read up to an id, rules name channels by theirs, and groups of events belong to a rule's."""
    table = schema.metadata.tables[name]
    given = [one for one in table.c if not (one.nullable or one.server_default is not None or one.primary_key)]
    values = {one.name: "x" if isinstance(one.type, Text) else 1 for one in given}
    ids = []
    for _ in range(2):
        with database.transaction() as connection:
            ids.append(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())
            connection.execute(delete(table))
    assert ids[1] > ids[0]


def test_upgrading_again_is_harmless(database, config):
    site = added_site(database)
    database.close()
    again = Database(config)
    try:
        assert rows(again, schema.sites, "id", "domain") == [(site.id, "example.com")]
    finally:
        again.close()


def test_going_down_leaves_nothing_and_up_again_leaves_all(database):
    alembic_settings = settings()
    for go, target, tables in (
        (alembic.command.downgrade, "base", set()),
        (alembic.command.upgrade, "head", set(schema.metadata.tables)),
    ):
        with database.transaction() as connection:
            alembic_settings.attributes["connection"] = connection
            go(alembic_settings, target)
            assert set(inspect(connection).get_table_names()) - {"alembic_version"} == tables

"""The tables of the database are all in one place."""

from __future__ import annotations

from pathlib import Path

from analytics.storage import schema, tables


def test_every_table_is_a_name_of_the_schema():
    assert sorted(schema.__all__) == sorted(["metadata", *schema.metadata.tables])
    assert all(getattr(schema, name) is table for name, table in schema.metadata.tables.items())


def test_every_file_of_tables_is_read():
    files = {path.stem for path in Path(tables.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == {name for name in vars(tables) if not name.startswith("_")}

"""What the tables share: their names of indexes, and columns that many have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A clustered key: SQLite then stores the rows in the order of (site_id, id).
CLUSTERED: Any = {"sqlite_with_rowid": False}

# SQLite gives the id of a removed last row to the next one. Other rows and other servers name these by their ids.
NEVER_AGAIN: Any = {"sqlite_autoincrement": True}


def id_column() -> Column[int]:
    """An id that the database gives."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


def fact_key() -> list[Column[int]]:
    """The key of a fact: its site, and the id that `analytics.base.ids` makes."""
    return [
        Column("site_id", Integer, primary_key=True, autoincrement=False),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
    ]


def text_column(name: str) -> Column[str]:
    """A text, empty where there is none."""
    return Column(name, Text, nullable=False, server_default="")

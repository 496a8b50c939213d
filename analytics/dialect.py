"""SQLAlchemy's SELECTs on DuckDB: it understands what is written for PostgreSQL, but for a few words and signs."""

from __future__ import annotations

from typing import Any

import duckdb
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.base import PGDialect, PGIdentifierPreparer

# Names that DuckDB keeps for itself and PostgreSQL does not (duckdb_keywords): they have to be quoted.
WORDS = {"anti", "asof", "at", "columns", "describe", "generated", "glob", "lambda", "map", "pivot", "pivot_longer"}
WORDS |= {"pivot_wider", "positional", "qualify", "semi", "show", "struct", "summarize", "try_cast", "unpivot"}


class _Names(PGIdentifierPreparer):
    reserved_words = PGIdentifierPreparer.reserved_words | WORDS


class _Dialect(PGDialect):
    preparer = _Names


DIALECT = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def run(replica: duckdb.DuckDBPyConnection, asked: Select[Any]) -> list[tuple[Any, ...]]:
    """The rows of a SELECT, asked of DuckDB; every value of it goes as a parameter.

    `a / b` of whole numbers is a fraction there: write `a // b`. Raises `duckdb.Error`.
    """
    compiled = asked.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    values = compiled.params
    return replica.execute(compiled.string, [values[name] for name in compiled.positiontup or ()]).fetchall()

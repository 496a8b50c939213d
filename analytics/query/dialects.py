"""Where the SQL of SQLite, PostgreSQL and DuckDB differs: functions that each compiles for itself.

DuckDB gets the SQL of PostgreSQL, except for these functions and for whole-number division.
"""

from __future__ import annotations

from typing import Any

import duckdb
from sqlalchemy import BigInteger, Boolean, Integer, Select, Text
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# Names that DuckDB reserves and PostgreSQL does not (duckdb_keywords); they must be quoted.
WORDS = {"anti", "asof", "at", "columns", "describe", "generated", "glob", "lambda", "map", "pivot", "pivot_longer"}
WORDS |= {"pivot_wider", "positional", "qualify", "semi", "show", "struct", "summarize", "try_cast", "unpivot"}


class _Names(PGIdentifierPreparer):
    reserved_words = PGIdentifierPreparer.reserved_words | WORDS


class _DuckDBCompiler(PGCompiler):
    def visit_floordiv_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"({self.process(binary.left, **kw)} // {self.process(binary.right, **kw)})"


class DuckDBDialect(PGDialect):
    """Compiles a statement for DuckDB, with `$1` for parameters."""

    name = "duckdb"
    statement_compiler = _DuckDBCompiler
    preparer = _Names
    supports_statement_cache = True

    def __init__(self) -> None:
        super().__init__(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


DUCKDB = DuckDBDialect()


def run(replica: duckdb.DuckDBPyConnection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Runs a SELECT in DuckDB, with every value as a parameter; returns its rows. Raises `duckdb.Error`."""
    compiled = statement.compile(dialect=DUCKDB, compile_kwargs={"render_postcompile": True})
    values = compiled.params
    return replica.execute(compiled.string, [values[name] for name in compiled.positiontup or ()]).fetchall()


class position(FunctionElement[int]):  # noqa: N801 - it is a function in SQL
    """`position(text, part)`: the first place of the part, counted from 1; 0 where it is missing. Case-sensitive."""

    type = Integer()
    inherit_cache = True


class wild(FunctionElement[bool]):  # noqa: N801
    """`wild(text, expression, atomic)`: whether the whole text matches. It takes the regular expression twice: for
    linear engines, and with atomic groups for Python's, which SQLite uses.
    """

    type = Boolean()
    inherit_cache = True


class prop(FunctionElement[str]):  # noqa: N801
    """`prop(object, name)`: a property of a flat JSON object as text; NULL where it is missing or null."""

    type = Text()
    inherit_cache = True


class bytewise(FunctionElement[str]):  # noqa: N801
    """`bytewise(text)`: the text, sorted by its bytes."""

    type = Text()
    inherit_cache = True


class replica_only(FunctionElement[int]):  # noqa: N801
    """`replica_only(column)`: a column that only the replica has (`analytics.query.facts`); NULL in the database."""

    type = BigInteger()
    inherit_cache = True


class different(FunctionElement[int]):  # noqa: N801
    """`different(value, first)`: COUNT(DISTINCT value). The replica counts `first` instead, which is not NULL
    only in the first row of each value.
    """

    type = BigInteger()
    inherit_cache = True


class either(FunctionElement[bool]):  # noqa: N801
    """`either(in_database, in_replica)`: one condition, with the columns of the database or of the replica."""

    type = Boolean()
    inherit_cache = True


def _arguments(element: FunctionElement[Any], compiler: Any, **kw: Any) -> tuple[Any, ...]:
    return tuple(compiler.process(one, **kw) for one in element.clauses)


@compiles(position)
def _position(element: position, compiler: Any, **kw: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **kw)})"


@compiles(position, "sqlite")
def _position_sqlite(element: position, compiler: Any, **kw: Any) -> str:
    return f"instr({compiler.process(element.clauses, **kw)})"


@compiles(wild)
def _wild(element: wild, compiler: Any, **kw: Any) -> str:
    text, expression, _ = element.clauses
    return f"({compiler.process(text, **kw)} ~ {compiler.process(expression, **kw)})"


@compiles(wild, "sqlite")
def _wild_sqlite(element: wild, compiler: Any, **kw: Any) -> str:
    text, _, atomic = element.clauses
    return f"({compiler.process(text, **kw)} REGEXP {compiler.process(atomic, **kw)})"


@compiles(prop)
def _prop(element: prop, compiler: Any, **kw: Any) -> str:
    whole, name = _arguments(element, compiler, **kw)
    return f"(CAST({whole} AS JSON) ->> CAST({name} AS TEXT))"


@compiles(prop, "duckdb")
def _prop_duckdb(element: prop, compiler: Any, **kw: Any) -> str:
    # As a JSON pointer: a bare name that begins with "$" would be read as a path.
    whole, name = _arguments(element, compiler, **kw)
    return f"json_extract_string({whole}, '/' || replace(replace({name}, '~', '~0'), '/', '~1'))"


@compiles(prop, "sqlite")
def _prop_sqlite(element: prop, compiler: Any, **kw: Any) -> str:
    # json_each compares names as they are; a path cannot quote a quotation mark.
    whole, name = _arguments(element, compiler, **kw)
    kind = "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(atom AS TEXT) END"
    return f"(SELECT {kind} FROM json_each({whole}) WHERE key = {name} LIMIT 1)"


@compiles(bytewise)
def _bytewise(element: bytewise, compiler: Any, **kw: Any) -> str:
    return f'{compiler.process(element.clauses, **kw)} COLLATE "C"'


@compiles(bytewise, "sqlite")
@compiles(bytewise, "duckdb")
def _bytewise_already(element: bytewise, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(replica_only)
def _replica_only(element: replica_only, compiler: Any, **kw: Any) -> str:
    return "CAST(NULL AS BIGINT)"


@compiles(replica_only, "duckdb")
def _replica_only_duckdb(element: replica_only, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(different)
def _different(element: different, compiler: Any, **kw: Any) -> str:
    value, _ = _arguments(element, compiler, **kw)
    return f"count(DISTINCT {value})"


@compiles(different, "duckdb")
def _different_duckdb(element: different, compiler: Any, **kw: Any) -> str:
    _, first = _arguments(element, compiler, **kw)
    return f"count({first})"


@compiles(either)
def _either(element: either, compiler: Any, **kw: Any) -> str:
    in_database, _ = element.clauses
    return f"({compiler.process(in_database, **kw)})"


@compiles(either, "duckdb")
def _either_duckdb(element: either, compiler: Any, **kw: Any) -> str:
    _, in_replica = element.clauses
    return f"({compiler.process(in_replica, **kw)})"

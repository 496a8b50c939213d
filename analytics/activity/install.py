"""Installs a watch in the database of a host application, and removes it. A refusal is one line and changes nothing.

Needed are the right TRIGGER on the table, CREATE on the database for the first watch, and SELECT on the table where
there are gauges; nothing that a superuser has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from analytics.activity import gauge_sql, install_sql
from analytics.activity.gauge import GaugeDefinition
from analytics.activity.install_sql import BASE, SCHEMA, SEARCH_PATH
from analytics.activity.row_filter import RowFilter
from analytics.activity.row_filter_sql import condition
from analytics.activity.source import SourceConnection, SourceRefused, check_writable, opened, reason
from analytics.activity.source_guard import Allowed
from analytics.activity.watch import WatchDefinition, field_of
from analytics.base.errors import message
from analytics.base.plain_text import clean, joined

LOCK_TIMEOUT = SQL("SET LOCAL lock_timeout = '5s'")  # of the table, behind whose lock its writers would queue
TABLE_KINDS = ("r", "p")  # tables, also partitioned
MAX_LISTED = 30
OUTBOX_RIGHTS = (
    *((right, "TABLE", install_sql.OUTBOX) for right in ("SELECT", "INSERT", "DELETE")),
    *((right, "SEQUENCE", install_sql.NUMBERS) for right in ("USAGE", "SELECT")),
    *((right, "SEQUENCE", install_sql.ROOM) for right in ("SELECT", "UPDATE")),
)

Columns = dict[str, str]
"""The type of each column, by name."""


def print_sql(source: str, key: str, one: WatchDefinition, gauges: Sequence[GaugeDefinition]) -> str:
    """Everything that `install` would execute in an empty database, as text; connects to nothing."""
    role = str(conninfo_to_dict(source).get("user") or "ROLE")
    statements = [LOCK_TIMEOUT, *BASE, *install_sql.installing(key, one, gauges)]
    lines = [statement.as_string(None) + ";" for statement in statements]
    table = install_sql.table_of(one).as_string(None)
    rights = ["CREATE on the database while there is no schema footfall", f"TRIGGER on {table}"]
    rights += [f"SELECT on {table}"] if gauges else []
    grants = [
        f"GRANT USAGE ON SCHEMA footfall TO {_name(role)}",
        f"GRANT SELECT, DELETE ON footfall.outbox TO {_name(role)}",
        f"GRANT SELECT ON SEQUENCE footfall.{install_sql.NUMBERS} TO {_name(role)}",
        f"GRANT SELECT, UPDATE ON SEQUENCE footfall.{install_sql.ROOM} TO {_name(role)}",
    ]
    grants += [f"GRANT SELECT ON {table} TO {_name(role)}"] if gauges else []
    needed = _comment(f"Needed rights: {', '.join(rights)}.")
    others = [f"If another role than {_name(role)} runs this, then also:", *(f"{one};" for one in grants)]
    return "\n\n".join(["BEGIN;", needed, *lines, "COMMIT;", "\n".join(map(_comment, others))])


def _comment(text: str) -> str:
    """One line of a comment: a name with a line break in it would end it."""
    return f"-- {joined(clean(text))}"


def _name(role: str) -> str:
    return Identifier(role).as_string(None)


def install(
    source: str, key: str, one: WatchDefinition, gauges: Sequence[GaugeDefinition], allowed: Allowed = None
) -> None:
    """Installs the watch, in one transaction; changes nothing where all of it is there already.

    `SourceRefused` says in one line why not: not reachable, too old, read-only, a table, column or filter that does
    not exist, a missing right with the GRANT that gives it, a table in use.
    """
    with opened(source, allowed) as connection:
        connection.execute(SQL(f"SET {SEARCH_PATH}"))  # as in the functions, so that a filter means the same
        columns = _checked_table(connection, one, gauges)
        _check_columns(columns, one, gauges)
        _check_filters(connection, columns, one, gauges)
        if _is_installed(connection, key, one, gauges):
            return
        check_writable(connection)
        _check_rights(connection, one, gauges)
        with _transaction(connection):
            for statement in [*(() if _has_outbox(connection) else BASE), *install_sql.installing(key, one, gauges)]:
                connection.execute(statement)
            for gauge in gauges:  # a query that fails is found now
                _try_gauge(connection, one, gauge)


def _try_gauge(connection: SourceConnection, one: WatchDefinition, gauge: GaugeDefinition) -> None:
    try:
        connection.execute(gauge_sql.query(one, gauge) + SQL(" LIMIT 0"))
    except psycopg.Error as failed:
        raise SourceRefused(message("nothing was changed: {reason}", reason=reason(failed)), "gauges") from None


def remove(source: str, key: str, allowed: Allowed = None) -> None:
    """Removes the watch with its unread changes; with the last one the outbox and the schema, unless other things are
    in it. `SourceRefused` says in one line why not.
    """
    with opened(source, allowed) as connection:
        if not _has_outbox(connection):
            return
        check_writable(connection)
        with _transaction(connection):
            mine = [name for name in _functions(connection) if name.startswith(key)]
            for statement in install_sql.removing(mine):
                connection.execute(statement)
            connection.execute("DELETE FROM footfall.outbox WHERE starts_with(watch, %s)", [key])
            if not _functions(connection):
                connection.execute("DROP TABLE footfall.outbox")
                if _is_empty(connection):
                    connection.execute("DROP SCHEMA footfall")


@contextmanager
def _transaction(connection: SourceConnection) -> Iterator[None]:
    try:
        with connection.transaction():
            connection.execute(LOCK_TIMEOUT)
            yield
    except psycopg.Error as failed:
        raise SourceRefused(message("nothing was changed: {reason}", reason=reason(failed))) from None


# ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────────


def _has_outbox(connection: SourceConnection) -> bool:
    found = connection.execute(  # `to_regclass` fails where the schema is closed to this user
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = %s AND relname = %s",
        [SCHEMA, install_sql.OUTBOX],
    )
    return found.fetchone() is not None


def _functions(connection: SourceConnection) -> list[str]:
    """The names of the trigger functions of all watches."""
    found = connection.execute(
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE nspname = %s AND prorettype = 'trigger'::regtype ORDER BY proname",
        [SCHEMA],
    )
    return [str(name) for (name,) in found]


def _is_empty(connection: SourceConnection) -> bool:
    """Whether nothing is left in the schema."""
    row = connection.execute(
        "SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = %s::regnamespace",
        [SCHEMA],
    ).fetchone()
    return row == (0,)


def _is_installed(
    connection: SourceConnection, key: str, one: WatchDefinition, gauges: Sequence[GaugeDefinition]
) -> bool:
    """Whether every trigger is there, and the outbox may be read and pruned."""
    names = [f"footfall_{name}" for name in install_sql.function_names(key, one, gauges)]
    found = connection.execute(
        "SELECT count(*) FROM pg_trigger WHERE tgname = ANY(%s) AND tgrelid = %s::regclass AND tgenabled <> 'D'",
        [names, install_sql.table_of(one).as_string(None)],
    ).fetchone()
    if not names or found != (len(names),) or not _has_outbox(connection):
        return False
    if not _has_right(connection, "USAGE", "SCHEMA", SCHEMA):
        return False
    rights = connection.execute(
        "SELECT has_table_privilege('footfall.outbox'::regclass, 'SELECT') "
        "AND has_table_privilege('footfall.outbox'::regclass, 'DELETE') "
        "AND has_sequence_privilege('footfall.outbox_id_seq'::regclass, 'SELECT') "
        "AND has_sequence_privilege('footfall.room'::regclass, 'SELECT') "
        "AND has_sequence_privilege('footfall.room'::regclass, 'UPDATE')"
    ).fetchone()
    return rights == (True,)


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _checked_table(connection: SourceConnection, one: WatchDefinition, gauges: Sequence[GaugeDefinition]) -> Columns:
    """The columns of the table; `SourceRefused` if there is no such table, or none that can have these gauges."""
    table = one.table_name
    found = connection.execute(
        "SELECT c.oid, c.relkind, c.relispartition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s",
        [one.schema, one.table],
    ).fetchone()
    if found is None:
        said = message("there is no table {table} in the database {name}", table=table, name=connection.info.dbname)
        raise SourceRefused(said, "table")
    if found[1] not in TABLE_KINDS:
        raise SourceRefused(
            message("{table} is no table; only the changes of tables can be followed", table=table), "table"
        )
    if found[2] and any(gauge.kept_by_changes for gauge in gauges):  # no trigger of a statement on the whole table
        said = message(
            "{table} is a partition, whose changes cannot all be counted; give the whole table its gauges", table=table
        )
        raise SourceRefused(said, "gauges")
    columns = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [found[0]],
    )
    return {str(name): str(kind) for name, kind in columns}


def _check_columns(columns: Columns, one: WatchDefinition, gauges: Sequence[GaugeDefinition]) -> None:
    named = [*one.mentioned, *(name for gauge in gauges for name in gauge.mentioned)]
    missing = next((name for name in named if name not in columns), None)
    if missing is not None:
        shown = ", ".join([*list(columns)[:MAX_LISTED], *(["…"] if len(columns) > MAX_LISTED else [])])
        said = message(
            "{table} has no column {column}; it has {known}",
            table=one.table_name,
            column=repr(missing),
            known=shown,
        )
        raise SourceRefused(said, field_of(one, missing) or "gauges")


def _check_filters(
    connection: SourceConnection, columns: Columns, one: WatchDefinition, gauges: Sequence[GaugeDefinition]
) -> None:
    """`SourceRefused` names the first filter whose value is not of its column's type; reads no row of the table."""
    of_gauges = [("gauges", each) for gauge in gauges for each in gauge.filters]
    for field, each in (*(("filters", each) for each in one.filters), *of_gauges):
        row = SQL("(SELECT CAST(NULL AS {}) AS {}) AS").format(SQL(columns[each.column]), Identifier(each.column))
        query = SQL("SELECT {} FROM {} a, {} b").format(condition(each, "a.", "b."), row, row)
        try:
            connection.execute(query)
        except psycopg.Error as failed:
            said = message("filter {filter}: {reason}", filter=shown(each), reason=reason(failed))
            raise SourceRefused(said, field) from None


def shown(one: RowFilter) -> str:
    """A filter as people write it."""
    values = f"({','.join(one.values)})" if one.operator == "in" else ".".join(one.values)
    return f"{one.column}={one.operator}" + (f".{values}" if values else "")


def _check_rights(connection: SourceConnection, one: WatchDefinition, gauges: Sequence[GaugeDefinition]) -> None:
    """`SourceRefused` with the GRANTs that give the missing rights."""
    table, role = install_sql.table_of(one), connection.info.user
    wanted = [("TRIGGER", "TABLE", table)] + ([("SELECT", "TABLE", table)] if gauges else [])
    wanted.insert(0, ("USAGE", "SCHEMA", Identifier(one.schema) + SQL("")))
    if _exists(connection, SCHEMA):
        wanted += [(right, "SCHEMA", Identifier(SCHEMA) + SQL("")) for right in ("USAGE", "CREATE")]
    else:
        wanted.append(("CREATE", "DATABASE", Identifier(connection.info.dbname) + SQL("")))
    if _has_outbox(connection):
        wanted += [(right, kind, Identifier(SCHEMA, name) + SQL("")) for right, kind, name in OUTBOX_RIGHTS]
    grants = [
        f"GRANT {right} ON {kind} {name.as_string(None)} TO {_name(role)}"
        for right, kind, name in wanted
        if not _has_right(connection, right, kind, name.as_string(None))
    ]
    if grants:
        said = message("nothing was changed, {role} lacks rights: {grants}", role=role, grants="; ".join(grants))
        raise SourceRefused(said)


def _exists(connection: SourceConnection, schema: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is not None


def _has_right(connection: SourceConnection, right: str, kind: str, name: str) -> bool:
    if kind in ("TABLE", "SEQUENCE"):
        query = f"SELECT has_{kind.lower()}_privilege(%s::regclass, %s)"
    elif kind == "SCHEMA":
        query = "SELECT has_schema_privilege(%s::regnamespace, %s)"
    else:
        query = "SELECT has_database_privilege(current_database(), %s)"
        return connection.execute(query, [right]).fetchone() == (True,)
    try:
        return connection.execute(query, [name, right]).fetchone() == (True,)
    except psycopg.errors.InsufficientPrivilege:  # the schema itself is closed
        return False

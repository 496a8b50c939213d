"""The SQL of a filter on the rows of a watched table."""

from __future__ import annotations

from psycopg import sql

from analytics.activity.row_filter import ANY, CHANGED, COMPARISONS, TESTS, RowFilter


def condition(one: RowFilter, row: str = "", before: str = "") -> sql.Composable:
    """The SQL of the filter. `row` is what stands before the column, like `NEW.`; `before` the same of the row as it
    was, which `changed` alone uses. Values are literals of unknown type, so that they become the column's type.
    """
    column = sql.SQL(row) + sql.Identifier(one.column)
    if one.operator == CHANGED:
        old = sql.SQL(before) + sql.Identifier(one.column)
        parts: list[sql.Composable] = [old + sql.SQL(" IS DISTINCT FROM ") + column]
        sides = zip((old, column), one.values, strict=False)
        parts += [side + sql.SQL(" = ") + sql.Literal(value) for side, value in sides if value != ANY]
        return sql.SQL(" AND ").join(parts)
    if one.operator == "is":
        return column + sql.SQL(f" {TESTS[one.values[0]]}")
    if one.operator == "in":
        return column + sql.SQL(" IN (") + sql.SQL(", ").join(map(sql.Literal, one.values)) + sql.SQL(")")
    return column + sql.SQL(f" {COMPARISONS[one.operator]} ") + sql.Literal(one.values[0])

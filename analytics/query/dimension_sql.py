"""The SQL of a dimension: its value in a row of visits or hits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, cast, func, literal
from sqlalchemy.types import Text

from analytics.query.dialects import prop
from analytics.query.dimensions import PROPERTY, Dimension


def value(one: Dimension, rows: FromClause) -> ColumnElement[Any]:
    """The dimension's text in rows of the kind that it is of; a `TypeError` for time, whose buckets need a period."""
    if one.of == "time":
        raise TypeError("buckets of time are made by `bucket_sql`, which knows the period")
    stored = rows.c[one.column]
    if one.id.startswith(PROPERTY):
        return func.coalesce(prop(stored, literal(one.id.removeprefix(PROPERTY), Text)), "")
    if one.id == "signed_in":
        return cast(case((stored.is_(None), "no"), else_="yes"), Text)
    return stored


def value_of_visit(one: Dimension, visits: FromClause) -> ColumnElement[Any]:
    """The same in rows of visits: for a fact of hits, the column that stands for it."""
    return visits.c[one.entry] if one.entry else value(one, visits)

"""Facts: the tables of visits, pageviews and events, with the columns that only the replica has.

`first_seen` columns count the distinct visitors of a period without COUNT(DISTINCT). Facts of a visit are
copied to its pageviews and events too, so that a filter by them needs no join.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from analytics.storage import schema

_OF_VISITS = (
    *("entry_page", "exit_page", "source", "channel", "utm_campaign"),
    *("country", "region", "city", "browser", "os", "device"),
)


# Each column, and the column in which its rows have to agree: "" for none.
BY_VISIT = {"before": "", **{f"before_{name}": name for name in _OF_VISITS}}
BY_HIT = {"before": "", "before_page": "path", "before_event": "name"}


def first_seen_columns(table: Table) -> list[str]:
    """The names of these columns in the replica's table of that name."""
    return list(BY_VISIT if table.name == schema.visits.name else BY_HIT)


def _with(table: Table) -> Table:
    wider = table.to_metadata(MetaData())
    for name in first_seen_columns(table):
        wider.append_column(Column(name, BigInteger))
    for name in visit_columns(table):
        wider.append_column(Column(name, Text))
    return wider


OF_VISIT = ("source", "channel", "country", "browser", "os", "device")


def visit_columns(table: Table) -> Sequence[str]:
    """The names of these columns in the replica's table of that name."""
    return () if table.name == schema.visits.name else OF_VISIT


# The replica's columns. Wrap the additional ones into `dialects.replica_only`: the database lacks them.
VISITS, PAGEVIEWS, EVENTS = map(_with, (schema.visits, schema.pageviews, schema.events))

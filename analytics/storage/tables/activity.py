"""Cards of a site's events, and the watched tables of other databases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text, false, true

from analytics.storage.tables.columns import NEVER_AGAIN, id_column, metadata, text_column

# What the Live page shows of a site's events and gauges, in its order.
activity_cards = Table(
    "activity_cards",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # counter, stat, ticker, gauge
    Column("title", Text, nullable=False),
    text_column("event"),  # the name of the events; "": all
    Column("measure", Text, nullable=False, server_default="count"),  # count, value
    text_column("currency"),
    Column("span", Text, nullable=False, server_default="today"),  # today, 24h
    Column("gauge_id", Integer),
)

# The tables of other databases whose changes become events.
watches = Table(
    "watches",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("source", Text, nullable=False),  # the URL of the database, with its password
    Column("schema", Text, nullable=False),
    Column("table", Text, nullable=False),
    Column("definition", Text, nullable=False),  # JSON: on, filter, event, title, value, columns, …
    Column("enabled", Boolean, nullable=False, server_default=true()),
    text_column("wrong"),  # why it does not follow
    Column("guarded", Boolean, nullable=False, server_default=false()),  # added by a page: only to allowed addresses
    Column("behind_s", Float),
    Column("read_at", BigInteger),
    Column("unread", BigInteger),  # rows of the watch in the outbox
    Column("outbox_bytes", BigInteger),  # of all watches of that database
    Column("missed", BigInteger, nullable=False, server_default="0"),  # changes that found the outbox full
    Column("missed_at", BigInteger),  # when the last of them were noticed
    Column("refused", BigInteger, nullable=False, server_default="0"),  # changes that could not become events
    Column("refused_at", BigInteger),  # when the last of them were
    Column("created_at", BigInteger, nullable=False),
    **NEVER_AGAIN,
)

gauges = Table(
    "gauges",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("watch_id", Integer, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("definition", Text, nullable=False),  # JSON: measure, column, filter, window
    Column("value", Float),
    text_column("currency"),
    text_column("position"),  # the other database's snapshot up to which the value is right
    text_column("notice"),  # of the last correction
    Column("compared_at", BigInteger),  # with a query
    Column("changed_at", BigInteger),
    **NEVER_AGAIN,
)

# What each gauge was when an hour began, or soon after it.
gauge_readings = Table(
    "gauge_readings",
    metadata,
    Column("gauge_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # its first second
    Column("site_id", Integer, nullable=False),
    Column("value", Float, nullable=False),
    Index(None, "site_id", "hour"),
)

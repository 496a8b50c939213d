"""What is counted: outcomes of events, people by day and minute, and which days are done."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from analytics.storage.tables.columns import metadata

outcomes = Table(
    "outcomes",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),  # 0: no such site
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # the hour's first second
    Column("outcome", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# Events of robots that were filtered out, by the robot's own name.
robots = Table(
    "robots",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# The days for which each daily job is done: a job that was killed half-way is not done, and runs again.
jobs = Table(
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # YYYY-MM-DD, UTC
    Column("done_at", BigInteger, nullable=False),  # 0 and 1: not yet (analytics.storage.job_state)
)

daily_usage = Table(
    "daily_usage",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),  # YYYY-MM-DD, UTC
    Column("people", Integer, nullable=False),
    Column("signed_in", Integer, nullable=False),
    Column("anonymous", Integer, nullable=False),
)

# How many people were active at each minute of a day, counted from its heartbeats and kept when these are purged.
concurrents = Table(
    "concurrents",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),  # YYYY-MM-DD, UTC
    Column("people", LargeBinary, nullable=False),  # packed: analytics.live.minute_store
)

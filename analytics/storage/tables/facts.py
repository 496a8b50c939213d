"""Facts: visits, pageviews, events and heartbeats, and which of them a transaction wrote."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    true,
)

from analytics.storage.tables.columns import CLUSTERED, fact_key, metadata, text_column

visits = Table(
    "visits",
    metadata,
    *fact_key(),
    Column("visitor", BigInteger, nullable=False),
    Column("user_id", Text),
    text_column("user_type"),
    Column("started_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),  # the last pageview or event
    Column("seen_at", BigInteger, nullable=False),  # the last beat of any kind: 30 minutes after it the visit ends
    Column("pageviews", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("duration_s", Integer, Computed("last_at - started_at", persisted=True)),
    Column("bounce", Boolean, Computed("pageviews < 2 AND events = 0", persisted=True)),
    text_column("entry_page"),
    text_column("exit_page"),
    text_column("host"),
    text_column("source"),
    text_column("channel"),
    text_column("referrer"),
    text_column("utm_source"),
    text_column("utm_medium"),
    text_column("utm_campaign"),
    text_column("utm_content"),
    text_column("utm_term"),
    text_column("country"),
    text_column("region"),
    text_column("city"),
    Column("lat", Float),
    Column("lon", Float),
    text_column("browser"),
    text_column("browser_version"),
    text_column("os"),
    text_column("os_version"),
    text_column("device"),
    text_column("screen"),
    text_column("language"),
    Index(None, "site_id", "visitor", "id"),
    **CLUSTERED,
)

pageviews = Table(
    "pageviews",
    metadata,
    *fact_key(),
    Column("page_id", Text, nullable=False),  # made by the page; an id that is sent again is counted once
    Column("at", BigInteger, nullable=False),
    Column("visit_id", BigInteger, nullable=False),
    Column("visitor", BigInteger, nullable=False),
    Column("user_id", Text),
    text_column("host"),
    text_column("path"),
    text_column("title"),
    Column("engaged_ms", BigInteger, nullable=False, server_default="0"),
    Column("scroll", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("site_id", "page_id"),
    **CLUSTERED,
)

events = Table(
    "events",
    metadata,
    *fact_key(),
    Column("page_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("visit_id", BigInteger, nullable=False),
    Column("visitor", BigInteger, nullable=False),
    Column("user_id", Text),
    text_column("host"),
    text_column("path"),
    text_column("name"),
    Column("props", Text, nullable=False, server_default="{}"),  # a flat JSON object
    Column("value", Float),
    text_column("currency"),
    text_column("description"),
    text_column("user_name"),
    Column("interactive", Boolean, nullable=False, server_default=true()),  # else it ends no bounce
    UniqueConstraint("site_id", "page_id"),
    **CLUSTERED,
)

# Append only, one row a beat: the live state of any past second can be computed from them.
heartbeats = Table(
    "heartbeats",
    metadata,
    *fact_key(),
    Column("at", BigInteger, nullable=False),
    Column("visit_id", BigInteger, nullable=False),
    Column("visitor", BigInteger, nullable=False),
    Column("tab", BigInteger, nullable=False),  # of the visitor's browser: a hash of the pageview's id
    Column("user_id", Text),
    text_column("user_type"),
    Column("state", SmallInteger, nullable=False),  # analytics.live.beat.State
    text_column("path"),
    **CLUSTERED,
)

# Change capture: which facts a transaction wrote, a line for each group and site (analytics.storage.changes). The
# three columns are ids of 8 bytes each; None: any row of the site.
changes = Table(
    "changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("site_id", Integer, nullable=False),
    Column("visits", LargeBinary),
    Column("pageviews", LargeBinary),
    Column("events", LargeBinary),
)

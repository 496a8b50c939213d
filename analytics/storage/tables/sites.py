"""Sites, and what people set up and wrote for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, SmallInteger, Table, Text, false

from analytics.storage.tables.columns import id_column, metadata, text_column

sites = Table(
    "sites",
    metadata,
    id_column(),
    Column("domain", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("week_start", SmallInteger, nullable=False, server_default="0"),  # 0 is Monday
    Column("identity", Text, nullable=False, server_default="daily"),
    Column("hosts", Text, nullable=False, server_default=""),  # one a line, like the two below
    Column("excluded_addresses", Text, nullable=False, server_default=""),
    Column("excluded_paths", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    text_column("excluded_hosts"),  # one a line
    Column("retention_days", Integer),  # of heartbeats; None: the installation's setting
    Column("demo", Boolean, nullable=False, server_default=false()),  # its traffic is simulated
    Column("uuid", Text, index=True, unique=True),  # by which Umami's script names it
    Column("overview_period", Text, nullable=False, server_default="30d"),  # with which the Overview opens
    Column("has_shipped_rules", Boolean, nullable=False, server_default=false()),  # it got them; some may be removed
    sqlite_autoincrement=True,  # the id of a removed site is never reused
)

salts = Table(
    "salts",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),  # of the site's zone, YYYY-MM-DD
    Column("nonce", Text, nullable=False),  # hex; the salt is its HMAC under the installation's key
)

# Hosts that sent events for a site without being on its list.
unlisted_hosts = Table(
    "unlisted_hosts",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("host", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

# Saved filters of the Overview: one person's, or shared by everybody who sees the site (no person_id).
segments = Table(
    "segments",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("person_id", Integer),
    Column("name", Text, nullable=False),
    Column("filters", Text, nullable=False),  # JSON, as in an address
    Column("created_at", BigInteger, nullable=False),
)

# Notes that people wrote into the chart, by day.
notes = Table(
    "notes",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("day", Text, nullable=False),  # of the site's zone, YYYY-MM-DD
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

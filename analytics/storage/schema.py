"""The tables of the database, in SQLAlchemy Core.

Times are whole seconds since the epoch, UTC. Every key and join has `site_id`, so that all fact tables can be
distributed by site. `analytics.base.ids` makes the `id` of a fact: it starts with the fact's time, so the primary key
is also the index by time, and rows are appended rather than scattered.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A clustered key: SQLite then stores the rows in the order of (site_id, id).
CLUSTERED: Any = {"sqlite_with_rowid": False}


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _fact_key() -> list[Column[int]]:
    return [
        Column("site_id", Integer, primary_key=True, autoincrement=False),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
    ]


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


sites = Table(
    "sites",
    metadata,
    _id(),
    Column("domain", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("week_start", SmallInteger, nullable=False, server_default="0"),  # 0 is Monday
    Column("identity", Text, nullable=False, server_default="daily"),
    Column("hosts", Text, nullable=False, server_default=""),  # one a line, like the two below
    Column("excluded_addresses", Text, nullable=False, server_default=""),
    Column("excluded_paths", Text, nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    _text("excluded_hosts"),  # one a line
    Column("retention_days", Integer),  # of heartbeats; None: the installation's setting
    Column("demo", Boolean, nullable=False, server_default=false()),  # its traffic is simulated
    Column("uuid", Text, index=True, unique=True),  # by which Umami's script names it
    Column("overview_period", Text, nullable=False, server_default="30d"),  # with which the Overview opens
    sqlite_autoincrement=True,  # the id of a removed site is never reused
)

people = Table(
    "people",
    metadata,
    _id(),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),  # on every site; "member": only the memberships count
    Column("created_at", BigInteger, nullable=False),
    _text("language"),  # of dates and numbers, BCP 47; empty: the browser's
)

# A person's role on one site, in addition to the role on every site; the higher one counts.
memberships = Table(
    "memberships",
    metadata,
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("site_id", Integer, primary_key=True, autoincrement=False, index=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("site_id", Integer),  # None: every site
    Column("role", Text, nullable=False),
    _text("email"),  # the invited person's; anybody who has the link may use it
    Column("created_by", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

logins = Table(
    "logins",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("site_id", Integer),  # None: every site
    Column("key_hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

embeds = Table(
    "embeds",
    metadata,
    _id(),
    Column("site_id", Integer, nullable=False),
    Column("hosts", Text, nullable=False),  # one a line
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

salts = Table(
    "salts",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),  # of the site's zone, YYYY-MM-DD
    Column("nonce", Text, nullable=False),  # hex; the salt is its HMAC under the installation's key
)

visits = Table(
    "visits",
    metadata,
    *_fact_key(),
    Column("visitor", BigInteger, nullable=False),
    Column("user_id", Text),
    _text("user_type"),
    Column("started_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),  # the last pageview or event
    Column("seen_at", BigInteger, nullable=False),  # the last beat of any kind: 30 minutes after it the visit ends
    Column("pageviews", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("duration_s", Integer, Computed("last_at - started_at", persisted=True)),
    Column("bounce", Boolean, Computed("pageviews < 2 AND events = 0", persisted=True)),
    _text("entry_page"),
    _text("exit_page"),
    _text("host"),
    _text("source"),
    _text("channel"),
    _text("referrer"),
    _text("utm_source"),
    _text("utm_medium"),
    _text("utm_campaign"),
    _text("utm_content"),
    _text("utm_term"),
    _text("country"),
    _text("region"),
    _text("city"),
    Column("lat", Float),
    Column("lon", Float),
    _text("browser"),
    _text("browser_version"),
    _text("os"),
    _text("os_version"),
    _text("device"),
    _text("screen"),
    _text("language"),
    Index(None, "site_id", "visitor", "id"),
    **CLUSTERED,
)

pageviews = Table(
    "pageviews",
    metadata,
    *_fact_key(),
    Column("page_id", Text, nullable=False),  # made by the page; an id that is sent again is counted once
    Column("at", BigInteger, nullable=False),
    Column("visit_id", BigInteger, nullable=False),
    Column("visitor", BigInteger, nullable=False),
    Column("user_id", Text),
    _text("host"),
    _text("path"),
    _text("title"),
    Column("engaged_ms", BigInteger, nullable=False, server_default="0"),
    Column("scroll", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("site_id", "page_id"),
    **CLUSTERED,
)

events = Table(
    "events",
    metadata,
    *_fact_key(),
    Column("page_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("visit_id", BigInteger, nullable=False),
    Column("visitor", BigInteger, nullable=False),
    Column("user_id", Text),
    _text("host"),
    _text("path"),
    _text("name"),
    Column("props", Text, nullable=False, server_default="{}"),  # a flat JSON object
    Column("value", Float),
    _text("currency"),
    _text("description"),
    _text("user_name"),
    Column("interactive", Boolean, nullable=False, server_default=true()),  # else it ends no bounce
    UniqueConstraint("site_id", "page_id"),
    **CLUSTERED,
)

# Append only, one row a beat: the live state of any past second can be computed from them.
heartbeats = Table(
    "heartbeats",
    metadata,
    *_fact_key(),
    Column("at", BigInteger, nullable=False),
    Column("visit_id", BigInteger, nullable=False),
    Column("visitor", BigInteger, nullable=False),
    Column("tab", BigInteger, nullable=False),  # of the visitor's browser: a hash of the pageview's id
    Column("user_id", Text),
    _text("user_type"),
    Column("state", SmallInteger, nullable=False),  # analytics.live.beat.State
    _text("path"),
    **CLUSTERED,
)

# Saved filters of the Overview: one person's, or shared by everybody who sees the site (no person_id).
segments = Table(
    "segments",
    metadata,
    _id(),
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
    _id(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("day", Text, nullable=False),  # of the site's zone, YYYY-MM-DD
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
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

# Hosts that sent events for a site without being on its list.
unlisted_hosts = Table(
    "unlisted_hosts",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("host", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
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

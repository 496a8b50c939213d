"""People, their roles and logins, keys of the API and cards."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from analytics.storage.tables.columns import id_column, metadata, text_column

people = Table(
    "people",
    metadata,
    id_column(),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),  # on every site; "member": only the memberships count
    Column("created_at", BigInteger, nullable=False),
    text_column("language"),  # of dates and numbers, BCP 47; empty: the browser's
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
    id_column(),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("site_id", Integer),  # None: every site
    Column("role", Text, nullable=False),
    text_column("email"),  # the invited person's; anybody who has the link may use it
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
    id_column(),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("site_id", Integer),  # None: every site
    Column("key_hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

embeds = Table(
    "embeds",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False),
    Column("hosts", Text, nullable=False),  # one a line
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

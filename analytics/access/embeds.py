"""Embeds: adds, lists, finds and revokes them."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, true, update

from analytics.access.embed import Embed
from analytics.base import idn
from analytics.base.errors import InvalidInput, checked, message
from analytics.storage import schema
from analytics.storage.database import Database

DAY_S = 86_400
MAX_LIFE_S = 3_650 * DAY_S
MAX_HOSTS = 20
HOST = re.compile(r"(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::(?P<port>[0-9]{1,5}))?")


def normal_host(text: str) -> str:
    """The host as browsers spell it, from what people paste, like `https://Panel.Example.com/a`; or `InvalidInput`."""
    host = re.split(r"[/?#]", re.sub(r"^https?://", "", text.strip().lower()))[0].removesuffix(".")
    name, colon, port = host.partition(":")
    host = host if host.isascii() else idn.to_ascii(name) + colon + port
    found = HOST.fullmatch(host)
    if not found or len(host) > 253 or not 1 <= int(found["port"] or 1) <= 65_535:
        wrong = message("{host} is no host; give one like panel.example.com or localhost:3000", host=repr(text))
        raise InvalidInput(wrong)
    return host


def add(database: Database, site_id: int, hosts: Iterable[str], expires_s: int, *, now: int) -> tuple[Embed, str]:
    """The new embed and its token in plain. Only the token's hash is stored, so show it now.

    `InvalidInput` if there is no host, if one is invalid, or if the life is not between a second and ten years.
    """
    valid = checked({"hosts": _checked_hosts, "expires": _checked_life}, {"hosts": hosts, "expires": expires_s})
    plain = "fe_" + secrets.token_urlsafe(24)
    values = {
        "site_id": site_id,
        "hosts": "\n".join(valid["hosts"]),
        "created_at": now,
        "expires_at": now + valid["expires"],
    }
    with database.transaction() as connection:
        adding = insert(schema.embeds).values(values | {"token_hash": _hash(plain)})
        row = connection.execute(adding.returning(schema.embeds)).one()
    return _embed(row), plain


def _checked_hosts(texts: Iterable[str]) -> list[str]:
    hosts = list(dict.fromkeys(normal_host(text) for text in texts))
    if not 1 <= len(hosts) <= MAX_HOSTS:
        raise InvalidInput(message("give 1 to {limit} hosts whose pages may show the card", limit=MAX_HOSTS))
    return hosts


def _checked_life(seconds: int) -> int:
    if not 1 <= seconds <= MAX_LIFE_S:
        raise InvalidInput(f"an embed lives for at most {MAX_LIFE_S // DAY_S} days, and for a second at least")
    return seconds


def all_embeds(database: Database) -> list[Embed]:
    """Every embed, including expired and revoked ones, oldest first."""
    return _embeds(database)


def of_site(database: Database, site_id: int) -> list[Embed]:
    """Every embed of the site, including expired and revoked ones, oldest first."""
    return _embeds(database, schema.embeds.c.site_id == site_id)


def _embeds(database: Database, *conditions: ColumnElement[bool]) -> list[Embed]:
    wanted = select(schema.embeds).where(*conditions).order_by(schema.embeds.c.id)
    with database.read() as connection:
        return [_embed(row) for row in connection.execute(wanted)]


def revoke(database: Database, embed_id: int, site_id: int | None = None, *, now: int) -> Embed:
    """Revokes the embed and returns it. Revoking again changes nothing.

    `InvalidInput` if there is no embed of that id, or, with `site_id`, if it belongs to another site.
    """
    table = schema.embeds
    own = (table.c.id == embed_id) & (true() if site_id is None else table.c.site_id == site_id)
    with database.transaction() as connection:
        connection.execute(update(table).where(own, table.c.revoked_at.is_(None)).values(revoked_at=now))
        row = connection.execute(select(table).where(own)).first()
    if row is None:
        raise InvalidInput(f"there is no embed {embed_id}; `embed list` shows them")
    return _embed(row)


class EmbedRing:
    """The embeds in memory, as `refresh` last read them; the first time is when the ring is made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self.refresh()

    def find(self, plain: str, now: int) -> Embed | None:
        """The valid embed of that token; None if it is unknown, expired or revoked."""
        found = self._embeds.get(_hash(plain)) if plain.startswith("fe_") else None
        return found if found and found.is_valid(now) else None

    def refresh(self) -> None:
        """Reads the table now; if that fails, the known embeds stay and the error passes through.

        Serialised, so that a slow read cannot overwrite a newer one.
        """
        with self._lock:
            self._embeds = _by_hash(self._database)


def _hash(plain: str) -> str:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _by_hash(database: Database) -> dict[str, Embed]:
    with database.read() as connection:
        rows = connection.execute(select(schema.embeds).where(schema.embeds.c.revoked_at.is_(None)))
        return {row.token_hash: _embed(row) for row in rows}


def _embed(row: Row[Any]) -> Embed:
    hosts = tuple(row.hosts.split("\n"))
    return Embed(row.id, row.site_id, hosts, row.created_at, row.expires_at, row.revoked_at)

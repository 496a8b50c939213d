"""API keys: how servers and scripts sign in."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select

from analytics.base.errors import InvalidInput, checked, message
from analytics.storage import schema
from analytics.storage.database import Database

SCOPES = ("stats", "ingest", "admin")
MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `site_id` is None if the key is valid for every site; `created_at` is in epoch seconds."""

    id: int
    name: str
    scope: str
    site_id: int | None
    created_at: int = 0

    def opens(self, scope: str, site_id: int | None) -> bool:
        """Whether the key has `scope` on that site (None: on every site); an admin key has every scope."""
        return self.scope in {scope, "admin"} and self.site_id in {None, site_id}


def add(database: Database, name: str, scope: str, site_id: int | None, *, now: int) -> str:
    """The new key in plain: `ff_` and 32 random characters. Only its hash is stored, so show it now.

    `InvalidInput` if the scope is none of `SCOPES`, or the name is empty, too long or not printable.
    """
    values = checked({"name": _checked_name, "scope": _checked_scope}, {"name": name, "scope": scope})
    plain = "ff_" + secrets.token_urlsafe(24)
    values |= {"site_id": site_id, "created_at": now}
    with database.transaction() as connection:
        connection.execute(insert(schema.keys).values(values | {"key_hash": _hash(plain)}))
    return plain


def _checked_name(text: str) -> str:
    if not text.strip() or len(text) > MAX_NAME or not text.isprintable():
        wrong = message(
            "give the key a name of 1 to {limit} characters, like the server that will use it", limit=MAX_NAME
        )
        raise InvalidInput(wrong)
    return text.strip()


def _checked_scope(text: str) -> str:
    if text not in SCOPES:
        raise InvalidInput(f"scope {text!r}: {', '.join(SCOPES[:-1])} or {SCOPES[-1]}")
    return text


def all_keys(database: Database) -> list[Key]:
    """Every key, oldest first."""
    with database.read() as connection:
        return [_key(row) for row in connection.execute(select(schema.keys).order_by(schema.keys.c.id))]


def remove(database: Database, plain: str) -> None:
    """Removes the key whose plain text this is; an unknown one is ignored."""
    with database.transaction() as connection:
        connection.execute(delete(schema.keys).where(schema.keys.c.key_hash == _hash(plain)))


def remove_number(database: Database, key_id: int) -> Key:
    """Removes the key with that id and returns it; `InvalidInput` if there is none."""
    with database.transaction() as connection:
        row = connection.execute(delete(schema.keys).where(schema.keys.c.id == key_id).returning(schema.keys)).first()
    if row is None:
        raise InvalidInput(f"there is no key {key_id}; `key list` shows them")
    return _key(row)


class KeyRing:
    """The keys in memory, as `refresh` last read them; the first time is when the ring is made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self.refresh()

    def find(self, plain: str) -> Key | None:
        """The key whose plain text this is; None if it is unknown."""
        return self._keys.get(_hash(plain)) if plain.startswith("ff_") else None

    def refresh(self) -> None:
        """Reads the table now; if that fails, the known keys stay and the error passes through.

        Serialised, so that a slow read cannot overwrite a newer one.
        """
        with self._lock:
            self._keys = _by_hash(self._database)


def _hash(plain: str) -> str:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _by_hash(database: Database) -> dict[str, Key]:
    with database.read() as connection:
        rows = connection.execute(select(schema.keys))
        return {row.key_hash: _key(row) for row in rows}


def _key(row: Row[Any]) -> Key:
    return Key(row.id, row.name, row.scope, row.site_id, row.created_at)

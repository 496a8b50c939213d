"""Who is signed in, cached by token hash for each database: no request of the same second runs a query again."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from analytics.access.roles import Person
from analytics.storage.database import Database

MAX_LOGINS = 4_096

_Cache = dict[str, tuple[int, Person]]
_caches: WeakKeyDictionary[Database, _Cache] = WeakKeyDictionary()


def get(database: Database, hashed: str, now: int) -> Person | None:
    """The person of that token hash, if it was read in the second `now`."""
    read_at, person = _cache_of(database).get(hashed, (None, None))
    return person if read_at == now else None


def put(database: Database, hashed: str, person: Person, now: int) -> None:
    """Keeps what was read in the second `now`."""
    cache = _cache_of(database)
    if len(cache) >= MAX_LOGINS:
        cache.clear()
    cache[hashed] = (now, person)


def drop(database: Database, hashed: str) -> None:
    """Forgets one login, which has ended."""
    _cache_of(database).pop(hashed, None)


def clear(database: Database) -> None:
    """Forgets every login; call it when a password, a role or a person was changed."""
    _cache_of(database).clear()


def _cache_of(database: Database) -> _Cache:
    return _caches.setdefault(database, {})

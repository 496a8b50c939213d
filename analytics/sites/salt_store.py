"""The store of salts: makes, caches and destroys them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from analytics.base.ids import first_id
from analytics.sites.salts import Salts, site_day
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.availability import Unresponsive
from analytics.storage.database import Database

PREPARED_S = 600
SITE_BATCH = 500  # sites in one transaction
OPEN_S = 31 * 60  # a visit is open if its last beat is at most so old


class SaltStore:
    """Makes, caches and destroys salts. Prepared salts need no query.

    Salts that were not prepared are read within `patience_s`, else `Unresponsive` is raised: an event loop must not
    wait for a database that hangs.
    """

    def __init__(self, database: Database, secret: bytes, patience_s: float | None = None) -> None:
        self._database = database
        self._secret = secret
        self._patience_s = patience_s
        self._current: dict[int, Salts] = {}
        self.prepared: Mapping[int, Salts] = self._current
        self._next: dict[int, Salts] = {}
        self._unscrubbed = False
        self._lock = threading.Lock()
        self._reading: dict[int, tuple[float, Future[Salts]]] = {}  # by site: the read under way and when it began

    def of(self, site: Site, now: int) -> Salts:
        """The site's salts at `now` (epoch s)."""
        current = self._current.get(site.id)
        if current is not None and now < current.until:
            return current
        with self._lock:
            if found := self._follows(site.id, now):
                self._current[site.id] = found
                return found
        return self._read_in_thread(site, now)

    def _read_in_thread(self, site: Site, now: int) -> Salts:
        """Reads salts that were not prepared in a thread of its own; `Unresponsive` if that takes too long."""
        with self._lock:
            begun, reading = self._reading.get(site.id, (0.0, None))
            if reading is None:
                begun, reading = self._reading[site.id] = time.monotonic(), Future()
                threading.Thread(target=self._read_into, args=(reading, site, now), daemon=True).start()
        try:
            left = None if self._patience_s is None else max(0.0, begun + self._patience_s - time.monotonic())
            found = reading.result(left)
        except FutureTimeoutError:
            raise Unresponsive from None
        return found if now < found.until else self.of(site, now)  # the read began before midnight

    def _read_into(self, reading: Future[Salts], site: Site, now: int) -> None:
        try:
            (found,) = self._read([(site, now)])
        except BaseException as failed:
            with self._lock:
                del self._reading[site.id]
            reading.set_exception(failed)
            return
        with self._lock:  # before the result is out: who has it may ask for the next day at once
            del self._reading[site.id]
            self._current[site.id] = found
        reading.set_result(found)

    def _follows(self, site_id: int, now: int) -> Salts | None:
        """The salts that were prepared for the day of `now`, if it is the day after the current ones."""
        current, following = self._current.get(site_id), self._next.get(site_id)
        return following if following and current and current.until <= now < following.until else None

    def prepare(self, sites: Iterable[Site], now: int) -> None:
        """Makes the salts of today, and shortly before midnight those of tomorrow, so that `of` needs no query.

        One transaction serves many sites: with one each, a start with 1,000 sites would take four seconds.
        """
        known = list(sites)
        self._make(self._current, [(site, now) for site in known if not self._is_ready(site.id, now)])
        ends = [(site, self.of(site, now).until) for site in known]
        self._make(self._next, [(site, until) for site, until in ends if self._is_due(site.id, until, now)])

    def _is_ready(self, site_id: int, now: int) -> bool:
        current = self._current.get(site_id)
        return (current is not None and now < current.until) or self._follows(site_id, now) is not None

    def _is_due(self, site_id: int, until: int, now: int) -> bool:
        following = self._next.get(site_id)
        return until - now < PREPARED_S and (following is None or following.until <= until)

    def _make(self, into: dict[int, Salts], wanted: Sequence[tuple[Site, int]]) -> None:
        for start in range(0, len(wanted), SITE_BATCH):
            some = wanted[start : start + SITE_BATCH]
            found = self._read(some)  # without the lock, so that known salts can be read meanwhile
            with self._lock:
                into.update(zip((site.id for site, _ in some), found, strict=True))

    def _read(self, wanted: Sequence[tuple[Site, int]]) -> list[Salts]:
        """The salts of these sites at these moments (epoch s)."""
        nonces = self._nonces([(site.id, site_day(site, at, 0).name) for site, at in wanted])
        return [self._salts(site, at, nonces) for site, at in wanted]

    def _salts(self, site: Site, now: int, nonces: Mapping[tuple[int, str], str]) -> Salts:
        yesterday, today, tomorrow = (site_day(site, now, step) for step in (-1, 0, 1))
        before = nonces.get((site.id, yesterday.name))
        return Salts(
            today=self._salt(site.id, nonces[site.id, today.name]),
            before=self._salt(site.id, before) if before else None,
            until=tomorrow.begin,
        )

    def _nonces(self, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """Nonces by site and day; missing ones are made. Of several processes, the first to store a nonce wins."""
        dialect = sqlite if self._database.embedded else postgresql
        rows = [{"site_id": site_id, "day": day, "nonce": secrets.token_hex(32)} for site_id, day in wanted]
        table = schema.salts
        with self._database.transaction() as connection:
            connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
            of_these = table.c.site_id.in_({site_id for site_id, _ in wanted})
            found = connection.execute(select(table.c.site_id, table.c.day, table.c.nonce).where(of_these))
            return {(site_id, day): nonce for site_id, day, nonce in found}

    def _salt(self, site_id: int, nonce: str) -> bytes:
        return hmac.new(self._secret, f"salt {site_id} {nonce}".encode(), hashlib.sha256).digest()

    def destroy_old(self, sites: Iterable[Site], now: int) -> None:
        """Destroys old salts as the function `destroy_old` does, and drops those that any process destroyed."""
        known = list(sites)
        destroyed = destroy_old(self._database, known, now)
        for site in known:
            yesterday = site_day(site, now, -1).name
            if yesterday not in destroyed.left.get(site.id, ()) and self._drop_yesterday(site.id, now):
                self._unscrubbed = True
        self._unscrubbed = self._unscrubbed or destroyed.salts > 0
        self.scrub()

    def _drop_yesterday(self, site_id: int, now: int) -> bool:
        """Drops yesterday's salt and returns whether it was known. Today's stays cached."""
        with self._lock:
            current, following = self._current.get(site_id), self._next.get(site_id)
            if following and current and following.until <= current.until:
                del self._next[site_id]
            if current is None or current.before is None or now >= current.until:
                return False
            self._current[site_id] = current._replace(before=None)
            return True

    def scrub(self) -> None:
        """Removes destroyed salts from the database's log too; if a reader prevents it, the next call tries again."""
        if self._unscrubbed:
            self._unscrubbed = not self._database.scrub_deleted()


class Destroyed(NamedTuple):
    """How many salts were destroyed, and by site the days whose salts are left."""

    salts: int
    left: dict[int, set[str]]


def destroy_old(database: Database, sites: Iterable[Site], now: int) -> Destroyed:
    """Destroys the salts before yesterday's, and yesterday's once no visit that began with it is open."""
    table = schema.salts
    left: dict[int, set[str]] = {}
    with database.read() as connection:
        for site_id, day in connection.execute(select(table.c.site_id, table.c.day)):
            left.setdefault(site_id, set()).add(day)
    old = [(site.id, day) for site in sites for day in _old_days(database, site, now, left.get(site.id, set()))]
    for site_id, day in old:
        left[site_id].remove(day)
    if old:
        gone = delete(table).where(table.c.site_id == bindparam("site"), table.c.day == bindparam("old"))
        with database.transaction() as connection:
            connection.execute(gone, [{"site": site_id, "old": day} for site_id, day in old])
    return Destroyed(len(old), left)


def _old_days(database: Database, site: Site, now: int, stored: set[str]) -> set[str]:
    """Of the days with a stored salt, those whose salt is not needed any more."""
    yesterday, today, tomorrow = (site_day(site, now, step) for step in (-1, 0, 1))
    old = stored - {today.name, tomorrow.name}
    if yesterday.name in old and _open_between(database, site.id, yesterday.begin, today.begin, now):
        old.remove(yesterday.name)
    return old


def _open_between(database: Database, site_id: int, begin: int, midnight: int, now: int) -> bool:
    """Whether a visit that began in [begin, midnight) may still continue."""
    if now - midnight < OPEN_S:
        return True
    visits = schema.visits
    open_one = select(visits.c.id).where(
        visits.c.site_id == site_id,
        visits.c.id >= first_id(begin),
        visits.c.id < first_id(midnight),
        visits.c.seen_at > now - OPEN_S,
    )
    with database.read() as connection:
        return connection.execute(open_one.limit(1)).first() is not None

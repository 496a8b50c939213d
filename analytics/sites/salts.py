"""The salts of visitors: random, a new one for each site at each of its midnights, never on disk in clear.

Stored is a random nonce; the salt is that nonce under the key of the installation. Whoever has only the database
cannot compute it, and once the nonce is destroyed (SQLite: overwritten, `secure_delete`) nobody can.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from analytics.base.ids import first_id
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.availability import Unresponsive
from analytics.storage.database import Database

PREPARED_S = 600
SITE_BATCH = 500  # sites a transaction
OPEN_S = 31 * 60  # a visit with a beat in these last seconds is open


class Salts(NamedTuple):
    """The salts of one site at one moment; `before` is yesterday's, while visits that began with it are open."""

    today: bytes
    before: bytes | None
    until: int  # epoch s: then the site's day ends


class SaltSource(Protocol):
    """The salts of a site at a moment (epoch s). Those of `prepared`, by site id, hold until their `until`."""

    @property
    def prepared(self) -> Mapping[int, Salts]: ...

    def of(self, site: Site, now: int) -> Salts: ...


class LogSalts:
    """The salts of days that a log tells of: made of the installation's key alone, so that the same line is the same
    visitor at every import. They are no day's salts of a `SaltKeeper`: who comes by a log meets nobody who came live.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.prepared: Mapping[int, Salts] = {}
        self._last = (0, 0, 0, Salts(b"", None, 0))  # site, begin and end of the day: logs go on day by day

    def of(self, site: Site, now: int) -> Salts:
        """The salts of the site's day of `now`, and of the one before."""
        site_id, begin, end, last = self._last
        if site_id == site.id and begin <= now < end:
            return last
        yesterday, today, tomorrow = (_day(site, now, step) for step in (-1, 0, 1))
        found = Salts(self._salt(site.id, today.name), self._salt(site.id, yesterday.name), tomorrow.begin)
        self._last = site.id, today.begin, tomorrow.begin, found
        return found

    def _salt(self, site_id: int, day: str) -> bytes:
        return hmac.new(self._secret, f"log {site_id} {day}".encode(), hashlib.sha256).digest()


class SaltStore:
    """Makes, keeps and destroys salts; what is prepared in time is told without asking the database.

    For what was not prepared one waits `patience_s` at most: an event loop may not wait for a silent database.
    """

    def __init__(self, database: Database, secret: bytes, patience_s: float | None = None) -> None:
        self._database = database
        self._secret = secret
        self._patience_s = patience_s
        self._kept: dict[int, Salts] = {}
        self.prepared: Mapping[int, Salts] = self._kept
        self._next: dict[int, Salts] = {}
        self._unscrubbed = False
        self._lock = threading.Lock()
        self._reading: dict[int, tuple[float, Future[Salts]]] = {}  # by site: what is being read, and since when

    def of(self, site: Site, now: int) -> Salts:
        """The site's salts at `now` (epoch s)."""
        kept = self._kept.get(site.id)
        if kept is not None and now < kept.until:
            return kept
        with self._lock:
            if found := self._follows(site.id, now):
                self._kept[site.id] = found
                return found
        return self._read_beside(site, now)

    def _read_beside(self, site: Site, now: int) -> Salts:
        """What was not prepared, by a thread of its own; `Unresponsive` where that takes too long, or still does."""
        with self._lock:
            begun, reading = self._reading.get(site.id, (0.0, None))
            if reading is None:
                begun, reading = self._reading[site.id] = time.monotonic(), Future()
                threading.Thread(target=self._read_into, args=(reading, site, now), daemon=True).start()
        try:
            left = None if self._patience_s is None else max(0.0, begun + self._patience_s - time.monotonic())
            return reading.result(left)
        except FutureTimeoutError:
            raise Unresponsive from None

    def _read_into(self, reading: Future[Salts], site: Site, now: int) -> None:
        found: Salts | None = None
        try:
            (found,) = self._read([(site, now)])
            reading.set_result(found)
        except BaseException as failed:
            reading.set_exception(failed)
        with self._lock:
            del self._reading[site.id]
            if found:
                self._kept[site.id] = found

    def _follows(self, site_id: int, now: int) -> Salts | None:
        """The salts prepared for the day that has begun at `now`."""
        kept, following = self._kept.get(site_id), self._next.get(site_id)
        return following if following and kept and kept.until <= now < following.until else None

    def prepare(self, sites: Iterable[Site], now: int) -> None:
        """Makes the salts of today, and shortly before midnight those of tomorrow, so that `of` need not.

        Those of many sites in one transaction: one each would take a start with 1,000 sites four seconds.
        """
        known = list(sites)
        self._make(self._kept, [(site, now) for site in known if not self._is_ready(site.id, now)])
        ends = [(site, self.of(site, now).until) for site in known]
        self._make(self._next, [(site, until) for site, until in ends if self._is_due(site.id, until, now)])

    def _is_ready(self, site_id: int, now: int) -> bool:
        kept = self._kept.get(site_id)
        return (kept is not None and now < kept.until) or self._follows(site_id, now) is not None

    def _is_due(self, site_id: int, until: int, now: int) -> bool:
        following = self._next.get(site_id)
        return until - now < PREPARED_S and (following is None or following.until <= until)

    def _make(self, into: dict[int, Salts], wanted: Sequence[tuple[Site, int]]) -> None:
        for start in range(0, len(wanted), SITE_BATCH):
            some = wanted[start : start + SITE_BATCH]
            found = self._read(some)  # without the lock: whoever needs what is known does not wait for this
            with self._lock:
                into.update(zip((site.id for site, _ in some), found, strict=True))

    def _read(self, wanted: Sequence[tuple[Site, int]]) -> list[Salts]:
        """The salts of these sites at these moments (epoch s)."""
        nonces = self._nonces([(site.id, _day(site, at, 0).name) for site, at in wanted])
        return [self._salts(site, at, nonces) for site, at in wanted]

    def _salts(self, site: Site, now: int, nonces: Mapping[tuple[int, str], str]) -> Salts:
        yesterday, today, tomorrow = (_day(site, now, step) for step in (-1, 0, 1))
        before = nonces.get((site.id, yesterday.name))
        return Salts(
            today=self._salt(site.id, nonces[site.id, today.name]),
            before=self._salt(site.id, before) if before else None,
            until=tomorrow.begin,
        )

    def _nonces(self, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """Nonces by site and day, the wanted ones made where missing; several processes agree on the first stored."""
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
        """Destroys what `destroy_old` says, and forgets it here, whoever has destroyed it."""
        known = list(sites)
        destroyed = destroy_old(self._database, known, now)
        for site in known:
            yesterday = _day(site, now, -1).name
            if yesterday not in destroyed.left.get(site.id, ()) and self._forget_before(site.id, now):
                self._unscrubbed = True
        self._unscrubbed = self._unscrubbed or destroyed.salts > 0
        self.scrub()

    def _forget_before(self, site_id: int, now: int) -> bool:
        """Forgets yesterday's salt; whether it was known. Today's stays: who asks for it must not have to wait."""
        with self._lock:
            kept, following = self._kept.get(site_id), self._next.get(site_id)
            if following and kept and following.until <= kept.until:
                del self._next[site_id]
            if kept is None or kept.before is None or now >= kept.until:
                return False
            self._kept[site_id] = kept._replace(before=None)
            return True

    def scrub(self) -> None:
        """Makes destroyed salts unreadable in the database's log too; what a reader prevented is tried again."""
        if self._unscrubbed:
            self._unscrubbed = not self._database.scrub_deleted()


class Destroyed(NamedTuple):
    """How many salts are gone, and by site the days whose salts are left."""

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
    """Of the days with a stored salt those whose salt nobody needs any more."""
    yesterday, today, tomorrow = (_day(site, now, step) for step in (-1, 0, 1))
    old = stored - {today.name, tomorrow.name}
    if yesterday.name in old and _open_between(database, site.id, yesterday.begin, today.begin, now):
        old.remove(yesterday.name)
    return old


def _open_between(database: Database, site_id: int, begin: int, midnight: int, now: int) -> bool:
    """Whether a visit that began in [begin, midnight) may still go on."""
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


class _Day(NamedTuple):
    name: str  # YYYY-MM-DD
    begin: int  # epoch s


def _day(site: Site, now: int, step: int) -> _Day:
    """The site's day so many days after that of `now`."""
    zone = ZoneInfo(site.timezone)
    day = datetime.fromtimestamp(now, zone).date() + timedelta(days=step)
    return _Day(day.isoformat(), int(datetime.combine(day, clock_time(), zone).timestamp()))

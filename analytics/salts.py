"""The salts of visitors: random, a new one for each site at each of its midnights, never on disk in clear.

Stored is a random nonce; the salt is that nonce under the key of the installation. Whoever has only the database
cannot compute it, and once the nonce is destroyed (SQLite: overwritten, `secure_delete`) nobody can.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from analytics import schema
from analytics.database import Database
from analytics.ids import first_id
from analytics.sites import Site

PREPARED_S = 600
OPEN_S = 31 * 60  # a visit with a beat in these last seconds is open


class Salts(NamedTuple):
    """The salts of one site at one moment; `before` is yesterday's, while visits that began with it are open."""

    today: bytes
    before: bytes | None
    until: int  # epoch s: then the site's day ends


class SaltKeeper:
    """Makes, keeps and destroys salts; what is prepared in time is told without asking the database."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret
        self._kept: dict[int, Salts] = {}
        self._next: dict[int, Salts] = {}
        self._unscrubbed = False
        self._lock = threading.Lock()

    def of(self, site: Site, now: int) -> Salts:
        """The site's salts at `now` (epoch s)."""
        kept = self._kept.get(site.id)
        if kept is not None and now < kept.until:
            return kept
        following = self._next.get(site.id)
        with self._lock:
            found = following if following and kept and kept.until <= now < following.until else self._read(site, now)
            self._kept[site.id] = found
        return found

    def prepare(self, site: Site, now: int) -> None:
        """Makes the salts of today, and shortly before midnight those of tomorrow, so that `of` need not."""
        until = self.of(site, now).until
        following = self._next.get(site.id)
        if until - now < PREPARED_S and (following is None or following.until <= until):
            self._next[site.id] = self._read(site, until)

    def _read(self, site: Site, now: int) -> Salts:
        zone = ZoneInfo(site.timezone)
        today = datetime.fromtimestamp(now, zone).date()
        until = datetime.combine(today + timedelta(days=1), time(), zone)
        nonces = self._nonces(site.id, today.isoformat())
        before = nonces.get((today - timedelta(days=1)).isoformat())
        return Salts(
            today=self._salt(site.id, nonces[today.isoformat()]),
            before=self._salt(site.id, before) if before else None,
            until=int(until.timestamp()),
        )

    def _nonces(self, site_id: int, today: str) -> dict[str, str]:
        """Nonces by day, today's made where it is missing; several processes agree on the first one stored."""
        dialect = sqlite if self._database.embedded else postgresql
        row = {"site_id": site_id, "day": today, "nonce": secrets.token_hex(32)}
        table = schema.salts
        with self._database.transaction() as connection:
            connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
            found = connection.execute(select(table.c.day, table.c.nonce).where(table.c.site_id == site_id))
            return dict(found.all())

    def _salt(self, site_id: int, nonce: str) -> bytes:
        return hmac.new(self._secret, f"salt {site_id} {nonce}".encode(), hashlib.sha256).digest()

    def destroy_old(self, site: Site, now: int) -> None:
        """Destroys the salts before yesterday's, and yesterday's once no visit that began with it is open."""
        zone = ZoneInfo(site.timezone)
        today = datetime.fromtimestamp(now, zone).date()
        midnight = int(datetime.combine(today, time(), zone).timestamp())
        yesterday, tomorrow = ((today + timedelta(days=step)).isoformat() for step in (-1, 1))
        keep = [today.isoformat(), tomorrow]
        if self._open_since_before(site.id, midnight, now):
            keep.append(yesterday)
        table = schema.salts
        with self._database.read() as connection:
            stored = set(connection.execute(select(table.c.day).where(table.c.site_id == site.id)).scalars())
        if not stored - set(keep):
            return
        with self._database.transaction() as connection:
            connection.execute(delete(table).where(table.c.site_id == site.id, table.c.day.not_in(keep)))
        self._unscrubbed = True
        self._kept.pop(site.id, None)
        self._next.pop(site.id, None)
        self.scrub()

    def scrub(self) -> None:
        """Makes destroyed salts unreadable in the database's log too; what a reader prevented is tried again."""
        if self._unscrubbed:
            self._unscrubbed = not self._database.forget_deleted()

    def _open_since_before(self, site_id: int, midnight: int, now: int) -> bool:
        if now - midnight < OPEN_S:
            return True
        visits = schema.visits
        open_one = select(visits.c.id).where(
            visits.c.site_id == site_id,
            visits.c.id >= first_id(midnight - 86_400),
            visits.c.id < first_id(midnight),
            visits.c.seen_at > now - OPEN_S,
        )
        with self._database.read() as connection:
            return connection.execute(open_one.limit(1)).first() is not None

"""The salts of visitors: random, a new one for each site at each of its midnights, never stored in clear.

The database has a random nonce; the salt is its HMAC under the installation's key. So the database alone is not enough
to compute a salt, and after the nonce is destroyed (SQLite: overwritten, `secure_delete`) nobody can.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from analytics.sites.site import Site


class Salts(NamedTuple):
    """The salts of one site's day; `before` is yesterday's, as long as visits that began with it are open."""

    today: bytes
    before: bytes | None
    until: int  # epoch s: the end of the site's day


class SaltSource(Protocol):
    """Returns the salts of a site at a moment (epoch s). Those of `prepared`, by site id, hold until their `until`."""

    @property
    def prepared(self) -> Mapping[int, Salts]: ...

    def of(self, site: Site, now: int) -> Salts: ...


class LogSalts:
    """Salts for imported logs, derived from the installation's key alone: a line gives the same visitor at each import.

    They differ from those of a `SaltStore`, so imported visitors never match live ones.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.prepared: Mapping[int, Salts] = {}
        self._last = (0, 0, 0, Salts(b"", None, 0))  # site, begin and end of the last day: logs are in order of time

    def of(self, site: Site, now: int) -> Salts:
        """The salts of the site's day at `now` (epoch s) and of the day before."""
        site_id, begin, end, last = self._last
        if site_id == site.id and begin <= now < end:
            return last
        yesterday, today, tomorrow = (site_day(site, now, step) for step in (-1, 0, 1))
        found = Salts(self._salt(site.id, today.name), self._salt(site.id, yesterday.name), tomorrow.begin)
        self._last = site.id, today.begin, tomorrow.begin, found
        return found

    def _salt(self, site_id: int, day: str) -> bytes:
        return hmac.new(self._secret, f"log {site_id} {day}".encode(), hashlib.sha256).digest()


class SiteDay(NamedTuple):
    """A day of a site's zone."""

    name: str  # YYYY-MM-DD
    begin: int  # epoch s


def site_day(site: Site, now: int, step: int) -> SiteDay:
    """The site's day `step` days after the day of `now`."""
    zone = ZoneInfo(site.timezone)
    day = datetime.fromtimestamp(now, zone).date() + timedelta(days=step)
    return SiteDay(day.isoformat(), int(datetime.combine(day, clock_time(), zone).timestamp()))

"""Everything that lives as long as the process: opened together, closed in order."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from analytics.concurrency import SETTLED_S, History
from analytics.config import Config, WrongSetting, secret_of
from analytics.database import Database
from analytics.embeds import EmbedRing
from analytics.keys import KeyRing
from analytics.salts import SaltKeeper
from analytics.sites import Directory
from collector.arrival import Stored
from collector.collect import Collector
from collector.crowd import Crowd
from collector.hub import Hub
from collector.pipeline import Kit
from collector.place import Places, open_places
from collector.proxies import Proxies
from collector.rate import Rate
from collector.routes import Routes, WhoReads
from collector.writer import Writer

log = logging.getLogger("footfall.service")

TIDY_S = 60.0
RENEW_S = 0.4  # what another process has changed (a command beside the server) is known after so long


def _open_places(config: Config) -> Places:
    try:
        return open_places(config.geoip_database, config.data_dir)
    except ValueError as wrong:
        raise WrongSetting(f"FOOTFALL_GEOIP_DATABASE: {wrong}; it takes the path of an .mmdb file") from None


class Service:
    """The collector and the live side of one process over one database. Close it: it commits what is waiting."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.secret = secret_of(config)
        self.places = _open_places(config)
        self.database = Database(config)
        # renewed by a thread of their own: a database that hangs must not hang the loop that asks them
        self.sites = Directory(self.database, stale_s=math.inf)
        self.keys = KeyRing(self.database, stale_s=math.inf)
        self.embeds = EmbedRing(self.database, stale_s=math.inf)
        self.salts = SaltKeeper(self.database, self.secret)
        self.renew()
        self.hub = Hub(self.database, config.active_window_s)
        self.history = History(self.database, config.active_window_s)
        self.writer = Writer(self.database, self._publish)
        kit = Kit(self.sites, self.salts, self.places, Rate(config.collect_rate), self.secret)
        self.proxies = Proxies(config.trusted_proxies)
        self.collector = Collector(kit, self.keys, self.writer, self.proxies)
        self.crowd = Crowd(self.database, kit, self.writer, self.renew)
        self._ending = threading.Event()
        self._keepers = [
            threading.Thread(target=self._every, args=(RENEW_S, self.renew), name="footfall-renew", daemon=True),
            threading.Thread(target=self._every, args=(TIDY_S, self._tidy), name="footfall-tidy", daemon=True),
        ]
        for keeper in self._keepers:
            keeper.start()

    def routes(self, who_reads: WhoReads) -> Routes:
        """The public routes; `who_reads` tells by the headers who may read which site."""
        return Routes(
            self.collector,
            self.writer,
            self.hub,
            self.history,
            self.sites,
            self.keys,
            self.embeds,
            self.database,
            who_reads,
            time.time,
        )

    def renew(self) -> None:
        """Reads sites, keys and cards anew: something was changed."""
        self.sites.renew()
        self.keys.renew()
        self.embeds.renew()
        try:
            for site in self.sites.all():
                self.salts.prepare(site, int(time.time()))
        except SQLAlchemyError as away:
            log.warning("salts cannot be made: %s", type(away).__name__)  # who reads is served all the same

    def _publish(self, stored: list[Stored]) -> None:
        now = int(time.time())
        for one in stored:
            if one.beat.at <= now - SETTLED_S:  # its minutes may have been counted already
                self.history.forget(one.beat.site_id, one.beat.at)
        self.hub.publish(stored)

    def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while not self._ending.wait(seconds):
            try:
                work()
            except Exception as failed:
                log.warning("%s has to wait: %s", work.__name__, type(failed).__name__)

    def _tidy(self) -> None:
        for site in self.sites.all():
            self.salts.destroy_old(site, int(time.time()))
        self.salts.scrub()
        self.database.keep_lease()
        self.hub.tidy({site.id for site in self.sites.all()})

    def drain(self) -> None:
        """Lets the crowd leave, refuses what comes, commits what is waiting, ends the streams. May be called twice."""
        self._ending.set()
        self.crowd.go()
        self.writer.stop()
        self.hub.close()

    def close(self) -> None:
        """Drains, and lets go of the database."""
        self.drain()
        for keeper in self._keepers:
            keeper.join(2)
        self.database.close()
        self.places.close()

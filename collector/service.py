"""Everything that lives as long as the process: opened together, closed in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from analytics.access.api_keys import KeyRing
from analytics.access.embeds import EmbedRing
from analytics.base import private_files
from analytics.base.config import Config, WrongSetting, secret_of
from analytics.base.error_log import describe
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.jobs import daily
from analytics.live.minute_query import SETTLED_S
from analytics.live.minutes import MinuteHistory
from analytics.live.sparklines import Sparklines
from analytics.live.today import Today
from analytics.query.backend import Backend
from analytics.replica.columnar import Columnar
from analytics.sites.directory import Directory
from analytics.sites.salt_store import SaltStore
from analytics.storage import changes
from analytics.storage.availability import CUT_READERS_S
from analytics.storage.database import Database
from collector.api.context import Context, WhoReads
from collector.api.statistics import Statistics
from collector.doors.collect import Collector
from collector.doors.routes import Routes
from collector.http.messages import HTTPS_SEAL, SEAL
from collector.http.proxies import Proxies
from collector.ingest import device, robot
from collector.ingest.file_watch import FileWatch
from collector.ingest.geo import Places, open_places
from collector.ingest.outcomes import Stored
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate
from collector.ingest.spam import open_spammers, read_hosts
from collector.live.hub import Hub
from collector.simulate.service import Crowd
from collector.store.writer import Writer

log = logging.getLogger("footfall.service")

TIDY_S = 60.0
DAY_S = 30.0  # how often one looks whether the day's work is due
NOTE_S = 1.0
PATIENCE_S = 3.0  # how long minutes of a large site are counted for one question
RESTORE_S = 1.0
PROBE_S = PULSE_S = 0.5
SALTS_S = 0.5  # how long the event loop waits for salts that were not prepared
FOLLOW_S = 1.0  # a pass costs 60 ms of processor time however little there is
RENEW_S = 0.4  # what another process has changed (a command beside the server) is known after so long
FILES_S = 2.0  # how often one looks whether the owner has changed a file that a setting names
ALONE_S = 5.0  # nobody else writes an embedded database, and whoever changes something here renews at once


def warn(config: Config) -> None:
    """Says in the log what is allowed and hardly meant."""
    for variable in config.unread:
        log.warning("%s is set, and nothing in this version reads it", variable)
    if config.active_window_s < config.heartbeat_interval_s:
        log.warning(
            "FOOTFALL_ACTIVE_WINDOW_S: %d is shorter than FOOTFALL_HEARTBEAT_INTERVAL_S, %d: between two heartbeats "
            "people would vanish; make it twice as long",
            config.active_window_s,
            config.heartbeat_interval_s,
        )


def places_of(config: Config) -> Places:
    """The geo database of the settings; `WrongSetting` where it cannot be opened."""
    try:
        return open_places(config.geoip_database, config.data_dir)
    except ValueError as wrong:
        if config.geoip_database is None:
            raise WrongSetting(str(wrong)) from None
        raise WrongSetting(f"FOOTFALL_GEOIP_DATABASE: {wrong}; it takes the path of an .mmdb file") from None


class Service:
    """The collector and the live side of one process over one database. Close it: it commits what is waiting."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._clock = clock
        self._ending = threading.Event()
        warn(config)
        device.warm_up()  # half a second, which the first visitor would wait for, and the event loop with them
        robot.warm_up()
        private_files.directory(config.data_dir)  # the control socket, the replica, the key
        self.secret = secret_of(config)
        self._watches = self._watches_of(config)
        self.places = places_of(config)
        self.database = Database(config)
        # renewed by a thread of their own: a database that hangs must not hang the loop that asks them
        self.sites = Directory(self.database)
        self.keys = KeyRing(self.database)
        self.embeds = EmbedRing(self.database)
        self.salts = SaltStore(self.database, self.secret, SALTS_S)
        self.today = Today(self.database)
        self.hub = Hub(self.database, config.active_window_s, clock)
        self._renewing = threading.Lock()
        self._hung = False
        self.refresh_sites()
        self.columnar = Columnar(self.database, config)
        self.history = MinuteHistory(self.database, config.active_window_s)
        self.backend = Backend(self.columnar.rows, self._minutes)
        self.sparklines = Sparklines(self.database, config.active_window_s, int(clock()))
        self.writer = Writer(
            self.database, self.today.take, self.hub.publish, on_late=self._forget_minutes, clock=clock
        )
        self.spammers = open_spammers(config.spam_referrers)
        self.kit = Kit(self.sites, self.salts, self.places, Rate(config.collect_rate), self.secret, self.spammers)
        self.proxies = Proxies(config.trusted_proxies)
        self.collector = Collector(self.kit, self.keys, self.writer, self.proxies, clock)
        self.crowd = Crowd(self.database, self.kit, self.writer, self.refresh)
        self._keepers = [
            self._kept(ALONE_S if self.database.embedded else RENEW_S, self.refresh),
            self._kept(TIDY_S, self._tidy),
            self._kept(NOTE_S, self._note),
            self._kept(RESTORE_S, self._restore),
            self._kept(DAY_S, self._do_the_day),
            self._kept(FOLLOW_S, self._follow),
            self._kept(FILES_S, self._look_at_files),
            self._kept(PROBE_S, self._probe),
            self._kept(PULSE_S, self._watch),
        ]

    def routes(self, who_reads: WhoReads) -> Routes:
        """The public routes; `who_reads` tells by the headers who may read which site."""
        context = Context(
            self.writer,
            self.hub,
            self.history,
            self.sites,
            self.keys,
            self.embeds,
            self.database,
            Statistics(self.sites, self.keys, self.hub, self.backend, self._clock),
            who_reads,
            self._clock,
            lambda: self.columnar.state.behind_s,
            self.config.heartbeat_interval_s,
            self.config.base_path,
            self._ending.is_set,
        )
        seal = HTTPS_SEAL if self.config.has_https_host else SEAL
        return Routes(context, self.collector, seal, self.config.public)

    def _minutes(self, site_id: int, span: Span) -> Minutes:
        return self.history.minutes(site_id, span, int(self._clock()), PATIENCE_S)

    def refresh(self) -> None:
        """Reads sites, keys and cards again, so that the process goes by what was changed."""
        self.refresh_sites()
        self.keys.refresh()
        self.embeds.refresh()

    def refresh_sites(self) -> None:
        """Reads the sites again. The streams of a removed one end; a new one is ready for its first visitor."""
        with self._renewing:  # what is older than somebody else's list may not end the streams of a new site
            self.refresh_settings()
            self.hub.keep({site.id for site in self.sites.all()})
        try:
            self.salts.prepare(self.sites.all(), int(self._clock()))
        except SQLAlchemyError as away:
            log.warning("salts cannot be made: %s", describe(away))  # who reads is served all the same

    def refresh_settings(self) -> None:
        """Reads the sites again after settings were changed: with another time zone a day begins."""
        self.sites.refresh()
        self.today.prepare(self.sites.all(), int(self._clock()))

    def _forget_minutes(self, stored: list[Stored]) -> None:
        """Has the minutes of late beats counted again."""
        now = int(self._clock())
        for beat, _, _ in stored:
            if beat.at <= now - SETTLED_S:
                self.history.forget(beat.site_id, beat.at)
                self.sparklines.forget(beat.site_id, beat.at, now)

    def pause(self, seconds: float) -> bool:
        """Waits so long; True at once when the service ends: long work then has to stop."""
        return self._ending.wait(seconds)

    def _do_the_day(self) -> None:
        days, window_s = self.config.heartbeat_retention_days, self.config.active_window_s
        work = daily.Work(self.database, int(self._clock()), days, self.pause, lambda _: None, window_s)
        for said in daily.run_if_due(work):
            log.info("%s", said)

    def _note(self) -> None:
        self.proxies.untrusted.warn()
        now = int(self._clock())
        if self.sparklines.is_due(now):
            self.sparklines.note(self.hub.active_by_site(), now)

    def _restore(self) -> None:
        now = int(self._clock())
        self.today.restore(now, self.pause)
        self.sparklines.restore(self.sites.all(), now, self.pause)

    def _follow(self) -> None:
        self.columnar.follow(self.pause)

    def _watches_of(self, config: Config) -> list[FileWatch]:
        """A watch for each file that a setting names and that is used while the server runs."""
        used = (
            ("FOOTFALL_GEOIP_DATABASE", config.geoip_database, self._read_places),
            ("FOOTFALL_SPAM_REFERRERS", config.spam_referrers, self._read_spammers),
        )
        return [FileWatch(setting, path, read) for setting, path, read in used if path]

    def _read_places(self) -> None:
        self.places.read_again()

    def _read_spammers(self) -> None:
        assert self.config.spam_referrers
        self.spammers.know(read_hosts(self.config.spam_referrers))

    def _look_at_files(self) -> None:
        for watch in self._watches:
            watch.look()

    def _probe(self) -> None:
        with suppress(SQLAlchemyError):  # `availability` records it
            self.database.probe()

    def _watch(self) -> None:
        """Says in the log that the database hangs, and frees the threads that wait for it."""
        unanswered_s = self.database.availability.unanswered_s(time.monotonic())
        hangs = self.writer.stuck
        if hangs != self._hung:
            self._hung = hangs
            if hangs:
                log.error("the database does not answer: collecting and pages say 503 until it does")
            else:
                log.warning("the database answers again")
        if unanswered_s > CUT_READERS_S:
            self.database.cut_readers()

    def _kept(self, seconds: float, work: Callable[[], None]) -> threading.Thread:
        name = f"footfall-{work.__name__.strip('_')}"
        keeper = threading.Thread(target=self._every, args=(seconds, work), name=name, daemon=True)
        keeper.start()
        return keeper

    def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while not self._ending.wait(seconds):
            try:
                work()
            except Exception as failed:
                log.warning("%s has to wait: %s", work.__name__, describe(failed))

    def _tidy(self) -> None:
        self.salts.destroy_old(self.sites.all(), int(self._clock()))
        self.database.renew_lease()
        self.hub.tidy()
        changes.prune(self.database, self.pause)

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
        self.columnar.close()
        self.database.close()
        self.places.close()

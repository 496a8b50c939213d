"""The service: everything that lives as long as the process, opened together and closed in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from analytics.access.api_keys import KeyRing
from analytics.access.embeds import EmbedRing
from analytics.activity import readings
from analytics.base import private_files
from analytics.base.background import rest_s
from analytics.base.config import Config, WrongSetting, secret_of
from analytics.base.error_log import describe
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.health.newest import NewestSamples
from analytics.jobs import daily
from analytics.live.minute_query import SETTLED_S
from analytics.live.minutes import MinuteHistory
from analytics.live.sparklines import Sparklines
from analytics.live.today import Today
from analytics.notify import alerts
from analytics.notify.alert import HISTORICAL_S, LIVE_S
from analytics.query.backend import Backend
from analytics.replica.columnar import Columnar
from analytics.sites.directory import Directory
from analytics.sites.salt_store import SaltStore
from analytics.storage import changes
from analytics.storage.availability import CUT_READERS_S
from analytics.storage.database import Database
from collector.api.context import Context, PersonOf
from collector.api.statistics import Statistics
from collector.api.system_load import SystemLoad
from collector.cache.answers import AnswerCache
from collector.cache.storage import AnswerStorage
from collector.doors.collect import Collector
from collector.doors.routes import Routes
from collector.http.counts import Counts
from collector.http.messages import HTTPS_SECURITY_HEADERS, SECURITY_HEADERS
from collector.http.proxies import Proxies
from collector.ingest import device, robot
from collector.ingest.file_watch import FileWatch
from collector.ingest.geo import Places, open_places
from collector.ingest.outcomes import Stored
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate
from collector.ingest.spam import open_spammers, read_hosts
from collector.live.changing import ChangingList
from collector.live.hub import Hub
from collector.notifying import Notifying
from collector.simulate.service import DemoTraffic
from collector.store.sample_writer import SampleWriter
from collector.store.writer import Writer
from collector.watching import Watching

log = logging.getLogger("footfall.service")

TIDY_S = 60.0
DAILY_CHECK_S = 30.0  # how often it is checked whether the daily work is due
NOTE_S = 1.0
MINUTES_TIMEOUT_S = 3.0  # for counting minutes of a large site within one request
RESTORE_S = 1.0
PROBE_S = WATCH_S = 0.5
CHANGING_S = 1.0  # until an alert that opens, or a gauge that changes, is on the streams
TABLES_S = 1.0  # until a watch that was added or removed takes effect
SALTS_S = 0.5  # how long the event loop waits for salts that were not prepared
FOLLOW_S = 1.0  # each pass takes 60 ms of processor time
REFRESH_S = 0.4  # until changes by another process (a command on the machine) take effect
FILE_CHECK_S = 2.0  # how often the files that settings name are checked for changes
EMBEDDED_REFRESH_S = 5.0  # no other process writes to it, and changes by this process call `refresh`


def warn(config: Config) -> None:
    """Logs settings that are allowed but probably a mistake."""
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
    """Opens the geo database that the settings name; `WrongSetting` if that fails."""
    try:
        return open_places(config.geoip_database, config.data_dir)
    except ValueError as wrong:
        if config.geoip_database is None:
            raise WrongSetting(str(wrong)) from None
        raise WrongSetting(f"FOOTFALL_GEOIP_DATABASE: {wrong}; it takes the path of an .mmdb file") from None


def _prepare(config: Config) -> None:
    """What comes before anything is opened."""
    warn(config)
    device.warm_up()  # half a second, for which the first request would block the event loop
    robot.warm_up()
    private_files.directory(config.data_dir)  # the control socket, the replica, the key


def _changing_lists(database: Database, hub: Hub) -> tuple[ChangingList, ...]:
    """What streams show of the database: the gauges on cards, and the open alerts."""
    kinds = (("gauges", readings.shown), ("alerts", alerts.live_of_sites))
    return tuple(ChangingList(kind, partial(read, database), hub.last_id, hub.slow_readers) for kind, read in kinds)


class Service:
    """The collector and the live state of one process, over one database. `close` commits what is queued."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._clock = clock
        self._stopping = threading.Event()
        _prepare(config)
        self.secret = secret_of(config)
        storage = AnswerStorage(config, self.secret)
        self._watches = self._watches_of(config)
        self.places = places_of(config)
        self.database = Database(config)
        # a thread refreshes these: a database that hangs must not block the event loop
        self.sites = Directory(self.database)
        self.keys = KeyRing(self.database)
        self.embeds = EmbedRing(self.database)
        self.salts = SaltStore(self.database, self.secret, SALTS_S)
        self.today = Today(self.database)
        self.hub = Hub(self.database, config.active_window_s, clock)
        self._refresh_lock = threading.Lock()
        self._hung = False
        self.columnar = Columnar(self.database, config)
        self.answers = AnswerCache(storage, self.columnar.version)
        self.history = MinuteHistory(self.database, config.active_window_s)
        self.backend = Backend(self.columnar.rows, self._minutes, self.answers.keep)
        self.sparklines = Sparklines(self.database, config.active_window_s, int(clock()))
        self.counts, self.load, self.newest_samples = Counts(), SystemLoad(), NewestSamples()
        known = self.sites, self.hub, self.backend, clock, self.measured, self.newest_samples
        self.notifying = Notifying(config, self.database, *known)
        self.changing = _changing_lists(self.database, self.hub)
        self._add_shipped_rules()
        self.refresh_sites()
        self.writer = Writer(
            self.database,
            self.today.take,
            self.hub.publish,
            on_late=self._forget_minutes,
            within=self.notifying.within,
            clock=clock,
        )
        self.newest_samples.restore(self.database, [site.id for site in self.sites.all()], int(clock()))
        self.samples = SampleWriter(self.database, self.newest_samples.take, clock)
        self.spammers = open_spammers(config.spam_referrers)
        self.kit = Kit(self.sites, self.salts, self.places, Rate(config.collect_rate), self.secret, self.spammers)
        self.proxies = Proxies(config.trusted_proxies)
        self.collector = Collector(self.kit, self.keys, self.writer, self.proxies, clock)
        self.watching = Watching(self.database, self.writer, self.pause, clock, config.allowed_targets)
        self.demo_traffic = DemoTraffic(self.database, self.kit, self.writer, self.refresh, self.today.forget)
        self._threads = [self._repeat(work, seconds) for work, seconds in self._repeated()]

    def _repeated(self) -> list[tuple[Callable[[], None], float]]:
        """What threads of the service do as long as it lives, and after how many seconds again.

        Each has a thread of its own, so that what is slow or fails delays nothing else.
        """
        return [
            (self.refresh, EMBEDDED_REFRESH_S if self.database.embedded else REFRESH_S),
            (self._tidy, TIDY_S),
            (self._prune_notices, TIDY_S),
            (self._note, NOTE_S),
            (self._restore, RESTORE_S),
            (self._do_the_day, DAILY_CHECK_S),
            (self._follow, FOLLOW_S),
            (self._look_at_files, FILE_CHECK_S),
            (self.notifying.evaluate_live, LIVE_S),
            (self.notifying.evaluate_historical, HISTORICAL_S),
            (self._probe, PROBE_S),
            (self._watch, WATCH_S),
            (self._follow_tables, TABLES_S),
            *((each.send_changed, CHANGING_S) for each in self.changing),
        ]

    def routes(self, person_of: PersonOf) -> Routes:
        """The public routes. `person_of` finds the sender by the headers."""
        context = Context(
            self.writer,
            self.hub,
            self.notifying.bells,
            self.changing,
            self.history,
            self.sites,
            self.keys,
            self.embeds,
            self.database,
            Statistics(self.sites, self.keys, self.hub, self.backend, self._clock),
            person_of,
            self._clock,
            lambda: self.columnar.state.behind_s,
            self.answers,
            self.notifying.outside,
            self.notifying.totals,
            self.refresh,
            lambda: self.watching.watches,
            self.samples,
            counts=self.counts,
            load=self.load,
            beat_s=self.config.heartbeat_interval_s,
            base_path=self.config.base_path,
            ending=self._stopping.is_set,
        )
        security_headers = HTTPS_SECURITY_HEADERS if self.config.has_https_host else SECURITY_HEADERS
        return Routes(context, self.collector, security_headers, self.config.public)

    def measured(self) -> dict[str, float]:
        """What this process has to do now, by the names of the metrics of rules."""
        return self.load.measured(self.counts, self.writer.waiting, self._clock())

    def _minutes(self, site_id: int, span: Span) -> Minutes:
        return self.history.minutes(site_id, span, int(self._clock()), MINUTES_TIMEOUT_S)

    def refresh(self) -> None:
        """Reads sites, keys, embeds and rules again, so that changes take effect."""
        self.refresh_sites()
        self.keys.refresh()
        self.embeds.refresh()
        self.notifying.rules.refresh()

    def refresh_sites(self) -> None:
        """Reads the sites again. The streams of removed sites end; new sites get their counters, salts and rules."""
        with self._refresh_lock:  # a stale list must not end the streams of a new site
            self.refresh_settings()
            self.hub.close_removed({site.id for site in self.sites.all()})
        try:
            self.salts.prepare(self.sites.all(), int(self._clock()))
        except SQLAlchemyError as failed:
            log.warning("salts cannot be made: %s", describe(failed))  # reading works without them

    def refresh_settings(self) -> None:
        """Reads the sites again after their settings were changed; in another time zone another day begins.

        The answers about removed sites are dropped.
        """
        before = {site.id for site in self.sites.all()}
        self.sites.refresh()
        known = {site.id for site in self.sites.all()}
        if before - known:
            self.answers.clear()
        if known - before:
            self._add_shipped_rules()
        self.today.prepare(self.sites.all(), int(self._clock()))

    def _add_shipped_rules(self) -> None:
        try:
            self.notifying.add_shipped_rules()
        except SQLAlchemyError as failed:
            log.warning("new sites have no rules yet: %s", describe(failed))  # pages and collecting work without them

    def _forget_minutes(self, stored: list[Stored]) -> None:
        """Discards the counts of minutes with late beats, so that they are counted again."""
        now = int(self._clock())
        for beat, _, _ in stored:
            if beat.at <= now - SETTLED_S:
                self.history.forget(beat.site_id, beat.at)
                self.sparklines.forget(beat.site_id, beat.at, now)

    def pause(self, seconds: float) -> bool:
        """Waits that long; returns True, at once, if the service ends: long work then has to stop."""
        return self._stopping.wait(seconds)

    def _do_the_day(self) -> None:
        days, sample_days = self.config.heartbeat_retention_days, self.config.sample_retention_days
        window_s, now = self.config.active_window_s, int(self._clock())
        work = daily.Work(self.database, now, days, self.pause, lambda _: None, window_s, sample_days)
        for line in daily.run_if_due(work):
            log.info("%s", line)

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

    def _follow_tables(self) -> None:
        self.watching.refresh()

    def _watches_of(self, config: Config) -> list[FileWatch]:
        """A watch for each file that a setting names and the server reads again after a change."""
        files = (
            ("FOOTFALL_GEOIP_DATABASE", config.geoip_database, self._read_places),
            ("FOOTFALL_SPAM_REFERRERS", config.spam_referrers, self._read_spammers),
        )
        return [FileWatch(setting, path, read) for setting, path, read in files if path]

    def _read_places(self) -> None:
        self.places.reload()

    def _read_spammers(self) -> None:
        assert self.config.spam_referrers
        self.spammers.set_hosts(read_hosts(self.config.spam_referrers))

    def _look_at_files(self) -> None:
        for watch in self._watches:
            watch.check()

    def _probe(self) -> None:
        with suppress(SQLAlchemyError):  # `availability` records it
            self.database.probe()

    def _watch(self) -> None:
        """Logs that the database hangs, and ends the queries that wait for it."""
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

    def _repeat(self, work: Callable[[], None], seconds: float) -> threading.Thread:
        name = f"footfall-{work.__name__.strip('_')}"
        thread = threading.Thread(target=self._run_every, args=(work, seconds), name=name, daemon=True)
        thread.start()
        return thread

    def _run_every(self, work: Callable[[], None], seconds: float) -> None:
        wait_s = seconds
        while not self._stopping.wait(wait_s):
            began = time.monotonic()
            try:
                work()
            except Exception as failed:
                log.warning("%s has to wait: %s", work.__name__, describe(failed))
            wait_s = rest_s(seconds, time.monotonic() - began)

    def _tidy(self) -> None:
        self.salts.destroy_old(self.sites.all(), int(self._clock()))
        self.database.renew_lease()
        self.hub.discard_idle()
        self.newest_samples.prune(int(self._clock()))
        changes.prune(self.database, self.pause)

    def _prune_notices(self) -> None:
        self.notifying.prune(self.pause)

    def drain(self) -> None:
        """Ends demo traffic, refuses new events, commits queued ones, ends the streams. May be called twice."""
        self._stopping.set()
        self.demo_traffic.stop()
        self.writer.stop()
        self.samples.stop()
        self.notifying.stop()
        self.hub.close()

    def close(self) -> None:
        """Drains, and closes the database."""
        self.drain()
        for thread in self._threads:
            thread.join(2)
        self.notifying.close()
        self.watching.join(2)
        self.columnar.close()
        self.database.close()
        self.places.close()

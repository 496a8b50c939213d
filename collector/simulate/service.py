"""Demo traffic in a running server: starts it, stops it, and removes it with its site."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from analytics.access.api_keys import Key
from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput, message
from analytics.sites import store
from analytics.sites.site import Site
from analytics.storage.database import Database
from collector.doors.collect import Collector
from collector.doors.table import COLLECT
from collector.http.messages import Request
from collector.http.proxies import Proxies
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate
from collector.simulate import demo_days, demo_rules
from collector.simulate.client import BatchResult, EventBody, RefusedError, read_answer
from collector.simulate.demo import simulate
from collector.simulate.demo_days import DemoSite
from collector.simulate.people import DEMO_DOMAIN
from collector.simulate.traffic import SimulatedTraffic, make_traffic
from collector.store.writer import Writer

log = logging.getLogger("footfall.crowd")

STOP_S = 5.0  # for sending the leaves of open pages
COMMIT_S = 15.0  # to wait for a commit
HEADERS = {"content-type": "application/json", "authorization": "Bearer the crowd's"}


class DemoTraffic:
    """Simulated visitors on the site `DEMO_DOMAIN`, which no real site shares. They end with the process.

    Their events go through the collector like all others, but over no connection, and with a key that is in no table.
    """

    def __init__(
        self,
        database: Database,
        kit: Kit,
        writer: Writer,
        refresh: Callable[[], None],
        forget_today: Callable[[int], None],
    ) -> None:
        """`refresh` reloads the sites in memory; `forget_today` has a site's day counted from the tables again."""
        self._database = database
        self._forget_today = forget_today
        self._refresh = refresh
        self._kit = replace(kit, rate=Rate(0))
        self._writer = writer
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []  # the first sends the present

    @property
    def is_running(self) -> bool:
        """Whether demo traffic is sent."""
        return bool(self._threads) and self._threads[0].is_alive()

    def start(self, *, now: int) -> Site:
        """Starts demo traffic, if it is not running. Adds the demo site if it is missing, then with its past.

        Raises `InvalidInput` if a real site has that domain.
        """
        with self._lock:
            existing = self._site()
            if existing is not None and not existing.demo:
                raise InvalidInput(message("{site} is a site of your own here; remove it first", site=DEMO_DOMAIN))
            site = existing or store.add(self._database, DEMO_DOMAIN, "Demo", now=now, demo=True)
            if not self.is_running:
                self._send(site, make_traffic(secrets.randbits(32), now), with_past=existing is None)
        return site

    def _send(self, site: Site, traffic: SimulatedTraffic, *, with_past: bool) -> None:
        """Starts the threads that send the present and, for a new site, write the days before today."""
        place = DemoSite(self._database, site.id, self._kit.places)
        self._end = threading.Event()
        if with_past:
            demo_rules.add(self._database, site.id, now=traffic.now)
            demo_days.write_today(place, traffic, self._kit.salts.of(site, traffic.now).today)
            self._forget_today(site.id)  # another refresh may have had it counted while it was written
        self._refresh()
        post = _Post(site, self._kit, self._writer)
        self._threads = [_thread(lambda: simulate(traffic, post, self._end.is_set))]
        if with_past:
            self._threads.append(_thread(lambda: demo_days.write_days(place, traffic, self._end.wait)))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stops demo traffic and waits until the open pages have left."""
        with self._lock:
            self._stop()

    def remove(self) -> None:
        """Stops demo traffic and removes the demo site with all its data, if there is one."""
        with self._lock:
            self._stop()
            self._writer.settle(COMMIT_S)
            if (site := self._site()) and site.demo:
                store.remove(self._database, site.domain)
                self._refresh()

    def _stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(STOP_S)

    def _site(self) -> Site | None:
        return next((one for one in store.all_sites(self._database) if one.domain == DEMO_DOMAIN), None)


class _DemoKeys:
    """The keys of demo traffic: any text is an `ingest` key for the demo site only."""

    def __init__(self, site: Site) -> None:
        self._key = Key(0, "the crowd", "ingest", site.id)

    def find(self, _plain: str) -> Key:
        return self._key


class _Post:
    """Passes events to the collector, as `Sender` posts them to a server."""

    def __init__(self, site: Site, kit: Kit, writer: Writer) -> None:
        self._site = site
        self._sites = kit.sites
        self._collector = Collector(kit, _DemoKeys(site), writer, Proxies(()))

    def __call__(self, events: list[EventBody]) -> BatchResult:
        current = self._sites.get(self._site.domain)
        if current is None or current.id != self._site.id:
            raise RefusedError("the demo site was removed")
        request = Request("POST", "/api/collect", "", HEADERS, "127.0.0.1", json.dumps(events).encode())
        answer = self._collector.collect(request, COLLECT, COMMIT_S)
        return read_answer(answer.status, dict(answer.headers), answer.body, len(events))


def _thread(work: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=_run, args=(work,), name="footfall-demo", daemon=True)


def _run(work: Callable[[], None]) -> None:
    try:
        work()
    except RefusedError as refused:
        log.warning("the demo's visitors are gone: %s", refused)
    except Exception as failed:
        log.error("the demo's visitors are gone: %s", describe(failed))

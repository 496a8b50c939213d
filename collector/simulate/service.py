"""The crowd on the demo site of a running server: lets the demo's visitors come, go, and leave nothing behind."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from analytics.access.api_keys import Key
from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.sites.site import Site
from analytics.storage.database import Database
from collector.doors.collect import Collector
from collector.doors.table import COLLECT
from collector.http.messages import Request
from collector.http.proxies import Proxies
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate
from collector.simulate import demo_days
from collector.simulate.client import Body, Outcome, RefusedError, read_answer
from collector.simulate.demo import Days, walk
from collector.simulate.people import DEMO_DOMAIN
from collector.store.writer import Writer

log = logging.getLogger("footfall.crowd")

LEAVING_S = 5.0  # how long they may take to say that they leave
PATIENCE_S = 15.0  # for a commit
PACE = 2_000.0  # events a second while the past is told (10 s in all): real visitors are stored beside it
HEADERS = {"content-type": "application/json", "authorization": "Bearer the crowd's"}


class Crowd:
    """Made-up visitors on `DEMO_DOMAIN`, a site of its own beside the real ones. They end with the process.

    What they do goes the way of every event from the collector on, but over no connection and with a key that is in
    no table.
    """

    def __init__(self, database: Database, kit: Kit, writer: Writer, renew: Callable[[], None]) -> None:
        """`renew` lets the sites in memory be read anew."""
        self._database = database
        self._renew = renew
        self._kit = replace(kit, rate=Rate(0))
        self._writer = writer
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_here(self) -> bool:
        """Whether they walk on the site."""
        return self._thread is not None and self._thread.is_alive()

    def come(self, *, now: int) -> Site:
        """Lets them come to the demo site, which is made where it is missing; its past comes with it.

        `InvalidInput` where somebody has a site of that name.
        """
        with self._lock:
            known = self._site()
            if known is not None and not known.demo:
                raise InvalidInput(f"{DEMO_DOMAIN} is a site of your own here; remove it first")
            site = known or store.add(self._database, DEMO_DOMAIN, "Demo", now=now, demo=True)
            self._renew()
            if not self.is_here:
                self._end = threading.Event()
                days = partial(demo_days.write, self._database, site.id, self._kit.places, now=now)
                args = (_Post(site, self._kit, self._writer), self._end, days if known is None else None)
                self._thread = threading.Thread(target=_walk, args=args, name="footfall-crowd", daemon=True)
                self._thread.start()
        return site

    def go(self) -> None:
        """Lets them leave, and waits until the last one has."""
        with self._lock:
            self._leave()

    def vanish(self) -> None:
        """Lets them leave, and removes the demo site with everything that was stored for it; nothing where none is."""
        with self._lock:
            self._leave()
            self._writer.settle(PATIENCE_S)
            if (site := self._site()) and site.demo:
                store.remove(self._database, site.domain)
                self._renew()

    def _leave(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(LEAVING_S)

    def _site(self) -> Site | None:
        return next((one for one in store.all_sites(self._database) if one.domain == DEMO_DOMAIN), None)


class _Pass:
    """The crowd's key: whatever is shown, it is good for sending to that site alone."""

    def __init__(self, site: Site) -> None:
        self._key = Key(0, "the crowd", "ingest", site.id)

    def find(self, _plain: str) -> Key:
        return self._key


class _Post:
    """Hands events to the collector, as `Sender` posts them to a server."""

    def __init__(self, site: Site, kit: Kit, writer: Writer) -> None:
        self._site = site
        self._sites = kit.sites
        self._collector = Collector(kit, _Pass(site), writer, Proxies(()))

    def __call__(self, events: list[Body]) -> Outcome:
        known = self._sites.get(self._site.domain)
        if known is None or known.id != self._site.id:
            raise RefusedError("the demo site was removed")
        request = Request("POST", "/api/collect", "", HEADERS, "127.0.0.1", json.dumps(events).encode())
        answer = self._collector.collect(request, COLLECT, PATIENCE_S)
        return read_answer(answer.status, dict(answer.headers), answer.body, len(events))


def _walk(post: _Post, end: threading.Event, days: Days | None) -> None:
    try:
        walk(post, end.is_set, days, pace=PACE)
    except RefusedError as refused:
        log.warning("the demo's visitors are gone: %s", refused)
    except Exception as failed:
        log.error("the demo's visitors are gone: %s", describe(failed))

"""Changes of watched tables on their way to the writer: a thread for each database that is followed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from analytics.activity import watches
from analytics.activity.change import ChangeEvent
from analytics.activity.follow import Delivered, Follower
from analytics.activity.watch import Watch
from analytics.base.addresses import Network
from analytics.base.background import Pause
from analytics.storage.database import Database
from collector.ingest.change import accepted_change
from collector.ingest.outcomes import Duplicate, Outcome, Shed, Stored
from collector.store.writer import QueuedRequest, Writer

log = logging.getLogger("footfall.watch")

PATIENCE_S = 30.0  # for the commit; the changes are delivered again after it
RETRY_S = 1.0


class _Followed(NamedTuple):
    """A database that a thread follows; a guarded one only where it is allowed to be."""

    url: str
    guarded: bool


class Watching:
    """Follows the watches in the database. `refresh` reads them again; the threads end when `pause` says so.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        pause: Pause,
        clock: Callable[[], float] = time.time,
        allowed: Sequence[Network] = (),
    ) -> None:
        self._allowed = allowed
        self._database = database
        self._writer = writer
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted: dict[_Followed, list[Watch]] = {}
        self._threads: dict[_Followed, threading.Thread] = {}

    @property
    def watches(self) -> list[Watch]:
        """The watches that are followed, as `refresh` read them."""
        return [one for found in self._wanted.values() for one in found]

    def refresh(self) -> None:
        """Reads the watches, and begins to follow databases that are new. Ends following those that are not wanted.

        Serialised, so that a slow read cannot overwrite a newer one, and a database has one follower.
        """
        with self._lock:
            wanted: dict[_Followed, list[Watch]] = {}
            for one in watches.enabled(self._database):
                wanted.setdefault(_Followed(one.source, one.guarded), []).append(one)
            self._wanted = wanted
            for source in wanted:
                thread = self._threads.get(source)
                if thread is None or not thread.is_alive():
                    self._threads[source] = self._follow(source)
            for source in self._threads.keys() - wanted.keys():
                if not self._threads[source].is_alive():
                    del self._threads[source]

    def _follow(self, source: _Followed) -> threading.Thread:
        follower = Follower(
            self._database,
            source.url,
            lambda: self._wanted.get(source, ()),
            self.deliver,
            self._pause,
            self._clock,
            self._allowed if source.guarded else None,
        )
        thread = threading.Thread(target=follower.run, name="footfall-follow-table", daemon=True)
        thread.start()
        return thread

    def deliver(self, events: Sequence[ChangeEvent]) -> list[Delivered]:
        """Stores the events in one transaction, and returns what became of each."""
        now_ms = int(self._clock() * 1000)
        done, outcomes = threading.Event(), list[Outcome]()

        def take(found: list[Outcome]) -> None:
            outcomes.extend(found)
            done.set()

        self._writer.submit([QueuedRequest([accepted_change(one, now_ms) for one in events], take)])
        if not done.wait(PATIENCE_S):
            return [Delivered.LATER] * len(events)
        if any(isinstance(one, Shed) for one in outcomes):
            self._pause(RETRY_S)
        return list(map(_delivered, outcomes))

    def join(self, timeout_s: float) -> None:
        """Waits for the threads, which end soon after `pause` says so."""
        for thread in list(self._threads.values()):
            thread.join(timeout_s)


def _delivered(outcome: Outcome) -> Delivered:
    match outcome:
        case Stored():
            return Delivered.STORED
        case Duplicate():
            return Delivered.DUPLICATE
        case Shed():
            return Delivered.LATER
        case _:
            return Delivered.REFUSED

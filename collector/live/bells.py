"""The streams of notifications: one for each browser, with those of all sites that its person may see."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from analytics.base.error_log import describe
from analytics.notify.notification import Notification, as_json
from analytics.notify.rule import Priority
from collector.live.hub import MAX_SILENCE_S, MIN_FRAME_INTERVAL_S, Subscription, body, message, with_id
from collector.live.slow_readers import SlowReaders

MAX_PENDING = 50  # of one frame: the most urgent that its reader sees; the bell's count is read from the database
MAX_RECENT = 200  # of all sites: published while a reader was looked up in the database

ORDER = [*map(str, Priority)]

log = logging.getLogger("footfall.bells")

Sees = Callable[[Notification], bool]
ByReaders = dict[tuple[int, str], dict[int, Notification]]
"""Notifications by those who may see them, which are a site and an audience, and by id."""


class _Listener(NamedTuple):
    """A subscriber. `id_of` gives the id of a message: by it the stream resumes. `is_alone`: the stream has nothing
    but notifications.
    """

    sees: Sees
    id_of: Callable[[Notification], str]
    is_alone: bool


class Bells:
    """The subscribers of notifications in this process. Thread-safe; close it at the end.

    `domain_of` gives the domain of a site's id; "" for one that is removed, whose notifications are not sent. `clock`
    returns epoch seconds: each message says in `sent_at` when it was sent, since a reader's clock may be wrong.
    """

    def __init__(self, domain_of: Callable[[int], str], clock: Callable[[], float] = time.time) -> None:
        self._domain_of = domain_of
        self._clock = clock
        self._lock = threading.Condition()
        self._listeners: dict[Subscription, _Listener] = {}
        self._pending: ByReaders = {}
        self._recent: dict[int, Notification] = {}  # by id, in the order in which they were published
        self._spoken_at = 0.0
        self._closing = False
        self.slow_readers = SlowReaders()
        self._thread = threading.Thread(target=self._run, name="footfall-bells", daemon=True)
        self._thread.start()

    def publish(self, changed: Iterable[Notification]) -> None:
        """Sends new and changed notifications: at once, or with the next of five frames a second."""
        with self._lock:
            for one in changed:
                _push(self._recent, one, MAX_RECENT)
                if self._listeners:
                    _push_urgent(self._pending.setdefault(_readers(one), {}), one, MAX_PENDING)
            self._lock.notify()

    def subscribe(
        self, sees: Sees, wake: Callable[[], None], last_id: int, missed: Sequence[Notification]
    ) -> Subscription:
        """A stream of its own. It begins with `connected`, with `last_id`, after which come the `missed` ones, oldest
        first, as far as its reader sees them. Those that were published since `missed` was read come too.
        """
        subscription = Subscription(0, wake)
        listener = _Listener(sees, lambda one: str(one.id), is_alone=True)
        connected = message(str(last_id), "connected", {})
        with self._lock:
            known = (*missed, *(one for one in self._recent.values() if one.id > last_id))
            first = _by_readers(one for one in known if not self._is_pending(one))
            subscription.offer(b"retry: 2000\n\n" + connected + self._frame(listener, first, self._body))
            self._listeners[subscription] = listener
        return subscription

    def _is_pending(self, one: Notification) -> bool:
        """Whether the next frame has it."""
        return one.id in self._pending.get(_readers(one), {})

    def listen(self, subscription: Subscription, sees: Sees, id_of: Callable[[Notification], str]) -> None:
        """Adds notifications to a stream that carries other messages too."""
        with self._lock:
            self._listeners[subscription] = _Listener(sees, id_of, is_alone=False)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends a subscription."""
        subscription.closed = True
        with self._lock:
            self._listeners.pop(subscription, None)

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                self._lock.wait_for(lambda: self._pending or self._closing, timeout=MAX_SILENCE_S)
                pending, self._pending = self._pending, {}
                listeners = dict(self._listeners)
            try:
                self._send(listeners, pending)
            except Exception as failed:
                log.error("notifications could not be sent to the dashboards: %s", describe(failed))
            time.sleep(MIN_FRAME_INTERVAL_S)

    def _send(self, listeners: Mapping[Subscription, _Listener], pending: ByReaders) -> None:
        is_silent = time.monotonic() - self._spoken_at >= MAX_SILENCE_S
        if is_silent:
            self._spoken_at = time.monotonic()
        body_of = cache(self._body)  # encoded once for all streams
        for subscription, listener in listeners.items():
            frame = self._frame(listener, pending, body_of) or (b": still here\n\n" if is_silent else b"")
            if frame and not subscription.offer(frame):
                self.slow_readers.note()
            if subscription.closed:
                self.unsubscribe(subscription)

    def _frame(self, listener: _Listener, of: ByReaders, body_of: Callable[[Notification], bytes]) -> bytes:
        """The most urgent that its reader sees, oldest first; empty if there are none."""
        seen = (one for some in of.values() for one in some.values() if listener.sees(one))
        chosen = sorted(heapq.nlargest(MAX_PENDING, seen, _urgency), key=attrgetter("id"))
        return b"".join(with_id(listener.id_of(one), found) for one in chosen if (found := body_of(one)))

    def _body(self, one: Notification) -> bytes:
        """Without its id; empty if its site is removed."""
        domain = self._domain_of(one.site_id)
        return body("notification", as_json(one, domain) | {"sent_at": int(self._clock())}) if domain else b""

    @property
    def streams(self) -> int:
        """How many streams of notifications alone are open."""
        with self._lock:
            return sum(listener.is_alone for listener in self._listeners.values())

    def close(self) -> None:
        """Ends every stream and the thread."""
        with self._lock:
            self._closing = True
            for subscription in self._listeners:
                subscription.close()
            self._listeners.clear()
            self._lock.notify()
        self._thread.join(2)


def _readers(one: Notification) -> tuple[int, str]:
    return one.site_id, one.audience


def _push(into: dict[int, Notification], one: Notification, most: int) -> None:
    """Adds the notification, in place of what it was before; the first one goes when there are more than `most`."""
    into.pop(one.id, None)
    into[one.id] = one
    if len(into) > most:
        del into[next(iter(into))]


def _push_urgent(into: dict[int, Notification], one: Notification, most: int) -> None:
    """Adds the notification, in place of what it was before; of more than `most` the least urgent one goes."""
    into[one.id] = one
    if len(into) > most:
        del into[min(into.values(), key=_urgency).id]


def _urgency(one: Notification) -> tuple[int, int]:
    """Greater for the more urgent of two, and for the newer one of the same priority."""
    return ORDER.index(one.priority), one.id


def _by_readers(notifications: Iterable[Notification]) -> ByReaders:
    found: ByReaders = {}
    for one in notifications:
        found.setdefault(_readers(one), {})[one.id] = one
    return found

"""Lists of a site that any process may change, on the site's live streams: at the beginning, and after each change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collector.live.hub import Subscription, message
from collector.live.slow_readers import SlowReaders

ReadLists = Callable[[set[int]], Mapping[int, Sequence[Any]]]
"""The lists of the sites of these ids, by id; one that is empty may be left out."""


class ChangingList:
    """The streams of this process that get a list of their site. Thread-safe.

    `kind` is the type of the messages, `last_id` gives the id of a site's message, by which its stream resumes.
    """

    def __init__(self, kind: str, read: ReadLists, last_id: Callable[[int], str], slow_readers: SlowReaders) -> None:
        self._kind = kind
        self._read = read
        self._last_id = last_id
        self._slow_readers = slow_readers
        self._lock = threading.Lock()
        self._sent: dict[Subscription, Sequence[Any] | None] = {}

    def listen(self, subscription: Subscription) -> None:
        """Adds the list of its site to a stream; the first comes with the next `send_changed`, also an empty one."""
        with self._lock:
            self._sent[subscription] = None

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends what `listen` began."""
        with self._lock:
            self._sent.pop(subscription, None)

    def send_changed(self) -> None:
        """Sends its list to each stream that has not got it as it is now. One reading for all; none without streams.

        Errors of `read` pass through; then nothing is sent.
        """
        with self._lock:
            sent = dict(self._sent)
        found = self._read({one.site_id for one in sent}) if sent else {}
        for subscription, before in sent.items():
            now = found.get(subscription.site_id, ())
            if subscription.closed:
                self.unsubscribe(subscription)
            elif before is None or list(now) != list(before):
                self._offer(subscription, now)

    def _offer(self, subscription: Subscription, now: Sequence[Any]) -> None:
        if not subscription.offer(message(self._last_id(subscription.site_id), self._kind, now)):
            self._slow_readers.note()
        with self._lock:
            if subscription in self._sent:
                self._sent[subscription] = now

"""Live state, and who listens to it: after each commit the batch comes here and goes out to the subscribers."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from analytics.beat import Beat
from analytics.database import Database
from analytics.feed import FeedItem, recent
from analytics.live import LiveState
from analytics.presence import RECENT_S, Presence
from analytics.recall import last_beats
from collector.arrival import Stored

FRAME_S = 0.2  # at most five frames a second
QUIET_S = 10.0  # after so long without a frame one goes out all the same, and a comment at least that often
KEPT = 1000  # feed items of a site that a reconnecting subscriber can catch up on
A_FRAME = 25  # of more items in one frame (125 a second) the newest go out: nobody reads faster
KNOWN = 100  # items that a site starts with, and that a reader who comes back after a restart may have missed
RECENT_EVENTS = 20
LARGEST_BUFFER = 64 * 1024
TOP = 5

log = logging.getLogger("footfall.hub")

_encode = msgspec.json.Encoder().encode


def message(message_id: str, kind: str, data: Any) -> bytes:
    """One message of the stream (Server-Sent Events)."""
    return b"id: %b\ndata: %b\n\n" % (message_id.encode(), _encode({"type": kind, "data": data}))


class Subscription:
    """One open stream's buffer; `wake` is called from other threads when there is something to take.

    A reader that leaves more than 64 kB unread is dropped: `closed` turns true.
    """

    def __init__(self, site_id: int, wake: Callable[[], None]) -> None:
        self.site_id = site_id
        self.closed = False
        self._wake = wake
        self._frames: deque[bytes] = deque()
        self._size = 0

    def offer(self, frame: bytes) -> None:
        """Puts a frame into the buffer, or drops the subscriber."""
        if self._size + len(frame) > LARGEST_BUFFER and self._frames:
            self.close()
            return
        self._frames.append(frame)
        self._size += len(frame)
        self._wake()

    def take(self) -> bytes:
        """Everything that waits; empty when nothing does."""
        taken = []
        while self._frames:
            taken.append(self._frames.popleft())
        self._size = 0
        return b"".join(taken)

    def close(self) -> None:
        """Ends the stream."""
        self.closed = True
        self._frames.clear()
        self._wake()


class _Feed:
    """The newest items of one site, and how far they have gone out."""

    def __init__(self, items: Iterable[FeedItem]) -> None:
        self.items: deque[tuple[int, FeedItem]] = deque(enumerate(items), maxlen=KEPT)
        self.position = len(self.items)  # of the next item
        self.sent = self.position  # the first item that no frame has carried yet
        self.read = {item.id for _, item in self.items}  # from the database: their publication may still come

    def add(self, item: FeedItem) -> None:
        """The next item, unless it was read from the database."""
        if item.id not in self.read:
            self.items.append((self.position, item))
            self.position += 1

    @property
    def last_id(self) -> str:
        """The id of the newest item that has gone out."""
        return next((item.id for at, item in reversed(self.items) if at < self.sent), "0")

    def since(self, position: int) -> list[FeedItem]:
        """The items from that position on, oldest first; before the first one: all."""
        newest_first = itertools.takewhile(lambda entry: entry[0] >= position, reversed(self.items))
        return [item for _, item in newest_first][::-1]

    def position_after(self, item_id: str) -> int | None:
        """Where the item with that id stands, plus one; None when it is not here any more."""
        return next((at + 1 for at, item in reversed(self.items) if item.id == item_id), None)


class _Channel:
    """The live side of one site. Its feed is kept while somebody looks: of 1,000 sites hardly any is looked at."""

    def __init__(self, presence: Presence) -> None:
        self.presence = presence
        self.feed: _Feed | None = None
        self.looked_at = False  # since the last tidying
        self.subscriptions: set[Subscription] = set()
        self.stats: dict[str, Any] = {}
        self.changed = True
        self.sent_at = 0.0
        self.commented_at = 0.0

    def tidy(self) -> None:
        """Lets go of a feed that nobody has looked at for as long as tidying takes its turns."""
        if not self.looked_at and not self.subscriptions:
            self.feed = None
        self.looked_at = False


class Hub:
    """Presence, feed and subscribers of every site of this process. Safe for many threads; close it at the end."""

    def __init__(self, database: Database, window_s: int, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Condition(threading.RLock())
        self._channels: dict[int, _Channel] = {}
        self._watched: set[int] = set()  # the sites with subscriptions
        self._closing = False
        self._recall()
        self._thread = threading.Thread(target=self._run, name="footfall-hub", daemon=True)
        self._thread.start()

    def _recall(self) -> None:
        now = int(self._clock())
        for beat in last_beats(self._database, now - max(RECENT_S, self._window_s)):
            self._channel(beat.site_id).presence.take([beat], now)

    def _channel(self, site_id: int) -> _Channel:
        if site_id not in self._channels:
            self._channels[site_id] = _Channel(Presence(self._window_s))
        return self._channels[site_id]

    def _feed(self, site_id: int) -> _Feed:
        """The feed of a site, kept from now on."""
        channel = self._channel(site_id)
        channel.looked_at = True
        if channel.feed is None:
            channel.feed = _Feed(recent(self._database, site_id, KNOWN))
        return channel.feed

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def publish(self, stored: list[Stored]) -> None:
        """Takes a committed group; afterwards every question is answered with it."""
        now = int(self._clock())
        by_site: dict[int, list[Stored]] = {}
        for one in stored:
            by_site.setdefault(one.beat.site_id, []).append(one)
        with self._lock:
            for site_id, some in by_site.items():
                self._take(self._channel(site_id), some, now)
            if any(self._channels[site_id].subscriptions for site_id in by_site):
                self._lock.notify()

    def _take(self, channel: _Channel, stored: list[Stored], now: int) -> None:
        beats: list[Beat] = [one.beat for one in stored]
        channel.presence.take(beats, now)
        for one in stored:
            if channel.feed and one.feed and one.feed.timestamp > now - RECENT_S:
                channel.feed.add(one.feed)
        channel.changed = True

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

    def stats(self, site_id: int) -> dict[str, Any]:
        """What `/api/live` answers (contract §4), as of now."""
        now = int(self._clock())
        with self._lock:
            presence = self._channel(site_id).presence
            presence.expire(now)
            return {
                "active_sessions": presence.active,
                "authenticated_users": presence.signed_in,
                "anonymous_sessions": presence.active - presence.signed_in,
                "top_pages": [{"path": path, "count": people} for path, people in presence.top_pages(TOP)],
                "window_s": self._window_s,
                "as_of": now,
            }

    def state(self, site_id: int) -> LiveState:
        """Everything the Live page shows, as of now."""
        now = int(self._clock())
        with self._lock:
            presence = self._channel(site_id).presence
            presence.expire(now)
            return presence.state(now)

    def active(self, site_id: int) -> int:
        """How many people are active on a site now."""
        with self._lock:
            channel = self._channels.get(site_id)  # recall has made those of every site where somebody is
            if channel is None:
                return 0
            channel.presence.expire(int(self._clock()))
            return channel.presence.active

    def active_by_site(self) -> dict[int, int]:
        """How many people are active now, by site; sites where nobody was lately are left out."""
        now = int(self._clock())
        with self._lock:
            for channel in self._channels.values():
                channel.presence.expire(now)
            return {site_id: channel.presence.active for site_id, channel in self._channels.items()}

    def recent_items(self, site_id: int) -> list[FeedItem]:
        """The newest items of the feed, newest first, at most 20."""
        with self._lock:
            feed = self._feed(site_id)
            return feed.since(feed.position - RECENT_EVENTS)[::-1]

    @property
    def streams(self) -> int:
        """How many streams are open."""
        with self._lock:
            return sum(len(channel.subscriptions) for channel in self._channels.values())

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, site_id: int, wake: Callable[[], None], last_id: str = "") -> Subscription:
        """A new subscription whose buffer holds `connected`, what came after `last_id`, and `stats`."""
        subscription = Subscription(site_id, wake)
        with self._lock:
            channel, feed = self._channel(site_id), self._feed(site_id)
            channel.presence.expire(int(self._clock()))
            if not channel.subscriptions:
                feed.sent = feed.position  # nobody was listening: nothing of it is still to go out
            missed = self._missed(site_id, feed, last_id)
            # whoever breaks off after this message still comes back with what they had
            hello = message(last_id if missed else feed.last_id, "connected", _connected(channel.presence, feed))
            first = [b"retry: 2000\n\n", hello, *(message(item.id, "new_event", item) for item in missed)]
            first.append(message(feed.last_id, "stats", self.stats(site_id)))
            channel.subscriptions.add(subscription)
            self._watched.add(site_id)
        subscription.offer(b"".join(first))
        return subscription

    def _missed(self, site_id: int, feed: _Feed, last_id: str) -> list[FeedItem]:
        """What a reader who saw `last_id` has missed: from memory, else (after a restart) from the database."""
        if not last_id.isdecimal() or len(last_id) > 19 or int(last_id) >= 1 << 63:
            return []
        position = feed.position_after(last_id)
        if position is None:
            waiting = {item.id for item in feed.since(feed.sent)}  # the next frame brings them
            missed = recent(self._database, site_id, KEPT, after=int(last_id))
            return [item for item in missed if item.id not in waiting]
        return feed.since(position)[: max(0, feed.sent - position)]

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forgets a subscription that has ended."""
        subscription.closed = True
        with self._lock:
            if channel := self._channels.get(subscription.site_id):
                channel.subscriptions.discard(subscription)

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                try:
                    due = self._send_due()
                except Exception:
                    log.exception("a frame could not be made")
                    due = 1.0
                self._lock.wait(due)

    def _send_due(self) -> float:
        """Sends what is due and says in how many seconds to look again."""
        now, soonest = time.monotonic(), 1.0
        for site_id in list(self._watched):
            channel = self._channel(site_id)
            if not channel.subscriptions:
                self._watched.discard(site_id)
                continue
            rest = channel.sent_at + FRAME_S - now
            if rest > 0:
                soonest = min(soonest, rest if channel.changed else 1.0)
            else:
                self._send(site_id, channel, now)
        return soonest

    def _send(self, site_id: int, channel: _Channel, now: float) -> None:
        frame, feed = [], self._feed(site_id)
        if feed.position > feed.sent:
            frame += [message(item.id, "new_event", item) for item in feed.since(feed.sent)[-A_FRAME:]]
            feed.sent = feed.position
        stats = self.stats(site_id)
        quiet = now - channel.sent_at >= QUIET_S
        if quiet or {**stats, "as_of": 0} != {**channel.stats, "as_of": 0}:
            frame.append(message(feed.last_id, "stats", stats))
            channel.stats = stats
        channel.changed = False
        if not frame:
            return
        if now - channel.commented_at >= QUIET_S:
            frame.insert(0, b": still here\n\n")
            channel.commented_at = now
        channel.sent_at = now
        whole = b"".join(frame)
        for subscription in list(channel.subscriptions):
            subscription.offer(whole)
            if subscription.closed:
                channel.subscriptions.discard(subscription)

    def tidy(self, sites: set[int]) -> None:
        """Lets go of whoever has left, and of sites that are quiet or gone."""
        now = int(self._clock())
        with self._lock:
            for site_id, channel in list(self._channels.items()):
                channel.presence.expire(now)
                channel.tidy()
                if site_id not in sites or (channel.presence.empty and not channel.subscriptions):
                    for subscription in channel.subscriptions:
                        subscription.close()
                    del self._channels[site_id]

    def close(self) -> None:
        """Ends every stream."""
        with self._lock:
            self._closing = True
            for channel in self._channels.values():
                for subscription in channel.subscriptions:
                    subscription.close()
                channel.subscriptions.clear()
            self._lock.notify()
        self._thread.join(2)


def _connected(presence: Presence, feed: _Feed) -> dict[str, Any]:
    return {
        "currentVisitors": presence.recent_visits,
        "uniqueVisitors": presence.recent_people,
        "recentEvents": feed.since(feed.sent - RECENT_EVENTS)[:RECENT_EVENTS][::-1],
        "activePages": [{"path": path, "count": people} for path, people in presence.top_pages(TOP)],
    }

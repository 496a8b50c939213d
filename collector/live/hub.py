"""The hub: after each commit it receives the batch, updates the live state and sends frames to the subscribers."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import msgspec

from analytics.base.error_log import describe
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem, is_of_row, recent
from analytics.live.presence import RECENT_S
from analytics.live.restore import last_beats
from analytics.live.state import LiveState
from analytics.storage.database import Database
from collector.ingest.outcomes import Stored
from collector.live.channel import MAX_ITEMS, Channel, is_row_id
from collector.live.slow_readers import SlowReaders

MIN_FRAME_INTERVAL_S = 0.2  # at most five frames a second
MAX_SILENCE_S = 10.0  # without changes a frame is sent after that time; a comment at least as often
MAX_FRAME_ITEMS = 25  # the newest ones; more than 125 a second are unreadable
INITIAL_ITEMS = 100  # of a new feed, for subscribers that reconnect after a restart
MAX_RECENT_ITEMS = 20
MAX_BUFFER_BYTES = 64 * 1024
TOO_SLOW = b": too slow: what was sent is not read; come back with Last-Event-ID\n\n"  # the end of such a stream
MAX_TOP_PAGES = 5

log = logging.getLogger("footfall.hub")

_encode = msgspec.json.Encoder().encode

Restored = tuple[list[Beat], list[FeedItem]]  # read from the database: the last beats of a site, its newest feed items


def message(message_id: str, kind: str, data: Any) -> bytes:
    """One message of the stream (Server-Sent Events)."""
    return with_id(message_id, body(kind, data))


def body(kind: str, data: Any) -> bytes:
    """A message without its id, which may differ from stream to stream."""
    return b"data: %b\n\n" % _encode({"type": kind, "data": data})


def with_id(message_id: str, of: bytes) -> bytes:
    """The message with that body."""
    return b"id: %b\n%b" % (message_id.encode(), of)


def _new_events(items: Iterable[FeedItem], *, sees_rows: bool) -> list[bytes]:
    return [message(item.id, "new_event", item) for item in items if sees_rows or not is_of_row(item)]


class Subscription:
    """The buffer of one open stream. It calls `wake`, from other threads, when it has frames.

    A subscriber that leaves more than 64 KiB unread is dropped: `closed` becomes true, and a comment is the last that
    it gets. `sees_rows`: whether it gets changes of rows in watched tables.
    """

    def __init__(self, site_id: int, wake: Callable[[], None], *, sees_rows: bool = True) -> None:
        self.site_id = site_id
        self.sees_rows = sees_rows
        self.closed = False
        self._wake = wake
        self._frames: deque[bytes] = deque()
        self._size = 0

    def offer(self, frame: bytes) -> bool:
        """Adds a frame to the buffer, if the stream has not ended. False if it is full: the subscriber is dropped."""
        has_room = self.closed or not self._frames or self._size + len(frame) <= MAX_BUFFER_BYTES
        if not has_room:
            self._frames, self.closed = deque([TOO_SLOW]), True
        elif not self.closed:
            self._frames.append(frame)
            self._size += len(frame)
        self._wake()
        return has_room

    def take(self) -> bytes:
        """Removes and returns everything that is buffered; empty if nothing is."""
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


class Hub:
    """The live state and the subscribers of every site in this process. Thread-safe; close it at the end."""

    def __init__(self, database: Database, window_s: int, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Condition(threading.RLock())
        self._channels: dict[int, Channel] = {}
        self._watched: set[int] = set()  # sites with subscribers
        self._closing = False
        self.slow_readers = SlowReaders()
        self._restore_presence()
        self._thread = threading.Thread(target=self._run, name="footfall-hub", daemon=True)
        self._thread.start()

    def _restore_presence(self) -> None:
        now = int(self._clock())
        for beat in last_beats(self._database, self._oldest(now)):
            self._channel(beat.site_id).presence.take([beat], now)

    def _oldest(self, now: int) -> int:
        return now - max(RECENT_S, self._window_s)

    def _channel(self, site_id: int) -> Channel:
        if site_id not in self._channels:
            self._channels[site_id] = Channel(self._window_s)
        return self._channels[site_id]

    # ── publishing ───────────────────────────────────────────────────────────────────────────────────────────────

    def publish(self, stored: list[Stored]) -> None:
        """Applies a committed batch to the live state.

        If that fails for a site, its live state is discarded and read from the database at the next request.
        """
        now = int(self._clock())
        by_site: dict[int, list[Stored]] = {}
        for one in stored:
            by_site.setdefault(one.beat.site_id, []).append(one)
        with self._lock:
            for site_id, site_stored in by_site.items():
                try:
                    self._apply(self._channel(site_id), site_stored, now)
                except Exception as failed:
                    log.error("the live state of site %d is discarded and read again: %s", site_id, describe(failed))
                    self._discard(site_id)
            if any(self._channels[site_id].subscribers for site_id in by_site):
                self._lock.notify()

    def _apply(self, channel: Channel, stored: list[Stored], now: int) -> None:
        if not channel.presence_lost:  # else the next request reads it from the database
            channel.presence.take([one.beat for one in stored], now)
        if channel.late is not None:
            channel.late += stored
            return
        for one in stored if channel.has_feed else ():
            if one.feed and one.feed.timestamp > now - RECENT_S:
                channel.add(one.feed)
            if one.retitled:
                channel.retitle(*one.retitled)
        channel.changed = True

    @contextmanager
    def _filled_channel(self, site_id: int, *, feed: bool = True) -> Iterator[Channel]:
        """The site's channel, locked. What it needs from the database is read before, without the lock."""
        while True:
            with self._lock:
                channel = self._channel(site_id)
                channel.requested = channel.requested or feed
                if not channel.presence_lost and (channel.has_feed or not feed):
                    yield channel
                    return
            self._fill_from_database(site_id, channel)

    def _fill_from_database(self, site_id: int, channel: Channel) -> None:
        """Fills the channel from the database; batches that are committed meanwhile are neither missed nor doubled.

        A batch is committed before it is published: what the queries do not see arrives in `late`, and what they see
        may arrive there too. Applying a beat twice changes nothing, and feed items are compared by id.
        """
        with channel.fill_lock:
            if channel.has_feed:
                return
            with self._lock:
                channel.late = []
            now = int(self._clock())
            restored: Restored | None = None
            try:
                beats = last_beats(self._database, self._oldest(now), site_id) if channel.presence_lost else []
                restored = beats, recent(self._database, site_id, INITIAL_ITEMS)
            finally:
                with self._lock:
                    self._apply_fill(site_id, channel, restored, now)

    def _apply_fill(self, site_id: int, channel: Channel, restored: Restored | None, now: int) -> None:
        late, channel.late = channel.late or [], None
        try:
            if restored is not None:
                beats, items = restored
                channel.presence.take(beats, now)
                channel.start_feed(items, is_whole=len(items) < INITIAL_ITEMS)
                channel.has_feed, channel.presence_lost = True, False
            self._apply(channel, late, now)
        except Exception:
            self._discard(site_id)
            raise

    def _discard(self, site_id: int) -> None:
        if channel := self._channels.get(site_id):
            channel.close_subscribers()
        self._channels[site_id] = Channel(self._window_s, presence_lost=True)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def stats(self, site_id: int) -> dict[str, Any]:
        """The body of `/api/live` (contract §4), as of now."""
        with self._filled_channel(site_id, feed=False) as channel:
            return self._stats(channel)

    def _stats(self, channel: Channel) -> dict[str, Any]:
        now, presence = int(self._clock()), channel.presence
        presence.expire(now)
        return {
            "active_sessions": presence.active,
            "authenticated_users": presence.signed_in,
            "anonymous_sessions": presence.active - presence.signed_in,
            "top_pages": [{"path": path, "count": people} for path, people in presence.top_pages(MAX_TOP_PAGES)],
            "window_s": self._window_s,
            "as_of": now,
        }

    def state(self, site_id: int) -> LiveState:
        """Everything the Live page shows, as of now."""
        now = int(self._clock())
        with self._filled_channel(site_id, feed=False) as channel:
            channel.presence.expire(now)
            return channel.presence.state(now)

    def people(self, site_id: int) -> list[Beat]:
        """The latest beat of each person who is active on a site now."""
        with self._filled_channel(site_id, feed=False) as channel:
            channel.presence.expire(int(self._clock()))
            return channel.presence.people()

    def active(self, site_id: int) -> int:
        """How many people are active on a site now."""
        if site_id not in self._channels:  # every site with people has a channel
            return 0
        with self._filled_channel(site_id, feed=False) as channel:
            channel.presence.expire(int(self._clock()))
            return channel.presence.active

    def recent_people(self, site_id: int) -> int:
        """How many people were on a site in the last five minutes."""
        with self._filled_channel(site_id, feed=False) as channel:
            channel.presence.expire(int(self._clock()))
            return channel.presence.recent_people

    def active_by_site(self) -> dict[int, int]:
        """How many people are active now, by site. Sites without recent visitors are left out."""
        now = int(self._clock())
        with self._lock:
            for channel in self._channels.values():
                channel.presence.expire(now)
            return {site_id: channel.presence.active for site_id, channel in self._channels.items()}

    def recent_items(self, site_id: int, many: int = MAX_RECENT_ITEMS) -> list[FeedItem]:
        """The newest items of the feed that are in memory, newest first, at most so many."""
        with self._filled_channel(site_id) as channel:
            return channel.since(channel.position - many)[::-1]

    def has_all_items(self, site_id: int) -> bool:
        """Whether the items in memory are all that the site has."""
        with self._filled_channel(site_id) as channel:
            return channel.has_all_items

    def last_id(self, site_id: int) -> str:
        """The id after which a stream of the site would resume now."""
        with self._lock:
            return self._channel(site_id).last_id

    @property
    def streams(self) -> int:
        """How many streams are open."""
        with self._lock:
            return sum(len(channel.subscribers) for channel in self._channels.values())

    # ── streaming ────────────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(
        self, site_id: int, wake: Callable[[], None], last_id: str = "", *, sees_rows: bool = True
    ) -> Subscription:
        """A new subscription. Its buffer contains `connected`, the feed items after `last_id`, and `stats`."""
        subscription = Subscription(site_id, wake, sees_rows=sees_rows)
        stored = self._stored_after(site_id, last_id)
        with self._filled_channel(site_id) as channel:
            channel.presence.expire(int(self._clock()))
            if not channel.subscribers:
                channel.mark_sent()  # there was no subscriber to send it to
            missed = channel.missed_since(last_id, stored)
            # a client that disconnects after this message reconnects with its old `last_id`
            begun = last_id if missed else channel.last_id
            connected = message(begun, "connected", self._connected(channel, sees_rows=sees_rows))
            first = [b"retry: 2000\n\n", connected, *_new_events(missed, sees_rows=sees_rows)]
            first.append(message(channel.last_id, "stats", self._stats(channel)))
            channel.subscribers.add(subscription)
            self._watched.add(site_id)
        subscription.offer(b"".join(first))
        return subscription

    def _stored_after(self, site_id: int, last_id: str) -> list[FeedItem] | None:
        """The database's items after that one; None if memory has it or `last_id` is no id."""
        if not is_row_id(last_id):
            return None
        with self._filled_channel(site_id) as channel:
            if channel.position_after(last_id) is not None:
                return None
        return recent(self._database, site_id, MAX_ITEMS, after=int(last_id))

    def _connected(self, channel: Channel, *, sees_rows: bool) -> dict[str, Any]:
        presence, newest = channel.presence, channel.since(channel.sent - MAX_RECENT_ITEMS)[:MAX_RECENT_ITEMS]
        return {
            "currentVisitors": presence.recent_visits,
            "uniqueVisitors": presence.recent_people,
            "recentEvents": [item for item in reversed(newest) if sees_rows or not is_of_row(item)],
            "activePages": [{"path": path, "count": people} for path, people in presence.top_pages(MAX_TOP_PAGES)],
            "window_s": RECENT_S,
        }

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends and removes a subscription."""
        subscription.closed = True
        with self._lock:
            if channel := self._channels.get(subscription.site_id):
                channel.subscribers.discard(subscription)

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                try:
                    due = self._send_due()
                except Exception as failed:
                    log.error("a frame could not be made: %s", describe(failed))
                    due = 1.0
                self._lock.wait(due)

    def _send_due(self) -> float:
        """Sends the frames that are due; returns after how many seconds to check again."""
        now, soonest = time.monotonic(), 1.0
        for site_id in list(self._watched):
            channel = self._channels.get(site_id)
            if channel is None or not channel.subscribers:
                self._watched.discard(site_id)
                continue
            wait_s = channel.sent_at + MIN_FRAME_INTERVAL_S - now
            if wait_s > 0:
                soonest = min(soonest, wait_s if channel.changed else 1.0)
            else:
                self._send(channel, now)
        return soonest

    def _send(self, channel: Channel, now: float) -> None:
        items: list[FeedItem] = []
        frame = []
        if channel.position > channel.sent:
            left_out = channel.position - channel.sent - MAX_FRAME_ITEMS
            items = channel.since(channel.sent)[-MAX_FRAME_ITEMS:]
            channel.mark_sent()
            frame += [message(channel.last_id, "more", {"events": left_out})] if left_out > 0 else []
        stats = self._stats(channel)
        quiet = now - channel.sent_at >= MAX_SILENCE_S
        if quiet or {**stats, "as_of": 0} != {**channel.stats, "as_of": 0}:
            frame.append(message(channel.last_id, "stats", stats))
            channel.stats = stats
        channel.changed = False
        if not frame and not items:
            return
        comment = []
        if now - channel.commented_at >= MAX_SILENCE_S:
            comment.append(b": still here\n\n")
            channel.commented_at = now
        channel.sent_at = now
        self._offer(channel, lambda sees_rows: b"".join([*comment, *_new_events(items, sees_rows=sees_rows), *frame]))

    def _offer(self, channel: Channel, frame_of: Callable[[bool], bytes]) -> None:
        """Sends every subscriber the frame for those who see rows, or for those who do not."""
        frame_of = cache(frame_of)
        for subscription in list(channel.subscribers):
            frame = frame_of(subscription.sees_rows)
            if frame and not subscription.offer(frame):
                self.slow_readers.note()
            if subscription.closed:
                channel.subscribers.discard(subscription)

    def discard_idle(self) -> None:
        """Removes people who have left, unused feeds, and the channels of sites without recent visitors."""
        now = int(self._clock())
        with self._lock:
            for site_id, channel in list(self._channels.items()):
                channel.presence.expire(now)
                channel.discard_unrequested_feed()
                used = channel.subscribers or channel.presence_lost or channel.late is not None
                if channel.presence.empty and not used:
                    del self._channels[site_id]

    def close_removed(self, sites: set[int]) -> None:
        """Ends the streams of every site that is not in `sites`, since it has been removed."""
        with self._lock:
            for site_id in self._channels.keys() - sites:
                self._channels.pop(site_id).close_subscribers()

    def close(self) -> None:
        """Ends every stream and the thread."""
        with self._lock:
            self._closing = True
            for channel in self._channels.values():
                channel.close_subscribers()
            self._lock.notify()
        self._thread.join(2)

"""Live state, and who reads it: after each commit the group comes here, and goes out to the readers as frames."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from analytics.base.error_log import describe
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem, recent
from analytics.live.presence import RECENT_S
from analytics.live.restore import last_beats
from analytics.live.state import LiveState
from analytics.storage.database import Database
from collector.ingest.outcomes import Stored
from collector.live.channel import MAX_ITEMS, Channel, is_row_id

FRAME_S = 0.2  # at most five frames a second
QUIET_S = 10.0  # after so long without a frame one goes out all the same, and a comment at least that often
FRAME_ITEMS = 25  # of more items in one frame (125 a second) the newest go out: nobody reads faster
FIRST_ITEMS = 100  # that a feed starts with, and that a reader who comes back after a restart may have missed
RECENT_EVENTS = 20
MAX_BUFFER = 64 * 1024
TOP = 5

log = logging.getLogger("footfall.hub")

_encode = msgspec.json.Encoder().encode

Restored = tuple[list[Beat], list[FeedItem]]  # what the database knows of a site: last beats, newest items


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
        if self._size + len(frame) > MAX_BUFFER and self._frames:
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


class Hub:
    """Presence, feed and subscribers of every site of this process. Safe for many threads; close it at the end."""

    def __init__(self, database: Database, window_s: int, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Condition(threading.RLock())
        self._channels: dict[int, Channel] = {}
        self._watched: set[int] = set()  # the sites with subscriptions
        self._closing = False
        self._recall()
        self._thread = threading.Thread(target=self._run, name="footfall-hub", daemon=True)
        self._thread.start()

    def _recall(self) -> None:
        now = int(self._clock())
        for beat in last_beats(self._database, self._oldest(now)):
            self._channel(beat.site_id).presence.take([beat], now)

    def _oldest(self, now: int) -> int:
        return now - max(RECENT_S, self._window_s)

    def _channel(self, site_id: int) -> Channel:
        if site_id not in self._channels:
            self._channels[site_id] = Channel(self._window_s)
        return self._channels[site_id]

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def publish(self, stored: list[Stored]) -> None:
        """Takes a committed group; afterwards every question is answered with it.

        Where that fails, the site's live side is dropped, and read from the database when somebody asks.
        """
        now = int(self._clock())
        by_site: dict[int, list[Stored]] = {}
        for one in stored:
            by_site.setdefault(one.beat.site_id, []).append(one)
        with self._lock:
            for site_id, some in by_site.items():
                try:
                    self._take(self._channel(site_id), some, now)
                except Exception as failed:
                    log.error("the live side of site %d begins anew: %s", site_id, describe(failed))
                    self._lose(site_id)
            if any(self._channels[site_id].readers for site_id in by_site):
                self._lock.notify()

    def _take(self, channel: Channel, stored: list[Stored], now: int) -> None:
        if not channel.lost:  # else it is read from the database when somebody asks
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
    def _open(self, site_id: int, *, feed: bool = True) -> Iterator[Channel]:
        """The site's channel, locked; what it has to know from the database is read before, without the lock."""
        while True:
            with self._lock:
                channel = self._channel(site_id)
                channel.looked_at = channel.looked_at or feed
                if not channel.lost and (channel.has_feed or not feed):
                    yield channel
                    return
            self._read(site_id, channel)

    def _read(self, site_id: int, channel: Channel) -> None:
        """Fills the channel from the database; what is committed meanwhile is neither missed nor doubled.

        A group is committed before it is published: what the queries do not see comes into `late`, and what they see
        may come there too. A beat that is taken twice changes nothing, an item is known by its id.
        """
        with channel.reading:
            if channel.has_feed:
                return
            with self._lock:
                channel.late = []
            now = int(self._clock())
            restored: Restored | None = None
            try:
                beats = last_beats(self._database, self._oldest(now), site_id) if channel.lost else []
                restored = beats, recent(self._database, site_id, FIRST_ITEMS)
            finally:
                with self._lock:
                    self._fill(site_id, channel, restored, now)

    def _fill(self, site_id: int, channel: Channel, restored: Restored | None, now: int) -> None:
        late, channel.late = channel.late or [], None
        try:
            if restored is not None:
                beats, items = restored
                channel.presence.take(beats, now)
                channel.start_feed(items)
                channel.has_feed, channel.lost = True, False
            self._take(channel, late, now)
        except Exception:
            self._lose(site_id)
            raise

    def _lose(self, site_id: int) -> None:
        if channel := self._channels.get(site_id):
            channel.close_readers()
        self._channels[site_id] = Channel(self._window_s, lost=True)

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

    def stats(self, site_id: int) -> dict[str, Any]:
        """What `/api/live` answers (contract §4), as of now."""
        with self._open(site_id, feed=False) as channel:
            return self._stats(channel)

    def _stats(self, channel: Channel) -> dict[str, Any]:
        now, presence = int(self._clock()), channel.presence
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
        with self._open(site_id, feed=False) as channel:
            channel.presence.expire(now)
            return channel.presence.state(now)

    def active(self, site_id: int) -> int:
        """How many people are active on a site now."""
        if site_id not in self._channels:  # recall has made those of every site where somebody is
            return 0
        with self._open(site_id, feed=False) as channel:
            channel.presence.expire(int(self._clock()))
            return channel.presence.active

    def lately(self, site_id: int) -> int:
        """How many people were on a site in the last five minutes."""
        with self._open(site_id, feed=False) as channel:
            channel.presence.expire(int(self._clock()))
            return channel.presence.recent_people

    def active_by_site(self) -> dict[int, int]:
        """How many people are active now, by site; sites where nobody was lately are left out."""
        now = int(self._clock())
        with self._lock:
            for channel in self._channels.values():
                channel.presence.expire(now)
            return {site_id: channel.presence.active for site_id, channel in self._channels.items()}

    def recent_items(self, site_id: int) -> list[FeedItem]:
        """The newest items of the feed, newest first, at most 20."""
        with self._open(site_id) as channel:
            return channel.since(channel.position - RECENT_EVENTS)[::-1]

    @property
    def streams(self) -> int:
        """How many streams are open."""
        with self._lock:
            return sum(len(channel.readers) for channel in self._channels.values())

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, site_id: int, wake: Callable[[], None], last_id: str = "") -> Subscription:
        """A new subscription whose buffer holds `connected`, what came after `last_id`, and `stats`."""
        subscription = Subscription(site_id, wake)
        stored = self._stored_after(site_id, last_id)
        with self._open(site_id) as channel:
            channel.presence.expire(int(self._clock()))
            if not channel.readers:
                channel.mark_sent()  # nobody was listening
            missed = channel.missed_since(last_id, stored)
            # whoever breaks off after this message still comes back with what they had
            hello = message(last_id if missed else channel.last_id, "connected", self._connected(channel))
            first = [b"retry: 2000\n\n", hello, *(message(item.id, "new_event", item) for item in missed)]
            first.append(message(channel.last_id, "stats", self._stats(channel)))
            channel.readers.add(subscription)
            self._watched.add(site_id)
        subscription.offer(b"".join(first))
        return subscription

    def _stored_after(self, site_id: int, last_id: str) -> list[FeedItem] | None:
        """What the database has after that item; None where memory knows it, or nothing was seen."""
        if not is_row_id(last_id):
            return None
        with self._open(site_id) as channel:
            if channel.position_after(last_id) is not None:
                return None
        return recent(self._database, site_id, MAX_ITEMS, after=int(last_id))

    def _connected(self, channel: Channel) -> dict[str, Any]:
        presence = channel.presence
        return {
            "currentVisitors": presence.recent_visits,
            "uniqueVisitors": presence.recent_people,
            "recentEvents": channel.since(channel.sent - RECENT_EVENTS)[:RECENT_EVENTS][::-1],
            "activePages": [{"path": path, "count": people} for path, people in presence.top_pages(TOP)],
            "window_s": RECENT_S,
        }

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forgets a subscription that has ended."""
        subscription.closed = True
        with self._lock:
            if channel := self._channels.get(subscription.site_id):
                channel.readers.discard(subscription)

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
        """Sends what is due and says in how many seconds to look again."""
        now, soonest = time.monotonic(), 1.0
        for site_id in list(self._watched):
            channel = self._channels.get(site_id)
            if channel is None or not channel.readers:
                self._watched.discard(site_id)
                continue
            rest = channel.sent_at + FRAME_S - now
            if rest > 0:
                soonest = min(soonest, rest if channel.changed else 1.0)
            else:
                self._send(channel, now)
        return soonest

    def _send(self, channel: Channel, now: float) -> None:
        frame = []
        if channel.position > channel.sent:
            frame += [message(item.id, "new_event", item) for item in channel.since(channel.sent)[-FRAME_ITEMS:]]
            channel.mark_sent()
        stats = self._stats(channel)
        quiet = now - channel.sent_at >= QUIET_S
        if quiet or {**stats, "as_of": 0} != {**channel.stats, "as_of": 0}:
            frame.append(message(channel.last_id, "stats", stats))
            channel.stats = stats
        channel.changed = False
        if not frame:
            return
        if now - channel.commented_at >= QUIET_S:
            frame.insert(0, b": still here\n\n")
            channel.commented_at = now
        channel.sent_at = now
        whole = b"".join(frame)
        for subscription in list(channel.readers):
            subscription.offer(whole)
            if subscription.closed:
                channel.readers.discard(subscription)

    def tidy(self) -> None:
        """Lets go of whoever has left, and of sites that are quiet."""
        now = int(self._clock())
        with self._lock:
            for site_id, channel in list(self._channels.items()):
                channel.presence.expire(now)
                channel.tidy()
                used = channel.readers or channel.lost or channel.late is not None
                if channel.presence.empty and not used:
                    del self._channels[site_id]

    def keep(self, sites: set[int]) -> None:
        """Ends the streams of every other site: it has been removed."""
        with self._lock:
            for site_id in self._channels.keys() - sites:
                self._channels.pop(site_id).close_readers()

    def close(self) -> None:
        """Ends every stream."""
        with self._lock:
            self._closing = True
            for channel in self._channels.values():
                channel.close_readers()
            self._lock.notify()
        self._thread.join(2)

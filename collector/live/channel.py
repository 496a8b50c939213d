"""The live state of one site: its presence, the newest items of its feed, and the subscribers of its stream."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import Any, Protocol

from msgspec.structs import replace

from analytics.live.feed import FeedItem
from analytics.live.presence import Presence
from collector.ingest.outcomes import Stored

MAX_ITEMS = 1000  # for subscribers that reconnect


class Subscriber(Protocol):
    """The receiver of a stream's frames."""

    closed: bool
    sees_rows: bool

    def offer(self, frame: bytes) -> bool: ...

    def close(self) -> None: ...


class Channel:
    """The live state of one site. Not thread-safe: its owner (`hub.py`) has a lock.

    It begins without a feed (`has_feed` is false); with `presence_lost` its presence is missing too. The hub reads both
    from the database at the first request; meanwhile `late` buffers the published batches. The feed stays in memory
    only while it is requested: of 1,000 sites hardly any is watched.
    """

    def __init__(self, window_s: int, *, presence_lost: bool = False) -> None:
        self.presence = Presence(window_s)
        self.presence_lost = presence_lost
        self.has_feed = False
        self.fill_lock = threading.Lock()
        self.late: list[Stored] | None = None
        self.start_feed([])
        self.requested = False  # since the last `discard_unrequested_feed`
        self.subscribers: set[Subscriber] = set()
        self.stats: dict[str, Any] = {}  # those that were sent last
        self.changed = True  # since the last frame
        self.sent_at = 0.0
        self.commented_at = 0.0

    def start_feed(self, items: list[FeedItem], *, is_whole: bool = False) -> None:
        """Replaces the feed by these items, oldest first, and marks them as sent. `is_whole`: the site has no older."""
        self._began_whole = is_whole
        self.items: deque[tuple[int, FeedItem]] = deque(enumerate(items), maxlen=MAX_ITEMS)
        self.position = len(self.items)  # of the next item
        self.last_id = "0"  # the id of the newest item that was sent
        self.from_database = {item.id for item in items}  # the hub may still publish them
        self.mark_sent()

    @property
    def has_all_items(self) -> bool:
        """Whether memory has every item of the site."""
        return self._began_whole and self.position == len(self.items)

    def add(self, item: FeedItem) -> None:
        """Adds the newest item, unless it has already been read from the database."""
        if item.id not in self.from_database:
            self.items.append((self.position, item))
            self.position += 1

    def mark_sent(self) -> None:
        """Marks the whole feed as sent."""
        self.sent = self.position
        if self.items:
            self.last_id = self.items[-1][1].id

    def since(self, position: int) -> list[FeedItem]:
        """The items from that position on, oldest first; all if the position is before the first item."""
        newest_first = itertools.takewhile(lambda entry: entry[0] >= position, reversed(self.items))
        return [item for _, item in newest_first][::-1]

    def position_after(self, item_id: str) -> int | None:
        """The position after the item with that id; None if the item is not in memory any more."""
        return next((at + 1 for at, item in reversed(self.items) if item.id == item_id), None)

    def missed_since(self, last_id: str, stored: list[FeedItem] | None) -> list[FeedItem]:
        """The sent items after `last_id`: from memory, else from `stored`, the database's items after `last_id`."""
        if not is_row_id(last_id):
            return []
        position = self.position_after(last_id)
        if position is not None:
            return self.since(position)[: max(0, self.sent - position)]
        older = stored or []
        unsent = {item.id for item in self.since(self.sent)}
        known = {item.id for item in older}
        newer = [item for at, item in self.items if at < self.sent and int(item.id) > int(last_id)]
        return [item for item in older if item.id not in unsent] + [item for item in newer if item.id not in known]

    def retitle(self, item_id: str, title: str) -> None:
        """Changes the title of an item, for later subscribers."""
        for index, (at, item) in enumerate(self.items):
            if item.id == item_id:
                self.items[index] = at, replace(item, title=title)

    def discard_unrequested_feed(self) -> None:
        """Discards the feed if it was not requested since the last call."""
        if not self.requested and not self.subscribers and self.late is None:
            self.has_feed = False
            self.start_feed([])
        self.requested = False

    def close_subscribers(self) -> None:
        """Ends the streams of this site."""
        for subscriber in self.subscribers:
            subscriber.close()
        self.subscribers.clear()


def is_row_id(text: str) -> bool:
    """Whether the text can be the id of a row."""
    return text.isdecimal() and len(text) <= 19 and int(text) < 1 << 63

"""The live side of one site: who is there, the newest items of its feed, and who reads its stream."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import Any, Protocol

from msgspec.structs import replace

from analytics.live.feed import FeedItem
from analytics.live.presence import Presence
from collector.ingest.outcomes import Stored

MAX_ITEMS = 1000  # that a reconnecting reader can catch up on


class Reader(Protocol):
    """Who reads a stream."""

    closed: bool

    def offer(self, frame: bytes) -> None: ...

    def close(self) -> None: ...


class Channel:
    """One site's; its owner (`hub.py`) holds a lock.

    It begins without a feed (`has_feed` is false), and where its presence was `lost`, without that: both are read from
    the database when somebody asks, and `late` buffers the groups that are published meanwhile. The feed is kept while
    somebody looks: of 1,000 sites hardly any is looked at.
    """

    def __init__(self, window_s: int, *, lost: bool = False) -> None:
        self.presence = Presence(window_s)
        self.lost = lost
        self.has_feed = False
        self.reading = threading.Lock()
        self.late: list[Stored] | None = None
        self.start_feed([])
        self.looked_at = False  # since the last tidying
        self.readers: set[Reader] = set()
        self.stats: dict[str, Any] = {}  # as they were sent last
        self.changed = True  # since the last frame
        self.sent_at = 0.0
        self.commented_at = 0.0

    def start_feed(self, items: list[FeedItem]) -> None:
        """Begins the feed with these items, oldest first, as if they had been sent."""
        self.items: deque[tuple[int, FeedItem]] = deque(enumerate(items), maxlen=MAX_ITEMS)
        self.position = len(self.items)  # of the next item
        self.last_id = "0"  # of the newest item that was sent
        self.from_database = {item.id for item in items}  # their publication may still come
        self.mark_sent()

    def add(self, item: FeedItem) -> None:
        """Adds the newest item, unless it came from the database already."""
        if item.id not in self.from_database:
            self.items.append((self.position, item))
            self.position += 1

    def mark_sent(self) -> None:
        """Nothing of the feed is still to go out."""
        self.sent = self.position
        if self.items:
            self.last_id = self.items[-1][1].id

    def since(self, position: int) -> list[FeedItem]:
        """The items from that position on, oldest first; before the first one: all."""
        newest_first = itertools.takewhile(lambda entry: entry[0] >= position, reversed(self.items))
        return [item for _, item in newest_first][::-1]

    def position_after(self, item_id: str) -> int | None:
        """Where the item with that id stands, plus one; None when it is not here any more."""
        return next((at + 1 for at, item in reversed(self.items) if item.id == item_id), None)

    def missed_since(self, last_id: str, stored: list[FeedItem] | None) -> list[FeedItem]:
        """What a reader who saw `last_id` missed and no frame will bring: from memory, else as `stored` after it."""
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
        """Gives an item another title, for those who read the feed from now on."""
        for index, (at, item) in enumerate(self.items):
            if item.id == item_id:
                self.items[index] = at, replace(item, title=title)

    def tidy(self) -> None:
        """Drops a feed that nobody has looked at since the last tidying."""
        if not self.looked_at and not self.readers and self.late is None:
            self.has_feed = False
            self.start_feed([])
        self.looked_at = False

    def close_readers(self) -> None:
        """Ends the streams of this site."""
        for reader in self.readers:
            reader.close()
        self.readers.clear()


def is_row_id(text: str) -> bool:
    """Whether that may be the id of a row."""
    return text.isdecimal() and len(text) <= 19 and int(text) < 1 << 63

"""The live state of a moment as the database has it, for where there is no hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analytics.live import rewind
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem, recent
from analytics.storage.database import Database


class StoredLive(NamedTuple):
    """The live state of a moment as the database has it, for where there is no hub."""

    database: Database
    window_s: int
    now: int

    def people(self, site_id: int) -> Sequence[Beat]:
        """As `LiveSource`."""
        return rewind.people_at(self.database, site_id, self.now, self.window_s)

    def recent_items(self, site_id: int, many: int) -> Sequence[FeedItem]:
        """As `LiveSource`."""
        return recent(self.database, site_id, many)[::-1]

    def has_all_items(self, _site_id: int) -> bool:
        """As `LiveSource`: fewer items than were asked for are all."""
        return True

"""Rewind: a site's live state at a second of the past, told by the heartbeats that are kept.

There is one definition of who is active, `analytics.live.presence`: it is given the beats of the window before that
second. What came later with a `time` of its own is in it, though nobody saw it then.
"""

from __future__ import annotations

from analytics.base.ids import first_id
from analytics.live.feed import FeedItem, recent
from analytics.live.minute_query import first_beat
from analytics.live.presence import Presence
from analytics.live.restore import last_beats
from analytics.live.state import LiveState
from analytics.storage.database import Database

FAR_S = 86_400  # how far one can go back
SHOWN = 100  # items of the feed


def state_at(database: Database, site_id: int, at: int, window_s: int) -> LiveState:
    """Everything the Live page showed of a site when that second (epoch) ended."""
    presence = Presence(window_s)
    presence.take(last_beats(database, at - window_s + 1, site_id, until=at), at)
    return presence.state(at)


def feed_at(database: Database, site_id: int, at: int) -> list[FeedItem]:
    """The newest items of the feed when that second (epoch) ended, newest first, at most 100."""
    return recent(database, site_id, SHOWN, before=first_id(at + 1))[::-1]


def earliest(database: Database, site_id: int, now: int) -> int:
    """The first second (epoch) that one can go back to; `now` where nothing is stored."""
    first = first_beat(database, site_id)
    return now if first is None else min(now, max(now - FAR_S, first))

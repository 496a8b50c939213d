"""Rewind: a site's live state at a past second, computed from the stored heartbeats.

`analytics.live.presence` defines who is active; here it gets the beats of the window before that second. Events that
were sent late with a `time` of their own count too, though they were not on the page at that second.
"""

from __future__ import annotations

from analytics.base.ids import first_id
from analytics.live.feed import FeedItem, recent
from analytics.live.minute_query import first_beat
from analytics.live.presence import Presence
from analytics.live.restore import last_beats
from analytics.live.state import LiveState
from analytics.storage.database import Database

FAR_S = 86_400  # how far back the Live page goes
SHOWN = 100  # items of the feed


def state_at(database: Database, site_id: int, at: int, window_s: int) -> LiveState:
    """Everything that the Live page of a site showed at the end of that second (epoch)."""
    presence = Presence(window_s)
    presence.take(last_beats(database, at - window_s + 1, site_id, until=at), at)
    return presence.state(at)


def feed_at(database: Database, site_id: int, at: int) -> list[FeedItem]:
    """The newest items of the feed at the end of that second (epoch), at most 100, newest first."""
    return recent(database, site_id, SHOWN, before=first_id(at + 1))[::-1]


def earliest(database: Database, site_id: int, now: int) -> int:
    """The first second (epoch) that the Live page can show; `now` if nothing is stored."""
    first = first_beat(database, site_id)
    return now if first is None else min(now, max(now - FAR_S, first))

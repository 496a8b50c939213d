"""Rewind: a site's live state at a past second, computed from the stored heartbeats.

`analytics.live.presence` defines who is active; here it gets the beats of the window before that second. Events that
were sent late with a `time` of their own count too, though they were not on the page at that second.
"""

from __future__ import annotations

from collections.abc import Callable

from analytics.base.ids import first_id
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem, recent
from analytics.live.minute_query import first_beat
from analytics.live.presence import Presence, state_of
from analytics.live.restore import last_beats
from analytics.live.state import LiveState
from analytics.storage.database import Database

FAR_S = 86_400  # how far back the Live page goes
SHOWN = 100  # items of the feed
SEARCHED = 1_000  # for those that filters want


def state_at(database: Database, site_id: int, at: int, window_s: int) -> LiveState:
    """Everything that the Live page of a site showed at the end of that second (epoch)."""
    return state_of(people_at(database, site_id, at, window_s), at, window_s)


def people_at(database: Database, site_id: int, at: int, window_s: int) -> list[Beat]:
    """The latest beat of each person who was active at the end of that second (epoch)."""
    presence = Presence(window_s)
    presence.take(last_beats(database, at - window_s + 1, site_id, until=at), at)
    return presence.people()


def feed_at(
    database: Database, site_id: int, at: int, wanted: Callable[[FeedItem], bool] | None = None
) -> list[FeedItem]:
    """The newest items of the feed at the end of that second (epoch), at most 100, newest first.

    `wanted` chooses among the newest 1,000.
    """
    limit = SHOWN if wanted is None else SEARCHED
    items = recent(database, site_id, limit, before=first_id(at + 1))[::-1]
    return items if wanted is None else list(filter(wanted, items))[:SHOWN]


def earliest(database: Database, site_id: int, now: int) -> int:
    """The first second (epoch) that the Live page can show; `now` if nothing is stored."""
    first = first_beat(database, site_id)
    return now if first is None else min(now, max(now - FAR_S, first))

"""The live state of a past second, computed from stored heartbeats, is what was shown then."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from analytics.live import rewind
from analytics.live.feed import FeedItem
from analytics.live.minutes import MinuteHistory
from analytics.live.presence import Presence
from analytics.live.state import Concurrency, LiveState
from collector.ingest.accepted import Accepted
from collector.ingest.outcomes import Stored
from collector.live.hub import Hub
from tests.support.factories import (
    HOME,
    MINUTE,
    NOW,
    accepted,
    added_site,
    beat,
    event,
    heartbeat,
    keep_beats,
    leave,
    one_by_one,
    site,
    stored,
)

pytestmark = pytest.mark.slow

WINDOW = 60
HOUR, DAY = 3600, 86_400
SECONDS = 260
ORIGINS = (
    HOME,
    HOME._replace(source="", country="PT", city="Lisbon", lat=38.7, lon=-9.1),
    HOME._replace(source="Hacker News", country="US", city="", lat=39.8, lon=-98.6),
    HOME._replace(source="GitHub", country="", city="", lat=None, lon=None),
)


def walk(chance: random.Random, site_id: int) -> Iterator[list[Accepted]]:
    """What comes in each second: people open pages in several tabs, sign in and out, idle, hide, do things, leave."""
    tabs: list[tuple[str, int]] = []  # page and visitor
    for second in range(SECONDS):
        group = []
        for nth in range(chance.choice((0, 0, 1, 1, 2, 4))):
            common = {"site_id": site_id, "at": NOW + second + nth / 8}
            visitor = chance.randrange(1, 25)
            signed_in = f"user-{visitor % 5}" if visitor % 3 == 0 and chance.random() < 0.7 else None
            who = {"user_id": signed_in, "user_type": f"type-{visitor % 2}" if signed_in else None}
            kind = chance.choice(("open", "open", "beat", "beat", "beat", "do", "leave")) if tabs else "open"
            if kind == "open":
                page_id = f"page-{second:04}-{nth}"
                tabs.append((page_id, visitor))
                place = {"path": f"/{chance.randrange(7)}", "origin": ORIGINS[visitor % 4]}
                group.append(accepted(page_id=page_id, visitor=visitor, **place, **who, **common))
                continue
            page_id, visitor = tabs[chance.randrange(len(tabs))]
            if kind == "beat":
                state = chance.choice(("active", "idle", "hidden"))
                group.append(heartbeat(page_id, visitor=visitor, state=state, **common))
            elif kind == "leave":
                tabs.remove((page_id, visitor))
                group.append(leave(page_id, visitor=visitor, **common))
            else:
                group.append(event(f"event-{second:04}-{nth}", visitor=visitor, pageview=page_id, **common))
        yield group
    yield from ([] for _ in range(WINDOW))


@pytest.mark.parametrize("seed", range(3))
def test_the_state_of_every_second_is_the_one_that_was_shown_live(database, seed):
    site_id, now = added_site(database).id, [NOW - 1]
    hub = Hub(database, WINDOW, clock=lambda: now[0])
    shown: dict[int, tuple[LiveState, list[FeedItem]]] = {}
    try:
        for group in walk(random.Random(seed), site_id):
            now[0] += 1
            if group:
                hub.publish([one for one in stored(database, *group) if isinstance(one, Stored)])
            shown[now[0]] = hub.state(site_id), hub.recent_items(site_id)
    finally:
        hub.close()
    for second, (state, items) in shown.items():
        assert rewind.state_at(database, site_id, second, WINDOW) == state, second - NOW
        assert rewind.feed_at(database, site_id, second)[: len(items)] == items, second - NOW
    most = max(state.active for state, _ in shown.values())
    assert most > 8
    assert any(state.signed_in and state.anonymous for state, _ in shown.values())
    assert state.active == 0


def test_after_the_last_beat_everybody_goes_when_the_window_is_over(database):
    keep_beats(database, [beat(1), beat(2, at=NOW + 5)])
    active = {
        after: rewind.state_at(database, 1, NOW + after, WINDOW).active for after in (-1, 0, 4, 5, 59, 60, 64, 65)
    }
    assert active == {-1: 0, 0: 1, 4: 1, 5: 2, 59: 2, 60: 1, 64: 1, 65: 0}


def test_a_second_without_anybody_is_an_empty_state_of_that_second(database):
    assert rewind.state_at(database, 1, NOW, WINDOW) == Presence(WINDOW).state(NOW)
    assert rewind.feed_at(database, 1, NOW) == []


def test_only_the_wanted_site_is_shown(database):
    keep_beats(database, [beat(1), beat(2, site_id=2)])
    assert rewind.state_at(database, 1, NOW, WINDOW).active == 1


def test_the_feed_ends_with_the_second_and_begins_a_hundred_items_before(database):
    one_by_one(database, *(accepted(page_id=f"page-{n:04}", at=NOW + n, path=f"/{n}") for n in range(120)))
    assert [item.path for item in rewind.feed_at(database, 1, NOW + 3)] == ["/3", "/2", "/1", "/0"]
    assert [item.path for item in rewind.feed_at(database, 1, NOW + 110)] == [f"/{n}" for n in range(110, 10, -1)]


def test_one_can_go_back_a_day_or_to_the_first_beat(database):
    assert rewind.earliest(database, 1, NOW) == NOW
    keep_beats(database, [beat(1, at=NOW - HOUR)])
    assert rewind.earliest(database, 1, NOW) == NOW - HOUR
    keep_beats(database, [beat(2, at=NOW - 3 * DAY)])
    assert rewind.earliest(database, 1, NOW) == NOW - DAY


def test_the_numbers_of_that_moment_are_read_without_counting(database):
    """Nothing is counted for a moment of the past; after a look at the day, it is known."""
    at = NOW - 2 * HOUR + 30
    keep_beats(
        database,
        [
            *(beat(n, at=at - 5 * HOUR, nth=n) for n in (1, 2, 3)),
            *(beat(n, at=at - 30 - HOUR - MINUTE * (n - 4), visit_id=n + 10) for n in (4, 5)),
            beat(6, at=at + HOUR, nth=9),
        ],
    )
    history = MinuteHistory(database, WINDOW)
    assert history.then(site(), at, NOW) == Concurrency((), None, None)
    while not history.people(1, NOW - DAY, NOW, NOW)[1]:
        pass
    found = history.then(site(), at, NOW)
    assert (found.hour_ago, found.peak, len(found.points)) == (1, (3, at + 30 - 5 * HOUR), 61)
    assert found.points[0] == (at - 30 - HOUR, 1)
    assert found.points[-1] == (at - 30, 0)

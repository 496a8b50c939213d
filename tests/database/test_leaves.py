"""A heartbeat that comes after its pageview's leave adds to the totals, and makes nobody present: now, later, and in
the history.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from analytics.live import rewind
from analytics.live.minute_query import people_at, people_each_minute
from analytics.live.restore import left_tabs
from analytics.storage import schema
from collector.ingest.outcomes import Outcome, TotalsRaised, name_and_reason
from collector.ingest.pipeline import tab_of
from collector.live.hub import Hub
from collector.store.leaves import RESTORED_S, Leaves
from collector.store.writer import QueuedRequest, Writer
from tests.support.factories import NOW, accepted, added_site, event, heartbeat, leave, rows, stored

WINDOW = 60
PAGE = tab_of("page-0001")


class Live:
    """A writer with the live side behind it; `now` is everybody's clock."""

    def __init__(self, database) -> None:
        self.now = NOW
        self.database = database
        self.hub = Hub(database, WINDOW, clock=lambda: self.now)
        self.writer = Writer(database, self.hub.publish, clock=lambda: self.now)

    def send(self, *arrivals) -> list[str]:
        """What became of them, as one request; the clock is at the last one's moment."""
        self.now = max(self.now, arrivals[-1].at)
        done: list[Outcome] = []
        ready = threading.Event()
        self.writer.submit([QueuedRequest(arrivals, lambda outcomes: (done.extend(outcomes), ready.set()))])
        assert ready.wait(10)
        return [type(one).__name__ for one in done]

    def active(self, site_id: int) -> int:
        return self.hub.state(site_id).active

    def close(self) -> None:
        self.writer.stop()
        self.hub.close()


@contextmanager
def living(database, now: int = NOW) -> Iterator[Live]:
    live = Live(database)
    live.now = now
    try:
        yield live
    finally:
        live.close()


@pytest.fixture
def site_id(database) -> int:
    return added_site(database).id


def totals(database) -> list[tuple]:
    return rows(database, schema.pageviews, "engaged_ms", "scroll")


def states(database) -> list[int]:
    return [state for (state,) in rows(database, schema.heartbeats, "state")]


def test_a_late_heartbeat_adds_to_the_totals_and_makes_nobody_present(database, site_id):
    with living(database) as live:
        one = {"site_id": site_id}
        assert live.send(accepted(**one), leave(at=NOW + 10, engaged_ms=5_000, scroll=10, **one)) == [
            "Stored",
            "Stored",
        ]
        assert live.active(site_id) == 0
        assert live.send(heartbeat(at=NOW + 11, engaged_ms=9_000, scroll=70, **one)) == ["TotalsRaised"]
        assert live.active(site_id) == 0
    assert totals(database) == [(9_000, 70)]
    assert states(database) == [0, 3]


@pytest.mark.parametrize("late", [1, WINDOW + 1, 400])
def test_however_late_it_comes(database, site_id, late):
    with living(database) as live:
        live.send(accepted(site_id=site_id))
        live.send(leave(at=NOW + 10, site_id=site_id))
        assert live.send(heartbeat(at=NOW + 10 + late, site_id=site_id)) == ["TotalsRaised"]
        assert live.active(site_id) == 0


def test_in_one_batch_too(database, site_id):
    with living(database) as live:
        batch = (accepted, heartbeat, leave, heartbeat, heartbeat)
        sent = [make(at=NOW + n, site_id=site_id, engaged_ms=n * 1000) for n, make in enumerate(batch)]
        assert live.send(*sent) == ["Stored", "Stored", "Stored", "TotalsRaised", "TotalsRaised"]
        assert live.active(site_id) == 0
    assert totals(database) == [(4_000, 0)]


def test_it_keeps_no_visit_open_and_signs_nobody_in(database, site_id):
    with living(database) as live:
        live.send(accepted(site_id=site_id), leave(at=NOW + 10, site_id=site_id))
        live.send(heartbeat(at=NOW + 900, site_id=site_id, user_id="ada"))
    assert rows(database, schema.visits, "seen_at", "user_id") == [(NOW + 10, None)]


def test_after_a_restart_too(database, site_id):
    with living(database) as live:
        live.send(accepted(site_id=site_id), leave(at=NOW + 10, site_id=site_id))
    with living(database, NOW + 20) as live:
        assert live.active(site_id) == 0
        assert live.send(heartbeat(at=NOW + 20, site_id=site_id)) == ["TotalsRaised"]
        assert live.active(site_id) == 0
        live.send(leave(at=NOW + 21, site_id=site_id))
    with living(database, NOW + 22) as live:
        assert live.active(site_id) == 0


def test_the_past_says_what_was_shown(database, site_id):
    shown = {}
    with living(database) as live:
        for at, make in (
            (0, accepted),
            (10, heartbeat),
            (15, leave),
            (16, heartbeat),
            (70, heartbeat),
            (130, heartbeat),
        ):
            live.send(make(at=NOW + at, site_id=site_id))
            shown[NOW + at] = live.active(site_id)
    assert list(shown.values()) == [1, 1, 0, 0, 0, 0]
    assert {at: rewind.state_at(database, site_id, at, WINDOW).active for at in shown} == shown
    assert people_at(database, site_id, list(shown), WINDOW) == shown
    minutes = people_each_minute(database, site_id, NOW // 60 * 60, NOW // 60 * 60 + 300, WINDOW)
    whole = range(NOW // 60 * 60, NOW // 60 * 60 + 300, 60)
    people_by_minute = people_at(database, site_id, whole, WINDOW)
    assert {at: people for at, people in people_by_minute.items() if people} == minutes


def test_others_and_other_pages_of_the_same_visitor_stay(database, site_id):
    with living(database) as live:
        live.send(accepted(site_id=site_id), accepted(page_id="page-0002", at=NOW + 1, path="/b", site_id=site_id))
        live.send(leave(at=NOW + 2, site_id=site_id))
        assert live.send(heartbeat("page-0002", at=NOW + 3, site_id=site_id)) == ["Stored"]
        assert live.active(site_id) == 1
        live.send(heartbeat(at=NOW + 4, site_id=site_id))
        assert [counts.label for counts in live.hub.state(site_id).pages] == ["/b"]


def test_the_same_page_of_another_site_has_not_left(database, site_id):
    other = added_site(database, "other.example").id
    with living(database) as live:
        live.send(accepted(site_id=site_id), accepted(site_id=other), leave(at=NOW + 1, site_id=site_id))
        assert live.send(heartbeat(at=NOW + 2, site_id=other)) == ["Stored"]
        assert (live.active(site_id), live.active(other)) == (0, 1)


def test_an_event_after_the_leave_is_a_sign_of_life(database, site_id):
    """Contract §3.1: only a heartbeat is none then."""
    with living(database) as live:
        live.send(accepted(site_id=site_id), leave(at=NOW + 1, site_id=site_id))
        assert live.send(event(at=NOW + 2, pageview="page-0001", site_id=site_id)) == ["Stored"]
        assert live.active(site_id) == 1


def test_the_leaves_of_the_last_minutes_are_recalled(database, site_id):
    stored(database, accepted(site_id=site_id))
    assert left_tabs(database, NOW - RESTORED_S) == []
    stored(database, leave(at=NOW + 1, site_id=site_id), heartbeat(at=NOW + 2, site_id=site_id))
    assert left_tabs(database, NOW - RESTORED_S) == [(site_id, PAGE)]
    assert left_tabs(database, NOW + 2) == []


def test_a_leave_whose_page_is_unknown_is_none(database, site_id):
    with living(database) as live:
        lost = heartbeat("page-lost", at=NOW, url="https://site-1.example/a", path="/a", site_id=site_id)
        assert live.send(leave("page-lost", site_id=site_id), lost) == ["Filtered", "Stored"]
        assert live.active(site_id) == 1


def test_the_oldest_are_forgotten_beyond_the_limit():
    leaves = Leaves([(1, 1), (1, 2), (1, 3)], max_tabs=2)
    assert [(1, n) in leaves for n in (1, 2, 3)] == [False, True, True]
    leaves.add((2, 4))
    assert [(1, 2) in leaves, (1, 3) in leaves, (2, 4) in leaves] == [False, True, True]


def test_what_became_of_it_is_that_it_is_stored_for_a_reason_of_its_own():
    assert name_and_reason(TotalsRaised()) == ("stored", "after_leave")

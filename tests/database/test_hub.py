"""Live state, and who listens to it: what the stream says, to whom, and how often (contract §4)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from analytics.activity.change import ChangeEvent
from analytics.base.config import Config
from analytics.base.link import ROW_LINK
from analytics.live.feed import public_visitor_id
from analytics.live.presence import Presence
from analytics.storage.database import Database
from collector.ingest import pipeline
from collector.ingest.accepted import Accepted
from collector.ingest.change import accepted_change
from collector.ingest.event import Event
from collector.ingest.geo import open_places
from collector.ingest.outcomes import Stored
from collector.live.hub import MAX_BUFFER_BYTES, MAX_FRAME_ITEMS, MIN_FRAME_INTERVAL_S, TOO_SLOW, Hub
from tests.support.factories import (
    NOW,
    accepted,
    added_site,
    beat,
    heartbeat,
    kit,
    leave,
    one_by_one,
    stored,
    stored_outcome,
)
from tests.support.factories import event as an_event
from tests.support.serving import eventually

WINDOW = 60
PATIENCE_S = 20
EMPTY = {
    "active_sessions": 0,
    "authenticated_users": 0,
    "anonymous_sessions": 0,
    "top_pages": [],
    "window_s": WINDOW,
    "as_of": NOW,
}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        return self.now


class Message(NamedTuple):
    """One message of the stream; `id` and `type` are "" for a comment."""

    id: str
    type: str
    data: Any


def parsed(frames: bytes) -> list[Message]:
    """The messages and comments of a stream, checked against the format of Server-Sent Events."""
    assert frames == b"" or frames.endswith(b"\n\n")
    found = []
    for block in frames.decode().split("\n\n")[:-1]:
        if block.startswith(":"):
            found.append(Message("", "", block))
        elif not block.startswith("retry: "):
            first, second = block.split("\n")
            assert (first[:4], second[:6]) == ("id: ", "data: ")
            body = json.loads(second[6:])
            assert set(body) == {"type", "data"}
            found.append(Message(first[4:], body["type"], body["data"]))
    return found


class Reader:
    """A dashboard that listens."""

    def __init__(self, hub: Hub, site_id: int, last_id: str = "", *, sees_rows: bool = True) -> None:
        self._woken = threading.Condition()
        self._hub = hub
        self.frames: list[tuple[float, bytes]] = []
        self.subscription = hub.subscribe(site_id, self._wake, last_id, sees_rows=sees_rows)

    def _wake(self) -> None:
        with self._woken:
            self._woken.notify_all()

    def wait(self, until: Callable[[list[Message]], bool]) -> list[Message]:
        """Everything that was said, once it is as wished."""
        with self._woken:
            done = self._woken.wait_for(lambda: until(self._read()), PATIENCE_S)
        assert done, self.messages
        return self.messages

    def _read(self) -> list[Message]:
        if frame := self.subscription.take():
            self.frames.append((time.monotonic(), frame))
        return self.messages

    @property
    def messages(self) -> list[Message]:
        return parsed(b"".join(frame for _, frame in self.frames))

    def first(self) -> list[Message]:
        """The messages up to the first figures."""
        return self.wait(lambda messages: any(message.type == "stats" for message in messages))

    def events(self, number: int) -> list[str]:
        """The ids of the events received, once there are `number` of them."""
        messages = self.wait(lambda messages: sum(message.type == "new_event" for message in messages) >= number)
        return [message.data["id"] for message in messages if message.type == "new_event"]


def changes(messages: list[Message]) -> list[Message]:
    """What is new in what was said: without comments, and without stats that say again what was known."""
    found: list[Message] = []
    known: Any = None
    for message in messages:
        news = (message.type, message.data | {"as_of": 0}) if message.type == "stats" else message
        if message.type and news != known:
            found.append(message)
        known = news if message.type == "stats" else known
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(database, clock) -> Iterator[Hub]:
    hub = Hub(database, WINDOW, clock)
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Iterator[Database]:
    """A database that stays empty: for what a hub does in memory alone."""
    database = Database(Config(data_dir=tmp_path_factory.mktemp("data")))
    yield database
    database.close()


@pytest.fixture
def memory(empty, clock) -> Iterator[Hub]:
    """A hub that gets outcomes which no database has."""
    hub = Hub(empty, WINDOW, clock)
    yield hub
    hub.close()


@pytest.fixture
def site_id(database) -> int:
    return added_site(database).id


def happen(hub: Hub, database, *arrivals: Accepted) -> list[Stored]:
    """What the writer does: a commit, then the hub."""
    outcomes = [outcome for outcome in stored(database, *arrivals) if isinstance(outcome, Stored)]
    hub.publish(outcomes)
    return outcomes


def views(site_id: int, *numbers: int) -> list[Accepted]:
    return [accepted(site_id=site_id, page_id=f"page-{n:04}", visitor=n, at=NOW - 30 + n * 0.001) for n in numbers]


def row_change(site_id: int, number: int) -> Accepted:
    """A change of a row in a watched table."""
    link = {ROW_LINK: f"https://app.example/{number}"}
    fields: dict[str, Any] = {"value": None, "currency": "", "user_id": "", "user_name": "Ada", "props": link}
    at_ms = (NOW - 30) * 1000 + number
    change = ChangeEvent(f"row-{number}", site_id, at_ms, "Booking", f"Booked {number}", **fields)
    return accepted_change(change, NOW * 1000)


def ids(outcomes: list[Stored]) -> list[str]:
    return [str(outcome.beat.id) for outcome in outcomes]


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_site_that_nobody_visits_answers_with_zeros(hub, site_id):
    assert hub.stats(site_id) == EMPTY


def test_the_stats_are_those_of_the_contract(memory, clock):
    memory.publish(
        [
            *(stored_outcome(n, nth=n, path=f"/{n % 7}") for n in range(20)),
            stored_outcome(20, nth=20, path="/0", user_id="ann"),
            stored_outcome(21, nth=21, path="/0", user_id="ann"),
        ]
    )
    clock.now += 1.9
    assert memory.stats(1) == {
        "active_sessions": 21,
        "authenticated_users": 1,
        "anonymous_sessions": 20,
        "top_pages": [{"path": f"/{n}", "count": 4 if n == 0 else 3} for n in range(5)],
        "window_s": WINDOW,
        "as_of": NOW + 1,
    }
    assert (memory.active(1), memory.state(1).active, memory.active(2)) == (21, 21, 0)


def test_time_alone_ends_it(memory, clock):
    memory.publish([stored_outcome(1)])
    clock.now += WINDOW - 1
    assert memory.active(1) == 1
    clock.now += 1
    assert memory.stats(1) == EMPTY | {"as_of": NOW + WINDOW}


def test_the_state_is_that_of_presence(memory, clock):
    beats = [beat(n, nth=n, path=f"/{n % 3}", user_id=f"u{n}" if n % 2 else None) for n in range(9)]
    memory.publish([Stored(one, None) for one in beats])
    presence = Presence(WINDOW)
    presence.take(beats, NOW)
    assert memory.state(1) == presence.state(NOW)


def test_the_newest_twenty_items_come_newest_first(hub, database, site_id):
    outcomes = happen(hub, database, *views(site_id, *range(30)))
    assert [item.id for item in hub.recent_items(site_id)] == ids(outcomes)[:9:-1]


# ── the stream's first words ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_quiet_site_says_connected_and_stats(hub, site_id):
    assert Reader(hub, site_id).first() == [
        Message(
            "0",
            "connected",
            {"currentVisitors": 0, "uniqueVisitors": 0, "recentEvents": [], "activePages": [], "window_s": 300},
        ),
        Message("0", "stats", EMPTY),
    ]


def test_connected_tells_visits_people_pages_and_the_newest_events(hub, database, site_id):
    happen(
        hub,
        database,
        *(
            accepted(site_id=site_id, page_id=f"page-{n:04}", visitor=n // 2, path=f"/{n % 2}", at=NOW - 40 + n)
            for n in range(30)
        ),
        leave("page-0000", site_id=site_id),
        an_event(
            site_id=site_id, visitor=99, user_id="ann", path="/1", value=9.5, currency="EUR", description="Ann booked"
        ),
        accepted(site_id=site_id, page_id="page-9999", visitor=98, user_id="ann", path="/0", at=NOW - 5),
    )
    connected, stats = Reader(hub, site_id).first()
    assert connected.data["currentVisitors"] == 17
    assert connected.data["uniqueVisitors"] == 16
    assert connected.data["activePages"] == [{"path": "/1", "count": 16}]
    assert len(connected.data["recentEvents"]) == 20
    (item,) = (item for item in connected.data["recentEvents"] if item["type"] == "event")
    assert item == {
        "id": item["id"],
        "type": "event",
        "visitor_id": "0000000000000063",
        "user_id": "ann",
        "user_type": "",
        "path": "/1",
        "title": "",
        "source": "Google",
        "country": "DE",
        "city": "Berlin",
        "device": "Desktop",
        "browser": "Firefox",
        "timestamp": NOW,
        "name": "Signup",
        "description": "Ann booked",
        "value": 9.5,
        "currency": "EUR",
    }
    assert stats.data == hub.stats(site_id)


# ── what goes on ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_happens_is_told_with_the_stats_that_follow_from_it(hub, database, site_id):
    reader = Reader(hub, site_id)
    reader.first()
    (outcome,) = happen(hub, database, accepted(site_id=site_id, path="/a", title="<b>"))
    messages = reader.wait(lambda messages: changes(messages)[-1].data.get("active_sessions") == 1)
    messages = changes(messages)[2:]
    row_id = str(outcome.beat.id)
    pageview = messages[0].data
    assert [(message.id, message.type) for message in messages] == [(row_id, "new_event"), (row_id, "stats")]
    assert (pageview["id"], pageview["type"], pageview["path"], pageview["title"]) == (row_id, "pageview", "/a", "<b>")
    assert "value" not in pageview
    assert messages[1].data == hub.stats(site_id)


def test_a_heartbeat_is_no_event_but_changes_the_stats(hub, database, site_id):
    happen(hub, database, accepted(site_id=site_id, at=NOW - 20))
    reader = Reader(hub, site_id)
    reader.first()
    happen(hub, database, leave(site_id=site_id))
    messages = reader.wait(lambda messages: changes(messages)[-1].data.get("active_sessions") == 0)
    assert [message.type for message in changes(messages)] == ["connected", "stats", "stats"]


def test_nothing_is_said_when_nothing_changes(hub, database, site_id, clock):
    happen(hub, database, accepted(site_id=site_id))
    reader, other = Reader(hub, site_id), Reader(hub, site_id)
    reader.first()
    happen(hub, database, heartbeat(site_id=site_id))
    clock.now += 1
    happen(hub, database, accepted(site_id=site_id, page_id="page-0002", visitor=2, at=NOW + 1))
    messages = reader.wait(lambda messages: changes(messages)[-1].data.get("active_sessions") == 2)
    assert [message.type for message in changes(messages)] == ["connected", "stats", "new_event", "stats"]
    assert changes(other.wait(lambda messages: changes(messages)[-1].data.get("active_sessions") == 2)) == changes(
        messages
    )


def test_who_goes_away_without_a_word_is_taken_off_by_time(hub, database, site_id, clock):
    happen(hub, database, accepted(site_id=site_id))
    reader = Reader(hub, site_id)
    reader.first()
    clock.now += WINDOW
    messages = reader.wait(lambda messages: changes(messages)[-1].data.get("active_sessions") == 0)
    assert messages[-1] == Message(messages[-1].id, "stats", EMPTY | {"as_of": NOW + WINDOW})


def test_another_site_s_visitors_are_not_told(hub, database, site_id):
    other = added_site(database, "example.org").id
    reader, neighbour = Reader(hub, site_id), Reader(hub, other)
    happen(hub, database, accepted(site_id=other), accepted(site_id=site_id, page_id="page-0002"))
    assert (len(reader.events(1)), len(neighbour.events(1))) == (1, 1)
    assert reader.messages[-1].data["active_sessions"] == 1


def test_there_are_at_most_five_frames_a_second(memory):
    reader = Reader(memory, 1)
    reader.first()
    began, number = time.monotonic(), 0
    while time.monotonic() - began < 1.1:
        number += 1
        memory.publish([stored_outcome(number, nth=number)])
        threading.Event().wait(0.01)
        reader._read()
    ids = reader.events(number)
    assert len(ids) == number == len(set(ids))
    times = [at for at, _ in reader.frames[1:]]
    assert 1 <= len(times) <= (times[-1] - times[0]) / MIN_FRAME_INTERVAL_S + 2


def test_of_a_flood_the_newest_of_a_frame_are_told_and_how_many_more_there_were(memory):
    reader = Reader(memory, 1)
    reader.first()
    memory.publish([stored_outcome(n, nth=n) for n in range(250)])
    assert reader.events(MAX_FRAME_ITEMS) == [
        str(stored_outcome(n, nth=n).beat.id) for n in range(250 - MAX_FRAME_ITEMS, 250)
    ]
    assert [one.data for one in reader.messages if one.type == "more"] == [{"events": 250 - MAX_FRAME_ITEMS}]


def test_what_is_told_late_is_nothing_for_the_feed(hub, database, site_id):
    """A server may tell of last week: that is history, not news."""
    reader = Reader(hub, site_id)
    late, news = accepted(site_id=site_id, at=NOW - 3600), accepted(site_id=site_id, page_id="page-0002")
    outcomes = happen(hub, database, late, news)
    assert reader.events(1) == ids(outcomes)[1:]


def test_the_readers_of_a_card_get_no_changes_of_rows_and_all_that_visitors_do(hub, database, site_id):
    happen(hub, database, *views(site_id, 1), row_change(site_id, 1), *views(site_id, 2))
    card, whole = Reader(hub, site_id, sees_rows=False), Reader(hub, site_id)
    (before, *_), (known, *_) = card.first(), whole.first()
    assert [one["type"] for one in known.data["recentEvents"]] == ["pageview", "event", "pageview"]
    assert [one["type"] for one in before.data["recentEvents"]] == ["pageview", "pageview"]
    outcomes = happen(hub, database, row_change(site_id, 2), *views(site_id, 3))
    assert (whole.events(2), card.events(1)) == (ids(outcomes), ids(outcomes)[1:])
    missed = happen(hub, database, row_change(site_id, 3), *views(site_id, 4))
    assert Reader(hub, site_id, ids(outcomes)[1], sees_rows=False).events(1) == ids(missed)[1:]
    assert b"app.example" not in b"".join(frame for _, frame in card.frames)


# ── resuming ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_that_resumes_is_told_what_it_has_missed_and_nothing_twice(hub, database, site_id):
    before = Reader(hub, site_id)
    seen = happen(hub, database, *views(site_id, 1, 2, 3))
    last = before.events(3)[-1]
    hub.unsubscribe(before.subscription)
    missed = happen(hub, database, *views(site_id, 4, 5))
    after = Reader(hub, site_id, last)
    assert after.events(2) == ids(missed)
    happen(hub, database, *views(site_id, 6))
    assert before.events(3) + after.events(3) == ids(seen) + ids(missed) + after.events(3)[-1:]


def test_what_waits_for_the_next_frame_is_told_once_to_who_resumes_before_it(hub, database, site_id):
    listening = Reader(hub, site_id)
    first = happen(hub, database, *views(site_id, 1))
    listening.events(1)
    waiting = happen(hub, database, *views(site_id, 2))
    resumed = [Reader(hub, site_id, last) for last in (ids(first)[0], "1")]
    happen(hub, database, *views(site_id, 3))
    assert listening.events(3)[1:] == resumed[0].events(2)
    assert resumed[0].events(2)[0] == ids(waiting)[0]
    assert resumed[1].events(3) == listening.events(3)


def test_a_reader_resumes_after_a_restart(database, site_id, clock):
    first = Hub(database, WINDOW, clock)
    reader = Reader(first, site_id)
    seen = happen(first, database, *views(site_id, 1, 2))
    last = reader.events(2)[-1]
    first.close()
    missed = stored(database, *views(site_id, 3, 4))  # committed, and the process was killed
    second = Hub(database, WINDOW, clock)
    try:
        resumed = Reader(second, site_id, last)
        assert (last, resumed.events(2)) == (ids(seen)[-1], ids(missed))
        assert second.active(site_id) == 4
    finally:
        second.close()


def test_a_reader_that_was_away_for_long_is_told_the_newest_thousand(hub, database, site_id):
    outcomes = happen(hub, database, *views(site_id, *range(1500)))
    assert Reader(hub, site_id, ids(outcomes)[0]).events(1000) == ids(outcomes)[-1000:]


def test_who_resumes_with_nonsense_begins_anew(hub, database, site_id):
    happen(hub, database, *views(site_id, 1))
    for last_id in ("", "abc", "-1", "9" * 20, "1 OR 1=1"):
        assert [message.type for message in Reader(hub, site_id, last_id).first()] == ["connected", "stats"]


def test_presence_is_known_again_after_a_restart(database, site_id, clock):
    one_by_one(
        database,
        accepted(site_id=site_id, path="/a", at=NOW - 90),
        heartbeat(site_id=site_id, at=NOW - 20, user_id="ann"),
        accepted(site_id=site_id, page_id="page-0002", visitor=2, path="/b", at=NOW - 10),
        leave("page-0002", site_id=site_id, at=NOW - 5),
        accepted(site_id=site_id, page_id="page-0003", visitor=3, at=NOW - 250),
    )
    hub = Hub(database, WINDOW, clock)
    try:
        (connected, stats) = Reader(hub, site_id).first()
        assert stats.data == EMPTY | {
            "active_sessions": 1,
            "authenticated_users": 1,
            "top_pages": [{"path": "/a", "count": 1}],
        }
        assert (connected.data["currentVisitors"], connected.data["uniqueVisitors"]) == (3, 3)
    finally:
        hub.close()


# ── reading during writes ────────────────────────────────────────────────────────────────────────────────────────────


def ids_received(reader: Reader) -> list[str]:
    """The ids of all events that a reader received, in order."""
    connected, *later = reader.messages
    known = [item["id"] for item in reversed(connected.data["recentEvents"])]
    return known + [message.data["id"] for message in later if message.type == "new_event"]


def test_who_comes_while_events_do_misses_none_and_sees_none_twice(database, site_id, clock):
    happened: list[str] = []
    for start in range(0, 200, 20):
        hub = Hub(database, WINDOW, clock)
        coming = threading.Thread(
            target=lambda hub=hub, start=start: [
                happened.extend(ids(happen(hub, database, view))) for view in views(site_id, *range(start, start + 20))
            ]
        )
        last = happened[-1] if happened else ""
        coming.start()
        readers = [Reader(hub, site_id), Reader(hub, site_id, last)]
        coming.join()
        for reader in readers:
            reader.wait(lambda messages, reader=reader: ids_received(reader)[-1:] == happened[-1:])
            received = ids_received(reader)
            assert received[-20:] == happened[-20:]
            assert len(received) == len(set(received)) or reader is readers[1]  # a resumed stream repeats the newest
        resumed = [message.data["id"] for message in readers[1].messages if message.type == "new_event"]
        assert len(resumed) == len(set(resumed))
        hub.close()


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_a_feed_that_takes_long_to_read_holds_up_nobody_else(hub, database, site_id):
    other = added_site(database, "example.org").id
    before = ids(happen(hub, database, *views(site_id, 1)))
    coming: list[Reader] = []
    with database.writing.begin() as blocking:
        blocking.execute(text("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"))
        reading = threading.Thread(target=lambda: coming.append(Reader(hub, site_id)))
        reading.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        eventually(lambda: blocking.execute(waits).scalar())
        during = ids(happen(hub, database, *views(site_id, 2), *views(other, 3)))
        assert hub.stats(other)["active_sessions"] == 1
        assert hub.stats(site_id)["active_sessions"] == 2
    reading.join()
    (reader,) = coming
    reader.first()
    assert ids_received(reader) == before + during[:1]


def test_a_live_side_that_failed_is_told_anew_by_the_database(hub, database, site_id):
    other = added_site(database, "example.org").id
    reader, neighbour = Reader(hub, site_id), Reader(hub, other)
    seen = happen(hub, database, *views(site_id, 1, 2))
    last = reader.events(2)[-1]
    (missed,) = (one for one in stored(database, *views(site_id, 3)) if isinstance(one, Stored))
    (fine,) = (one for one in stored(database, *views(other, 4)) if isinstance(one, Stored))
    broken = missed._replace(beat=missed.beat._replace(path=["no", "path"]))
    hub.publish([broken, fine])
    assert reader.subscription.closed
    assert neighbour.events(1) == ids([fine])

    later = happen(hub, database, *views(site_id, 5))
    assert hub.active(site_id) == hub.stats(site_id)["active_sessions"] == 4
    resumed = Reader(hub, site_id, last)
    assert resumed.events(2) == ids([missed, *later])
    assert [item.id for item in hub.recent_items(site_id)] == ids([*seen, missed, *later])[::-1]
    news = happen(hub, database, *views(site_id, 6))
    assert resumed.events(3)[-1:] == ids(news)
    assert hub.stats(site_id)["active_sessions"] == 5


# ── readers that are no good ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_slow_reader_is_dropped_at_64_kb_and_the_others_are_not(memory):
    slow, quick = memory.subscribe(1, lambda: None), Reader(memory, 1)
    slow.take()
    for start in range(0, 3 * MAX_FRAME_ITEMS, MAX_FRAME_ITEMS):
        path = "/" + "x" * (MAX_BUFFER_BYTES // MAX_FRAME_ITEMS // 2)  # two frames do not fit
        memory.publish([stored_outcome(n, nth=n, path=path) for n in range(start, start + MAX_FRAME_ITEMS)])
        quick.events(start + MAX_FRAME_ITEMS)
    assert (slow.closed, slow.take(), memory.slow_readers.dropped) == (True, TOO_SLOW, 1)
    assert len(quick.events(3 * MAX_FRAME_ITEMS)) == 3 * MAX_FRAME_ITEMS
    assert not quick.subscription.closed


def test_a_reader_s_buffer_holds_64_kb(memory):
    subscription = memory.subscribe(1, lambda: None)
    subscription.take()
    for size in (MAX_BUFFER_BYTES // 2, MAX_BUFFER_BYTES // 2):
        subscription.offer(b"x" * size)
    assert not subscription.closed
    assert not subscription.offer(b"x")
    assert subscription.closed
    assert subscription.offer(b"x"), "it has ended: nothing more is kept"
    assert subscription.take() == TOO_SLOW


def test_who_has_gone_is_not_written_to(hub, database, site_id):
    gone, here = Reader(hub, site_id), Reader(hub, site_id)
    gone.first()
    hub.unsubscribe(gone.subscription)
    happen(hub, database, *views(site_id, 1))
    here.events(1)
    assert (gone.subscription.closed, gone.subscription.take()) == (True, b"")


def test_closing_ends_every_stream(database, site_id, clock):
    hub = Hub(database, WINDOW, clock)
    woken = threading.Event()
    subscription = hub.subscribe(site_id, woken.set)
    woken.clear()
    hub.close()
    assert woken.wait(PATIENCE_S)
    assert subscription.closed


# ── tidying up ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quiet_site_is_let_go(memory, clock):
    """What memory held of it is gone: the feed is read from the database again, which has nothing."""
    memory.publish([stored_outcome(1)])
    clock.now += 299
    memory.discard_idle()
    assert memory.active_by_site() == {1: 0}
    clock.now += 1
    memory.discard_idle()
    assert memory.active_by_site() == {}


def test_a_feed_is_kept_from_the_first_look_until_a_while_after_the_last(memory):
    """A feed that nobody has opened is not in memory; this database has no rows, which shows where items come from."""
    memory.publish([stored_outcome(1)])
    assert memory.recent_items(1) == []
    memory.publish([stored_outcome(2, nth=1)])
    memory.discard_idle()
    assert [item.visitor_id for item in memory.recent_items(1)] == [public_visitor_id(2)]
    memory.discard_idle()
    memory.discard_idle()
    assert memory.recent_items(1) == []


def test_memory_has_every_item_of_a_site_until_the_oldest_is_dropped(memory):
    memory.recent_items(1)
    memory.publish([stored_outcome(n, nth=n) for n in range(1_000)])
    assert memory.has_all_items(1)
    memory.publish([stored_outcome(1_000, nth=1_000)])
    assert not memory.has_all_items(1)


def test_a_feed_that_begins_with_its_newest_hundred_may_have_older_ones(hub, database, site_id, clock):
    happen(hub, database, *views(site_id, *range(99)))
    assert hub.has_all_items(site_id)
    happen(hub, database, *views(site_id, 99))
    with closing(Hub(database, WINDOW, clock)) as another:
        assert not another.has_all_items(site_id)


def test_everybody_who_is_active_is_told_by_site_at_once(memory, clock):
    memory.publish([stored_outcome(1), stored_outcome(2), stored_outcome(3, site_id=2)])
    assert memory.active_by_site() == {1: 2, 2: 1}
    clock.now += WINDOW
    assert memory.active_by_site() == {1: 0, 2: 0}


def test_a_quiet_site_that_somebody_watches_stays(memory, clock):
    reader = Reader(memory, 1)
    memory.publish([stored_outcome(1)])
    clock.now += 400
    for _ in range(3):
        memory.discard_idle()
    assert not reader.subscription.closed
    assert len(memory.recent_items(1)) == 1


def test_the_streams_of_a_site_that_is_gone_end(memory):
    memory.publish([stored_outcome(1)])
    reader = Reader(memory, 1)
    memory.close_removed({2})
    assert reader.subscription.closed
    assert memory.active(1) == 0


# ── privacy ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_neither_address_nor_user_agent_is_in_any_message(hub, database, site_id, tmp_path, clock):
    address, marked = "203.0.113.77", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36 marked-agent"
    places = open_places(None, tmp_path)
    steps = kit(database, places)
    reader = Reader(hub, site_id)
    page = {"site": "example.com", "url": "https://example.com/"}
    booked = {"name": "Booking", "description": "Ann booked", "pageview": "page-0001"}
    for sent in (
        Event(type="pageview", id="page-0001", **page),
        Event(type="event", id="event-0001", **page, **booked),
    ):
        hit = pipeline.read_hit(sent, steps, address, {"user-agent": marked}, NOW * 1000, trusted=False)
        assert isinstance(hit, pipeline.Hit)
        taken = pipeline.run(hit, steps)
        assert isinstance(taken, Accepted)
        happen(hub, database, taken)
    reader.events(2)
    said = b"".join(frame for _, frame in (*reader.frames, *Reader(hub, site_id, "1").frames)).decode()
    places.close()
    assert "Ann booked" in said
    for secret in (address, marked, "marked-agent", "X11"):
        assert secret not in said

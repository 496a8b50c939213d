"""The one writer: an answer means that it is in the database, whatever happens to the database."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from analytics.base.ids import Ids
from analytics.storage import schema
from collector.ingest.accepted import Accepted
from collector.ingest.outcomes import Duplicate, Outcome, Stored
from collector.store.writer import AWAY, QUEUE_FULL, SITE_QUEUE_FULL, STOPPING, UNSTORABLE, QueuedRequest, Writer
from tests.support.factories import (
    MINUTE,
    NOW,
    accepted,
    away,
    beat,
    count,
    heartbeat,
    keep_beats,
    outcome_counts,
    rows,
    with_sites,
)
from tests.support.serving import eventually

PATIENCE_S = 4


@pytest.fixture(autouse=True)
def the_site(database) -> None:
    """The site that these arrivals are about."""
    with_sites(database, 1)


class Asked:
    """One request: what it was answered, and how often."""

    def __init__(self, writer: Writer, *arrivals: Accepted) -> None:
        self.answers: list[list[Outcome]] = []
        self._answered = threading.Event()
        writer.submit([QueuedRequest(arrivals, self._done)])

    def _done(self, outcomes: list[Outcome]) -> None:
        self.answers.append(outcomes)
        self._answered.set()

    @property
    def outcomes(self) -> list[Outcome]:
        """The answer, once it is there."""
        assert self._answered.wait(PATIENCE_S), "no answer"
        return self.answers[0]

    def answered_within(self, seconds: float) -> list[Outcome]:
        """The answer, where it takes longer than others may."""
        assert self._answered.wait(seconds), "no answer"
        return self.answers[0]

    @property
    def kinds(self) -> list[str]:
        return [type(outcome).__name__ for outcome in self.outcomes]


class Gate:
    """An `on_stored` that holds the writer between commit and answer until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, stored: list[Stored]) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S)


@contextmanager
def writing(database, on_stored: Any = lambda stored: None, **options: int) -> Iterator[Writer]:
    writer = Writer(database, on_stored, **options)
    try:
        yield writer
    finally:
        if isinstance(on_stored, Gate):
            on_stored.opened.set()
        writer.stop()
        assert not writer.alive


def pages(number: int, start: int = 0, **fields: Any) -> list[Accepted]:
    return [accepted(page_id=f"page-{n:04}", visitor=n, at=NOW + n, **fields) for n in range(start, start + number)]


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_answered_as_stored_is_in_the_database(database):
    with writing(database) as writer:
        asked = Asked(writer, accepted(), heartbeat(at=NOW + 1), accepted(), heartbeat("unknown-1"))
        assert asked.kinds == ["Stored", "Stored", "Duplicate", "Rejected"]
        assert (count(database, schema.pageviews), count(database, schema.heartbeats)) == (1, 2)


def test_every_request_is_answered_once_and_in_the_order_of_its_arrivals(database):
    with writing(database, max_batch=16) as writer:
        wanted = [pages(n % 4 + 1, start=10 * n) for n in range(60)]
        asked = [Asked(writer, *some) for some in wanted]
        visitors = [[outcome.beat.visitor for outcome in one.outcomes] for one in asked]
        assert writer.waiting == 0
    assert visitors == [[one.visitor for one in some] for some in wanted]
    assert [len(one.answers) for one in asked] == [1] * 60


def test_requests_of_many_threads_are_all_stored(database):
    with writing(database) as writer:
        asked: list[Asked] = []
        threads = [
            threading.Thread(target=lambda n=n: asked.extend([Asked(writer, one) for one in pages(40, 1000 * n)]))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {kind for one in asked for kind in one.kinds} == {"Stored"}
    assert count(database, schema.pageviews) == 160


def test_the_live_side_knows_before_the_request_is_answered(database):
    order: list[str] = []
    with writing(database, lambda stored: order.append(f"live {len(stored)}")) as writer:
        done = threading.Event()
        writer.submit([QueuedRequest([accepted(), accepted()], lambda _: (order.append("answered"), done.set()))])
        assert done.wait(PATIENCE_S)
    assert order == ["live 1", "answered"]


def test_the_live_side_is_not_told_of_groups_without_anything_stored(database):
    messages: list[Any] = []
    with writing(database, messages.append) as writer:
        assert Asked(writer, heartbeat("unknown-1")).kinds == ["Rejected"]
    assert messages == []


def test_a_request_without_arrivals_is_answered(database):
    with writing(database) as writer:
        assert Asked(writer).outcomes == []


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_past_the_bound_the_answer_is_full_at_once(database):
    gate = Gate()
    with writing(database, gate, max_waiting=5) as writer:
        first = Asked(writer, *pages(1))
        assert gate.reached.wait(PATIENCE_S)
        fits, too_much, fits_too = (Asked(writer, *pages(n, start)) for n, start in ((2, 10), (3, 20), (2, 30)))
        assert (writer.waiting, too_much.answers, fits.answers, fits_too.answers) == (5, [[QUEUE_FULL] * 3], [], [])
        gate.opened.set()
        assert [one.kinds for one in (first, fits, fits_too)] == [["Stored"], ["Stored"] * 2, ["Stored"] * 2]
        assert Asked(writer, *pages(3, 20)).kinds == ["Stored"] * 3
    assert outcome_counts(database) == {("stored", ""): 8, ("shed", "queue_full"): 3}


def test_a_site_that_is_flooded_leaves_room_for_the_others(database):
    with_sites(database, 2)
    gate = Gate()
    with writing(database, gate, max_waiting=8, max_waiting_per_site=3) as writer:
        flood = [Asked(writer, one) for one in pages(1)]
        assert gate.reached.wait(PATIENCE_S)
        flood += [Asked(writer, one) for one in pages(2, 10)]
        too_much, both = Asked(writer, *pages(1, 20)), Asked(writer, *pages(1, 20), *pages(1, 20, site_id=2))
        fits = Asked(writer, *pages(2, 30, site_id=2))
        assert [writer.waiting, too_much.answers, both.answers, fits.answers] == [
            5,
            [[SITE_QUEUE_FULL]],
            [[SITE_QUEUE_FULL] * 2],
            [],
        ]
        gate.opened.set()
        assert [one.kinds for one in (*flood, fits)] == [["Stored"]] * 3 + [["Stored"] * 2]
        assert Asked(writer, *pages(2, 20)).kinds == ["Stored"] * 2
    assert outcome_counts(database) == {("stored", ""): 7, ("shed", "site_queue_full"): 3}


def test_stopping_commits_what_is_waiting_and_refuses_what_comes(database):
    gate = Gate()
    with writing(database, gate, max_batch=2) as writer:
        waiting = [Asked(writer, *pages(2, 10 * n)) for n in range(5)]
        assert gate.reached.wait(PATIENCE_S)
        stopper = threading.Thread(target=writer.stop)
        stopper.start()
        gate.opened.set()
        stopper.join()
        assert [one.kinds for one in waiting] == [["Stored", "Stored"]] * 5
        assert Asked(writer, accepted()).outcomes == [STOPPING]
        assert (writer.alive, writer.waiting) == (False, 0)
    assert count(database, schema.pageviews) == 10


def test_stopping_writes_the_counters(database):
    with writing(database) as writer:
        writer.count(1, NOW + 5, "filtered", "bot")
        writer.count(1, NOW + 6, "filtered", "bot")
        writer.count(0, NOW, "rejected", "bad_json")
    assert rows(database, schema.outcomes) == [(0, NOW, "rejected", "bad_json", 1), (1, NOW, "filtered", "bot", 2)]


def test_counters_are_written_with_the_next_group(database):
    with writing(database) as writer:
        writer.count(1, NOW, "filtered", "bot")
        assert Asked(writer, accepted()).kinds == ["Stored"]
        assert outcome_counts(database) == {("filtered", "bot"): 1, ("stored", ""): 1}


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_database_that_is_away_is_told_and_comes_back_by_itself(database, config):
    with writing(database) as writer:
        assert Asked(writer, *pages(1)).kinds == ["Stored"]
        with away(database, config):
            assert Asked(writer, *pages(2, 10)).outcomes == [AWAY, AWAY]
            assert Asked(writer, *pages(1, 20)).outcomes == [AWAY]
            assert (writer.alive, writer.waiting) == (True, 0)
        assert Asked(writer, *pages(2, 10)).kinds == ["Stored", "Stored"]
    assert outcome_counts(database) == {("stored", ""): 3, ("shed", "database_away"): 3}


def test_a_commit_that_does_not_come_back_is_known_to_be_stuck(database):
    gate = Gate()
    with writing(database, gate) as writer:
        assert (writer.slow, writer.stuck) == (False, False)
        asked = Asked(writer, accepted())
        assert gate.reached.wait(PATIENCE_S)
        eventually(lambda: writer.slow)
        eventually(lambda: writer.stuck)
        gate.opened.set()
        assert asked.kinds == ["Stored"]
        eventually(lambda: not writer.stuck)


def test_not_failing_any_more_when_events_can_be_stored_again_though_none_comes(database, config):
    with writing(database) as writer:
        with away(database, config):
            assert Asked(writer, accepted()).outcomes == [AWAY]
            assert writer.failing
        eventually(lambda: not writer.failing)
        assert count(database, schema.pageviews) == 0, "its sender was told to come again"
        assert Asked(writer, accepted()).kinds == ["Stored"]
    assert outcome_counts(database) == {("shed", "database_away"): 1, ("stored", ""): 1}


def test_an_event_that_no_row_can_hold_is_refused_and_the_others_are_stored(database):
    """One such event once left a server on PostgreSQL not ready, until the next event."""
    whole, broken = accepted(page_id="page-0001"), accepted(page_id="page-0002", visitor=1 << 70)
    with writing(database) as writer:
        assert Asked(writer, whole, broken).outcomes[1:] == [UNSTORABLE]
        assert not writer.failing
    assert outcome_counts(database) == {("stored", ""): 1, ("rejected", "wrong_field"): 1}


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_a_pool_without_a_free_connection_is_a_database_that_is_away(database):
    """Nothing is stored one by one then, each after a wait of its own."""
    with ExitStack() as others, writing(database) as writer:
        for _ in range(13):  # all of the pool but the lease's
            others.enter_context(database.writing.connect())
        asked = Asked(writer, *(accepted("pageview", f"page-000{n}") for n in range(3)))
        eventually(lambda: writer.stuck)
        assert asked.answered_within(8) == [AWAY] * 3
        others.close()
        eventually(lambda: not writer.failing)
        assert Asked(writer, accepted()).kinds == ["Stored"]


def test_the_loop_yields_once_to_each_batch_of_an_embedded_database(database, monkeypatch):
    gate = Gate()
    with writing(database, gate) as writer:
        asked = Asked(writer, *pages(1))
        assert gate.reached.wait(PATIENCE_S)
        monkeypatch.setattr("collector.store.writer.MAX_YIELD_S", 1.0)
        begun = time.monotonic()
        writer.yield_to_writer()
        assert (time.monotonic() - begun >= 1.0) == database.embedded
        monkeypatch.setattr("collector.store.writer.MAX_YIELD_S", 3600.0)
        writer.yield_to_writer()  # one time-out for a batch is enough
        assert asked.answers == []
        gate.opened.set()
        assert asked.kinds == ["Stored"]


def test_the_loop_does_not_yield_to_a_writer_that_waits_for_the_database(database, monkeypatch):
    monkeypatch.setattr("collector.store.writer.MAX_YIELD_S", 3600.0)
    with writing(database) as writer:
        with database.transaction() as held:  # the group waits for this one
            if not database.embedded:
                held.execute(text("LOCK TABLE sites IN ACCESS EXCLUSIVE MODE"))
            asked = Asked(writer, *pages(1))
            writer.yield_to_writer()
            assert asked.answers == []
        assert asked.kinds == ["Stored"]


def test_counters_survive_a_database_that_is_away(database, config):
    with writing(database) as writer, away(database, config):
        writer.count(1, NOW, "filtered", "bot")
        assert Asked(writer, accepted()).outcomes == [AWAY]
    assert outcome_counts(database) == {("filtered", "bot"): 1, ("shed", "database_away"): 1}


def test_an_arrival_that_the_database_refuses_does_not_sink_the_others(database):
    """No client can send it: a visitor's number that is no 64-bit integer."""
    gate = Gate()
    with writing(database, gate) as writer:
        first = Asked(writer, *pages(1))
        assert gate.reached.wait(PATIENCE_S)
        poison = accepted(page_id="page-9999", visitor=2**63)
        one, mixed, other = (Asked(writer, *some) for some in (pages(1, 10), [*pages(1, 20), poison], pages(1, 30)))
        gate.opened.set()
        assert [asked.kinds for asked in (first, one, mixed, other)] == [
            ["Stored"],
            ["Stored"],
            ["Stored", "Rejected"],
            ["Stored"],
        ]
    assert outcome_counts(database) == {("stored", ""): 4, ("rejected", "wrong_field"): 1}
    assert count(database, schema.pageviews) == 4


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_live_side_takes_neither_the_answer_nor_the_writer(database):
    """It is committed: the live side reads a new site's feed from the database, which may be gone by then."""

    def broken(stored: list[Stored]) -> None:
        raise RuntimeError("the database went away between the commit and this")

    writer = Writer(database, broken)
    try:
        asked = [Asked(writer, *pages(1, 10 * n)) for n in range(2)]
        assert [one.kinds for one in asked] == [["Stored"], ["Stored"]]
        assert writer.alive
    finally:
        writer.stop()


def test_an_id_that_is_taken_is_made_anew(database):
    """A row of an earlier run has the id that this one makes first for that past millisecond."""
    past = NOW - 86_400
    random.seed(7)
    taken = Ids(database.worker).make(past * 1000)
    keep_beats(database, [beat(5, at=past, visit_id=taken)._replace(id=taken)])
    random.seed(7)
    with writing(database) as writer:
        asked = Asked(writer, accepted(at=past), heartbeat(at=past))
        assert asked.kinds == ["Stored", "Stored"]
        assert [outcome.beat.id for outcome in asked.outcomes] == [taken + 2, taken + 3]
    assert count(database, schema.heartbeats) == 3
    assert outcome_counts(database) == {("stored", ""): 2}


def test_what_was_stored_before_a_restart_is_a_duplicate_after_it(database):
    with writing(database) as writer:
        assert Asked(writer, accepted()).kinds == ["Stored"]
    with writing(database) as writer:
        assert Asked(writer, accepted()).outcomes == [Duplicate()]
        (outcome,) = Asked(writer, accepted(page_id="page-0002", at=NOW + MINUTE)).outcomes
        assert isinstance(outcome, Stored)
    assert rows(database, schema.visits, "pageviews") == [(2,)]

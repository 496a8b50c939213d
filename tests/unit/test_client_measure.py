"""What the Python client measures: requests, processor, memory."""

from __future__ import annotations

import os
import threading

import pytest

from footfall_client.measure import MAX_REPEATED, MAX_TIMES, Process, Requests, memory, memory_limit, p95, summary

NOON = 1_700_000_000


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def requests(clock) -> Requests:
    return Requests(lambda: {"instance": "web-1"}, clock)


def values(requests: Requests) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for sample in requests.samples():
        found.setdefault(sample["name"], []).append(sample["value"])
    return found


def test_a_second_has_its_requests_times_and_errors(requests, clock):
    for took, failed in [(0.1, False)] * 18 + [(0.5, False), (2.0, True)]:
        requests.add(took, failed)
    clock.now += 1
    at = {"timestamp": NOON + 1, "tags": {"instance": "web-1"}}
    assert requests.samples() == [
        {"name": "requests_per_second", "value": 20.0} | at,
        {"name": "queue_depth", "value": 0.0} | at,
        {"name": "response_time_ms", "value": 215.0} | at,
        {"name": "response_time_p95_ms", "value": 500.0} | at,
        {"name": "error_rate", "value": 5.0} | at,
    ]


def test_a_second_without_requests_says_so_and_has_no_times(requests, clock):
    clock.now += 1
    assert values(requests) == {"requests_per_second": [0.0], "queue_depth": [0.0]}


def test_requests_in_progress_are_the_depth_of_the_queue_until_they_end(requests, clock):
    first, second = requests.begin(), requests.begin()
    assert values(requests)["queue_depth"] == [2.0]
    first.end()
    first.end(failed=True)  # only the first end counts
    clock.now += 1
    assert {name: values for name, values in values(requests).items() if "time" not in name} == {
        "requests_per_second": [1.0],
        "queue_depth": [1.0],
        "error_rate": [0.0],
    }
    second.failed = True
    second.end()
    assert values(requests)["error_rate"] == [100.0]


def test_requests_of_seconds_in_which_the_thread_did_not_run_are_spread_over_them(requests, clock):
    for _ in range(9):
        requests.add(0.1, False)
    clock.now += 3
    assert [(one["value"], one["timestamp"]) for one in requests.samples()[:3]] == [
        (3.0, NOON + 1),
        (3.0, NOON + 2),
        (3.0, NOON + 3),
    ]
    clock.now += 86_400  # the machine slept
    assert len(values(requests)["requests_per_second"]) == MAX_REPEATED
    clock.now -= 3600  # its clock was set back
    assert values(requests)["requests_per_second"] == [0.0]


def test_many_threads_lose_no_request(requests):
    def serve() -> None:
        for _ in range(2000):
            requests.begin().end()

    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    seen = 0.0
    while any(thread.is_alive() for thread in threads):
        seen += sum(values(requests)["requests_per_second"])
    seen += sum(values(requests)["requests_per_second"])
    assert (seen, len(requests.running)) == (16_000, 0)


def test_of_very_many_requests_the_latest_are_timed_and_all_are_counted(requests, clock):
    for number in range(MAX_TIMES + 10):
        requests.add(5.0 if number < 10 else 0.1, False)
    assert len(requests.done) == MAX_TIMES
    found = values(requests)
    assert (found["requests_per_second"], found["response_time_ms"]) == ([MAX_TIMES + 10], [100.0])
    clock.now += 1
    assert values(requests) == {"requests_per_second": [0.0], "queue_depth": [0.0]}


def test_a_forked_process_begins_from_nothing(requests):
    requests.begin()
    requests.begin().end()
    requests.forget()
    assert values(requests) == {"requests_per_second": [0.0], "queue_depth": [0.0]}


@pytest.mark.parametrize(("many", "rank"), [(1, 1), (19, 19), (20, 19), (21, 20), (100, 95), (1000, 950)])
def test_p95_is_the_nearest_rank(many, rank):
    assert p95(list(range(1, many + 1))) == rank


def test_a_summary_is_in_milliseconds_and_percent():
    assert summary([(0.0012345, False), (0.002, True), (0.003, False)]) == (2.078, 3.0, 33.333)


def test_a_process_that_computes_uses_a_core(clock):
    process = Process(lambda: {"instance": "web-1"}, clock)
    list(process.samples())
    while not (found := {one["name"]: one["value"] for one in process.samples()}).get("cpu_percent"):
        sum(range(100_000))
    assert 0 < found["cpu_percent"] < 400
    assert 0 < found["memory_percent"] < 100


def test_memory_is_read_from_proc_or_is_the_peak():
    assert memory(lambda _: "100 25 3 1 0 9 0\n") == 25 * os.sysconf("SC_PAGE_SIZE")
    assert memory(lambda _: "") > 1_000_000


@pytest.mark.parametrize("said", ["max\n", "", "9223372036854771712\n"])
def test_a_process_without_a_limit_may_have_the_machines_memory(said):
    assert memory_limit(lambda _: said) == memory_limit(lambda _: "") > 100_000_000


def test_a_control_group_may_have_less():
    assert memory_limit(lambda path: "50000000\n" if path.endswith("memory.max") else "") == 50_000_000

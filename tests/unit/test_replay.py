"""An access log as live visitors: who visits when, what is sent when, and what is made of the answers."""

from __future__ import annotations

import io
import json
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from collector.imports.access_log import LoggedPage
from collector.imports.log_sessions import LogSession, own_hosts, sessions_of
from collector.simulate.client import BatchResult, RefusedError, Sender, read_answer
from collector.simulate.demo import demo_visitors
from collector.simulate.people import sample_pages
from collector.simulate.replay import ReplayProgress, ReplayTotals, interruptible, play, run, summary
from collector.simulate.schedule import EventMerge, TimedEvent, length, plan
from collector.simulate.traffic import make_traffic

START = 1_431_857_103


def hit(at=0, path="/", address="203.0.113.7", referrer="", agent="Firefox"):
    return LoggedPage(address, START + at, "GET", path, 200, referrer, agent)


def planned(hits, speed=1.0, nonce="n", site="example.com"):
    return list(plan(sessions_of(hits), site, speed, nonce=nonce))


def said(steps, *fields):
    return [(step.due, *(step.body.get(field) for field in fields)) for step in steps]


class FakeTime:
    """Stands still but for `sleep`; `at` may do something once a moment has come."""

    def __init__(self):
        self.now = 1000.0
        self.at = {}

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        for moment in [moment for moment in self.at if moment <= self.now - 1000]:
            self.at.pop(moment)()


class Server:
    """Gives the prepared answers, then that all is stored; records the time and the events of each request."""

    def __init__(self, time, *answers):
        self.time, self.answers, self.asked = time, list(answers), []

    def __call__(self, events):
        self.asked.append((round(self.time.now - 1000, 3), list(events)))
        answer = self.answers.pop(0) if self.answers else BatchResult(stored=len(events))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def events(self):
        return [(at, event["type"]) for at, events in self.asked for event in events]


def played(steps, *answers, time=None, **more):
    time = time or FakeTime()
    server = Server(time, *answers)
    return server, run(steps, server, clock=time.clock, sleep=time.sleep, **more)


def view(number, due=0.0):
    return TimedEvent(due, {"site": "s", "type": "pageview", "id": f"page-{number:04}", "ip": "::1", "user_agent": "A"})


# sessions


def test_address_with_a_browser_walks_its_pages_in_the_order_of_time():
    a, b, c, d = hit(9, "/b"), hit(0, "/a"), hit(3, address="::1"), hit(4, agent="Chrome")
    assert sessions_of([a, b, c, d]) == [
        LogSession("203.0.113.7", "Firefox", (b, a)),
        LogSession("::1", "Firefox", (c,)),
        LogSession("203.0.113.7", "Chrome", (d,)),
    ]


def test_silence_of_more_than_30_minutes_starts_another_walk():
    first, second, third = hit(0), hit(1800), hit(3601)
    assert [walk.pages for walk in sessions_of([first, second, third])] == [(first, second), (third,)]


def test_no_hits_no_walks():
    assert (sessions_of([]), list(plan([], "example.com", 60, nonce="n")), length([], 60)) == ([], [], 0.0)


# plan


def test_visitor_leaves_a_page_when_the_next_one_comes_and_beats_in_between():
    steps = planned([hit(0, "/a"), hit(70, "/b")])
    types = said(steps[:5], "type", "url")
    assert types == [
        (0.0, "pageview", "https://example.com/a"),
        (30.0, "heartbeat", "https://example.com/a"),
        (60.0, "heartbeat", "https://example.com/a"),
        (70.0, "leave", None),
        (70.0, "pageview", "https://example.com/b"),
    ]
    assert {step.body["pageview"] for step in steps[1:4]} == {steps[0].body["id"]}


def test_body_of_each_type_holds_what_the_wire_wants():
    hits = [hit(0, "/a?q=1", referrer="https://www.google.com/"), hit(40, "/b")]
    shown, beat, leave, *_ = (step.body for step in planned(hits))
    who = {"site": "example.com", "ip": "203.0.113.7", "user_agent": "Firefox"}
    url, page = "https://example.com/a?q=1", shown["id"]
    assert shown == who | {"type": "pageview", "id": page, "url": url, "referrer": "https://www.google.com/"}
    totals = {name: beat[name] for name in ("engaged_ms", "scroll")}
    assert beat == who | {"type": "heartbeat", "pageview": page, "url": url, "state": "active"} | totals
    totals = {name: leave[name] for name in ("engaged_ms", "scroll")}
    assert leave == who | {"type": "leave", "pageview": page} | totals


def test_totals_grow_and_stay_plausible():
    steps = planned([hit(0), hit(1700)])
    totals = [(step.due, step.body["engaged_ms"], step.body["scroll"]) for step in steps[1:58]]
    assert all(a[1] < b[1] and a[2] <= b[2] for a, b in pairwise(totals))
    assert all(due * 500 <= engaged <= due * 950 and 0 <= scroll <= 100 for due, engaged, scroll in totals)


def test_speed_divides_the_logs_pauses_but_beats_come_every_30_seconds():
    steps = planned([hit(0), hit(1700), hit(2000, address="::1")], speed=20)
    assert said(steps[:5], "type", "ip")[:4] == [
        (0.0, "pageview", "203.0.113.7"),
        (30.0, "heartbeat", "203.0.113.7"),
        (60.0, "heartbeat", "203.0.113.7"),
        (85.0, "leave", "203.0.113.7"),
    ]
    assert (100.0, "pageview", "::1") in said(steps, "type", "ip")


@pytest.mark.parametrize(
    ("gaps", "speed", "shortest", "longest"),
    [
        ([100], 1, 100, 100),  # like the pause before
        ([2, 3, 4], 1, 30, 90),  # 30 s of log time at least
        ([1000, 1200], 1, 300, 300),  # 5 minutes at most
        ([], 1, 30, 90),
        ([100], 60, 15, 90),  # 15 s of real time at least
    ],
)
def test_last_page_lasts_as_the_others_within_bounds(gaps, speed, shortest, longest):
    times = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
    *_, last = planned([hit(time) for time in times], speed)
    assert last.body["type"] == "leave"
    assert shortest <= last.due - times[-1] / speed <= longest


def test_plan_of_a_whole_log_is_in_order_and_ends_with_its_length():
    sessions = sessions_of(sample_pages())
    steps = list(plan(sessions, "example.com", 60, nonce="n", seed=3))
    assert all(earlier.due <= later.due for earlier, later in pairwise(steps))
    kinds = Counter(step.body["type"] for step in steps)
    assert kinds["pageview"] == kinds["leave"] == len(sample_pages())
    assert steps[-1].due == pytest.approx(length(sessions, 60, seed=3))


def test_no_visitor_on_a_page_is_silent_for_more_than_30_seconds():
    last = {}
    for due, body in plan(sessions_of(sample_pages()), "example.com", 2, nonce="n"):
        page = body["id"] if body["type"] == "pageview" else body["pageview"]
        assert due - last.get(page, due) <= 30
        last[page] = due


def test_same_nonce_repeats_exactly_and_another_makes_new_visits():
    hits = sample_pages()[:50]
    first, again, other = planned(hits, 60), planned(hits, 60), planned(hits, 60, nonce="m")
    ids = [{step.body["id"] for step in steps if "id" in step.body} for steps in (first, other)]
    assert first == again
    assert [len(made) for made in ids] == [50, 50]
    assert not ids[0] & ids[1]
    assert all(len(made) == 24 for made in ids[0])
    assert said(first, "type", "engaged_ms", "scroll") == said(other, "type", "engaged_ms", "scroll")


def test_host_name_or_blank_for_an_address_gets_a_private_one_of_its_own():
    names = ["crawl.example.net", "crawl.example.net", "-", "::ffff:1.2.3.4"]
    ips = [planned([hit(address=name)])[0].body["ip"] for name in names]
    assert ips[0] == ips[1] != ips[2]
    assert all(ip.startswith("fd") for ip in ips[:3])
    assert ips[3] == "1.2.3.4"


def test_logs_own_host_is_found_and_its_referrers_stand_on_the_site():
    own = "http://www.semicomplete.com/a"
    hits = [
        hit(0, "/", referrer="http://www.google.com/"),
        hit(1, "/a", referrer="http://www.google.com/"),
        hit(2, "/b", referrer=own),
        hit(3, "/c", referrer=own),
        hit(5000, "/d", referrer=f"{own}?b=c#d"),
    ]
    assert own_hosts(sessions_of(hits)) == {"www.semicomplete.com"}
    referrers = [step.body["referrer"] for step in planned(hits) if step.body["type"] == "pageview"]
    assert referrers == [
        "http://www.google.com/",
        "http://www.google.com/",
        "https://example.com/a",
        "https://example.com/a",
        "https://example.com/a?b=c#d",
    ]


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_speed_must_be_above_nothing(speed):
    with pytest.raises(ValueError, match="a number above 0 is needed"):
        plan([], "example.com", speed, nonce="n")


def test_stage_plays_streams_in_the_order_of_all():
    merge = EventMerge()
    merge.add(iter([view(1, 1.0), view(4, 4.0)]))
    merge.add(iter([view(2, 2.0), view(3, 3.0)]))
    merge.add(iter([]))
    assert len(merge) == 2
    assert [step.due for step in merge.until(3.0)] == [1.0, 2.0]
    assert [step.due for step in merge.until(float("inf"))] == [3.0, 4.0]
    assert len(merge) == 0


# run


def test_steps_are_sent_when_they_are_due():
    server, totals = played([view(1, 0.0), view(2, 0.02), view(3, 5.0), view(4, 5.0)])
    assert server.events == [(0.0, "pageview"), (0.1, "pageview"), (5.0, "pageview"), (5.0, "pageview")]
    assert len(server.asked) == 3
    assert (totals.sent, totals.stored, totals.interrupted) == ({"pageview": 4}, 4, False)


def test_crowd_goes_in_requests_of_a_hundred_without_a_pause():
    server, totals = played([view(number) for number in range(250)])
    assert [(at, len(events)) for at, events in server.asked] == [(0.0, 100), (0.0, 100), (0.0, 50)]
    assert totals.stored == 250


def test_request_stays_under_what_the_collector_takes():
    steps = [TimedEvent(0.0, view(number).body | {"url": "https://example.com/" + "x" * 4000}) for number in range(40)]
    server, _ = played(steps)
    assert max(len(json.dumps(events)) for _, events in server.asked) < 64 * 1024
    assert [event["id"] for _, events in server.asked for event in events] == [step.body["id"] for step in steps]


def test_small_requests_are_at_least_100_ms_apart():
    server, _ = played([view(number, number / 100) for number in range(100)])
    moments = [at for at, _ in server.asked]
    assert all(later - earlier >= 0.099 for earlier, later in pairwise(moments))
    assert len(moments) == 11


def test_whole_log_is_played_through():
    sessions = sessions_of(sample_pages())
    server, totals = played(plan(sessions, "example.com", 60, nonce="n"))
    assert totals.sent["pageview"] == totals.sent["leave"] == len(sample_pages())
    assert totals.stored == sum(totals.sent.values()) == len(server.events)
    assert server.asked[-1][0] == pytest.approx(length(sessions, 60), abs=0.2)


def test_busy_server_gets_the_same_events_after_the_time_it_asks_for():
    busy = BatchResult(retry=(0,), retry_after=7.0)
    server, totals = played([view(1), view(2, 3.0)], busy, busy)
    first, again, third, other = server.asked
    assert [first[0], again[0], third[0], other[0]] == [0.0, 7.0, 14.0, 14.1]
    assert first[1] == again[1] == third[1]
    assert (totals.retried, totals.stored, totals.sent["pageview"]) == (2, 2, 2)


def test_only_those_that_were_not_taken_are_sent_again():
    partly = BatchResult(stored=1, filtered={"bot": 1}, retry=(1, 3), retry_after=2.0)
    server, totals = played([view(number) for number in range(4)], partly)
    assert [(at, [event["id"] for event in events]) for at, events in server.asked] == [
        (0.0, ["page-0000", "page-0001", "page-0002", "page-0003"]),
        (2.0, ["page-0001", "page-0003"]),
    ]
    assert totals == ReplayTotals(sent=Counter(pageview=4), stored=3, filtered=Counter(bot=1), retried=1)


def test_server_that_stays_away_is_given_up_after_two_minutes():
    answers = [BatchResult(retry=(0,), retry_after=1.0, failure="the server does not answer")] * 1000
    time = FakeTime()
    with pytest.raises(RefusedError, match="given up after 120 s: the server does not answer"):
        played([view(1)], *answers, time=time)
    assert time.now - 1000 == pytest.approx(120.0)


def test_answers_are_counted_by_outcome():
    answers = [
        BatchResult(stored=1, duplicate=1, filtered={"bot": 2}),
        BatchResult(filtered={"bot": 1, "excluded": 1}, rejected={"wrong_field": 2}),
    ]
    _, totals = played([view(number, number // 4) for number in range(8)], *answers)
    assert totals == ReplayTotals(
        sent=Counter(pageview=8),
        stored=1,
        duplicate=1,
        filtered=Counter(bot=3, excluded=1),
        rejected=Counter(wrong_field=2),
    )


def test_refusal_ends_the_replay():
    with pytest.raises(RefusedError, match="unknown key"):
        played([view(1)], RefusedError("unknown key"))


def beat(number, due):
    body = {"type": "heartbeat", "pageview": f"page-{number:04}", "engaged_ms": 900, "scroll": 40}
    return TimedEvent(due, view(number).body | body)


def leave(number, due):
    return TimedEvent(due, {"site": "s", "type": "leave", "pageview": f"page-{number:04}"})


def farewell(number, **totals):
    who = {"site": "s", "ip": "::1", "user_agent": "A"}
    return {"type": "leave", "pageview": f"page-{number:04}"} | who | totals


STAY = [view(1), view(2), view(3, 1.0), beat(2, 1.5), leave(1, 2.0), view(4, 60.0)]


def test_ctrl_c_lets_those_on_a_page_leave():
    time = FakeTime()

    def interrupt():
        raise KeyboardInterrupt

    time.at[10.0] = interrupt
    server, totals = played(STAY, time=time)
    assert server.asked[-1] == (10.0, [farewell(3), farewell(2, engaged_ms=900, scroll=40)])
    assert (totals.interrupted, totals.sent) == (True, {"pageview": 3, "heartbeat": 1, "leave": 3})


def test_ctrl_c_in_a_request_also_says_goodbye_for_its_events():
    server, totals = played([view(1)], KeyboardInterrupt())
    assert server.asked[-1] == (0.0, [farewell(1)])
    assert (totals.interrupted, totals.sent) == (True, {"leave": 1})


def test_stop_asked_for_by_another_thread_is_noticed_within_a_quarter_of_a_second():
    time = FakeTime()
    server, totals = played(STAY, time=time, stopped=lambda: time.now >= 1010.1)
    assert server.asked[-1][0] == 10.25
    assert totals.interrupted


@pytest.mark.parametrize("answer", [BatchResult(retry=(0,), retry_after=60.0), RefusedError("no")])
def test_goodbye_does_not_wait_for_a_server_that_does_not_take_it(answer):
    time = FakeTime()
    _, totals = played([view(1)], KeyboardInterrupt(), answer, time=time)
    assert (totals.sent, time.now) == ({}, 1000.0)


def test_goodbye_ends_after_two_seconds_with_a_slow_server():
    time = FakeTime()
    asked = []

    def slow(events):
        asked.append(len(events))
        time.now += 1.5
        if len(asked) == 6:
            raise KeyboardInterrupt
        return BatchResult(stored=len(events))

    totals = run((view(number) for number in range(550)), slow, clock=time.clock, sleep=time.sleep)
    assert asked == [100, 100, 100, 100, 100, 50, 100, 100]
    assert totals.sent == {"pageview": 500, "leave": 200}


def test_who_was_not_heard_of_for_three_beats_is_forgotten():
    seen = []
    steps = [view(1), *(view(number, number * 10.0) for number in range(2, 40))]
    played(steps, report=lambda _totals, _elapsed, here: seen.append(here))
    assert max(seen) == 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_within_interruptible_is_noted_and_the_second_one_interrupts(number):
    before = signal.getsignal(number)
    with interruptible() as interrupted:
        assert not interrupted()
        signal.raise_signal(number)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


# what is said of it


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_line_every_10_seconds_where_there_is_no_terminal():
    out = io.StringIO()
    played([view(number, number * 4.0) for number in range(6)], report=ReplayProgress(out, 125))
    assert out.getvalue() == (
        "0:00 of 2:05: 0 here, 0 pageviews\n0:10 of 2:05: 3 here, 3 pageviews\n0:20 of 2:05: 5 here, 5 pageviews\n"
    )


def test_progress_rewrites_one_line_on_a_terminal():
    out = Terminal()
    progress = ReplayProgress(out, 61)
    played([view(1), view(2, 1.0)], report=progress)
    progress.close()
    assert "\n" not in out.getvalue()
    assert out.getvalue().split("\r")[1:] == [
        "0:00 of 1:01: 0 here, 0 pageviews\x1b[K",
        "0:00 of 1:01: 1 here, 1 pageviews\x1b[K",
        "0:00 of 1:01: 1 here, 1 pageviews\x1b[K",
        "0:00 of 1:01: 1 here, 1 pageviews\x1b[K",
        "0:01 of 1:01: 1 here, 1 pageviews\x1b[K",
        "\x1b[K",
    ]


def test_summary_says_all_that_happened():
    totals = ReplayTotals(
        sent=Counter(pageview=2894, heartbeat=2073, leave=2894),
        duplicate=3,
        filtered=Counter(bot=1200, excluded=2),
        rejected=Counter(wrong_field=1),
        retried=4,
        interrupted=True,
    )
    assert summary(totals, Counter(not_ok=371, not_a_page=6686)) == (
        "sent 2,894 pageviews, 2,073 heartbeats, 2,894 leaves; skipped: not_a_page 6,686, not_ok 371; "
        "filtered: bot 1,200, excluded 2; rejected: wrong_field 1; sent before: 3; retries: 4; stopped early"
    )


def test_summary_of_nothing():
    assert summary(ReplayTotals(), {}) == "sent 0 pageviews, 0 leaves"


# over HTTP


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (202, {}, {"stored": 2, "duplicate": 1}, BatchResult(stored=2, duplicate=1)),
        (200, {}, {"stored": 0, "filtered": "bot"}, BatchResult(filtered={"bot": 3})),
        (
            200,
            {},
            {"stored": 0, "filtered": 3, "reasons": {"bot": 2, "dnt": 1}},
            BatchResult(filtered={"bot": 2, "dnt": 1}),
        ),
        (200, {"X-Footfall-Outcome": "filtered; reason=bot"}, {"filtered": 3}, BatchResult(filtered={"bot": 3})),
        (
            202,
            {},
            {"stored": 2, "duplicate": 0, "rejected": [{"index": 1, "error": {"code": "wrong_field"}}]},
            BatchResult(stored=2, rejected={"wrong_field": 1}),
        ),
        (
            422,
            {},
            {"error": {"code": "missing_field", "message": "…"}},
            BatchResult(rejected={"missing_field": 3}),
        ),
        (
            429,
            {"Retry-After": "9"},
            {"error": {"message": "slow down"}},
            BatchResult(retry=(0, 1, 2), retry_after=9.0, failure="slow down"),
        ),
        (
            503,
            {"retry-after": "2"},
            {},
            BatchResult(retry=(0, 1, 2), retry_after=2.0, failure="the server answers HTTP 503"),
        ),
        (502, {}, None, BatchResult(retry=(0, 1, 2), retry_after=1.0, failure="the server answers HTTP 502")),
        (
            202,
            {"Retry-After": "4"},
            {
                "stored": 1,
                "rejected": [{"index": 0, "error": {"code": "busy"}}, {"index": 2, "error": {"code": "x"}}],
            },
            BatchResult(stored=1, retry=(0, 2), retry_after=4.0, failure="the server answers HTTP 202"),
        ),
        (
            429,
            {"Retry-After": "4"},
            {
                "filtered": 1,
                "reasons": {"bot": 1},
                "rejected": [{"index": 0}, {"index": 1}],
                "error": {"message": "no"},
            },
            BatchResult(filtered={"bot": 1}, retry=(0, 1), retry_after=4.0, failure="no"),
        ),
        (
            422,
            {},
            {
                "stored": 0,
                "rejected": [{"index": index, "error": {"code": code}} for index, code in enumerate("aab")],
            },
            BatchResult(rejected={"a": 2, "b": 1}),
        ),
    ],
)
def test_answer_of_the_collector_is_understood(status, headers, body, outcome):
    text = b"<html>" if body is None else json.dumps(body).encode()
    assert read_answer(status, headers, text, 3) == outcome


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            401,
            {"error": {"code": "bad_key", "message": "this key does not exist"}},
            "this key does not exist",
        ),
        (404, [], "HTTP 404"),
    ],
)
def test_answer_that_will_not_change_is_a_refusal(status, body, said):
    with pytest.raises(RefusedError, match=said):
        read_answer(status, {}, json.dumps(body).encode(), 3)


class Collector(ThreadingHTTPServer):
    """Takes everything; keeps the requests with the connection that they came over."""

    daemon_threads = True
    hang_up = False

    def __init__(self):
        self.got = []
        self.came = threading.Semaphore(0)
        super().__init__(("127.0.0.1", 0), self.Handler)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.got.append((self.client_address, self.path, dict(self.headers), events))
            self.server.came.release()
            answer = json.dumps({"stored": len(events), "duplicate": 0}).encode()
            self.send_response(202)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.close_connection = self.server.hang_up

        def log_message(self, *_):
            pass


@contextmanager
def collector():
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_sender_posts_with_its_key_over_one_connection():
    with collector() as (server, url):
        sender = Sender(f"{url}/stats/", "ff_key")
        assert [sender([{"type": "leave"}]), sender([{}, {}])] == [BatchResult(stored=1), BatchResult(stored=2)]
        sender.close()
    (first, path, headers, events), (second, *_) = server.got
    assert first == second
    assert (path, events) == ("/stats/api/collect", [{"type": "leave"}])
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer ff_key", "application/json")


def test_sender_connects_again_where_the_server_has_hung_up():
    with collector() as (server, url):
        server.hang_up = True
        sender = Sender(url, "ff_key")
        assert [sender([{}]) for _ in range(3)] == [BatchResult(stored=1)] * 3
        sender.close()
    assert len({address for address, *_ in server.got}) == 3


def test_server_that_is_away_may_be_asked_again():
    with collector() as (_, url):
        pass
    outcome = Sender(url, "ff_key")([{}])
    assert (outcome.retry, outcome.retry_after, outcome.failure[:30]) == (
        (0,),
        1.0,
        "the server does not answer ([E",
    )


@pytest.mark.parametrize("url", ["127.0.0.1:8050", "ftp://example.com", "http://", ""])
def test_sender_needs_an_http_address(url):
    with pytest.raises(ValueError, match="is no http address"):
        Sender(url, "ff_key")


def test_demos_crowd_comes_when_it_is_let_and_leaves_at_the_end():
    with collector() as (server, url), demo_visitors(url, "ff_key", make_traffic(7, int(time.time()))) as start:
        assert server.got == []
        start()
        assert server.came.acquire(timeout=5)
    *_, (_, _, _, events) = server.got
    assert {event["type"] for event in events} == {"leave"}
    assert len(server.got[0][3]) == 100


def test_demos_crowd_that_is_never_let_in_does_nothing():
    with collector() as (server, url), demo_visitors(url, "ff_key", make_traffic(7, int(time.time()))):
        pass
    assert server.got == []


def test_play_of_an_empty_log_asks_nothing():
    out = io.StringIO()
    with collector() as (server, url):
        totals = play([], "example.com", 60, Sender(url, "ff_key"), out)
    assert (totals, server.got, out.getvalue()) == (ReplayTotals(), [], "")

"""The Python client's sender, with a Footfall that takes everything, refuses, hangs, or is away."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email.utils import formatdate

import pytest
import trustme

from footfall_client.sender import Counts, Sender
from tests.support import client
from tests.support.client import KEY, path_of, posted
from tests.support.proxy import free_port
from tests.support.receiver import Receiver, answer, raw, receiving, silent
from tests.support.serving import eventually

NOON = 1_700_000_000


@pytest.fixture
def footfall() -> Iterator[Receiver]:
    """A receiver in the place of Footfall."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def sender(footfall) -> Iterator[Sender]:
    sender = Sender(footfall.url, KEY)
    yield sender
    sender.close(0.1)


def values(receiver: Receiver) -> list[float]:
    return [one["value"] for one in posted(receiver)]


# ── Footfall takes it ────────────────────────────────────────────────────────────────────────────────────────────────


def test_samples_and_events_are_posted_with_the_key(footfall, sender):
    sender.sample("queue_depth", 3, {"queue": "mail"}, NOON)
    sender.sample("queue_depth", 4, timestamp=NOON)
    event = {"site": "example.com", "type": "event", "id": "a1b2c3d4", "url": "https://example.com/", "name": "Paid"}
    sender.event(event)
    sender.close()
    assert [(one.line, json.loads(one.body)) for one in footfall.received] == [
        (
            "POST /api/metrics HTTP/1.1",
            [
                {"name": "queue_depth", "value": 3, "timestamp": NOON, "tags": {"queue": "mail"}},
                {"name": "queue_depth", "value": 4, "timestamp": NOON},
            ],
        ),
        ("POST /api/collect HTTP/1.1", [event]),
    ]
    for one in footfall.received:
        assert one.headers["authorization"] == f"Bearer {KEY}"
        assert one.headers["content-type"] == "application/json"
    assert sender.counts == Counts(sent=3, dropped=0, refused=0)


def test_what_is_sampled_arrives_within_two_seconds(footfall, sender):
    before = time.monotonic()
    sender.sample("queue_depth", 1)
    eventually(lambda: values(footfall) == [1])
    assert time.monotonic() - before < 2


def test_a_server_below_a_path_is_posted_to_below_it(footfall):
    sender = Sender(footfall.url + "/stats/", KEY)
    sender.sample("queue_depth", 1)
    sender.close()
    assert path_of(footfall.received[0]) == "/stats/api/metrics"


def test_many_threads_lose_nothing_and_nothing_comes_twice(footfall, sender):
    def work(number: int) -> None:
        for count in range(500):
            sender.sample("work", number * 1000 + count, timestamp=NOON)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sender.close(10)
    assert sorted(values(footfall)) == sorted(number * 1000 + count for number in range(8) for count in range(500))
    assert max(len(json.loads(one.body)) for one in footfall.received) <= 500
    assert sender.counts == Counts(4000, 0, 0)


def test_a_body_is_smaller_than_what_footfall_takes(footfall, sender):
    for number in range(90):
        sender.event({"site": "example.com", "name": "x" * 2000, "value": number})
    sender.close(10)
    assert [one["value"] for one in posted(footfall, "/api/collect")] == list(range(90))
    assert max(len(one.body) for one in footfall.received) < 65_536


def test_what_is_no_json_is_refused_here_and_the_rest_is_sent(footfall, sender):
    for value in (1, float("nan"), float("inf"), object(), "x" * 70_000, 2):
        sender.sample("odd", value, timestamp=NOON)
    sender.close()
    assert values(footfall) == [1, 2]
    assert sender.counts == Counts(sent=2, dropped=0, refused=4)


# ── Footfall refuses ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_footfall_rejects_of_a_batch_is_counted(footfall, sender, caplog):
    rejected = [{"index": 1, "error": {"code": "wrong_field", "message": "no such name"}}]
    footfall.replies.append(answer(202, json.dumps({"stored": 1, "rejected": rejected})))
    sender.sample("queue_depth", 1)
    sender.sample("", 2)
    sender.close()
    assert sender.counts == Counts(sent=1, dropped=0, refused=1)
    assert "no such name" in caplog.text


def test_a_batch_that_is_refused_as_a_whole_is_sent_in_parts(footfall, sender):
    footfall.replies += [answer(400), answer(400), answer(202)]  # all four; the first two; the first; then 200
    for number in range(4):
        sender.sample("work", number, timestamp=NOON)
    sender.close()
    sizes = [[one["value"] for one in json.loads(request.body)] for request in footfall.received]
    assert sizes == [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3]]
    assert sender.counts == Counts(sent=4, dropped=0, refused=0)


def test_a_single_sample_that_is_refused_is_not_sent_again(footfall, sender):
    footfall.replies.append(answer(422))
    sender.sample("bad", 1, timestamp=NOON)
    eventually(lambda: sender.counts.refused)
    sender.sample("good", 2, timestamp=NOON)
    sender.close()
    assert values(footfall) == [1, 2]


def test_a_wrong_key_is_said_once_and_footfall_is_left_in_peace(footfall, sender, caplog):
    footfall.replies += [answer(401, json.dumps({"error": {"message": "no such key"}}))] * 2
    sender.sample("queue_depth", 1, timestamp=NOON)
    eventually(lambda: sender.counts.refused)
    sender.sample("queue_depth", 2, timestamp=NOON)
    sender.close()  # the last attempt, which is not kept from it
    assert values(footfall) == [1, 2]
    assert sender.counts == Counts(sent=0, dropped=0, refused=2)
    assert caplog.text.count("no such key") == 1
    assert KEY not in caplog.text


def test_a_footfall_that_takes_no_metrics_gets_events_all_the_same(footfall, sender):
    footfall.replies.append(answer(401))
    sender.sample("queue_depth", 1)
    eventually(lambda: sender.counts.refused)
    sender.event({"site": "example.com"})
    eventually(lambda: sender.counts.sent)
    assert posted(footfall, "/api/collect") == [{"site": "example.com"}]


@pytest.mark.parametrize("status", [301, 404, 410])
def test_a_server_that_is_no_footfall_is_said(footfall, sender, status, caplog):
    footfall.replies.append(answer(status, "<h1>x</h1>"))
    sender.sample("queue_depth", 1)
    sender.close()
    assert sender.counts == Counts(0, 0, 1)
    assert f"refuses /api/metrics: {status}" in caplog.text


# ── Footfall has no time ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 503])
def test_the_batch_comes_again_after_the_time_that_footfall_names(footfall, sender, status):
    footfall.replies.append(answer(status, Retry_After="2"))
    sender.sample("queue_depth", 1, timestamp=NOON)
    eventually(lambda: footfall.received)
    first = time.monotonic()
    eventually(lambda: values(footfall) == [1, 1])
    assert 1.5 < time.monotonic() - first < 5
    eventually(lambda: sender.counts == Counts(1, 0, 0))


def test_that_time_may_be_a_date(footfall, sender):
    footfall.replies.append(answer(503, Retry_After=formatdate(time.time() + 3, usegmt=True)))
    sender.sample("queue_depth", 1, timestamp=NOON)
    eventually(lambda: footfall.received)
    first = time.monotonic()
    eventually(lambda: values(footfall) == [1, 1])
    assert time.monotonic() - first > 1


def test_without_a_time_the_pauses_grow_and_order_is_kept(footfall, sender):
    footfall.replies += [answer(502), answer(500)]
    sender.sample("work", 1, timestamp=NOON)
    begun = time.monotonic()
    eventually(lambda: len(footfall.received) == 1)
    sender.sample("work", 2, timestamp=NOON)
    eventually(lambda: sender.counts.sent == 2)
    assert values(footfall) == [1, 1, 2, 1, 2]
    assert time.monotonic() - begun > 2


# ── Footfall is away ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_footfall_is_away_the_oldest_are_dropped_and_counted_and_the_rest_comes_later(caplog):
    caplog.set_level(logging.INFO)
    port = free_port()
    sender = Sender(f"http://127.0.0.1:{port}", KEY, queue_size=50)
    for number in range(80):
        sender.sample("work", number, timestamp=NOON)
    eventually(lambda: "does not take" in caplog.text)
    with receiving(port=port) as footfall:
        eventually(lambda: sender.counts.sent)
        sender.close()
        assert values(footfall) == list(range(30, 80))
    assert sender.counts == Counts(sent=50, dropped=30, refused=0)
    assert caplog.text.count("does not take") == 1
    assert "takes /api/metrics again" in caplog.text


def test_a_full_queue_takes_back_only_what_it_has_room_for(footfall):
    footfall.replies.append(silent(footfall))
    sender = Sender(footfall.url, KEY, queue_size=50, timeout_s=0.3)
    for number in range(50):
        sender.sample("work", number, timestamp=NOON)
    eventually(lambda: footfall.received)
    for number in range(50, 80):
        sender.sample("work", number, timestamp=NOON)
    eventually(lambda: sender.counts.sent)
    sender.close()
    assert values(footfall)[50:] == list(range(30, 80))
    assert sender.counts == Counts(sent=50, dropped=30, refused=0)


def test_the_application_does_not_wait_for_a_footfall_that_hangs(footfall):
    footfall.replies += [silent(footfall)] * 5
    sender = Sender(footfall.url, KEY)
    sender.sample("work", 1)
    eventually(lambda: footfall.received)
    begun = time.monotonic()
    for _ in range(1000):
        sender.sample("work", 2)
    assert time.monotonic() - begun < 0.5
    begun = time.monotonic()
    sender.close(0.5)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("said", [b"", b"\x00" * 1000, b"HTTP/1.1 2", b"GET / HTTP/1.1\r\n"])
def test_a_server_that_talks_nonsense_changes_nothing(footfall, said, caplog):
    footfall.replies.append(raw(said))
    sender = Sender(footfall.url, KEY)
    sender.sample("queue_depth", 1, timestamp=NOON)
    eventually(lambda: sender.counts.sent == 1)
    sender.close()
    assert values(footfall) == [1, 1]
    assert "mistake" not in caplog.text


def test_a_status_counts_although_the_rest_of_the_answer_is_missing(footfall, sender):
    footfall.replies.append(raw(b"HTTP/1.1 202 OK\r\nContent-Length: 9999999\r\n\r\n["))
    sender.sample("queue_depth", 1)
    sender.close()
    assert sender.counts == Counts(1, 0, 0)


def test_an_answer_is_read_up_to_64_kib_whatever_its_length(footfall, sender):
    footfall.replies.append(raw(b"HTTP/1.1 202 OK\r\n\r\n", b"x" * 1_000_000, for_s=2))
    sender.sample("queue_depth", 1)
    begun = time.monotonic()
    eventually(lambda: sender.counts.sent == 1)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "server", ["", "stats.example.com", "ftp://x", "http://", "http://x/?a=1", "http://a:b@x", "http://x:port"]
)
def test_an_address_that_is_none_is_refused_at_once(server):
    with pytest.raises(ValueError, match=r"server|Port|port"):
        Sender(server, KEY)


@pytest.mark.parametrize("key", ["a b", "a\r\nX-Header: 1", "ключ"])
def test_a_key_that_is_none_is_refused_and_not_shown(key):
    with pytest.raises(ValueError, match="the key has characters") as refused:
        Sender("http://127.0.0.1", key)
    assert key not in str(refused.value)


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────

PROGRAM = """
import os, sys
from footfall_client.sender import Sender
sender = Sender(os.environ["FOOTFALL_SERVER"], os.environ["FOOTFALL_INGEST_KEY"])
"""


def test_the_end_of_a_process_sends_everything(footfall):
    done = client.run(footfall, PROGRAM + "for n in range(3000): sender.sample('work', n, timestamp=n)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert values(footfall) == list(range(3000))


def test_a_process_that_fails_sends_everything_too(footfall):
    done = client.run(footfall, PROGRAM + "sender.sample('work', 1)\nraise SystemExit(3)")
    assert done.returncode == 3
    assert values(footfall) == [1]


def test_the_end_of_a_process_is_not_delayed_by_more_than_two_seconds(footfall):
    footfall.replies += [silent(footfall)] * 5
    begun = time.monotonic()
    program = (
        PROGRAM
        + """
senders = [sender] + [Sender(os.environ["FOOTFALL_SERVER"], os.environ["FOOTFALL_INGEST_KEY"]) for _ in range(4)]
for one in senders: one.sample('work', 1)
"""
    )
    done = client.run(footfall, program)
    assert done.returncode == 0
    assert time.monotonic() - begun < 6, "two seconds, and those in which Python starts"


def test_each_forked_process_sends_its_own_and_nothing_twice(footfall):
    done = client.run(
        footfall,
        PROGRAM
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while the sender's thread runs
sender.sample("parent", 1)
for number in range(3):
    if not os.fork():
        sender.sample("child", number)
        sys.exit(0)
for _ in range(3):
    os.wait()
sender.sample("parent", 2)
""",
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = Counter((one["name"], one["value"]) for one in posted(footfall))
    assert found == Counter([("parent", 1), ("parent", 2), ("child", 0), ("child", 1), ("child", 2)])


def test_a_process_forked_while_another_thread_queues_does_not_hang(footfall):
    done = client.run(
        footfall,
        PROGRAM
        + """
import threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
ended = threading.Event()
def work():
    while not ended.is_set():
        sender.sample("parent", 1)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for number in range(20):
    if not os.fork():
        sender.sample("child", number)
        sender.close()
        os._exit(0)
for _ in range(20):
    os.wait()
ended.set()
for thread in threads: thread.join()
""",
    )
    assert (done.returncode, done.stderr) == (0, "")
    children = [one["value"] for one in posted(footfall) if one["name"] == "child"]
    assert sorted(children) == list(range(20))


def test_a_process_of_multiprocessing_sends_everything_at_its_end_as_well(footfall):
    done = client.run(
        footfall,
        PROGRAM
        + """
import multiprocessing
def work(number):
    sender.sample("child", number)
context = multiprocessing.get_context("fork")
processes = [context.Process(target=work, args=(number,)) for number in range(3)]
for process in processes: process.start()
for process in processes: process.join()
""",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(values(footfall)) == [0, 1, 2]


def test_https_reaches_a_footfall_whose_certificate_is_trusted_and_no_other(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    program = PROGRAM + "sender.sample('work', 1, timestamp=1)\nsender.close()\nprint(sender.counts.sent)"
    with receiving(context) as footfall:
        trusting = client.run(footfall, program, SSL_CERT_FILE=str(tmp_path / "authority.pem"))
        assert (trusting.stdout, trusting.stderr, values(footfall)) == ("1\n", "", [1])
        distrusting = client.run(footfall, program)
        assert distrusting.stdout == "0\n"
        assert "CERTIFICATE_VERIFY_FAILED" in distrusting.stderr
        assert values(footfall) == [1]


def test_nothing_runs_before_the_first_sample(footfall):
    before = threading.active_count()
    Sender(footfall.url, KEY)
    assert threading.active_count() == before


def test_a_source_that_fails_costs_its_samples_only(footfall, sender, caplog):
    def broken(_closing: bool) -> list[dict[str, object]]:
        raise RuntimeError("no such thing")

    sender.every_second(broken, lambda: None)
    sender.every_second(lambda closing: [{"name": "last", "value": int(closing)}], lambda: None)
    sender.sample("work", 1)
    sender.close()
    assert [(one["name"], one["value"]) for one in posted(footfall)][-1] == ("last", 1)
    assert "no such thing" in caplog.text


def test_a_connection_is_kept_as_long_as_footfall_keeps_it():
    """The receiver closes each connection; this one does not."""
    answers = b"HTTP/1.1 202 OK\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = Sender(f"http://127.0.0.1:{listener.getsockname()[1]}", KEY)
        sender.sample("work", 1)
        connection, _ = listener.accept()
        with connection:
            for number in range(3):
                connection.recv(65_536)
                connection.sendall(answers)
                eventually(lambda number=number: sender.counts.sent == number + 1)
                sender.sample("work", 1)
        sender.close(0.1)

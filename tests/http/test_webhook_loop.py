"""A webhook whose receiver posts each message back to the collector as events: the loop is bounded."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Iterator

import pytest

from analytics.notify.channel import ChannelKind
from analytics.notify.pace import PACES
from tests.support.receiver import Receiver, answer, receiving
from tests.support.serving import Server, event, eventually, rows, serving

MESSAGES, SECONDS = PACES[ChannelKind.WEBHOOK]
BACK = 2  # events for each message: a loop that grows
KINDS = 3  # of orders, in turns: a rule makes 60 notifications a minute at most
RULES = [
    {
        "name": f"Orders {kind}",
        "when": {"event": f"Order {kind}"},
        "notify": {"priority": "low", "title": "An order", "group_s": 0, "channels": [1]},
    }
    for kind in range(KINDS)
]
ALARM = {
    "name": "Alarms",
    "when": {"event": "Alarm"},
    "notify": {"priority": "urgent", "title": "An alarm", "channels": [1]},  # it waits for no pace
}
_numbers = itertools.count(1)


@pytest.fixture
def server(config) -> Iterator[Server]:
    with serving(config, FOOTFALL_ALLOWED_TARGETS="127.0.0.0/8", FOOTFALL_COLLECT_RATE="0") as running:
        running.command("site", "add", "example.com")
        yield running


@pytest.fixture
def receiver(server) -> Iterator[Receiver]:
    def post_back(connection: socket.socket) -> None:
        for _ in range(BACK):
            order(server)
        answer(200)(connection)

    with receiving() as one:
        one.replies = [post_back] * 10 * MESSAGES
        yield one


def order(server: Server) -> None:
    number = next(_numbers)
    assert server.collect(event(f"order-{number:06d}", f"Order {number % KINDS}")).status == 202


def test_a_webhook_that_posts_back_is_held_to_its_pace_and_nothing_is_lost(server, receiver):
    server.tell("channel add", site="example.com", kind="webhook", to=receiver.url)
    for rule in (*RULES, ALARM):
        server.tell("rule add", site="example.com", definition=json.dumps(rule))
    began = time.monotonic()
    order(server)
    eventually(lambda: len(receiver.received) == MESSAGES, within=SECONDS - 10)
    orders = 1 + BACK * MESSAGES
    states = "SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state"
    eventually(lambda: rows(server.config, states) == [("sent", MESSAGES), ("waiting", orders - MESSAGES)], within=10)
    receiver.replies.clear()
    assert server.collect(event("alarm-000001", "Alarm")).status == 202
    eventually(lambda: len(receiver.received) > MESSAGES, within=10)
    assert time.monotonic() - began < SECONDS, "too slow to see the pace"
    titles = [json.loads(one.body)["data"]["title"] for one in receiver.received]
    assert titles == ["An order"] * MESSAGES + ["An alarm"]
    for table in ("events", "notifications", "deliveries"):
        assert rows(server.config, f"SELECT count(*) FROM {table}") == [(orders + 1,)]

"""Who posts large bodies and falls silent: refused by the head, or held within a budget, and nobody else notices."""

from __future__ import annotations

import json
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from analytics.base.config import Config
from tests.support.serving import AGENT, SITE, eventually, pageview, received, rows, serving

pytestmark = pytest.mark.alone  # it measures how long others wait

CALLS, COLLECT = "/_dash-update-component", "/api/collect"
MIB = 1024 * 1024
MADE_UP = "footfall_login=" + "A" * 43
STRANGER = "127.0.1.7"  # an address of their own on this machine
MAX_EVENTS_BYTES = 64 * 1024


def head(path: str, length: int | str, cookie: str = "", more: str = "") -> bytes:
    """The head of a post whose body has that length, or is chunked."""
    framed = f"Content-Length: {length}" if isinstance(length, int) else f"Transfer-Encoding: {length}"
    kind = "application/x-www-form-urlencoded" if path == "/sign-in" else "application/json"
    headers = f"Host: x\r\nUser-Agent: {AGENT}\r\nContent-Type: {kind}\r\n{more}{framed}\r\n"
    return f"POST {path} HTTP/1.1\r\n{headers}{f'Cookie: {cookie}{chr(13)}{chr(10)}' if cookie else ''}\r\n".encode()


def opened(server, address: str = "127.0.0.1") -> socket.socket:
    """A bare connection from that address."""
    connection = socket.create_connection(("127.0.0.1", server.port), 15, source_address=(address, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def answered(server, *pieces: bytes, address: str = "127.0.0.1") -> str:
    """Status and code of the answer; what comes after the first piece is sent as far as the server takes it."""
    with opened(server, address) as connection:
        with suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
        text = received(connection, until="}")
    return f"{text[9:12]} {text.partition('code')[2][3:].partition(chr(34))[0]}".strip()


@contextmanager
def silent(
    server, number: int, path: str, length: int, cookie: str = "", sent: int = 0
) -> Iterator[list[socket.socket]]:
    """So many connections of one stranger; each sends a head, as much of its body as is taken, and then nothing."""
    with ExitStack() as stack:
        connections = [stack.enter_context(opened(server, STRANGER)) for _ in range(number)]
        for connection in connections:
            connection.settimeout(1)
            with suppress(OSError):  # refused already
                connection.sendall(head(path, length, cookie) + b" " * (sent or length - 1))
        yield connections


def collects(server, number: int, path: str) -> list[int]:
    """Posts so many pageviews, head and body apart as browsers do; their statuses."""
    statuses = []
    for n in range(number):
        body = json.dumps(pageview(f"{path.strip('/')[:12]}-{time.monotonic_ns()}-{n}"[-36:])).encode()
        statuses.append(int(answered(server, head(COLLECT, len(body)), body)[:3]))
    return statuses


def memory(server) -> int:
    """The resident memory of the server in bytes, without what it shares with files: pages of code come as they run."""
    resident, shared = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def outcomes(server) -> dict[tuple[str, str], int]:
    """What the ledger has of events that name no site."""
    found = rows(server.config, "SELECT outcome, reason, sum(count) FROM outcomes WHERE site_id = 0 GROUP BY 1, 2")
    return {(outcome, reason): int(count) for outcome, reason, count in found}


@pytest.mark.parametrize(
    ("path", "length", "cookie"),
    [
        (CALLS, MIB, ""),
        (CALLS, MIB, MADE_UP),
        (CALLS, 16_000, MADE_UP),
        ("/sign-in", MIB, ""),
        ("/sign-in", 16_000, ""),
        ("/nowhere", 64_000, MADE_UP),
        ("/api/v2/query", 64_000, ""),
        (COLLECT, MAX_EVENTS_BYTES, ""),
    ],
)
def test_269_strangers_who_fall_silent_stop_no_collect_and_leave_no_memory_behind(one_server, path, length, cookie):
    """As an attack did: 256 MiB and a byte in all once filled the one memory for bodies, and every collect got 503."""
    assert collects(one_server, 5, path) == [202] * 5
    before = memory(one_server)
    with silent(one_server, 269, path, length, cookie):
        started = time.monotonic()
        assert collects(one_server, 30, path) == [202] * 30
        assert time.monotonic() - started < 15
        assert memory(one_server) < 1.2 * before
    eventually(lambda: memory(one_server) < 1.1 * before, within=60)


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (head(CALLS, MIB), "401 unauthorized"),
        (head(CALLS, 1), "401 unauthorized"),
        (head(CALLS, "chunked"), "401 unauthorized"),
        (head(CALLS, MIB, MADE_UP), "401 unauthorized"),
        (head(CALLS, "chunked", MADE_UP), "401 unauthorized"),
        (head(CALLS, 16_385, MADE_UP), "401 unauthorized"),
        (head(CALLS, MIB, MADE_UP, "Expect: 100-continue\r\n"), "401 unauthorized"),
        (head("/sign-in", 16_385), "413 too_large"),
        (head("/sign-in", 65_536, MADE_UP), "413 too_large"),
        (head("/setup", MIB), "413 too_large"),
        (head("/invitation", MIB), "413 too_large"),
        (head("/nowhere", 16_385), "413 too_large"),
        (head("/api/v2/query", 16_385), "413 too_large"),
        (head("/api/v2/query", 65_536, more="Authorization: Bearer nobody's\r\n"), "413 too_large"),
        (head(COLLECT, MAX_EVENTS_BYTES + 1), "413 too_large"),
        (head("/api/collect/", MIB), "413 too_large"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[5:40].decode(),
)
def test_a_stranger_is_refused_by_the_head_before_any_of_the_body_is_there(one_server, asked, refused):
    assert answered(one_server, asked) == refused


@pytest.fixture(scope="module")
def ada(one_server):
    one_server.command("user", "add", "ada@example.com", "--role", "viewer", "--password-stdin", stdin="correct horse")
    return one_server.sign_in("ada@example.com", "correct horse")


@pytest.mark.parametrize("pieces", [1, 2, 40])
@pytest.mark.parametrize("length", [10_000, 200_000, MIB])
def test_somebody_signed_in_may_send_a_mebibyte_to_the_dashboard(one_server, ada, length, pieces):
    body, size = b" " * length, -(-length // pieces)
    parts = [body[at : at + size] for at in range(0, length, size)]
    assert answered(one_server, head(CALLS, length, ada), *parts).startswith("400")  # read, and no call
    assert answered(one_server, head(CALLS, length, ada) + parts[0], *parts[1:]).startswith("400")


def test_who_is_signed_in_and_asks_before_sending_is_told_to_go_on(one_server, ada):
    with opened(one_server) as connection:
        connection.sendall(head(CALLS, 200_000, ada, "Expect: 100-continue\r\n"))
        assert received(connection, until="\r\n\r\n").startswith("HTTP/1.1 100")
        connection.sendall(b" " * 200_000)
        assert received(connection, until="}").startswith("HTTP/1.1 400")


def test_nobody_sends_more_than_that(one_server, ada):
    assert answered(one_server, head(CALLS, MIB + 1, ada)) == "413 too_large"
    assert answered(one_server, head("/nowhere", 65_537, ada)) == "413 too_large"
    chunks = [b"8000\r\n" + b" " * 32_768 + b"\r\n"] * 34
    assert answered(one_server, head(CALLS, "chunked", ada), *chunks) == "413 too_large"


def test_chunks_of_somebody_signed_in_are_read(one_server, ada):
    chunks = [b"8000\r\n" + b" " * 32_768 + b"\r\n"] * 8
    assert answered(one_server, head(CALLS, "chunked", ada), *chunks, b"0\r\n\r\n").startswith("400")


def test_people_who_fall_silent_hold_up_neither_collects_nor_other_people(one_server, ada):
    with silent(one_server, 80, CALLS, MIB, ada) as connections:
        assert collects(one_server, 10, "people") == [202] * 10
        assert answered(one_server, head(CALLS, 200_000, ada), b" " * 200_000).startswith("400")
        refused = [received(connection, until="}") for connection in connections]
    assert {text[9:12] for text in refused} == {"503", "408"}  # over the share of one address; out of time


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_lack_of_memory_is_counted_as_shed_and_one_address_leaves_room_for_the_others(server):
    batch = json.dumps([pageview(f"page-{n:04}", f"/{n}" + "x" * 500) for n in range(100)]).encode()
    with silent(server, 100, COLLECT, MAX_EVENTS_BYTES) as connections:
        refused = [text for one in connections if '"busy"' in (text := received(one, until="}"))]
        assert 40 < len(refused) < 100
        assert all("\r\nRetry-After: 2\r\n" in text for text in refused)
        assert all("\r\nAccess-Control-Allow-Origin: *\r\n" in text for text in refused)
        with silent(server, 40, COLLECT, MAX_EVENTS_BYTES):
            assert answered(server, head(COLLECT, len(batch)), batch[:30_000], batch[30_000:])[:3] == "202"
            eventually(lambda: outcomes(server).get(("shed", "busy"), 0) >= len(refused))
    assert set(outcomes(server)) <= {("shed", "busy"), ("rejected", "http_408")}


def test_on_a_public_dashboard_everybody_sends_what_pages_need(tmp_path):
    with serving(Config(data_dir=tmp_path), command="demo") as server:
        assert answered(server, head(CALLS, 60_000), b" " * 60_000).startswith("400")
        assert answered(server, head(CALLS, 65_537)) == "413 too_large"


def test_whole_requests_that_wait_behind_a_slow_one_are_counted_too(one_server):
    """Who pipelines behind a page, and reads nothing, could have a quarter of a mebibyte held for each connection."""
    body = b" " * 60_000
    pipelined = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n" + (head(COLLECT, len(body)) + body) * 4
    before = memory(one_server)
    with ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(opened(one_server, STRANGER))
            connection.settimeout(1)
            with suppress(OSError):
                connection.sendall(pipelined)
        assert collects(one_server, 10, "pipelined") == [202] * 10
        assert memory(one_server) < 1.3 * before
    assert one_server.collect(pageview(f"after-{time.monotonic_ns()}", site=SITE)).status == 202


def test_who_opens_every_connection_that_there_may_be_keeps_nobody_out(one_server):
    """More than 10,000 were once refused, whatever their address: one stranger could take all, for 75 s at a time."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        reading = stack.enter_context(opened(one_server, "127.0.1.8"))
        for number in range(10_050):
            connection = stack.enter_context(opened(one_server, STRANGER))
            if number % 2:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        assert collects(one_server, 20, "crowd") == [202] * 20
        reading.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert received(reading).startswith("HTTP/1.1 200")  # a client with few connections keeps them
    assert one_server.collect(pageview(f"crowd-{time.monotonic_ns()}")).status == 202

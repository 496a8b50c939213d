"""What the edge makes of a request's bytes, in memory: heads, expectations, HEAD, limits (RFC 9110, RFC 9112)."""

from __future__ import annotations

import asyncio

import pytest

from collector.http.connection import Connection
from collector.http.limits import Limits
from collector.http.messages import Response
from tests.support.edge import UNANSWERED, Memory, Recorder, hear, statuses

HOST = b"Host: x\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NO_TOKEN = sorted(set(range(256)) - {*TOKEN, ord(":")})
POSTED = b"POST / HTTP/1.1\r\n" + HOST


def got(*lines: bytes, path: bytes = b"/", version: bytes = b"1.1") -> bytes:
    """A GET with these header lines."""
    return b"GET %b HTTP/%b\r\n%b%b\r\n" % (path, version, HOST, b"".join(line + b"\r\n" for line in lines))


@pytest.mark.parametrize("sent", [b"A:b", b"A: b", b"A:  \tb", b"A: b \t", b"A:\tb", b"a: b"])
def test_a_value_is_what_stands_between_the_white_space(sent):
    assert hear(got(sent)).requests[0].headers == {"host": "x", "a": "b"}


@pytest.mark.parametrize("sent", [b"A: \xe4\xff", b"A: a\tb", b"A:", b"!#$%&'*+-.^_`|~: b", b"A: \xc3\xa4 b"])
def test_bytes_beyond_ascii_and_tabs_are_values_and_every_token_is_a_name(sent):
    assert hear(got(sent)).statuses == [200]


@pytest.mark.parametrize("byte", [*range(0x20), 0x7F])
def test_no_control_character_is_in_a_value_but_a_tab(byte):
    assert hear(got(b"A: a%cb" % byte)).statuses == [200 if byte == 0x09 else 400]


@pytest.mark.parametrize("byte", NO_TOKEN)
def test_a_name_is_a_token(byte):
    assert hear(got(b"A%cB: c" % byte)).statuses == [400]
    assert hear(got(b"%cA: c" % byte)).statuses == [400]


@pytest.mark.parametrize(
    "host", [b"x", b"x:80", b"[::1]", b"[::1]:80", b"", b"x.example.", b"a_b", b"x ", b"\xc3\xa4.example", b"x:"]
)
def test_a_host_is_a_name_or_an_address_with_or_without_a_port(host):
    assert hear(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host).statuses == [200]


@pytest.mark.parametrize(
    "host",
    [b"a b", b"a,b", b"x/y", b"x@y", b"x:y", b"[::1", b"::1", b"http://x", b"x#y", b"x?y", b"<x>", b'"', b"x\\y"],
)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_host_is_nothing_else(host, version):
    assert hear(b"GET / HTTP/%b\r\nHost: %b\r\n\r\n" % (version, host)).statuses == [400]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_there_are_no_two_hosts(version):
    assert hear(b"GET / HTTP/%b\r\nHost: x\r\nHost: x\r\n\r\n" % version).statuses == [400]


@pytest.mark.parametrize(
    ("line", "status"), [(b"", 400), (b"Host: a b", 400), (b"Host: x\r\nContent-Length: 65537", 413)]
)
def test_a_wish_for_another_protocol_is_refused_as_any_other_request_is(line, status, caplog):
    heard = hear(b"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n%b\r\n\r\n" % line if line else UPGRADE)
    assert (heard.statuses, heard.requests, heard.closed) == ([status], [], True)
    assert caplog.records == []


# ── Expect (RFC 9110 §10.1.1) ────────────────────────────────────────────────────────────────────────────────────────


def expecting(value: bytes, framing: bytes = b"Content-Length: 2", version: bytes = b"1.1") -> bytes:
    """The head of a post that expects something."""
    return b"POST / HTTP/%b\r\n%bExpect: %b\r\n%b\r\n\r\n" % (version, HOST, value, framing)


@pytest.mark.parametrize("value", [b"100-continue", b"100-Continue", b" 100-continue ", b"100-continue, 100-continue"])
@pytest.mark.parametrize("framing", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
def test_who_waits_before_the_body_is_told_to_go_on(value, framing):
    body = b"{}" if b"Length" in framing else b"0\r\n\r\n"
    assert hear(expecting(value, framing), body).statuses == [100, 200]


def test_nobody_is_told_to_go_on_who_does_not_wait():
    assert hear(expecting(b"100-continue") + b"{}").statuses == [200]
    assert hear(expecting(b"100-continue", b"Content-Length: 0")).statuses == [200]
    assert hear(got(b"Expect: 100-continue")).statuses == [200]


def test_http_1_0_knows_no_expectation():
    assert hear(expecting(b"100-continue", version=b"1.0"), b"{}").statuses == [200]
    assert hear(expecting(b"a-miracle", version=b"1.0"), b"{}").statuses == [200]


@pytest.mark.parametrize("value", [b"a-miracle", b"100-continue, a-miracle", b"100-continue;q=1", b"200-ok", b"", b","])
def test_any_other_expectation_fails(value):
    heard = hear(expecting(value), b"{}")
    assert (heard.statuses, heard.requests, heard.closed) == ([417], [], True)
    assert hear(got(b"Expect: " + value)).statuses == [417]


def test_a_body_that_is_refused_is_not_asked_for():
    assert hear(expecting(b"100-continue", b"Content-Length: 65537")).statuses == [413]


def test_who_waits_behind_a_request_under_way_is_told_after_its_answer():
    async def asked() -> list[list[int]]:
        recorder, transport = Recorder(), Memory()
        connection = Connection(recorder)
        connection.connection_made(transport)
        connection.data_received(got(path=UNANSWERED.encode()) + expecting(b"100-continue"))
        before = statuses(bytes(transport.written))
        connection.answer(1, Response(204, (), b""))
        after = statuses(bytes(transport.written))
        connection.data_received(b"{}")
        return [before, after, statuses(bytes(transport.written))]

    assert asyncio.run(asked()) == [[], [204, 100], [204, 100, 200]]


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def answered(method: bytes, response: Response, version: bytes = b"1.1") -> bytes:
    """The bytes of an answer to a request with that method."""

    async def sent() -> bytes:
        recorder, transport = Recorder(), Memory()
        connection = Connection(recorder)
        connection.connection_made(transport)
        connection.data_received(b"%b %b HTTP/%b\r\n%b\r\n" % (method, UNANSWERED.encode(), version, HOST))
        connection.answer(1, response)
        return bytes(transport.written)

    return asyncio.run(sent())


def test_head_has_every_header_of_get_and_no_body():
    response = Response(200, (("ETag", '"x"'),), b"twelve bytes")
    head, _, body = answered(b"GET", response).partition(b"\r\n\r\n")
    assert b"Content-Length: 12" in head
    assert body == b"twelve bytes"
    assert answered(b"HEAD", response).partition(b"Date:")[0] == head.partition(b"Date:")[0]
    assert answered(b"HEAD", response).endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_length(status):
    assert b"Content-Length" not in answered(b"GET", Response(status, (), b""))


@pytest.mark.parametrize(
    "wrong", [("X-A", "a\r\nSet-Cookie: b"), ("X-A", "a\nb"), ("X-A", "a\0"), ("X A", "a"), ("", "a"), ("X:", "a")]
)
def test_an_answer_whose_header_would_end_its_line_is_not_sent(wrong, caplog):
    sent = answered(b"GET", Response(200, (wrong,), b"secret"))
    assert statuses(sent) == [500]
    assert b"Set-Cookie" not in sent
    assert b"secret" not in sent
    assert [record.getMessage() for record in caplog.records] == [
        f"the header {wrong[0]!a} of an answer cannot be sent"
    ]


# ── limits, which are one value ──────────────────────────────────────────────────────────────────────────────────────

SMALL = Limits(head_bytes=200, head_lines=5, event_bytes=10, chunks=3, framing_bytes=50, pipelined=2)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (got(b"A: " + b"b" * 140), [200]),
        (got(b"A: " + b"b" * 200), [431]),
        (got(*[b"A: b"] * 4), [200]),
        (got(*[b"A: b"] * 5), [431]),
        (POSTED + b"Content-Length: 10\r\n\r\n" + b"x" * 10, [200]),
        (POSTED + b"Content-Length: 11\r\n\r\n", [413]),
        (POSTED + b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 2 + b"0\r\n\r\n", [200]),
        (POSTED + b"Transfer-Encoding: chunked\r\n\r\n" + b"6\r\nhello!\r\n" * 2 + b"0\r\n\r\n", [413]),
        (POSTED + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 3 + b"0\r\n\r\n", [413]),
        (got(path=UNANSWERED.encode()) + got() * 3, []),  # refused, after the answer that is due
    ],
)
def test_a_limit_holds_where_it_is_set(sent, expected):
    assert hear(sent, limits=SMALL).statuses == expected


def test_bytes_next_to_a_body_are_in_the_memory_and_have_their_limit():
    """150 connections with trailers that never ended once took 27 MB that no budget knew of."""

    async def answered() -> tuple[int, list[int]]:
        connection, client = Connection(Recorder(SMALL)), Memory()
        connection.connection_made(client)
        connection.data_received(POSTED + b"Transfer-Encoding: chunked\r\n\r\n")
        before = connection._reader.size
        connection.data_received(b"1\r\nx\r\n0\r\nA: " + b"b" * 29)
        grown = connection._reader.size - before
        connection.data_received(b"b" * 11)
        return grown, statuses(bytes(client.written))

    assert asyncio.run(answered()) == (41, [413])


def test_another_protocol_is_refused_though_it_wishes_for_an_upgrade():
    assert hear(got(b"Connection: Upgrade", b"Upgrade: h2c").replace(b"HTTP/1.1", b"RTSP/1.0")).statuses == [400]


def test_the_counts_are_those_of_what_was_answered():
    async def counted() -> str:
        recorder = Recorder()
        for sent in (got() * 3, b"nonsense\r\n\r\n"):
            connection = Connection(recorder)
            connection.connection_made(Memory())
            connection.data_received(sent)
            connection.connection_lost(None)
        return recorder.counts.words

    assert asyncio.run(counted()) == "4 requests (200: 3, 400: 1) on 2 connections (0 displaced, 0 too slow)"

"""What a connection keeps to, whatever is asked on it: order, ends, limits (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
import socket
from contextlib import suppress

import pytest

from tests.serving import eventually, pageview, received, rows

HOST = "Host: x\r\n"
CLOSE = "Connection: close\r\n"
AGENT = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"


def posted(body: bytes, more: str = "") -> bytes:
    """A request to the collector."""
    head = f"POST /api/collect HTTP/1.1\r\n{HOST}{AGENT}Content-Type: text/plain\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def got(path: str, more: str = "", method: str = "GET", version: str = "1.1") -> bytes:
    return f"{method} {path} HTTP/{version}\r\n{HOST}{more}\r\n".encode()


def said(server, sent: bytes) -> str:
    """All that the server says until it closes the connection."""
    with server.connect() as connection:
        connection.sendall(sent)
        return received(connection)


def statuses(answer: str) -> list[str]:
    return re.findall(r"HTTP/1\.1 (\d{3}) ", answer)


def test_a_request_that_is_none_is_refused_after_those_before_it_were_answered(shared, site):
    page = b'{"site":"%b","type":"pageview","id":"before-it","url":"https://%b/"}' % (site.encode(), site.encode())
    assert statuses(said(shared, posted(page) + b"nonsense\r\n\r\n")) == ["202", "400"]


def test_nothing_behind_a_request_that_closes_is_answered(shared):
    assert statuses(said(shared, got("/healthz", CLOSE) + got("/healthz"))) == ["200"]


@pytest.mark.parametrize("first", ["Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n"])
def test_a_request_with_two_ends_is_refused_and_smuggles_none_behind_it(shared, first):
    both = "".join(sorted(["Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n"], key=lambda one: one != first))
    sent = f"POST /api/collect HTTP/1.1\r\n{HOST}Content-Type: text/plain\r\n{both}\r\n0\r\n\r\n".encode()
    assert statuses(said(shared, sent + got("/healthz", CLOSE))) == ["400"]


def test_who_has_sent_everything_and_says_so_still_gets_the_answer(shared):
    with shared.connect() as connection:
        connection.sendall(got("/readyz"))
        connection.shutdown(socket.SHUT_WR)
        assert statuses(received(connection)) == ["200"]


def test_head_is_answered_with_the_length_and_without_the_body(shared):
    asked, whole = (said(shared, got("/healthz", CLOSE, method)) for method in ("HEAD", "GET"))
    head, _, body = whole.partition("\r\n\r\n")
    assert (asked.partition("\r\n\r\n")[2], body) == ("", '{"status":"up"}')
    assert "Content-Length: 15" in head
    assert "Content-Length: 15" in asked


def test_a_header_that_comes_twice_counts_as_one_list(shared, site):
    page = b'{"site":"%b","type":"pageview","id":"two-lists","url":"https://%b/"}' % (site.encode(), site.encode())
    assert said(shared, posted(page, f"{CLOSE}Sec-GPC: 1\r\nAccept: a\r\nAccept: b\r\n")).startswith("HTTP/1.1 200")
    assert statuses(said(shared, posted(page, f"{CLOSE}Content-Encoding: gzip\r\nContent-Encoding: br\r\n"))) == ["415"]


def test_http_1_0_gets_a_stream_that_is_not_chunked(shared, site):
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    with shared.connect() as connection:
        asked = got(f"/api/live/stream?site={site}", f"Authorization: Bearer {key}\r\n", version="1.0")
        connection.sendall(asked)
        head, _, body = received(connection, until="\n\n").partition("\r\n\r\n")
    assert "transfer-encoding" not in head.lower()
    assert body.startswith("retry: ")


def test_every_answer_says_when_it_was_given(shared):
    for path in ("/healthz", "/sign-in", "/nowhere"):
        assert "\r\nDate: " in said(shared, got(path, CLOSE)).partition("\r\n\r\n")[0], path


def test_who_pipelines_a_lot_and_reads_late_gets_every_answer(shared, site):
    """The answers would be 0.4 MB: they are made as they are read, and nobody else waits for that."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(15)
        connection.connect(("127.0.0.1", shared.port))
        connection.sendall(got("/js/footfall.js") * 99 + got("/js/footfall.js", CLOSE))
        assert shared.collect(pageview("beside-it", site=site)).status == 202
        assert len(statuses(received(connection))) == 100


def test_an_event_is_stored_before_a_pipelined_one_behind_it_is_looked_at(shared, site):
    bodies = [
        b'{"site":"%b","type":"pageview","id":"in-order-%d","url":"https://%b/%d"}'
        % (site.encode(), n, site.encode(), n)
        for n in range(20)
    ]
    assert statuses(said(shared, b"".join(map(posted, bodies[:-1])) + posted(bodies[-1], CLOSE))) == ["202"] * 20
    found = eventually(
        lambda: rows(shared.config, "SELECT path FROM pageviews WHERE page_id LIKE 'in-order-%' ORDER BY id")
    )
    assert [path for (path,) in found] == [f"/{n}" for n in range(20)]


def test_who_asks_for_another_protocol_is_answered_in_this_one_and_told_that_it_ends(shared):
    asked = got("/healthz", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")
    answer = said(shared, asked)
    assert statuses(answer) == ["200"]
    assert "Connection: close" in answer


def test_a_long_pipeline_behind_a_slow_request_is_answered_in_order_and_others_have_their_turn(shared, site):
    """600 quick requests in one write once went down 600 calls deep, and took the collector with them."""
    page = b'{"site":"%b","type":"pageview","id":"deep-1234","url":"https://%b/"}' % (site.encode(), site.encode())
    answer = said(shared, posted(page) + got("/healthz") * 100 + got("/healthz", CLOSE))
    assert statuses(answer) == ["202"] + ["200"] * 101
    assert statuses(said(shared, got("/healthz") * 1_500 + got("/healthz", CLOSE))) == ["200"] * 1_501
    assert shared.collect(pageview("after-it", site=site)).status == 202


def test_more_than_a_hundred_and_twenty_eight_requests_behind_a_slow_one_are_refused(shared):
    answered = statuses(said(shared, got("/sign-in") + got("/healthz") * 600))
    assert answered[-1] == "503"
    assert set(answered[1:-1]) <= {"200"}


def test_trailers_without_end_are_refused(shared):
    head = f"POST /api/collect HTTP/1.1\r\n{HOST}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with shared.connect() as connection:
        connection.sendall(head.encode())
        with suppress(OSError):
            for number in range(40):
                connection.sendall(b"".join(b"x-%d-%d: %b\r\n" % (number, n, b"y" * 200) for n in range(60)))
        assert statuses(received(connection)) in (["413"], ["400"], [])
    assert statuses(said(shared, got("/healthz", CLOSE))) == ["200"]


@pytest.mark.parametrize("length", ["0" * 5_000 + "5", "9" * 5_000])
def test_a_length_of_thousands_of_digits_is_too_large(shared, length):
    sent = f"POST /api/collect HTTP/1.1\r\n{HOST}Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    assert statuses(said(shared, sent.encode())) in (["413"], ["400"])


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n"])
def test_a_request_names_one_host(shared, hosts):
    assert statuses(said(shared, f"GET /healthz HTTP/1.1\r\n{hosts}\r\n".encode())) == ["400"]


def test_nothing_behind_an_open_stream_is_read(shared, site):
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    with shared.connect() as connection:
        connection.sendall(got(f"/api/live/stream?site={site}", f"Authorization: Bearer {key}\r\n") + got("/healthz"))
        told = received(connection, until="stats")
        assert statuses(told) == ["200"]
        connection.sendall(got("/healthz") * 3)
        shared.collect(pageview("while-it-streams", "/streamed", site))
        assert statuses(received(connection, until="/streamed")) == []

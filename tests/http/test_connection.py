"""What a connection keeps to, whatever is asked on it: order, ends, limits (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress

import pytest

from tests.support.serving import eventually, pageview, received, rows

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


@pytest.mark.parametrize(
    "path",
    [
        *("/healthz", "/readyz", "/js/footfall.js", "/sign-in", "/assets/plain.css", "/nowhere", "/pixel.gif", "/"),
        *("/api/openapi.json", "/api/live", "/embed/live", "/api/v1/stats/realtime/visitors"),
    ],
)
@pytest.mark.parametrize("encoding", ["", "Accept-Encoding: gzip\r\n"])
def test_head_has_every_header_of_get(shared, path, encoding):
    asked, whole = (said(shared, got(path, CLOSE + encoding, method)) for method in ("HEAD", "GET"))
    head, _, body = whole.partition("\r\n\r\n")
    assert asked.partition("\r\n\r\n")[2] == ""
    assert f"Content-Length: {len(body)}" in head or statuses(whole) == ["302"]
    differs = r"Date: .*|nonce-[^']*|X-Footfall-Outcome: .*\r\n"  # the picture counts nothing where it is not fetched
    without = [re.sub(differs, "", one) for one in (asked.partition("\r\n\r\n")[0], head)]
    assert without[0] == without[1]


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


# ── a wish for another protocol (RFC 9110 §7.8: a server may pass it over) ────────────────────────────────────────────

H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WISHES = {
    "h2c, as Java's client and curl --http2 send it": H2C,
    "h2c, the wish first": "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: HTTP2-Settings, Upgrade\r\n",
    "a WebSocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    "TLS": "Connection: upgrade\r\nUpgrade: TLS/1.2\r\n",
    "what nobody knows": "connection: keep-alive, UPGRADE\r\nupgrade: x-nobody/7\r\n",
    "several, in two lines": "Connection: Upgrade\r\nUpgrade: h2c, IRC/6.9\r\nUpgrade: RTA/x11\r\n",
}


def wished(site: str, number: int, wish: str, framing: str) -> bytes:
    """A pageview with a wish for another protocol."""
    body = b'{"site":"%b","type":"pageview","id":"wished-%d","url":"https://%b/"}' % (
        site.encode(),
        number,
        site.encode(),
    )
    head = f"POST /api/collect HTTP/1.1\r\n{HOST}{AGENT}Content-Type: text/plain\r\n{wish}"
    if framing == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:9], body[9:]))
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("wish", WISHES)
def test_an_event_that_wishes_for_another_protocol_is_stored_and_the_connection_goes_on(shared, site, wish, framing):
    sent = wished(site, 1, WISHES[wish], framing) + wished(site, 2, WISHES[wish], framing) + got("/healthz", CLOSE)
    assert statuses(said(shared, sent)) == ["202", "202", "200"]


@pytest.mark.parametrize("pause_at", [25, 150, 271, 290, 330])
def test_it_may_come_in_pieces(shared, site, pause_at):
    sent = wished(site, 1, H2C, "length") + got("/healthz", CLOSE)
    with shared.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (sent[:pause_at], sent[pause_at : pause_at + 1], sent[pause_at + 1 :]):
            connection.sendall(piece)
            shared.request("GET", "/healthz")  # it has been read
        assert statuses(received(connection)) == ["202", "200"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("GET /healthz", "200"),
        ("GET /readyz", "200"),
        ("GET /js/footfall.js", "200"),
        ("GET /sign-in", "200"),
        ("GET /pixel.gif?site=nobody.example", "200"),
        ("GET /api/live?site=nobody.example", "401"),
        ("OPTIONS /api/collect", "204"),
        ("GET /nowhere", "401"),
    ],
)
def test_every_route_passes_over_the_wish(shared, asked, status):
    sent = f"{asked} HTTP/1.1\r\n{HOST}{H2C}\r\n".encode() + got("/healthz", CLOSE)
    assert statuses(said(shared, sent)) == [status, "200"]


def test_a_form_with_a_wish_is_read(shared):
    body = "email=nobody%40example.com&password=x"
    head = f"POST /sign-in HTTP/1.1\r\n{HOST}{H2C}{CLOSE}Content-Type: application/x-www-form-urlencoded\r\n"
    answer = said(
        shared, f"{head.replace(CLOSE, '')}Content-Length: {len(body)}\r\n\r\n{body}".encode() + got("/healthz", CLOSE)
    )
    assert statuses(answer) == ["401", "200"]
    assert "nobody@example.com" in answer


def test_a_tunnel_is_refused(shared):
    assert statuses(said(shared, b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")) == ["405"]


# ── what is no HTTP/1.x, or does not say where it ends ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "coding",
    [
        "gzip, chunked",
        "chunked, chunked",
        "identity, chunked",
        "gzip\r\nTransfer-Encoding: chunked",
        "x-chunked",
        "gzip",
        "chunked, gzip",
        "chunked;q=1",
        '"chunked"',
        "",
    ],
)
def test_a_body_is_chunked_or_has_a_length_and_is_coded_in_no_other_way(shared, site, coding):
    sent = wished(site, 1, "", "chunked").replace(b"Encoding: chunked", f"Encoding: {coding}".encode())
    assert statuses(said(shared, sent)) == ["400"]


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED  "])
def test_chunked_may_be_written_in_any_case(shared, site, coding):
    sent = wished(site, 1, CLOSE, "chunked").replace(b"Encoding: chunked", f"Encoding: {coding}".encode())
    assert statuses(said(shared, sent)) == ["202"]


def test_http_1_0_knows_no_chunks(shared, site):
    sent = wished(site, 1, "", "chunked").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    assert statuses(said(shared, sent)) == ["400"]


@pytest.mark.parametrize(
    "lengths", ["5\r\nContent-Length: 5", "5\r\nContent-Length: 6", "5, 5", "+5", "0x5", "5 5", "5;", "-0", "", "1e1"]
)
def test_one_length_is_said_once_and_in_digits(shared, lengths):
    sent = f"POST /api/collect HTTP/1.1\r\n{HOST}Content-Type: text/plain\r\nContent-Length: {lengths}\r\n\r\nhello"
    assert statuses(said(shared, sent.encode())) == ["400"]


@pytest.mark.parametrize(
    "line",
    [
        "GET /healthz",  # HTTP/0.9
        "GET /healthz HTTP/0.9",
        "GET /healthz HTTP/1.2",
        "GET /healthz HTTP/2.0",
        "GET /healthz HTTP/3",
        "GET /healthz RTSP/1.0",
        "GET /healthz RTSP/1.1",
        "POST /healthz RTSP/1.0",
        "OPTIONS * RTSP/1.0",
        "DESCRIBE /healthz RTSP/1.0",
        "SETUP rtsp://x/healthz RTSP/1.0",
        "SOURCE /healthz ICE/1.0",
        "GET /healthz ICE/1.0",
        "GET /healthz http/1.1",
        "GET  /healthz HTTP/1.1",
        "PRI * HTTP/2.0",
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_what_speaks_no_http_1_is_refused(shared, line, in_pieces):
    sent = f"{line}\r\n{HOST}\r\n".encode()
    with shared.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (sent[: len(line) - 3], sent[len(line) - 3 :]) if in_pieces else (sent,):
            connection.sendall(piece)
            shared.request("GET", "/healthz")
        assert statuses(received(connection)) == ["400"]


@pytest.mark.parametrize("line", ["GET /healthz RTSP/1.0", "GET /healthz"])
def test_nor_behind_one_that_does(shared, line):
    assert statuses(said(shared, got("/readyz") + f"{line}\r\n{HOST}\r\n".encode())) == ["200", "400"]


def test_an_event_that_tells_of_another_protocol_is_stored(shared, site):
    body = b'{"site":"%b","type":"pageview","id":"it-tells","url":"https://%b/","title":" /x RTSP/1.0 ICE/1.0"}'
    assert statuses(said(shared, posted(body % (site.encode(), site.encode()), CLOSE))) == ["202"]


# ── how much head there may be ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "more",
    [
        "a:\r\n" * 16_000,
        "a:\r\n" * 101,
        "x" * 20_000 + ": y\r\n",
        "x: " + "y" * 200_000 + "\r\n",
        "".join(f"x-{n}: {'y' * 250}\r\n" for n in range(90)),
        "a: " + " " * 20_000 + "b\r\n",
    ],
    ids=["64 kB of a:", "101 lines", "a long name", "a long value", "many of some length", "spaces"],
)
@pytest.mark.parametrize("first", ["GET /healthz", "POST /api/collect"])
@pytest.mark.parametrize("before", [b"", got("/js/footfall.js")], ids=["alone", "behind another"])
def test_headers_of_more_than_16_kib_or_100_lines_are_refused_in_one_write_too(shared, more, first, before):
    answer = said(shared, before + f"{first} HTTP/1.1\r\n{HOST}{more}\r\n".encode())
    assert statuses(answer) == ["200"] * bool(before) + ["431"]


def test_a_hundred_lines_and_an_address_of_fifteen_kib_are_read(shared):
    lines = "".join(f"x-{n}: y\r\n" for n in range(98))
    assert statuses(said(shared, got("/healthz", lines + CLOSE))) == ["200"]
    assert statuses(said(shared, got("/healthz?" + "x" * 15_000, CLOSE))) == ["200"]


def test_a_megabyte_of_header_lines_costs_the_others_nothing(shared):
    """64 kB of `a:` lines took 18 ms of the loop each: of 20 in a row others were held up for a third of a second."""
    head = f"GET /healthz HTTP/1.1\r\n{HOST}".encode() + b"a:\r\n" * 16_000 + b"\r\n"
    connections = [shared.connect() for _ in range(20)]
    try:
        started = time.monotonic()
        for connection in connections:
            connection.sendall(head)
        assert [statuses(received(connection, until="}}")) for connection in connections] == [["431"]] * 20
        assert time.monotonic() - started < 5
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("body", [b"1\r\n \r\n" * 40_000, b"0\r\n" + b"a:\r\n" * 16_000], ids=["chunks", "trailers"])
def test_chunks_and_trailers_in_their_thousands_are_refused(shared, body):
    head = f"POST /api/collect HTTP/1.1\r\n{HOST}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(said(shared, head.encode() + body)) in (["413"], ["431"])


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
        assert statuses(received(connection)) in (["413"], ["431"], ["400"], [])
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
        answer = received(connection, until="stats")
        assert statuses(answer) == ["200"]
        connection.sendall(got("/healthz") * 3)
        shared.collect(pageview("while-it-streams", "/streamed", site))
        assert statuses(received(connection, until="/streamed")) == []

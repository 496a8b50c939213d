"""Malformed requests: heads, framings and bodies put together at random, then damaged.

The same seed gives the same bytes.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

SITE = "example.com"
METHODS = (b"POST",) * 30 + (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"CONNECT", b"post")
COLLECT = b"/api/collect"
TARGETS = (
    b"/healthz",
    b"/readyz",
    b"/js/footfall.js",
    b"*",
    b"/",
    b"//api//collect/",
    b"/api/collect?x=%00",
    b"/%2e%2e/",
)
TARGETS += (
    b"http://a.example/api/collect",
    b"/pixel.gif?site=example.com",
    b"/\xff",
    b"/a b",
    b"",
    b"/api/live?site=x",
)
PAGES = (b"/sign-in", b"/nowhere", b"/_dash-update-component", b"/assets/plain.css", b"/api/v2/query", b"/setup")
VERSIONS = (b"HTTP/1.1",) * 100 + (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b"RTSP/1.0", b"")
ENDS = (b"\r\n",) * 600 + (b"\n", b"\r", b"\r\n ", b"\r\n\t", b"\r\r\n", b"\0\r\n")
LINES = (
    *(
        b"Host: x",
        b"Host: a, b",
        b"Host:",
        b"Host : x",
        b"host: [::1]:80",
        b"Connection: close",
        b"Connection: keep-alive",
    ),
    *(
        b"Content-Type: text/plain",
        b"Content-Type: application/json",
        b"Content-Encoding: gzip",
        b"Cookie: a=b",
        b"A: b",
    ),
    *(b"Expect: 100-continue", b"Expect: x", b"Upgrade: h2c", b"Connection: upgrade", b"Transfer-Encoding: chunked"),
    *(
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"X: a\x0bb",
    ),
    *(
        b"Transfer-Encoding:\tchunked",
        b"Transfer-Encoding: xchunked",
        b"Content-Length: 0",
        b"Content-Length: +1",
        b"X:",
    ),
    *(
        b"Content-Length: 5",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length : 5",
        b" folded",
        b"\tfolded",
    ),
    *(
        b"Authorization: Bearer x",
        b"X-Forwarded-For: 1.2.3.4, ::1",
        b"Accept-Encoding: br;q=0",
        b"A\xff: b",
        b"A: \xff b ",
    ),
    *(
        b"Sec-GPC: 1",
        b"DNT: 1",
        b"User-Agent: Mozilla/5.0 Firefox/140.0",
        b"Origin: null",
        b"Referer: \xe4",
        b": x",
        b"x",
    ),
)
CHUNK_ENDS = (b"\r\n",) * 200 + (b"\n", b";a=b\r\n", b';a="\r\n"\r\n', b" \r\n", b";\r\n", b"\r", b"\r\n\r\n")
AGENT = b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
USUAL = (b"Content-Type: text/plain", AGENT, b"Accept: */*", b"Origin: https://example.com")
STRANGE = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b"\t",
    b"0\r\n\r\n",
    b"\xff",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1e308,
        2**63,
        2**70,
        "",
        "a",
        "\0",
        "\ud800",
        "é" * 40,
        "x" * 400,
        [],
        {},
        [1],
        {"a": {"b": 1}},
    ),
    *(
        "https://example.com/a?utm_source=b#c",
        "//example.com",
        "https://[::1",
        "javascript:1",
        "undefined",
        "example.com",
    ),
    *("pageview", "heartbeat", "event", "leave", SITE, "www.example.com", "xn--", "nobody.example", 30, 100, "EUR"),
)
FIELDS = (
    *("site", "type", "id", "pageview", "url", "referrer", "title", "visitor_id", "user_id", "user_type", "engaged_ms"),
    *(
        "scroll",
        "state",
        "name",
        "props",
        "value",
        "currency",
        "description",
        "screen",
        "timezone",
        "language",
        "ip",
        "x",
    ),
)


def messages(random: Random, count: int) -> bytes:
    """The bytes of one client on one connection: so many requests, damaged in three of ten connections."""
    sent = b"".join(_message(random) for _ in range(count))
    if random.random() < 0.3:
        for _ in range(random.randint(1, 3)):
            sent = _bent(random, sent)
    return sent


def pieces(random: Random, sent: bytes) -> list[bytes]:
    """The same bytes in the pieces in which they arrive."""
    cuts = sorted(random.randrange(len(sent) + 1) for _ in range(random.choice((0, 0, 1, 2))))
    return [piece for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True) if (piece := sent[begin:end])]


def body(random: Random) -> bytes:
    """An event or a batch of events, often a valid one."""
    if random.random() < 0.1:
        return random.randbytes(random.randint(0, 60))
    events = [_event(random) for _ in range(random.choice((1, 1, 1, 2, 5)))]
    value: Any = events if len(events) > 1 or random.random() < 0.1 else events[0]
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _event(random: Random) -> dict[str, Any]:
    kind = random.choice(("pageview", "heartbeat", "event", "leave"))
    number = f"page-{random.randint(1, 5_000):08}"
    event: dict[str, Any] = {"site": SITE, "type": kind, "id": number, "pageview": number, "url": f"https://{SITE}/a"}
    for _ in range(random.choice((0, 0, 1, 2, 4))):
        event[random.choice(FIELDS)] = random.choice(VALUES)
    return event


def _message(random: Random) -> bytes:
    target = random.choice(TARGETS) if random.random() < 0.2 else COLLECT
    if random.random() < 0.01:
        target = random.choice(PAGES)
    method = random.choice(METHODS)
    lines = [b"%b %b %b" % (method, target, random.choice(VERSIONS))]
    if random.random() < 0.95:
        lines.append(b"Host: x")
    if random.random() < 0.9:
        lines += USUAL
    lines += random.choices(LINES, k=random.choice((0, 0, 0, 0, 0, 1, 2)))
    content = body(random) if method == b"POST" else b""
    framing = random.random()
    if framing < 0.6 and content:
        lines.append(b"Content-Length: %d" % (len(content) + (random.randint(-3, 3) if random.random() < 0.1 else 0)))
    elif framing < 0.9 and content:
        lines.append(b"Transfer-Encoding: chunked")
        content = _chunked(random, content)
    head = b"".join(line + random.choice(ENDS) for line in lines)
    return head + b"\r\n" + content


def _chunked(random: Random, content: bytes) -> bytes:
    sent = b""
    while content:
        size = random.randint(1, len(content))
        said = size if random.random() < 0.98 else random.choice((0, size + 1, 2**32, 2**64))
        line = random.choice((b"%x", b"%X", b"0%x", b"%x", b"%x", b"%x")) % said
        sent += line + random.choice(CHUNK_ENDS) + content[:size] + random.choice(CHUNK_ENDS[:-6])
        content = content[size:]
    return sent + random.choice(
        (b"0\r\n\r\n",) * 12 + (b"0\r\nA: b\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"0\n\n", b"")
    )


def _bent(random: Random, sent: bytes) -> bytes:
    at = random.randrange(len(sent) + 1)
    until = min(len(sent), at + random.choice((0, 1, 1, 2, 8)))
    new = random.choice((b"", random.choice(STRANGE), random.randbytes(1), sent[at:until] * 2))
    return sent[:at] + new + sent[until:]

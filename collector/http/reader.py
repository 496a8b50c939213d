"""The reading half of a connection: HTTP/1.1 messages out of bytes.

`httptools` (the parser of Node.js) reads the bytes on the event loop itself. A request costs no task, no future and no
other thread: on two cores a bare answer takes 16 µs, where Granian's ASGI took 20 without a body and 36 to 50 with one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NoReturn, Protocol
from urllib.parse import unquote_to_bytes

import httptools

from collector.http import refusals
from collector.http.limits import Limits
from collector.http.messages import Request, Response

Fields = Sequence[tuple[bytes, bytes]]

LONGEST_LENGTH = 18  # digits of a Content-Length
LONGEST_HOST = 1024
# Letters beyond ASCII too: some clients send a name as people write it.
HOST = re.compile(r"(?:\[[0-9A-Fa-fVv:.]+\]|[A-Za-z0-9_.~!$&'()*+;=%\x80-\xff-]*)(?::[0-9]*)?")
LINE = 4  # bytes of a header line beside its name and value: colon, space, CR, LF


class Owner(Protocol):
    """Acts on what was read. Every call comes on the loop, out of `Reader.feed`."""

    def admit(self, path: str, headers: Mapping[str, str]) -> None:
        """Decides by the head alone what body may come: sets the reader's `largest` and `over`, or refuses."""

    def receive(self, request: Request, keeps: bool, chunked: bool) -> None:
        """Takes a whole request; `keeps`: the connection may go on after it, `chunked`: its client knows chunks."""

    def refuse(self, response: Response) -> None:
        """Takes the answer to what cannot be read to its end. Nothing more is read."""


class Reader:
    """Reads one connection's requests and hands each to its owner when it is whole.

    `target` is that of the request under way, as it was sent. A message has begun where `head_size` is not 0; `in_head`
    says in which half of it the bytes are. `expects`: its client waits for 100 Continue. `step` changes when a head or
    a body begins. With `ended` set, nothing is read.
    """

    def __init__(self, owner: Owner, limits: Limits, canonical: Callable[[str], str]) -> None:
        """`canonical` gives the path as the routes have it, where only slashes are too many."""
        self._owner = owner
        self._limits = limits
        self._canonical = canonical
        self._parser = httptools.HttpRequestParser(self)
        self._unparsed = b""  # what has come of a head before the last piece
        self.peer = ""
        self.ended = False
        self.step = 0
        self.forget()

    def forget(self) -> None:
        """Drops what was read of the message under way."""
        self.target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self.body: bytes | bytearray = b""
        self._raw = self.head_size = self._chunks = self.largest = 0
        self.in_head = True
        self._upgrades = self.expects = False
        self.over: Response = refusals.TOO_LARGE
        self.path = ""

    def close(self) -> None:
        """Ends it for good. It lets go of its owner: the collector of rings looks at what has lasted only seldom."""
        self.ended = True
        self.forget()
        del self._parser, self._owner

    @property
    def size(self) -> int:
        """The bytes that are held of a message that is not whole."""
        return self.head_size + len(self._unparsed) + len(self.body)

    def feed(self, data: bytes) -> None:
        """Reads a piece. Raises what the owner raises."""
        self._raw += len(data)
        if self.in_head:
            self.head_size += len(data)
        self._received = self._unparsed + data
        rest: bytes | memoryview | None = data
        while rest is not None:
            rest = self._parse(rest)
        if self.in_head:
            if self.head_size > self._limits.head_bytes:
                self._owner.refuse(refusals.headers_too_large(self._limits))
        elif self._raw > len(data) + self._limits.head_bytes + 2 * self.largest + self._limits.framing_bytes:
            self._owner.refuse(refusals.TOO_LARGE)  # chunks and trailers without end
        begun = self.in_head and self.head_size
        self._unparsed = self._received[self._received.rfind(b"\r\n\r\n") + 1 :] if begun else b""
        self._received = b""

    def _parse(self, data: bytes | memoryview) -> memoryview | None:
        """Parses, up to a request for another protocol; gives what is behind the head of that one."""
        try:
            self._parser.feed_data(data)
            return None
        except httptools.HttpParserUpgrade as upgrade:
            behind = upgrade.args[0]
        except httptools.HttpParserCallbackError:
            if not self.ended:  # else it is `_Stopped`, which is not always told as its context
                raise
            return None
        except httptools.HttpParserError:
            self._owner.refuse(refusals.BAD_REQUEST)
            return None
        return None if self.ended else self._without_upgrade(memoryview(data)[behind:])

    def _without_upgrade(self, rest: memoryview) -> memoryview:
        """Reads the head again as if no other protocol was asked for: the parser skips the body of such a request."""
        again = without_upgrade(self._method, self.target, self._parser.get_http_version(), self._fields)
        self._parser = httptools.HttpRequestParser(self)
        kept = self._raw, self._received
        self._received = again
        self._parse(again)
        self._raw, self._received = kept
        return rest

    def _break(self, response: Response) -> NoReturn:
        """Refuses, out of what the parser tells: it stops there."""
        self._owner.refuse(response)
        raise _Stopped

    # ── what the parser tells ────────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self.ended:
            raise _Stopped
        self.forget()
        self.head_size = 1
        self.step += 1

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))  # trailers too, which are none of ours
        if len(self._fields) > self._limits.head_lines:
            self._break(refusals.headers_too_large(self._limits))

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.step += 1
        parser = self._parser
        self._upgrades = parser.should_upgrade()
        self._method = parser.get_method()
        if self._upgrades and self._method != b"CONNECT":
            return  # read again without that
        target = target_of if len(self.target) < 512 else target_of.__wrapped__
        self.path, self._query = target(self.target)
        self.headers = headers = headers_of(self._fields, self._received)
        self.head_size = len(self._received)
        if self.head_size > self._limits.head_bytes:
            self.head_size = size_of(self._method, self.target, self._fields, self._received)
            if self.head_size > self._limits.head_bytes:
                self._break(refusals.headers_too_large(self._limits))
        self._version = parser.get_http_version()
        if is_wrong(self._method, self.target, self._version, headers, self._received):
            self._break(refusals.BAD_REQUEST)
        if self._method == b"CONNECT":
            self._break(refusals.NO_TUNNEL)
        if "expect" in headers and self._version == "1.1":
            self._expect(headers)
        self.path = self._canonical(self.path)
        if "content-length" in headers or "transfer-encoding" in headers:
            if len(headers.get("content-length", "")) > LONGEST_LENGTH:
                self._break(refusals.TOO_LARGE)
            self._owner.admit(self.path, headers)
            if self.ended:
                raise _Stopped

    def _expect(self, headers: Mapping[str, str]) -> None:
        """What has to be met before the body comes (RFC 9110 §10.1.1); HTTP/1.0 knows no such thing."""
        if not is_continue(headers["expect"]):
            self._break(refusals.UNKNOWN_EXPECTATION)
        self.expects = headers.get("content-length") != "0" and self._received.endswith(b"\r\n\r\n")

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > self._limits.chunks:
            self._break(refusals.TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        if len(self.body) + len(body) > self.largest:
            self._break(self.over)
        if not self.body:
            self.body = body  # usually it is all of it
        elif isinstance(self.body, bytes):
            self.body = bytearray(self.body + body)
        else:
            self.body += body

    def on_message_complete(self) -> None:
        if self._upgrades or self.ended:
            return
        method, body = self._method.decode("latin-1"), bytes(self.body)
        request = Request(method, self.path, self._query, self.headers, self.peer, body)
        self.body = b""
        self.in_head, self.head_size = True, 0
        chunked = self._version == "1.1"
        self._owner.receive(request, chunked and self._parser.should_keep_alive(), chunked)


class _Stopped(Exception):
    """Nothing more of what came is parsed."""


# ── the head of a message ────────────────────────────────────────────────────────────────────────────────────────────


def headers_of(fields: Fields, received: bytes) -> dict[str, str]:
    """Headers by lower-case name; one that came several times is joined, as RFC 9110 §5.3 has it.

    `received` are the bytes that hold the head. The parser leaves white space behind a value, which is no part of it.
    """
    if b" \r\n" in received or b"\t\r\n" in received:  # hardly ever: to strip every value would take 3 % of a request
        fields = [(name, value.rstrip(b" \t")) for name, value in fields]
    headers: dict[str, str] = {}
    for name, value in fields:
        key, text = _name(name), value.decode("latin-1")
        headers[key] = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in headers else text
    return headers


@lru_cache(256)
def _name(name: bytes) -> str:
    return name.decode("latin-1").lower()


def size_of(method: bytes, url: bytes, fields: Fields, received: bytes) -> int:
    """The bytes of a head somewhere in `received`, with the spaces that its fields have lost.

    Behind one that began alike within the same piece the spaces are not counted.
    """
    begins = max(0, received.find(_line(method, url)))
    told = len(url) + LINE * len(fields) + sum(len(name) + len(value) for name, value in fields)
    return max(told, received.find(b"\r\n\r\n", begins) - begins)


def _line(method: bytes, url: bytes) -> bytes:
    return b"%b %b HTTP/1." % (method, url)


def is_wrong(method: bytes, url: bytes, version: str, headers: Mapping[str, str], received: bytes) -> bool:
    """Whether the message is none of HTTP/1.0 or 1.1, or does not say clearly where its body ends (RFC 9112 §6).

    `received` are the bytes that hold the head: the parser reads RTSP and ICE too and does not say which it was.
    """
    if _line(method, url) not in received:
        return True
    if version == "1.1":
        coding = headers.get("transfer-encoding", "chunked")
        return not _is_host(headers.get("host", ",")) or coding.strip().lower() != "chunked"
    return version != "1.0" or "transfer-encoding" in headers or not _is_host(headers.get("host", ""))


@lru_cache(256)
def _is_host(value: str) -> bool:
    """Whether it is one host, with or without a port (RFC 9110 §7.2); it may be empty."""
    return len(value) <= LONGEST_HOST and HOST.fullmatch(value) is not None


def is_continue(expect: str) -> bool:
    """Whether an `Expect` header asks for nothing but 100 (RFC 9110 §10.1.1), which may be said more than once."""
    members = [member.strip().lower() for member in expect.split(",")]
    return set(members) <= {"100-continue", ""} and any(members)


def without_upgrade(method: bytes, url: bytes, version: str, fields: Fields) -> bytes:
    """The head again, without the wish for another protocol."""
    kept = (b"%b: %b\r\n" % (name, value) for name, value in fields if name.lower() != b"upgrade")
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, url, version.encode(), b"".join(kept))


@lru_cache(1024)
def target_of(url: bytes) -> tuple[str, str]:
    """Path (unquoted) and query of a request's target; the path is "" where the target has none."""
    if not url.startswith(b"/"):
        try:
            url = url[url.index(b"/", url.index(b"://") + 3) :]
        except ValueError:
            return "", ""
    path, _, query = url.partition(b"#")[0].partition(b"?")
    return unquote_to_bytes(path).decode("utf-8", "replace"), query.decode("latin-1")

"""The reading half of a connection: parses HTTP/1.1 requests from bytes.

`httptools` (the parser of Node.js) runs on the event loop. A request needs no task, no future and no other thread: on
two cores an empty response takes 16 µs; Granian's ASGI took 20 µs without a body and 36 to 50 µs with one.
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

MAX_LENGTH_DIGITS = 18  # of a Content-Length
MAX_HOST = 1024
# Not only ASCII: some clients send international names unencoded.
HOST = re.compile(r"(?:\[[0-9A-Fa-fVv:.]+\]|[A-Za-z0-9_.~!$&'()*+;=%\x80-\xff-]*)(?::[0-9]*)?")
LINE_OVERHEAD = 4  # bytes of a header line besides name and value: colon, space, CR, LF


class Owner(Protocol):
    """Receives what was parsed. `Reader.feed` makes every call, on the event loop."""

    def admit(self, path: str, headers: Mapping[str, str]) -> None:
        """Decides how large the body may be: sets the reader's `max_body` and `body_refusal`, or refuses."""

    def receive(self, request: Request, keep_alive: bool, chunked: bool) -> None:
        """Receives a whole request. `keep_alive`: another may follow; `chunked`: the client knows chunked bodies."""

    def refuse(self, response: Response) -> None:
        """Receives the response to a request that cannot be read. Nothing more is read."""


class Reader:
    """Reads one connection's requests and passes each to its owner when it is complete.

    `target` is the request target as it was sent. `head_size` is 0 between messages; `in_head` says whether the head or
    the body is being read. `expects`: the client waits for 100 Continue. `step` changes when a head or a body begins.
    After `ended` is set, nothing is read.
    """

    def __init__(self, owner: Owner, limits: Limits, canonical: Callable[[str], str]) -> None:
        """`canonical` is `Handler.canonical`: it removes extra slashes from a path."""
        self._owner = owner
        self._limits = limits
        self._canonical = canonical
        self._parser = httptools.HttpRequestParser(self)
        self._unparsed = b""  # the part of a head that earlier pieces brought
        self.peer = ""
        self.ended = False
        self.step = 0
        self.forget()

    def forget(self) -> None:
        """Discards what was read of the current message."""
        self.target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self.body: bytes | bytearray = b""
        self.head_size = self._framing = self._chunks = self.max_body = 0
        self.in_head = True
        self._upgrades = self.expects = False
        self.body_refusal: Response = refusals.TOO_LARGE
        self.path = ""

    def close(self) -> None:
        """Ends reading for good, and breaks the cycle with the owner: the garbage collector rarely finds old ones."""
        self.ended = True
        self.forget()
        del self._parser, self._owner

    @property
    def size(self) -> int:
        """How many bytes of an incomplete message are buffered."""
        return self.head_size + len(self._unparsed) + len(self.body) + self._framing

    def feed(self, data: bytes) -> None:
        """Parses a piece of the stream. Raises what the owner raises."""
        step, read = self.step, len(self.body)
        if self.in_head:
            self.head_size += len(data)
        self._received = self._unparsed + data
        rest: bytes | memoryview | None = data
        while rest is not None:
            rest = self._parse(rest)
        if self.in_head:
            if self.head_size > self._limits.head_bytes:
                self._owner.refuse(refusals.headers_too_large(self._limits))
        elif self.step == step:  # all of the piece belongs to one body
            self._framing += len(data) - (len(self.body) - read)
            if self._framing > self._limits.framing_bytes:
                self._owner.refuse(refusals.TOO_LARGE)  # endless chunk lines or trailers
        begun = self.in_head and self.head_size
        self._unparsed = self._received[self._received.rfind(b"\r\n\r\n") + 1 :] if begun else b""
        self._received = b""

    def _parse(self, data: bytes | memoryview) -> memoryview | None:
        """Parses, up to a request for another protocol; returns the bytes behind the head of such a request."""
        try:
            self._parser.feed_data(data)
            return None
        except httptools.HttpParserUpgrade as upgrade:
            behind = upgrade.args[0]
        except httptools.HttpParserCallbackError as failed:
            if not self.ended:  # else `_Stopped` was raised, which is not always the context
                raise (failed.__context__ or failed) from None
            return None
        except httptools.HttpParserError:
            self._owner.refuse(refusals.BAD_REQUEST)
            return None
        return None if self.ended else self._without_upgrade(memoryview(data)[behind:])

    def _without_upgrade(self, rest: memoryview) -> memoryview:
        """Parses the head again without its `Upgrade` header: the parser would skip the body of such a request."""
        head = without_upgrade(self._method, self.target, self._parser.get_http_version(), self._fields)
        self._parser = httptools.HttpRequestParser(self)
        outer, self._received = self._received, head
        self._parse(head)
        self._received = outer
        return rest

    def _break(self, response: Response) -> NoReturn:
        """Refuses the request from within a parser callback, and stops the parser."""
        self._owner.refuse(response)
        raise _Stopped

    # ── callbacks of the parser ──────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self.ended:
            raise _Stopped
        self.forget()
        self.head_size = 1
        self.step += 1

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))  # trailers come here too; nobody reads them
        if len(self._fields) > self._limits.head_lines:
            self._break(refusals.headers_too_large(self._limits))

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.step += 1
        parser = self._parser
        self._upgrades = parser.should_upgrade()
        self._method = parser.get_method()
        if self._upgrades and self._method != b"CONNECT":
            if _line(self._method, self.target) not in self._received:
                self._break(refusals.BAD_REQUEST)
            return  # `_without_upgrade` parses it again
        target = target_of if len(self.target) < 512 else target_of.__wrapped__
        self.path, self._query = target(self.target)
        self.headers = headers = headers_of(self._fields, self._received)
        self.head_size = len(self._received)
        if self.head_size > self._limits.head_bytes:
            self.head_size = size_of(self._method, self.target, self._fields, self._received)
            if self.head_size > self._limits.head_bytes:
                self._break(refusals.headers_too_large(self._limits))
        self._version = parser.get_http_version()
        if is_invalid(self._method, self.target, self._version, headers, self._received):
            self._break(refusals.BAD_REQUEST)
        if self._method == b"CONNECT":
            self._break(refusals.NO_TUNNEL)
        if "expect" in headers and self._version == "1.1":
            self._expect(headers)
        self.path = self._canonical(self.path)
        if "content-length" in headers or "transfer-encoding" in headers:
            if len(headers.get("content-length", "")) > MAX_LENGTH_DIGITS:
                self._break(refusals.TOO_LARGE)
            self._owner.admit(self.path, headers)
            if self.ended:
                raise _Stopped

    def _expect(self, headers: Mapping[str, str]) -> None:
        """Checks the `Expect` header (RFC 9110 §10.1.1), which HTTP/1.0 does not have."""
        if not is_continue(headers["expect"]):
            self._break(refusals.UNKNOWN_EXPECTATION)
        self.expects = headers.get("content-length") != "0" and self._received.endswith(b"\r\n\r\n")

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > self._limits.chunks:
            self._break(refusals.TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        if len(self.body) + len(body) > self.max_body:
            self._break(self.body_refusal)
        if not self.body:
            self.body = body  # usually the whole body
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
        self.in_head, self.head_size, self._framing = True, 0, 0
        chunked = self._version == "1.1"
        self._owner.receive(request, chunked and self._parser.should_keep_alive(), chunked)


class _Stopped(Exception):
    """Stops the parser."""


# ── the head of a message ────────────────────────────────────────────────────────────────────────────────────────────


def headers_of(fields: Fields, received: bytes) -> dict[str, str]:
    """Headers by lower-case name; the values of a repeated header are joined (RFC 9110 §5.3).

    `received` contains the head. The parser leaves the white space behind a value, which does not belong to it.
    """
    if b" \r\n" in received or b"\t\r\n" in received:  # rare: stripping every value would take 3 % of a request
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
    """The size in bytes of a head within `received`, including white space that the parser removed.

    That white space is not counted if an earlier head in `received` begins with the same request line.
    """
    begins = max(0, received.find(_line(method, url)))
    parsed = len(url) + LINE_OVERHEAD * len(fields) + sum(len(name) + len(value) for name, value in fields)
    return max(parsed, received.find(b"\r\n\r\n", begins) - begins)


def _line(method: bytes, url: bytes) -> bytes:
    return b"%b %b HTTP/1." % (method, url)


def is_invalid(method: bytes, url: bytes, version: str, headers: Mapping[str, str], received: bytes) -> bool:
    """Whether the message is not HTTP/1.0 or 1.1, or leaves open where its body ends (RFC 9112 §6).

    `received` contains the head: the parser also accepts RTSP and ICE and does not say which it found.
    """
    if _line(method, url) not in received:
        return True
    if version == "1.1":
        coding = headers.get("transfer-encoding", "chunked")
        return not _is_host(headers.get("host", ",")) or coding.strip().lower() != "chunked"
    return version != "1.0" or "transfer-encoding" in headers or not _is_host(headers.get("host", ""))


@lru_cache(256)
def _is_host(value: str) -> bool:
    """Whether the value is empty or one host, with or without a port (RFC 9110 §7.2)."""
    return len(value) <= MAX_HOST and HOST.fullmatch(value) is not None


def is_continue(expect: str) -> bool:
    """Whether an `Expect` header has no other member than `100-continue` (RFC 9110 §10.1.1)."""
    members = [member.strip().lower() for member in expect.split(",")]
    return set(members) <= {"100-continue", ""} and any(members)


def without_upgrade(method: bytes, url: bytes, version: str, fields: Fields) -> bytes:
    """The head without its `Upgrade` headers."""
    kept = (b"%b: %b\r\n" % (name, value) for name, value in fields if name.lower() != b"upgrade")
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, url, version.encode(), b"".join(kept))


@lru_cache(1024)
def target_of(url: bytes) -> tuple[str, str]:
    """The decoded path and the raw query of a request target; the path is "" if the target has none."""
    if not url.startswith(b"/"):
        try:
            url = url[url.index(b"/", url.index(b"://") + 3) :]
        except ValueError:
            return "", ""
    path, _, query = url.partition(b"#")[0].partition(b"?")
    return unquote_to_bytes(path).decode("utf-8", "replace"), query.decode("latin-1")

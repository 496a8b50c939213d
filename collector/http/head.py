"""The head of an HTTP/1.1 request: its headers and target, taken apart, and whether it is one that may be answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote_to_bytes

Fields = Sequence[tuple[bytes, bytes]]

LONGEST_HOST = 1024
# Letters beyond ASCII too: some clients send a name as people write it.
HOST = re.compile(r"(?:\[[0-9A-Fa-fVv:.]+\]|[A-Za-z0-9_.~!$&'()*+;=%\x80-\xff-]*)(?::[0-9]*)?")
LINE = 4  # bytes of a header line beside its name and value: colon, space, CR, LF


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

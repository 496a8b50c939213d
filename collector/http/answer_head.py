"""The head of a response, as bytes."""

from __future__ import annotations

import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from collector.http.messages import Headers, with_security_headers
from collector.http.refusals import CLOSE

NO_CONTENT = (204, 304)  # statuses whose responses have neither a body nor a Content-Length
INVALID_IN_NAME = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$")
INVALID_IN_VALUE = re.compile(r"[\r\n\0]")


class InvalidHeader(ValueError):
    """A header whose name or value HTTP does not allow; the message is its name."""


@lru_cache(512)
def answer_head(
    status: int, headers: Headers, length: int | None, keep_alive: bool, security_headers: Headers
) -> bytes:
    """Status line and headers of a response, all but the `Date` header, which `date_line` adds.

    `length` is None for a response without a Content-Length. Raises `InvalidHeader`.
    """
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    for name, value in with_security_headers(headers, security_headers):
        if INVALID_IN_NAME.search(name) or INVALID_IN_VALUE.search(value):
            raise InvalidHeader(ascii(name))
        lines.append(f"{name}: {value}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if not keep_alive and CLOSE[0] not in headers:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n"


@lru_cache(2)
def date_line(second: int) -> bytes:
    """The `Date` header of that second (epoch) and the empty line that ends the head."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode()

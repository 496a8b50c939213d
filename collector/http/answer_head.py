"""The head of an answer, as bytes."""

from __future__ import annotations

import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from collector.http.messages import Headers, sealed
from collector.http.refusals import CLOSE

NO_CONTENT = (204, 304)  # statuses without a body, and without its length
WRONG = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$")  # in a name
WRONG_IN_VALUE = re.compile(r"[\r\n\0]")


class WrongHeader(ValueError):
    """A header that would end its line or is none; the message is its name."""


@lru_cache(512)
def answer_head(status: int, headers: Headers, length: int | None, keeps: bool, seal: Headers) -> bytes:
    """Every line but the last one and the empty one behind it. Raises `WrongHeader`."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    for name, value in sealed(headers, seal):
        if WRONG.search(name) or WRONG_IN_VALUE.search(value):
            raise WrongHeader(ascii(name))
        lines.append(f"{name}: {value}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if not keeps and CLOSE[0] not in headers:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n"


@lru_cache(2)
def date_line(second: int) -> bytes:
    """The last header of every answer, and the empty line behind it."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode()

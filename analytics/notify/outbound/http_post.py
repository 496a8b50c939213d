"""One POST to a checked target: to the address that was checked, without redirects, bounded in time and size.

`http.client` and not urllib3: here the connection is made to an address that was checked, under another name, and one
deadline holds for all of it. urllib3 knows time-outs for each read only, so a slow answer could last for hours.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from analytics.notify.outbound.address import Target
from analytics.notify.outbound.answer import line_of

TOTAL_S = 15.0  # of an attempt, from connecting to the end of the answer
CONNECT_S = 5.0  # for one of several addresses
BODY_S = 5.0  # for the answer, after its headers
MAX_ANSWER = 64 * 1024  # bytes
MAX_RECEIVED = 256 * 1024  # bytes with headers; `http.client` reads without a limit after a size of -1, and trailers
CHUNK = 4 * 1024
USER_AGENT = "Footfall"


class HttpAnswer(NamedTuple):
    """An answer: its text is one line; `retry_after_s` is None where it has none; `cut`: why it is not complete."""

    status: int
    text: str
    retry_after_s: int | None = None
    cut: str = ""


class NoAnswer(Exception):
    """The receiver did not answer; the message says why, in a line."""


def post(
    target: Target, body: bytes, headers: Mapping[str, str], trust: ssl.SSLContext, total_s: float = TOTAL_S
) -> HttpAnswer:
    """Posts the body and reads the answer. `NoAnswer` if there is none within `total_s`."""
    deadline = time.monotonic() + total_s
    try:
        with closing(_connected(target, deadline, trust)) as raw:
            return _exchanged(_TimedSocket(raw, deadline), target, body, headers)
    except TimeoutError:
        raise NoAnswer(f"no answer within {total_s:g} s") from None
    except ssl.SSLCertVerificationError as wrong:
        raise NoAnswer(f"the certificate of {target.host} is not valid: {wrong.verify_message}") from None
    except ssl.SSLError as wrong:
        raise NoAnswer(f"no TLS with {target.host}: {wrong.reason or 'it failed'}") from None
    except http.client.HTTPException as wrong:
        raise NoAnswer(f"what was answered is no HTTP ({type(wrong).__name__})") from None
    except (OSError, ValueError) as wrong:
        raise NoAnswer(f"{target.host} cannot be reached: {getattr(wrong, 'strerror', None) or wrong}") from None


def _connected(target: Target, deadline: float, trust: ssl.SSLContext) -> socket.socket:
    """A connection to the first of the checked addresses that accepts one; the certificate has to be the host's."""
    raw = _opened(target, deadline)
    if target.scheme == "http":
        return raw
    try:
        raw.settimeout(_left(deadline))
        return trust.wrap_socket(raw, server_hostname=target.host)
    except BaseException:
        raw.close()
        raise


def _opened(target: Target, deadline: float) -> socket.socket:
    why = "it has no address"
    for address in target.addresses:
        try:
            return socket.create_connection((address, target.port), min(CONNECT_S, _left(deadline)))
        except OSError as failed:
            why = failed.strerror or "it does not answer"
    raise ConnectionError(why)


def _exchanged(sock: _TimedSocket, target: Target, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.default_port = http.client.HTTPS_PORT if target.scheme == "https" else http.client.HTTP_PORT
    connection.sock = sock
    sent = {**headers, "User-Agent": USER_AGENT, "Connection": "close", "Accept-Encoding": "identity"}
    connection.request("POST", target.path, body, sent)
    response = connection.getresponse()
    sock.deadline = min(sock.deadline, time.monotonic() + BODY_S)
    text, cut = _read(response)
    return HttpAnswer(response.status, line_of(text), retry_after(response.headers.get("Retry-After")), cut)


def _read(response: http.client.HTTPResponse) -> tuple[str, str]:
    """The answer's text, and why it is not complete: "" if it is."""
    body, cut = bytearray(), ""
    try:
        while chunk := response.read(CHUNK):
            body += chunk
            if len(body) > MAX_ANSWER:
                cut = f"the answer is longer than {MAX_ANSWER // 1024} kB"
                break
        else:
            cut = "the answer ended early" if response.length else ""
    except TimeoutError:
        cut = f"the answer did not end within {BODY_S:g} s"
    except (http.client.HTTPException, OSError, ValueError):
        cut = "the answer ended early"
    return bytes(body).decode("utf-8", "replace"), cut


def retry_after(value: str | None, now: float | None = None) -> int | None:
    """The seconds of a `Retry-After`, which is a number of seconds or a date; None where it says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return int(value.strip()[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    began = datetime.now(UTC).timestamp() if now is None else now
    return max(0, round(at.timestamp() - began))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _TimedSocket:
    """A socket as `http.client` uses it, on which everything together has to end before a deadline."""

    def __init__(self, raw: socket.socket, deadline: float) -> None:
        self._raw = raw
        self.deadline = deadline

    def sendall(self, data: Any) -> None:
        self._raw.settimeout(_left(self.deadline))
        self._raw.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> Any:
        return io.BufferedReader(_TimedReader(self, self._raw))

    def close(self) -> None:
        """Nothing: who made the connection closes it when the answer has been read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: _TimedSocket, raw: socket.socket) -> None:
        self._sock = sock
        self._raw = raw
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._received > MAX_RECEIVED:
            raise ConnectionError(f"the answer is longer than {MAX_RECEIVED // 1024} kB")
        self._raw.settimeout(_left(self._sock.deadline))
        many = self._raw.recv_into(buffer)
        self._received += many
        return many

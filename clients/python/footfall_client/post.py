"""One POST of a batch to Footfall over a connection that is kept, and what its answer means for the batch."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

MAX_ANSWER = 65_536  # bytes; of a longer answer only these are read
MAX_WAIT_S = 300.0  # the longest `Retry-After` that is obeyed
MIN_TIMEOUT_S = 0.05
WAITS = (408, 425, 429, 500, 502, 503, 504)  # the same batch may be taken later


@dataclass(frozen=True, slots=True)
class Taken:
    """Footfall has the batch, except for `refused` items of it. `why` is what the first of them lacks."""

    refused: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Footfall never takes this batch. `wrong_key`: nor any other with this key. `for_content`: it may take parts."""

    why: str
    wrong_key: bool = False
    for_content: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """The batch is to be sent again, after `wait_s` seconds if Footfall named them."""

    why: str
    wait_s: float | None = None


Result = Taken | Refused | Later


class Poster:
    """Posts JSON to one server with one key. For one thread; `forget` makes it usable in a forked process."""

    def __init__(self, server: str, key: str) -> None:
        """Raises `ValueError` if `server` is not an address of http or https, or the key cannot be one."""
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("the server is an address like https://stats.example.com, without a name or a query")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the key has characters that no key has")
        self._host, self._port = parts.hostname, parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._prefix = parts.path.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "User-Agent": "footfall-client",
        }
        self._connection: http.client.HTTPConnection | None = None

    def forget(self) -> None:
        """Leaves the connection to the process that has opened it."""
        self._connection = None

    def close(self) -> None:
        """Closes the connection; the next post opens another."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def post(self, path: str, body: bytes, timeout_s: float) -> Result:
        """What became of a batch. Never raises; waits at most `timeout_s` for each answer of the network."""
        timeout_s = max(timeout_s, MIN_TIMEOUT_S)
        reused = self._connection is not None
        try:
            return self._exchange(path, body, timeout_s)
        except (http.client.RemoteDisconnected, ConnectionError) as gone:
            self.close()
            if not reused:
                return Later(_named(gone))
        except (OSError, http.client.HTTPException, ValueError) as failed:
            self.close()
            return Later(_named(failed))
        try:  # the server had closed the idle connection
            return self._exchange(path, body, timeout_s)
        except (OSError, http.client.HTTPException, ValueError) as failed:
            self.close()
            return Later(_named(failed))

    def _exchange(self, path: str, body: bytes, timeout_s: float) -> Result:
        connection = self._connection = self._connection or self._open(timeout_s)
        connection.timeout = timeout_s
        if connection.sock:
            connection.sock.settimeout(timeout_s)
        connection.request("POST", self._prefix + path, body, self._headers)
        response = connection.getresponse()
        said = response.read(MAX_ANSWER)
        if response.will_close or not response.isclosed():
            self.close()
        return _result(response.status, response.headers.get("Retry-After", ""), said)

    def _open(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)


def _named(failure: Exception) -> str:
    return f"{type(failure).__name__}: {failure}"


def _result(status: int, retry_after: str, said: bytes) -> Result:
    if 200 <= status < 300:
        return _taken(said)
    why = f"{status} {_message(_parsed(said))}".strip()
    if status in WAITS:
        return Later(why, _seconds(retry_after))
    return Refused(why, wrong_key=status in (401, 403), for_content=status in (400, 413, 422))


def _taken(said: bytes) -> Taken:
    answer = _parsed(said)
    refused = answer.get("rejected")
    if not isinstance(refused, list) or not refused:
        return Taken()
    return Taken(len(refused), _message(refused[0]) if isinstance(refused[0], dict) else "")


def _parsed(said: bytes) -> dict[str, object]:
    """The object of an answer, empty if it is none."""
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(answer: dict[str, object]) -> str:
    error = answer.get("error")
    return " ".join(str(error.get("message", ""))[:200].split()) if isinstance(error, dict) else ""


def _seconds(retry_after: str) -> float | None:
    """The wait that a `Retry-After` names, in seconds or as a date; None if it names none."""
    if retry_after.strip().isdecimal():
        return min(float(retry_after), MAX_WAIT_S)
    with contextlib.suppress(ValueError, TypeError):
        return min(max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0), MAX_WAIT_S)
    return None

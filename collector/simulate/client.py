"""Events to a Footfall server over HTTP, as a server with an `ingest` key sends them, and what it answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

Body = dict[str, Any]


class RefusedError(Exception):
    """The server will not take these events whatever we do; the message says why in a line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the counts and the length of `again` add up to its size.

    `again` are the indices of those that were not taken for now (`trouble` says why) and may be sent again,
    with the same ids, `retry_after` seconds later.
    """

    stored: int = 0
    duplicate: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    again: tuple[int, ...] = ()
    retry_after: float = 0.0
    trouble: str = ""


class Sender:
    """Posts events to a Footfall server over one kept connection, with an `ingest` key. For one thread."""

    def __init__(self, url: str, key: str, timeout_s: float = 5.0) -> None:
        """`url` is the server's address, e.g. `http://127.0.0.1:8050`; ValueError if it is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http address")
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = connect(parts.hostname, parts.port, timeout=timeout_s)
        self._path = f"{parts.path.rstrip('/')}/api/collect"
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "User-Agent": "footfall-replay",
        }

    def __call__(self, events: list[Body]) -> Outcome:
        """What the server says to 1–100 events. Raises `RefusedError` where a repeat is pointless."""
        body = json.dumps(events).encode()
        kept = self._connection.sock is not None
        try:
            return self._exchange(body, len(events))
        except (OSError, HTTPException) as error:
            if not kept:  # a kept one may have been closed while idle; with the same ids a repeat is harmless
                return _unreachable(error, len(events))
        try:
            return self._exchange(body, len(events))
        except (OSError, HTTPException) as error:
            return _unreachable(error, len(events))

    def close(self) -> None:
        """Closes the connection; another call opens a new one."""
        self._connection.close()

    def _exchange(self, body: bytes, count: int) -> Outcome:
        try:
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except BaseException:  # also Ctrl-C: a half-read answer would be taken for the next one's
            self._connection.close()
            raise
        return read_answer(answer.status, dict(answer.headers.items()), text, count)


def _unreachable(error: Exception, count: int) -> Outcome:
    return Outcome(again=tuple(range(count)), retry_after=1.0, trouble=f"the server does not answer ({error})")


def read_answer(status: int, headers: Mapping[str, str], body: bytes, count: int) -> Outcome:
    """What `POST /api/collect` answers about `count` events; `RefusedError` for a wrong key or site."""
    said = _object(body)
    told = {name.lower(): value for name, value in headers.items()}
    error = said.get("error")
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    trouble = str(message or f"the server answers HTTP {status}")
    if status in (200, 202) or "rejected" in said:
        return _taken(said, told, count, trouble)
    if status in (400, 413, 422):
        return Outcome(rejected={str(code or status): count})
    if status == 429 or status >= 500:
        return Outcome(again=tuple(range(count)), retry_after=_seconds(told), trouble=trouble)
    raise RefusedError(trouble)


def _taken(said: Body, headers: Mapping[str, str], count: int, trouble: str) -> Outcome:
    filtered, reasons = said.get("filtered", 0), said.get("reasons")
    if isinstance(filtered, str):
        reasons = {filtered: count}
    elif filtered and not isinstance(reasons, dict):
        reasons = {headers.get("x-footfall-outcome", "").partition("reason=")[2] or "unknown": filtered}
    taken = Outcome(said.get("stored", 0), said.get("duplicate", 0), reasons or {})
    refused = said.get("rejected", [])
    if "retry-after" not in headers:
        return replace(taken, rejected=Counter(one["error"]["code"] for one in refused))
    # Some were not taken for now. Those that are wrong are sent again with them: that tells the two apart.
    again = tuple(one["index"] for one in refused if one["index"] < count)
    return replace(taken, again=again, retry_after=_seconds(headers), trouble=trouble)


def _object(body: bytes) -> Body:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(headers: Mapping[str, str]) -> float:
    said = headers.get("retry-after", "")
    return max(0.1, float(said)) if re.fullmatch(r"[0-9]{1,6}", said) else 1.0

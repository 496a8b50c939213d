"""Sends events to a Footfall server over HTTP, with an `ingest` key, and reads the answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

EventBody = dict[str, Any]


class RefusedError(Exception):
    """The server refuses these events, and a retry would not help; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of a batch; the counts and the length of `retry` add up to its size.

    `retry` has the indices of the events that the server could not store for now (`failure` says why). They may be sent
    again with the same ids, `retry_after` seconds later.
    """

    stored: int = 0
    duplicate: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    retry: tuple[int, ...] = ()
    retry_after: float = 0.0
    failure: str = ""


class Sender:
    """Posts events to a Footfall server over one persistent connection, with an `ingest` key. For one thread."""

    def __init__(self, url: str, key: str, timeout_s: float = 5.0) -> None:
        """`url` is the server's address, e.g. `http://127.0.0.1:8050`; raises ValueError for other texts."""
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

    def __call__(self, events: list[EventBody]) -> BatchResult:
        """The server's answer to 1–100 events. Raises `RefusedError` if a retry would not help."""
        body = json.dumps(events).encode()
        is_reused = self._connection.sock is not None
        try:
            return self._exchange(body, len(events))
        except (OSError, HTTPException) as error:
            if not is_reused:  # else the server may have closed it while idle, so send once more: ids make that safe
                return _unreachable(error, len(events))
        try:
            return self._exchange(body, len(events))
        except (OSError, HTTPException) as error:
            return _unreachable(error, len(events))

    def close(self) -> None:
        """Closes the connection; another call opens a new one."""
        self._connection.close()

    def _exchange(self, body: bytes, count: int) -> BatchResult:
        try:
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except BaseException:  # also for Ctrl-C: the rest of this answer would be read as the next one
            self._connection.close()
            raise
        return read_answer(answer.status, dict(answer.headers.items()), text, count)


def _unreachable(error: Exception, count: int) -> BatchResult:
    return BatchResult(retry=tuple(range(count)), retry_after=1.0, failure=f"the server does not answer ({error})")


def read_answer(status: int, headers: Mapping[str, str], body: bytes, count: int) -> BatchResult:
    """Reads the answer of `POST /api/collect` to `count` events. Raises `RefusedError` for a wrong key or site."""
    answer = _object(body)
    by_name = {name.lower(): value for name, value in headers.items()}
    error = answer.get("error")
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    failure = str(message or f"the server answers HTTP {status}")
    if status in (200, 202) or "rejected" in answer:
        return _read_counts(answer, by_name, count, failure)
    if status in (400, 413, 422):
        return BatchResult(rejected={str(code or status): count})
    if status == 429 or status >= 500:
        return BatchResult(retry=tuple(range(count)), retry_after=_retry_after(by_name), failure=failure)
    raise RefusedError(failure)


def _read_counts(answer: EventBody, headers: Mapping[str, str], count: int, failure: str) -> BatchResult:
    filtered, reasons = answer.get("filtered", 0), answer.get("reasons")
    if isinstance(filtered, str):
        reasons = {filtered: count}
    elif filtered and not isinstance(reasons, dict):
        reasons = {headers.get("x-footfall-outcome", "").partition("reason=")[2] or "unknown": filtered}
    result = BatchResult(answer.get("stored", 0), answer.get("duplicate", 0), reasons or {})
    refused = answer.get("rejected", [])
    if "retry-after" not in headers:
        return replace(result, rejected=Counter(one["error"]["code"] for one in refused))
    # The server could not store some for now. The answer does not say which of the refused ones are wrong, so all of
    # them are sent again; then only wrong ones remain.
    retry = tuple(one["index"] for one in refused if one["index"] < count)
    return replace(result, retry=retry, retry_after=_retry_after(headers), failure=failure)


def _object(body: bytes) -> EventBody:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds, 1 if the header is missing or no whole number."""
    seconds = headers.get("retry-after", "")
    return max(0.1, float(seconds)) if re.fullmatch(r"[0-9]{1,6}", seconds) else 1.0

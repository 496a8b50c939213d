"""Kept answers: the same question about the same facts is computed once, also for all who ask at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from analytics.calendar.period import Span
from analytics.query.backend import Compute
from analytics.query.query import Query
from analytics.query.result import Answer, Row
from collector.cache.storage import AnswerStorage

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[list[Row], int]).decode

Version = Callable[[int, int], str]
"""The version of the facts of a site before a second: as long as it is the same, so are the answers."""


@dataclass(slots=True)
class CacheCounts:
    """Totals since the start: answers that were stored, that another request was computing, that were computed."""

    hits: int = 0
    shared: int = 0
    misses: int = 0


class AnswerCache:
    """Answers each question from `storage`, or by computing it; `keep` is that of a `Backend`. Safe for many threads.

    An answer is kept as long as the version of the facts is the same, so it is never older than those.
    """

    def __init__(self, storage: AnswerStorage, version: Version) -> None:
        self.counts = CacheCounts()
        self._storage = storage
        self._version = version
        self._lock = threading.Lock()
        self._flights: dict[str, Future[bytes]] = {}

    @property
    def size(self) -> int | None:
        """How many answers there are in memory; None if they are in Redis."""
        return self._storage.size

    def keep(self, query: Query, span: Span, compute: Compute) -> Answer:
        """The answer to a question. What `compute` raises is raised to all who wait for it."""
        key = _key(query, span, self._version(query.site_id, span.end))
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                own = self._flights[key] = Future()
            else:
                self.counts.shared += 1
        if flight is not None:
            return _answer(flight.result(), query)
        try:
            answer, packed = self._found(key, query) or self._computed(key, compute)
        except BaseException as failed:
            own.set_exception(failed)
            raise
        else:
            own.set_result(packed)
            return answer
        finally:
            with self._lock:
                del self._flights[key]

    def clear(self) -> None:
        """Drops all answers, and those that are being computed now once they are given."""
        self._storage.clear()

    def _found(self, key: str, query: Query) -> tuple[Answer, bytes] | None:
        packed = self._storage.get(key)
        if packed is None:
            return None
        try:
            answer = _answer(packed, query)
        except msgspec.DecodeError:  # of another version of this program
            return None
        self._add("hits")
        return answer, packed

    def _computed(self, key: str, compute: Compute) -> tuple[Answer, bytes]:
        self._add("misses")
        clears = self._storage.clears
        answer = compute()
        packed = _pack((answer.rows, answer.total))
        self._storage.set(key, packed, clears)
        return answer, packed

    def _add(self, name: str) -> None:
        with self._lock:
            setattr(self.counts, name, getattr(self.counts, name) + 1)


def _key(query: Query, span: Span, version: str) -> str:
    """Of bounded length; filters may be long. Frozen values are equal if their texts are."""
    text = repr((query.content, span, version))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _answer(packed: bytes, query: Query) -> Answer:
    rows, total = _unpack(packed)
    return Answer(rows, total, query)

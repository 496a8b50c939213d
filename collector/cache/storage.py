"""Where kept answers are: flask-caching in memory, or in a Redis that several servers share and that may be away."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar

from flask_caching.backends import RedisCache, SimpleCache

from analytics.base.config import Config, WrongSetting
from analytics.base.error_log import describe

log = logging.getLogger("footfall.cache")

MAX_ANSWERS = 512
MAX_BYTES = 128 * 1024  # of one answer: at most 64 MiB in memory
MAX_AGE_S = 3_600
REDIS_TIMEOUT_S = 0.5
RETRY_S = 10.0  # after Redis did not answer

T = TypeVar("T")


class _Bytes:
    """Stores bytes as they are. Pickled, they could run code of anybody who writes to the Redis.

    It has what the two backends call, without the base class: that is of cachelib, on which flask-caching depends.
    """

    def dumps(self, value: bytes, protocol: int = 0) -> bytes:
        return value

    def loads(self, bvalue: bytes) -> bytes:
        return bvalue


class _Memory(SimpleCache):
    serializer = _Bytes()  # type: ignore[assignment]  # the annotation is the class of the usual one

    def __len__(self) -> int:
        return len(self._cache)


class _Redis(RedisCache):
    serializer = _Bytes()  # type: ignore[assignment]


class AnswerStorage:
    """Stores packed answers for an hour at most. Thread-safe.

    A Redis that is away costs a warning, never an error; it is tried again every `retry_s`.
    """

    def __init__(self, config: Config, secret: bytes, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._memory = None if config.redis_url else _Memory(threshold=MAX_ANSWERS, default_timeout=MAX_AGE_S)
        self._cache = self._memory if self._memory is not None else _redis(config.redis_url, secret)
        self._lock = threading.Lock()
        self._clears = 0
        self._is_clear_due = self._is_away = False
        self._retry_at = 0.0

    @property
    def size(self) -> int | None:
        """How many answers there are in memory; None for Redis."""
        return None if self._memory is None else len(self._memory)

    @property
    def clears(self) -> int:
        """How often it has been cleared, for `set`."""
        return self._clears

    def get(self, key: str) -> bytes | None:
        """The packed answer; None if it is not there."""
        found: bytes | None = self._tried(lambda: self._cache.get(key))
        return found

    def set(self, key: str, packed: bytes, clears: int) -> None:
        """Stores an answer, unless it is large or the storage was cleared after `clears` was read."""
        if len(packed) > MAX_BYTES:
            return
        with self._lock:
            if clears == self._clears:
                self._tried(lambda: self._cache.set(key, packed))

    def clear(self) -> None:
        """Drops all answers; those in a Redis that is away, as soon as it answers again."""
        with self._lock:
            self._clears += 1
            self._is_clear_due = True
            self._tried(lambda: None)

    def _tried(self, work: Callable[[], T]) -> T | None:
        if time.monotonic() < self._retry_at:
            return None
        try:
            if self._is_clear_due:
                self._cache.clear()
                self._is_clear_due = False
            found = work()
        except Exception as failed:  # of the driver, or of the network below it
            self._retry_at = time.monotonic() + self._retry_s
            if not self._is_away:
                log.warning("Redis does not answer, so answers are computed: %s", describe(failed))
            self._is_away = True
            return None
        if self._is_away:
            log.warning("Redis answers again")
        self._is_away = False
        return found


def _redis(url: str, secret: bytes) -> RedisCache:
    """The answers of this installation in the Redis of that address; the prefix of its keys comes from the key."""
    client = _client(url)
    prefix = f"footfall:{blake2b(secret, digest_size=8, person=b'answers').hexdigest()}:"
    return _Redis(host=client, key_prefix=prefix, default_timeout=MAX_AGE_S)


def _client(url: str) -> Any:
    try:
        import redis  # noqa: PLC0415 - an optional dependency
    except ImportError:
        install = f"`{sys.executable} -m pip install 'redis>=5'`"
        raise WrongSetting(f"FOOTFALL_REDIS_URL needs the package redis; {install} installs it") from None
    no_retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    timeouts = {"socket_timeout": REDIS_TIMEOUT_S, "socket_connect_timeout": REDIS_TIMEOUT_S}
    return redis.Redis.from_url(url, retry=no_retry, **timeouts)

"""Looking up a name within a time: a resolver that hangs costs seconds, however long the system waits for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

LOOKUP_S = 5.0
LATE = "looking up its address takes too long"
MAX_LOOKUPS = 16
"""How many look-ups may be under way. Nothing ends one that hangs; further ones wait as long as for an answer."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host and a port. Raises `OSError` or `UnicodeError` where there are none."""

_free = threading.BoundedSemaphore(MAX_LOOKUPS)


def addresses_of(host: str, port: int) -> list[str]:
    """What the system's resolver says, each once. Raises `OSError` or `UnicodeError` where it knows no address."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def look_up(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """What `resolve` answers, or raises. `TimeoutError`, which is an `OSError`, if that takes longer than `LOOKUP_S`.

    It runs in a thread of its own, since nothing else interrupts the resolver of the system.
    """
    if not _free.acquire(timeout=LOOKUP_S):
        raise TimeoutError(LATE)
    answer: Future[Sequence[str]] = Future()
    try:
        threading.Thread(target=_ask, args=(answer, resolve, host, port), name="footfall-lookup", daemon=True).start()
    except RuntimeError:  # no thread can be started
        _free.release()
        raise
    try:
        return answer.result(LOOKUP_S)
    except TimeoutError:
        raise TimeoutError(LATE) from None


def _ask(answer: Future[Sequence[str]], resolve: Resolve, host: str, port: int) -> None:
    try:
        answer.set_result(resolve(host, port))
    except Exception as failed:
        answer.set_exception(failed)
    finally:
        _free.release()

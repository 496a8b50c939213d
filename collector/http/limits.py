"""The limits of the HTTP edge: bytes, seconds and counts, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

KIB = 1024
MIB = 1024 * KIB


class MemoryLimit(NamedTuple):
    """Bytes of memory for unanswered requests: in total, and for one address."""

    total: int
    per_address: int


EVENT_MEMORY = MemoryLimit(64 * MIB, 2 * MIB)
MEMBER_MEMORY = MemoryLimit(64 * MIB, 16 * MIB)
ANONYMOUS_MEMORY = MemoryLimit(16 * MIB, MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every limit of the edge. Names in `_s` are seconds, in `_bytes` bytes. README.md here says why."""

    head_bytes: int = 16 * KIB  # request line and header lines
    head_lines: int = 100
    head_s: float = 10.0  # until a head is complete; also for a TLS handshake

    event_bytes: int = 64 * KIB  # a body from a page, a signed-in person or a program with a key
    form_bytes: int = 16 * KIB  # a body from an unknown sender: sign-in, set-up, invitation
    call_bytes: int = MIB  # the body of a dashboard call of a signed-in person
    body_s: float = 10.0  # until a body is complete
    chunks: int = 4_096  # in one body
    framing_bytes: int = 64 * KIB  # chunk lines and trailers of one body

    idle_s: float = 75.0  # between requests
    unread_s: float = 10.0  # until a client has to read more of its response
    unsent_bytes: int = 64 * KIB  # buffered for a client before it has to read
    linger_s: float = 2.0  # for which a refused client may go on sending, so that it sees the response

    pipelined: int = 128  # queued requests of one connection
    answers_per_turn: int = 64  # requests of one connection before others are handled
    waiting_bytes: int = KIB  # counted for a queued request in addition to its body
    free_bytes: int = 8 * KIB  # of each connection, outside every budget; pages send less
    event_memory: MemoryLimit = EVENT_MEMORY
    member_memory: MemoryLimit = MEMBER_MEMORY  # for signed-in people and programs with a key
    anonymous_memory: MemoryLimit = ANONYMOUS_MEMORY

    connections: int = 10_000
    connections_per_address: int = 5_000  # from an IPv4 address or an IPv6 /64; no limit for trusted proxies

    commit_s: float = 15.0  # until a sender that waits for a commit gets 503; event ids make a repeat safe
    answers_s: float = 2.0  # at shutdown, for the last responses after everything is committed
    drain_s: float = 8.0  # for the whole shutdown; then the process exits


DEFAULT = Limits()

"""What the HTTP edge gives to its clients at most: bytes, seconds and counts, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

KIB = 1024
MIB = 1024 * KIB


class Room(NamedTuple):
    """Bytes of memory for requests that are not answered yet: in all, and of one address."""

    total: int
    per_address: int


EVENT_ROOM = Room(64 * MIB, 2 * MIB)
MEMBER_ROOM = Room(64 * MIB, 16 * MIB)
STRANGER_ROOM = Room(16 * MIB, MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every limit of the edge. Names in `_s` are seconds, in `_bytes` bytes. README.md here says why."""

    head_bytes: int = 16 * KIB  # request line and header lines
    head_lines: int = 100
    head_s: float = 10.0  # until a head is whole; a TLS handshake as well

    event_bytes: int = 64 * KIB  # the body of a collector request, of somebody signed in, of a program with a key
    form_bytes: int = 16 * KIB  # the body of a stranger: signing in, setting up, an invitation
    call_bytes: int = MIB  # the body of a dashboard call of somebody signed in
    body_s: float = 10.0  # until a body is whole
    chunks: int = 4_096  # of one body
    framing_bytes: int = 64 * KIB  # what the chunk lines and trailers of a body may take beside it

    idle_s: float = 75.0  # without a request
    unread_s: float = 10.0  # in which a client has to take something of its answer
    unsent_bytes: int = 64 * KIB  # from here on a client has to read before it gets more
    linger_s: float = 2.0  # in which a refused client may still send: closed at once, it would not see why

    pipelined: int = 128  # requests that wait behind the one under way
    answers_per_turn: int = 64  # of one connection before the others have their turn
    waiting_bytes: int = KIB  # what a waiting request counts beside its body
    free_bytes: int = 8 * KIB  # what each connection may hold whatever the others do: what a page sends is smaller
    event_room: Room = EVENT_ROOM
    member_room: Room = MEMBER_ROOM  # of people signed in and programs with a key
    stranger_room: Room = STRANGER_ROOM

    connections: int = 10_000
    connections_per_address: int = 5_000  # of an IPv4 address or an IPv6 /64; trusted proxies have as many as there are

    commit_s: float = 15.0  # for which a sender waits for its turn in a queue that goes on; its id makes a repeat safe
    answers_s: float = 2.0  # for requests under way when the server ends, once everything is committed
    drain_s: float = 8.0  # for all of the end; then it is forced


DEFAULT = Limits()

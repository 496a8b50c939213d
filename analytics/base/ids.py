"""Row ids that start with the row's time: 42 bits of milliseconds, 9 of the process, 12 of a counter.

Ids of the present never collide: a process makes far fewer than 4,096 a millisecond. Ids of the past (imports, events
sent late) may collide with an earlier run's ids of the same millisecond; the writer then retries with the next ids.
Imported rows have a process number of their own, by which the live views leave them out.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Integer, literal

WORKER_BITS = 9
COUNTER_BITS = 12
LOW_BITS = WORKER_BITS + COUNTER_BITS
MAX_ID = 2**31 - 1
"""The highest id of the rows that the database numbers, such as rules and notifications: PostgreSQL's `integer`."""

IMPORTED = (1 << WORKER_BITS) - 1  # the process number of imported rows; no process has it
NO_VISITOR = int.from_bytes(b"no visit", "big")
"""The visitor of an event behind which no visitor stands, such as a change of a database, or a server's own.
Its visit is 0, which does
not exist; it has no heartbeat, makes nobody present, and is in no number of visitors or visits. Visitors are hashes of
64 bits: that one of them is this number is as unlikely as that two of them are equal.
"""


def first_id(at_s: int) -> int:
    """The lowest possible row id of a second (epoch): `id >= first_id(t)` means `at >= t`."""
    return at_s * 1000 << LOW_BITS


def time_ms(row_id: int) -> int:
    """The time of a row, in milliseconds since the epoch."""
    return row_id >> LOW_BITS


def came_live(row_id: ColumnElement[int]) -> ColumnElement[bool]:
    """SQL: whether a row was sent live, not imported."""
    return row_id.bitwise_rshift(literal(COUNTER_BITS, Integer)).bitwise_and(IMPORTED) != IMPORTED


def numbered_id(text: object) -> int | None:
    """The id of a row that the database numbers, as an address or a page has it; None for what can be none."""
    if not isinstance(text, str) or not re.fullmatch("[0-9]{1,10}", text):
        return None
    return number if 1 <= (number := int(text)) <= MAX_ID else None


class Ids:
    """Makes row ids, unique among processes with different `worker` numbers (0–511), up to 4,096 a millisecond.

    `low_bits` gives those of the next ids: the worker's number and the counter.
    """

    def __init__(self, worker: int = 0) -> None:
        if not 0 <= worker < 1 << WORKER_BITS:
            raise ValueError(f"worker {worker}: 0 to {(1 << WORKER_BITS) - 1} are allowed")
        own = range(worker << COUNTER_BITS, worker + 1 << COUNTER_BITS)
        begin = random.randrange(len(own))  # noqa: S311 - no secret
        self.low_bits: Iterator[int] = itertools.cycle([*own[begin:], *own[:begin]])

    def make(self, at_ms: int) -> int:
        """A new id for a row at `at_ms` (epoch milliseconds)."""
        return at_ms << LOW_BITS | next(self.low_bits)

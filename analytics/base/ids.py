"""Row ids that start with the row's time: 42 bits of milliseconds, 9 of the process, 12 of a counter.

Rows of now never collide: a process makes far fewer than 4,096 a millisecond. Rows of the past (imports, events sent
later) may meet one that an earlier run made for the same millisecond; whoever writes then tries again with the next
ids. Rows that were imported have a process's number of their own: what shows what happens now leaves them out by it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Integer, literal

WORKER_BITS = 9
COUNTER_BITS = 12
LOW_BITS = WORKER_BITS + COUNTER_BITS
IMPORTED = (1 << WORKER_BITS) - 1  # in place of a process's number; none has it


def first_id(at_s: int) -> int:
    """The lowest id that a row of that second (epoch, UTC) can have: `id >= first_id(t)` is `at >= t`."""
    return at_s * 1000 << LOW_BITS


def time_ms(row_id: int) -> int:
    """The moment of a row, in milliseconds since the epoch."""
    return row_id >> LOW_BITS


def came_live(row_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a row was not imported."""
    return row_id.bitwise_rshift(literal(COUNTER_BITS, Integer)).bitwise_and(IMPORTED) != IMPORTED


class Ids:
    """Makes ids that no other process with another `worker` (0–511) makes; 4,096 a millisecond are distinct.

    `low_bits` are those of the next ids: the worker's number and the counter.
    """

    def __init__(self, worker: int = 0) -> None:
        if not 0 <= worker < 1 << WORKER_BITS:
            raise ValueError(f"worker {worker}: 0 to {(1 << WORKER_BITS) - 1} are allowed")
        own = range(worker << COUNTER_BITS, worker + 1 << COUNTER_BITS)
        begin = random.randrange(len(own))  # noqa: S311 - no secret
        self.low_bits: Iterator[int] = itertools.cycle([*own[begin:], *own[:begin]])

    def make(self, at_ms: int) -> int:
        """A new id for a row of that moment (epoch milliseconds)."""
        return at_ms << LOW_BITS | next(self.low_bits)

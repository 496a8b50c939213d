"""Minute series: how many people there were at each minute, packed and unpacked, cut and joined."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from analytics.calendar.days import day_of, days_between, start_of
from analytics.calendar.period import Span

MINUTE = 60
DAY_S = 86_400
MINUTES = DAY_S // MINUTE
UNKNOWN = -1  # for a minute whose number is not known
EMPTY = bytes(MINUTES * 4)
NOBODY = zlib.compress(EMPTY)
_packing = struct.Struct(f"<{MINUTES}i")
Series: TypeAlias = "array[int]"  # people at each minute, or UNKNOWN


class Minutes(NamedTuple):
    """How many people were on a site at each minute from `begin` (epoch s, a whole minute) on, or UNKNOWN."""

    begin: int
    people: Series

    def within(self, span: Span) -> Series:
        """The minutes that begin within a span, as far as they cover it."""
        first, end = (max(0, -(-(edge - self.begin) // MINUTE)) for edge in span)
        return self.people[first:end]


def peak(people: Series) -> int | None:
    """The highest number of people; None where no minute is known."""
    most = max(people, default=UNKNOWN)
    return None if most == UNKNOWN else most


def average(people: Series) -> float | None:
    """The mean over the known minutes, including those without people; None where no minute is known."""
    unknown = people.count(UNKNOWN)
    known = len(people) - unknown
    return (sum(people) - unknown * UNKNOWN) / known if known else None


def pack(people: Sequence[int]) -> bytes:
    """The bytes of a day's 1,440 numbers."""
    return zlib.compress(_packing.pack(*people))


def unpack(packed: bytes) -> Series:
    """A day's 1,440 numbers."""
    return array("i", _packing.unpack(zlib.decompress(packed)))


def between(days: dict[date, Series], begin: int, end: int) -> Series:
    """The minutes from `begin` to before `end` (epoch s, whole minutes), UNKNOWN on days that `days` lacks."""
    unknown = array("i", [UNKNOWN]) * MINUTES
    first = day_of(begin)
    found = array("i")
    for day in days_between(first, day_of(end - 1) + timedelta(days=1)):
        found.extend(days.get(day, unknown))
    skipped = (begin - start_of(first)) // MINUTE
    return found[skipped : skipped + (end - begin) // MINUTE]


@dataclass(frozen=True, slots=True)
class DayOfConcurrents:
    """One day of a site's zone: people at each minute from `begin` to before `end` (epoch s), and the week before.

    A minute that is in the future, or that cannot be known (any more), is UNKNOWN. `before` has the same clock times
    seven days earlier. `complete`: all that can be known is counted; until then, read it again. `peak` is (people,
    epoch s); it and the average are those of the known minutes, None where there is none.
    """

    begin: int
    end: int
    people: Series
    before: Series
    peak: tuple[int, int] | None
    average: float | None
    complete: bool

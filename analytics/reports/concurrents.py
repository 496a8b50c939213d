"""The file of the Concurrents page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from analytics.calendar.minute_series import MINUTE, UNKNOWN, DayOfConcurrents


def minutes(found: DayOfConcurrents, zone: tzinfo) -> Iterator[Sequence[str | int | None]]:
    """The day as rows of a file; the first row has the names of the columns. Unknown minutes are None."""
    yield "Minute", "People", "A week before"
    for nth, (people, before) in enumerate(zip(found.people, found.before, strict=True)):
        at = datetime.fromtimestamp(found.begin + nth * MINUTE, zone).isoformat(timespec="minutes")
        yield at, *(None if known == UNKNOWN else known for known in (people, before))

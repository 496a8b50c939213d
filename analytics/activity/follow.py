"""Follows watched tables: reads changes, delivers them as events, and forgets them once they are stored.

At least once, with the change's own id as the event's id: delivered again after a kill, it is a duplicate.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from enum import Enum, auto
from functools import partial

import psycopg

from analytics.activity import gauges, watches
from analytics.activity.change import UNCLEAR, ChangeEvent, RowChange, event_of
from analytics.activity.change_source import ChangeSource
from analytics.activity.outbox import Outbox
from analytics.activity.source import SourceRefused, reason
from analytics.activity.source_guard import Allowed
from analytics.activity.watch import Watch, masked
from analytics.base.background import Pause
from analytics.base.error_log import describe
from analytics.storage.database import Database

log = logging.getLogger("footfall.watch")

POLL_S = 0.5  # a notice may be missed, and behind a pooler there is none
READ_BATCH = 500
STATE_S = 5.0
GAUGES_S = 1.0
CLAIM_S = 5.0
MIN_BACK_OFF_S, MAX_BACK_OFF_S = 1.0, 60.0
WHY_UNCLEAR = "their filter cannot be checked: a column of it is gone, or has a type without such values"
WHY_REFUSED = "our database has no room for a value of them"


class Delivered(Enum):
    """What became of a delivered event. `LATER`: it has to be delivered again."""

    STORED = auto()
    DUPLICATE = auto()
    REFUSED = auto()
    LATER = auto()


Deliver = Callable[[Sequence[ChangeEvent]], Sequence[Delivered]]
NoteRefused = Callable[[Sequence[RowChange]], None]


def pass_on(
    source: ChangeSource,
    followed: Mapping[str, Watch],
    deliver: Deliver,
    note_refused: NoteRefused,
    limit: int = READ_BATCH,
) -> bool:
    """Delivers the oldest changes of these watches, by key; returns whether there may be more to do at once.

    Those that can never become events are noted before they are forgotten, after a kill perhaps twice.
    """
    found = source.read(followed.keys(), limit)
    if not found:
        return False
    outcomes = _outcomes(found, followed, deliver)
    done = [one for one, outcome in zip(found, outcomes, strict=True) if outcome is not Delivered.LATER]
    if refused := [one for one, outcome in zip(found, outcomes, strict=True) if outcome is Delivered.REFUSED]:
        note_refused(refused)
    source.forget(done)
    return len(done) == len(found) >= limit


def _outcomes(found: Sequence[RowChange], followed: Mapping[str, Watch], deliver: Deliver) -> list[Delivered]:
    """What became of each change. One whose filter could not be checked is not delivered: it may be unwanted."""
    events = [event_of(followed[one.key], one) for one in found if one.operation != UNCLEAR]
    delivered = iter(deliver(events) if events else ())
    return [Delivered.REFUSED if one.operation == UNCLEAR else next(delivered) for one in found]


class Follower:
    """Follows all watches of one database until `pause` says so, or until none is left. `run` is for a thread.

    `wanted` returns the watches as they are now, so that one that was added or removed counts at once.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        wanted: Callable[[], Sequence[Watch]],
        deliver: Deliver,
        pause: Pause,
        clock: Callable[[], float] = time.time,
        allowed: Allowed = None,
    ) -> None:
        self._allowed = allowed
        self._database = database
        self._url = url
        self._wanted = wanted
        self._deliver = deliver
        self._pause = pause
        self._clock = clock
        self._claimed: set[str] = set()
        self._claim_at = self._state_at = self._gauges_at = 0.0

    def run(self) -> None:
        """Follows; connects again after a failure, later and later up to a minute."""
        failures = 0
        while self._wanted() and not self._pause(0):
            try:
                with closing(Outbox(self._url, self._allowed)) as source:
                    self._begin(source)
                    while self._wanted() and not self._pause(0):
                        self._step(source)
                        failures = 0
            except (SourceRefused, psycopg.Error) as failed:
                self._note(str(failed) if isinstance(failed, SourceRefused) else reason(failed))
            except Exception as failed:
                log.warning("changes of watched tables have to wait: %s", describe(failed))
            failures += 1
            if self._pause(back_off(failures, random.random())):  # noqa: S311 - no secret
                return

    def _begin(self, source: ChangeSource) -> None:
        self._claimed, self._claim_at, self._state_at = set(), 0.0, 0.0
        self._gauges_at = 0.0
        gauges.compare_soon(self._database, [one.id for one in self._wanted()])
        if adopted := source.adopt():
            log.warning("%s came from another server: %d changes are read again", masked(self._url), adopted)

    def _step(self, source: ChangeSource) -> None:
        followed = self._followed(source)
        note_refused = partial(self._note_refused, followed)
        more = pass_on(source, followed, self._deliver, note_refused) if followed else False
        if followed:
            self._keep_gauges(source, followed)
            self._note_state(source, followed)
        if not more:
            source.wait(POLL_S)

    def _followed(self, source: ChangeSource) -> dict[str, Watch]:
        """The wanted watches that this process follows, by key. Those of another process are tried now and then."""
        wanted = {one.key: one for one in self._wanted()}
        now = time.monotonic()
        if (missing := wanted.keys() - self._claimed) and now >= self._claim_at:
            self._claimed |= source.claim(missing)
            self._claim_at = now + CLAIM_S if wanted.keys() - self._claimed else 0.0
        return {key: one for key, one in wanted.items() if key in self._claimed}

    def _keep_gauges(self, source: ChangeSource, followed: Mapping[str, Watch]) -> None:
        now = time.monotonic()
        if now < self._gauges_at:
            return
        self._gauges_at = now + GAUGES_S
        gauges.keep(self._database, source.connection, list(followed.values()), int(self._clock()))

    def _note_state(self, source: ChangeSource, followed: Mapping[str, Watch]) -> None:
        now = time.monotonic()
        if now < self._state_at:
            return
        self._state_at = now + STATE_S
        size, found = source.size(), source.backlogs(followed.keys())
        backlogs = {followed[key].id: backlog for key, backlog in found.items()}
        watches.note_backlogs(self._database, backlogs, size.bytes, int(self._clock()))
        if source.make_room() and size.missed:
            log.error("the outbox of %s was full: about %d changes were left out", masked(self._url), size.missed)
            watches.note_missed(self._database, list(backlogs), size.missed, int(self._clock()))
            gauges.compare_soon(self._database, list(backlogs))

    def _note_refused(self, followed: Mapping[str, Watch], changes: Sequence[RowChange]) -> None:
        for (key, is_unclear), many in Counter((one.key, one.operation == UNCLEAR) for one in changes).items():
            table, why = followed[key].definition.table_name, WHY_UNCLEAR if is_unclear else WHY_REFUSED
            log.error("%d changes of %s could not become events: %s", many, table, why)
        refused = Counter(followed[one.key].id for one in changes)
        watches.note_refused(self._database, refused, int(self._clock()))

    def _note(self, line: str) -> None:
        log.warning("%s is not followed: %s", masked(self._url), line)
        try:
            watches.note_wrong(self._database, [one.id for one in self._wanted()], line)
        except Exception as failed:
            log.warning("the state of watches cannot be written: %s", describe(failed))


def back_off(failures: int, chance: float) -> float:
    """How many seconds to wait after so many failures in a row; `chance` (0 to 1) spreads them by up to a half."""
    whole = min(MIN_BACK_OFF_S * 2.0 ** min(failures - 1, 10), MAX_BACK_OFF_S)
    return whole * (1 - chance / 2)

"""The evaluator: reads the metrics of all rules again and again, and writes what has changed.

One process of all evaluates: the one that has the lock. Its memory has the standings; the table has them as of their
last change, and each minute other values and the last readings of those that are pending or recovering. A pass that
changes nothing writes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from psycopg.errors import QueryCanceled
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput
from analytics.live.minutes import StillCounting
from analytics.notify.alert import (
    HISTORICAL_S,
    LIVE_S,
    WRITTEN_S,
    Changes,
    Ending,
    MetricReading,
    Standing,
    State,
    reset,
    step,
)
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.notification import Notification
from analytics.notify.reading import EarlierPeople, LiveReadings, Sources, read_historical
from analytics.notify.rule import Rule
from analytics.notify.standing_memory import StandingMemory
from analytics.notify.standings import Add, Evaluated, PassResult, StoredStanding, SwitchedOff, write
from analytics.notify.turns import ReadingGaps, Turns
from analytics.notify.why import Explanation, explain
from analytics.sites.site import Site
from analytics.storage import locks
from analytics.storage.exclusive_lock import ExclusiveLock

log = logging.getLogger("footfall.alerts")

YIELD_S = 0.001
MAX_ERRORS = 3  # failed readings in a row, then the rule is switched off


def is_away(failed: Exception) -> bool:
    """Whether the database does not answer: readings are missed, and no rule is at fault. A statement that the server
    stopped because it took too long is the rule's.
    """
    too_slow = isinstance(failed, OperationalError) and isinstance(failed.orig, QueryCanceled)
    return isinstance(failed, OperationalError | PoolTimeoutError) and not too_slow


class Evaluator:
    """Evaluates metric rules. Two threads may call the two `evaluate_…`; close it at the end.

    `rules` gives the rules on metrics and on alerts that are switched on, `site_of` a site by its id, None for one that
    was removed. `add` stores a notification, `clock` returns seconds that only grow.
    """

    def __init__(
        self,
        sources: Sources,
        site_of: Callable[[int], Site | None],
        rules: Callable[[], Sequence[Rule]],
        add: Add,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources, self._site_of, self._rules, self._add = sources, site_of, rules, add
        self._lock = ExclusiveLock(sources.database, locks.ALERTS)
        self._earlier = EarlierPeople()
        self._live, self._historical = StandingMemory(is_live=True), StandingMemory(is_live=False)
        self._live_turns, self._historical_turns = Turns(LIVE_S / 2, clock), Turns(HISTORICAL_S / 2, clock)

    def evaluate_live(self, now: int) -> list[Notification]:
        """Evaluates the rules on live metrics; returns the notifications that were written, in order.

        Call it every `alert.LIVE_S` seconds, and `evaluate_historical` every `alert.HISTORICAL_S`. Errors of the
        database pass through; then nothing was written, and the readings count as missed.
        """
        live = LiveReadings(self._sources, self._earlier, now)
        return self._evaluate(_Pass(self._live, self._live_turns, live.read, live, now))

    def evaluate_historical(self, now: int) -> list[Notification]:
        """Evaluates the rules on historical metrics, as `evaluate_live`."""
        live = LiveReadings(self._sources, self._earlier, now)

        def read(when: MetricWhen, site: Site) -> float | None:
            return read_historical(when, site, self._sources.backend, now)

        return self._evaluate(_Pass(self._historical, self._historical_turns, read, live, now))

    def gaps(self) -> dict[str, ReadingGaps]:
        """From one reading of a rule to the next, of rules on live and on historical metrics."""
        return {"live": self._live_turns.gaps, "historical": self._historical_turns.gaps}

    def close(self) -> None:
        """Leaves the rules to another process."""
        self._lock.release()

    def _evaluate(self, one: _Pass) -> list[Notification]:
        with one.memory.guard:
            if not self._lock.acquire():
                one.memory.forget()  # another process evaluates
                return []
            known = self._rules()
            rules = {rule.id: rule for rule in known if isinstance(rule.when, MetricWhen)}
            one.memory.load(self._sources.database, rules, one.now)
            found = list(self._read_all(one, list(one.memory.own(rules).values())))
            ended = [self._end(gone, one.now) for gone in one.memory.take_gone(rules)]
            return self._write(one, [each for each in (*found, *ended) if each], known)

    def _read_all(self, one: _Pass, rules: Sequence[Rule]) -> Iterator[Evaluated | None]:
        """What their readings change, one by one. Between two of them it is the collector's turn: a pass over 150 rules
        would hold the GIL for 100 ms, for which every hundredth answer waited.
        """
        for rule in one.turns.of(rules):
            yield self._read(one, rule)
            time.sleep(YIELD_S)

    def _read(self, one: _Pass, rule: Rule) -> Evaluated | None:
        """What a reading changes; None if there was none."""
        site = self._site_of(rule.site_id)
        reading = _reading(one.read, rule, site) if site and not one.memory.is_off(rule) else None
        if site is None or reading is None:
            return None
        before = standing = one.memory.standing(rule)
        ended: Changes = ()
        if one.memory.is_edited(rule):
            standing, ended = reset(before, Ending.CHANGED, one.now)
        after, changes = step(rule, standing, reading, one.now)
        opens = any(change.opens for change in changes)
        since = standing.since if standing.state is State.PENDING else one.now
        explanation = self._explained(rule, site, one, since) if opens else Explanation()
        return Evaluated(rule.id, site, rule, before, after, ended + changes, explanation)

    def _explained(self, rule: Rule, site: Site, one: _Pass, since: int) -> Explanation:
        assert isinstance(rule.when, MetricWhen)
        try:
            return explain(rule.when, site, self._sources, one.live, since, one.now)
        except Exception as failed:  # an alert without an explanation is better than none
            if is_away(failed):
                raise
            log.warning("the alert of rule %d has no explanation: %s", rule.id, describe(failed))
            return Explanation()

    def _end(self, gone: StoredStanding, now: int) -> Evaluated | None:
        """The end of a rule that was switched off or removed; None where its site was removed, with all its rows."""
        site = self._site_of(gone.site_id)
        if site is None:
            return None
        after, changes = reset(gone.standing, Ending.OFF, now)
        return Evaluated(gone.rule_id, site, gone.rule, gone.standing, after, changes, is_gone=True)

    def _write(self, one: _Pass, found: Sequence[Evaluated], rules: Sequence[Rule]) -> list[Notification]:
        """Writes what has changed, in one transaction, and then remembers it."""
        with_values = one.now - one.memory.values_at >= WRITTEN_S
        due = [each for each in found if one.memory.is_due(each, with_values=with_values)]
        off = [SwitchedOff(each.rule, each.after.wrong) for each in found if each.rule and _has_erred(each.after)]
        written = PassResult({})
        if due or off:
            try:
                with self._sources.database.transaction() as connection:
                    written = write(connection, due, off, self._add, one.now, rules)
            except BaseException:
                one.memory.forget()  # the table knows better
                raise
        one.memory.remember(found, written.standings, off)
        if with_values:
            one.memory.values_at = one.now
        for each in off:
            log.error("rule %d errs and is switched off: %s", each.rule.id, each.why)
        return list(written.notifications)


class _Pass(NamedTuple):
    """One pass over the rules of a memory. `live` explains the alerts that begin."""

    memory: StandingMemory
    turns: Turns
    read: Callable[[MetricWhen, Site], float | None]
    live: LiveReadings
    now: int


def _reading(read: Callable[[MetricWhen, Site], float | None], rule: Rule, site: Site) -> MetricReading | None:
    """The reading; with the reason if it failed; None if the database or the minutes are not ready."""
    assert isinstance(rule.when, MetricWhen)
    try:
        return MetricReading(read(rule.when, site))
    except StillCounting:
        return None
    except InvalidInput as wrong:
        return MetricReading(wrong=str(wrong))
    except Exception as failed:
        if is_away(failed):
            raise
        log.warning("rule %d cannot be read: %s", rule.id, describe(failed))
        return MetricReading(wrong=str(describe(failed)))


def _has_erred(standing: Standing) -> bool:
    """Whether the readings of a rule have failed so often that it is switched off."""
    return bool(standing.wrong) and standing.unreadable >= MAX_ERRORS

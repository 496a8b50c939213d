"""How rules stand, in the memory of the process that evaluates them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analytics.notify import standings
from analytics.notify.alert import Standing, is_live, is_timed, resumed
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.rule import Rule
from analytics.notify.standings import Evaluated, StoredStanding, SwitchedOff
from analytics.storage.database import Database


class _Known(NamedTuple):
    """A rule in memory: how it stands, and how the table has it (None: not at all).

    `rule` is as it was at its last reading; None: that was before this process began.
    """

    site_id: int
    rule: Rule | None
    standing: Standing
    stored: Standing | None


class StandingMemory:
    """The standings of the rules on live metrics, or of those on historical ones.

    Not thread-safe: a pass holds `guard`. Begin it with `load`, end it with `remember`.
    """

    def __init__(self, *, is_live: bool) -> None:
        self.guard = threading.Lock()
        self.values_at = 0  # when values were written last
        self._is_live = is_live
        self._known: dict[int, _Known] = {}
        self._is_loaded = False
        self._off: dict[int, int] = {}  # rules that were switched off: the `changed_at` that erred

    def forget(self) -> None:
        """Forgets everything, so that the next pass reads it from the table."""
        self._known, self._is_loaded = {}, False

    def own(self, rules: Mapping[int, Rule]) -> dict[int, Rule]:
        """Those of the rules whose metric is of this kind."""
        return {
            rule_id: rule
            for rule_id, rule in rules.items()
            if isinstance(rule.when, MetricWhen) and is_live(rule.when) == self._is_live
        }

    def load(self, database: Database, rules: Mapping[int, Rule], now: int) -> None:
        """Reads the standings of rules that are new here, and what people have said of the open alerts.

        A standing goes on at `now` (`alert.resumed`). The first time also those of rules that were removed while no
        process evaluated are read; the live ones have these.
        """
        own = self.own(rules)
        new = own.keys() - self._known.keys()
        found: list[StoredStanding] = []
        if not self._is_loaded or new:
            found = standings.load(database, new if self._is_loaded else None)
        for one in found:
            if one.rule_id in own or (self._is_live and one.rule_id not in rules):
                standing = _resumed(own[one.rule_id], one.standing, now) if one.rule_id in own else one.standing
                self._known[one.rule_id] = _Known(one.site_id, None, standing, one.standing)
        self._is_loaded = True
        self._mark(database)

    def _mark(self, database: Database) -> None:
        open_ones = [(rule_id, one.standing.alert) for rule_id, one in self._known.items() if one.standing.alert]
        found = standings.marks(database, [alert.id for _, alert in open_ones if alert])
        for rule_id, alert in open_ones:
            if not alert or alert.id not in found:  # removed with its site
                del self._known[rule_id]
                continue
            acknowledged, snoozed_until = found[alert.id]
            known = self._known[rule_id]
            marked = alert._replace(acknowledged=acknowledged)
            standing = known.standing._replace(alert=marked, snoozed_until=snoozed_until)
            self._known[rule_id] = known._replace(standing=standing)

    def standing(self, rule: Rule) -> Standing:
        """How the rule stands; one that was never read stands normal."""
        return self._known[rule.id].standing if rule.id in self._known else Standing()

    def is_edited(self, rule: Rule) -> bool:
        """Whether the rule was edited since its last reading."""
        known = self._known.get(rule.id)
        if known is None:
            return False
        if known.rule is None:
            return known.stored is not None and rule.changed_at > known.stored.read_at
        return rule.changed_at != known.rule.changed_at

    def is_off(self, rule: Rule) -> bool:
        """Whether the rule was switched off because it erred, and the rules were read before that."""
        return self._off.get(rule.id) == rule.changed_at

    def take_gone(self, rules: Mapping[int, Rule]) -> list[StoredStanding]:
        """Forgets the rules that are there no longer, and returns their standings, by rule.

        A rule whose metric is of the other kind now is forgotten too, but not returned.
        """
        own = self.own(rules)
        for rule_id in (self._known.keys() - own.keys()) & rules.keys():
            del self._known[rule_id]
        gone = {rule_id: self._known.pop(rule_id) for rule_id in self._known.keys() - own.keys()}
        return [StoredStanding(rule_id, one.site_id, one.standing, one.rule) for rule_id, one in sorted(gone.items())]

    def is_due(self, one: Evaluated, *, with_values: bool) -> bool:
        """Whether the table has to have the standing: it stands otherwise. With values: also if another value was seen,
        or if it matters when the last one was.
        """
        stored = self._known[one.rule_id].stored if one.rule_id in self._known else None
        if one.is_gone or one.changes or stored is None:
            return True
        has_news = one.after.value != stored.value or is_timed(one.after)
        return _kept(one.after) != _kept(stored) or (with_values and has_news)

    def remember(self, found: Sequence[Evaluated], written: Mapping[int, Standing], off: Sequence[SwitchedOff]) -> None:
        """Takes over what a pass has found, and what of it the table has now."""
        for one in found:
            if one.is_gone:
                continue
            before = self._known.get(one.rule_id)
            stored = written.get(one.rule_id) or (before.stored if before else None)
            standing = written.get(one.rule_id, one.after)
            self._known[one.rule_id] = _Known(one.site.id, one.rule, standing, stored)
        self._off |= {one.rule.id: one.rule.changed_at for one in off}


def _resumed(rule: Rule, stored: Standing, now: int) -> Standing:
    return resumed(rule.when, stored, now) if isinstance(rule.when, MetricWhen) else stored


def _kept(standing: Standing) -> tuple[Any, ...]:
    """What makes a standing another one, whatever is read."""
    return standing.state, standing.since, standing.wrong, standing.snoozed_until

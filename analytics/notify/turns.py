"""Whose turn it is in a pass over rules: slow ones must not delay the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from analytics.notify.rule import Rule

SLOW = 0.1  # of the time of a pass: a rule that took longer is slow


class Turns:
    """The order in which passes read rules, within `pass_s` seconds each.

    Rules that were fast come first, then slow ones; of each kind those that have waited longest. What finds no time is
    first of its kind in the next pass; one slow rule is read in every pass. `clock` returns seconds that only grow.
    """

    def __init__(self, pass_s: float, clock: Callable[[], float]) -> None:
        self._pass_s, self._clock = pass_s, clock
        self._read_at: dict[int, float] = {}
        self._took_s: dict[int, float] = {}

    def of(self, rules: Sequence[Rule]) -> Iterator[Rule]:
        """Those of the rules that are to be read now, one by one; a rule has taken the time until the next is asked
        for.
        """
        self._forget_all_but({rule.id for rule in rules})
        began = self._clock()
        slow = [rule for rule in rules if self._is_slow(rule)]
        for rule in self._waiting([rule for rule in rules if not self._is_slow(rule)]):
            if self._clock() - began >= self._pass_s:
                break
            yield from self._timed(rule)
        for number, rule in enumerate(self._waiting(slow)):
            if number and self._clock() - began >= self._pass_s:
                break
            yield from self._timed(rule)

    def _is_slow(self, rule: Rule) -> bool:
        return self._took_s.get(rule.id, 0.0) > SLOW * self._pass_s

    def _waiting(self, rules: Sequence[Rule]) -> list[Rule]:
        return sorted(rules, key=lambda rule: self._read_at.get(rule.id, float("-inf")))

    def _timed(self, rule: Rule) -> Iterator[Rule]:
        began = self._clock()
        yield rule
        self._read_at[rule.id], self._took_s[rule.id] = began, self._clock() - began

    def _forget_all_but(self, ids: set[int]) -> None:
        for known in (self._read_at, self._took_s):
            for rule_id in known.keys() - ids:
                del known[rule_id]

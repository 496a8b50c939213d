"""Whose turn it is in a pass over rules: slow ones must not delay the others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from analytics.notify.rule import Rule

SLOW = 0.1  # of the time of a pass: a rule that took longer is slow
GAP_BOUNDS_S = (4.5, 5.1, 5.25, 5.5, 6.0, 7.5, 10.0, 15.0, 30.0, 59.0, 60.5, 61.0, 65.0, 90.0, 120.0, 300.0)


class ReadingGaps(NamedTuple):
    """From one reading of a rule to its next, of all rules: how often it took up to each of `GAP_BOUNDS_S`, the rest
    last, and the seconds of all together.
    """

    slots: tuple[int, ...]
    seconds: float


class Turns:
    """The order in which passes read rules, within `pass_s` seconds each.

    Rules that were fast come first, then slow ones; of each kind those that have waited longest. What finds no time is
    first of its kind in the next pass; one slow rule is read in every pass. `clock` returns seconds that only grow.
    """

    def __init__(self, pass_s: float, clock: Callable[[], float]) -> None:
        self._pass_s, self._clock = pass_s, clock
        self._read_at: dict[int, float] = {}
        self._took_s: dict[int, float] = {}
        self._gaps, self._gap_seconds = [0] * (len(GAP_BOUNDS_S) + 1), 0.0

    @property
    def gaps(self) -> ReadingGaps:
        """From one reading to the next, since the start. Readings before a rule was off count as none."""
        return ReadingGaps(tuple(self._gaps), self._gap_seconds)

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
        if rule.id in self._read_at:
            gap_s = began - self._read_at[rule.id]
            self._gaps[bisect_left(GAP_BOUNDS_S, gap_s)] += 1
            self._gap_seconds += gap_s
        yield rule
        self._read_at[rule.id], self._took_s[rule.id] = began, self._clock() - began

    def _forget_all_but(self, ids: set[int]) -> None:
        for known in (self._read_at, self._took_s):
            for rule_id in known.keys() - ids:
                del known[rule_id]

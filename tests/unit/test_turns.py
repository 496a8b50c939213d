"""Whose turn it is in a pass over rules, on invented time."""

from __future__ import annotations

from analytics.notify.turns import GAP_BOUNDS_S, Turns
from tests.support.alerts import line


class Passes:
    """Passes of 30 s over rules that take so many seconds each, by their ids."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {int(name.removeprefix("rule")): took for name, took in seconds.items()}
        self.now = 0.0
        self.turns = Turns(30, lambda: self.now)

    def run(self) -> list[int]:
        """One pass; returns the ids of the rules that were read, in order."""
        read = []
        for rule in self.turns.of([line(number) for number in self.seconds]):
            read.append(rule.id)
            self.now += self.seconds[rule.id]
        return read


def test_rules_are_read_in_their_order_and_those_that_were_slow_at_the_end():
    passes = Passes(rule1=20, rule2=0.1, rule3=0.1)
    assert [passes.run() for _ in range(3)] == [[1, 2, 3], [2, 3, 1], [2, 3, 1]]


def test_slow_rules_take_turns_in_the_time_of_a_pass_and_the_others_are_read_in_each():
    passes = Passes(rule1=20, rule2=20, rule3=20, rule4=0.1)
    assert [passes.run() for _ in range(5)] == [[1, 2], [3, 4, 1], [4, 2, 3], [4, 1, 2], [4, 3, 1]]


def test_a_rule_that_is_slower_than_a_pass_is_read_in_each_all_the_same():
    passes = Passes(rule1=100, rule2=1)
    assert [passes.run() for _ in range(3)] == [[1], [2, 1], [2, 1]]


def test_many_fast_rules_leave_one_slow_rule_its_turn():
    passes = Passes(rule1=9, **{f"rule{number}": 2 for number in range(2, 42)})
    first, second, third = (passes.run() for _ in range(3))
    assert first == list(range(1, 13))
    assert second == [*range(13, 28), 1]
    assert third == [*range(28, 42), 2, 1]


def test_a_rule_that_is_fast_again_comes_among_the_fast_ones():
    passes = Passes(rule1=20, rule2=0.1)
    passes.run()
    passes.seconds[1] = 0.1
    assert [passes.run() for _ in range(2)] == [[2, 1], [2, 1]]
    passes.seconds[2] = 20
    passes.run()
    assert passes.run() == [1, 2]


def test_a_rule_that_is_gone_is_forgotten():
    passes = Passes(rule1=20, rule2=0.1)
    passes.run()
    passes.seconds = {2: 0.1}
    passes.run()
    passes.seconds = {1: 0.1, 2: 0.1}
    assert passes.run() == [1, 2]


def test_the_time_from_one_reading_to_the_next_is_counted():
    passes = Passes(rule1=0.5, rule2=0.5)
    for now in (0, 5, 10, 20):
        passes.now = now
        passes.run()
    passes.seconds = {2: 0.5}
    passes.now = 80
    passes.run()
    passes.seconds = {1: 0.5, 2: 0.5}
    passes.now = 85
    passes.run()
    slots, seconds = passes.turns.gaps
    counted = {bound: many for bound, many in zip((*GAP_BOUNDS_S, "more"), slots, strict=True) if many}
    assert counted == {5.1: 4, 10.0: 2, 60.5: 1, 5.5: 1}, "rule 1 begins anew after it was off"
    assert seconds == 105

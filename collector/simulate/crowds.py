"""Crowds of the demo: a newsletter goes out every hour and a quarter, and some of its readers come at once.

They open the page that it links to. One signs up, one buys, and within two minutes all have left: what a rule tells of
as an alert that fires and recovers (`demo_rules.py`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from collector.simulate.behaviour import PLANS, Action, PlannedPage, PlannedVisit, payment, signup
from collector.simulate.people import Visitor
from collector.simulate.schedule import Reading

PATH = "/presentations/logstash-monitorama-2013/"  # else few people are there
ENTRY = f"{PATH}?utm_source=newsletter&utm_medium=email&utm_campaign=new-talk"
FIRST_S = 30.0
"""When the first crowd begins, in seconds after the demo: its visitor has opened a page by then."""
EVERY_S, SHIFT_S = 4500.0, 900.0  # from one crowd to the next, and by how much at most each is earlier or later
PEOPLE = 10  # at the end of the growth
ARRIVE_S = 24.0  # the crowd
STAY_S = (75.0, 115.0)
SIGNS_UP, BUYS = 1, 3  # who does, by their place in the crowd
ACTS_S = (12.0, 25.0)


class Arrival(NamedTuple):
    """One visitor arrives at that moment (epoch s); `place` is that in a crowd, from 0 on, None outside of crowds."""

    at: float
    place: int | None = None


def arrivals(begin: float, end: float, first: float, growth: float, chance: random.Random) -> Iterator[Arrival]:
    """The arrivals of the crowds that begin within [begin, end), not in order; none is later than `end`.

    `first` is the begin of one of them. `growth` is the share of the people of the demo's last day.
    """
    number = int((begin - first) // EVERY_S)
    while (planned := first + number * EVERY_S) < end + SHIFT_S:
        at = planned + (chance.uniform(-SHIFT_S, SHIFT_S) if number else 0.0)
        if begin <= at < end:
            at = min(at, end - ARRIVE_S)
            yield from (Arrival(at + chance.uniform(0, ARRIVE_S), place) for place in range(round(PEOPLE * growth)))
        number += 1


def plan_visit(visitor: Visitor, arrival: Arrival, chance: random.Random) -> PlannedVisit:
    """The visit of one of a crowd: the page of the newsletter, and on it what people at that place do."""
    is_customer = arrival.place == BUYS or (visitor.signed_in and arrival.place != SIGNS_UP)
    reader = visitor._replace(entry=ENTRY, referrer="", signed_in=is_customer)
    action = _action(reader, arrival, chance)
    reading = Reading(chance.uniform(0.6, 0.95), chance.randint(40, 100))
    page = PlannedPage(ENTRY, arrival.at, arrival.at + chance.uniform(*STAY_S), reading, action)
    return PlannedVisit(reader, (page,), leaves=True)


def _action(reader: Visitor, arrival: Arrival, chance: random.Random) -> Action | None:
    at = arrival.at + chance.uniform(*ACTS_S)
    if arrival.place == SIGNS_UP:
        return Action(at, signup(reader))
    return Action(at, payment(reader, PLANS[-1])) if arrival.place == BUYS else None

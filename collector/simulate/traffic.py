"""The traffic of the demo: how many people are there at each moment, and the visits that follow from it.

The past and the present are made of these visits alone, so both have the same rhythm, people and behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from operator import attrgetter
from random import Random

from analytics.calendar.days import day_of, days_between, start_of
from collector.ingest.visit import IDLE_MINUTES
from collector.simulate import crowds
from collector.simulate.behaviour import VISIT_S, PlannedVisit, plan_visit
from collector.simulate.crowds import Arrival
from collector.simulate.people import Visitor, make_people, paths_of, random_for, sample_pages

DAYS = 70  # the last 30 days, and those they are compared with: the same weekdays 35 days earlier
PEAK = 22.0  # people at the same time in the busiest hour of a weekday, at the end of the growth
GROWTH = 0.7  # of the last day, since the first one
WEEK = (0.97, 1.0, 1.02, 1.0, 0.96, 0.82, 0.8)  # at noon, Monday first
HOURS = (70, 66, 63, 60, 60, 63, 69, 76, 83, 88, 91, 93, 94, 97, 100, 99, 97, 94, 92, 90, 87, 83, 78, 74)  # %, UTC
PAST_S = 65 * 60  # of the past, for which Live shows every minute
DAY_S = 86_400
HOUR_S = 3600
_MONDAY_NOON = 4.5 * DAY_S  # the first one, epoch s


def people_at(at: float, now: int) -> float:
    """How many people are on the site at that moment (epoch s), on average and without crowds.

    It grows until `now`, by weekday and hour. The shares of weekdays and hours are those of their middle and their
    beginning, and change steadily in between.
    """
    return PEAK * _growth(at, now) * _between(WEEK, (at - _MONDAY_NOON) / DAY_S) * _between(HOURS, at / HOUR_S) / 100


def _growth(at: float, now: int) -> float:
    """The share of the people of `now` that comes at that moment, without weekday and hour."""
    return 1 - GROWTH * min(1.0, max(0.0, (now - at) / (DAYS * DAY_S)))


def _between(values: Sequence[float], position: float) -> float:
    """The value at a position of values that repeat; between two of them, on the line from one to the other."""
    first = int(position // 1)
    share = position - first
    return values[first % len(values)] * (1 - share) + values[(first + 1) % len(values)] * share


@dataclass(frozen=True, slots=True)
class SimulatedTraffic:
    """The visits of the demo, before and after `now` (epoch s): the same for the same seed and moment.

    A visitor does not come back while the visit would continue: more than 30 minutes lie between two visits.
    """

    seed: int
    now: int
    people: Sequence[Visitor]
    paths: Sequence[str]

    @property
    def today(self) -> date:
        """The UTC day in which the past hour begins."""
        return day_of(self.now - PAST_S)

    def visits(self, day: date) -> list[PlannedVisit]:
        """The visits that begin on that UTC day, in order. The last ones end on the next day."""
        chance, begin = random_for(self.seed, self.now, day), float(start_of(day))
        visits: list[PlannedVisit] = []
        free_at: dict[int, float] = {}
        for arrival in sorted(self._arrivals(begin, chance), key=attrgetter("at")):
            some = self._some_people(arrival.at - begin)
            while free_at.get(number := chance.choice(some), 0) > arrival.at:
                pass
            visits.append(self._plan(self.people[number], arrival, chance))
            free_at[number] = visits[-1].end + (IDLE_MINUTES + 1) * 60
        return visits

    def _arrivals(self, begin: float, chance: Random) -> Iterator[Arrival]:
        """Who arrives on the day that begins then, not in order: people one by one, and crowds."""
        at, end = begin, begin + DAY_S
        while (at := at + chance.uniform(0.2, 1.8) * VISIT_S / people_at(at, self.now)) < end:
            yield Arrival(at)
        yield from crowds.arrivals(begin, end, self.now + crowds.FIRST_S, _growth(begin, self.now), chance)

    def _plan(self, visitor: Visitor, arrival: Arrival, chance: Random) -> PlannedVisit:
        if arrival.place is None:
            return plan_visit(visitor, arrival.at, self.paths, chance)
        return crowds.plan_visit(visitor, arrival, chance)

    def _some_people(self, second: float) -> range:
        """Who may come at that second of a day, by number: others in its first hour than in the last one of a day."""
        if second < HOUR_S:
            return range(0, len(self.people), 2)
        return range(1, len(self.people), 2) if second >= DAY_S - HOUR_S else range(len(self.people))

    def visits_since(self, day: date) -> Iterator[PlannedVisit]:
        """The visits from that UTC day on, in order, without end."""
        for number in count():
            yield from self.visits(day + timedelta(days=number))

    def earlier_days(self) -> list[date]:
        """The simulated days before today, oldest first."""
        return days_between(self.today - timedelta(days=DAYS), self.today)


def make_traffic(seed: int, now: int) -> SimulatedTraffic:
    """The traffic of a demo that begins at `now` (epoch s)."""
    hits = sample_pages()
    return SimulatedTraffic(seed, now, make_people(hits, seed), paths_of(hits))

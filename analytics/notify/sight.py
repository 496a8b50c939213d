"""The sight of a reader: which notifications a person or a program sees, in memory and in the database alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from analytics.access.roles import VIEWER, Person
from analytics.notify.audience import Audience
from analytics.notify.notification import Notification


class SightPart(NamedTuple):
    """What is for one audience, of these sites."""

    site_ids: Sequence[int]
    audience: str


class Sight(NamedTuple):
    """Whose notifications are seen: those for everybody of the sites with the ids `site_ids`, and those for admins
    alone of the `administered` ones among them.
    """

    site_ids: frozenset[int]
    administered: frozenset[int]

    def sees(self, one: Notification) -> bool:
        """Whether the notification is seen."""
        return one.site_id in (self.administered if one.audience == Audience.ADMINS else self.site_ids)

    def parts(self) -> list[SightPart]:
        """What is seen, by audience: at most two parts, which share nothing; none if nothing is seen."""
        by_audience = ((self.site_ids, Audience.EVERYBODY), (self.administered, Audience.ADMINS))
        return [SightPart(sorted(own), audience.value) for own, audience in by_audience if own]


NOTHING = Sight(frozenset(), frozenset())


def sight_of(person: Person, site_ids: Collection[int]) -> Sight:
    """What the person sees of these sites."""
    own = frozenset(site_id for site_id in site_ids if person.may(VIEWER, site_id))
    return Sight(own, frozenset(site_id for site_id in own if person.administers(site_id)))


def whole_sight(site_ids: Collection[int]) -> Sight:
    """Everything of these sites: what programs with a key see."""
    return Sight(frozenset(site_ids), frozenset(site_ids))

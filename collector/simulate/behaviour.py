"""The behaviour of the demo visitors: which pages a visit has, for how long, and what happens there."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from collector.simulate.client import EventBody
from collector.simulate.people import Visitor, url_of
from collector.simulate.schedule import Reading

SIGNUP = "Signup"

MIN_STAY_S, STAY_S, MAX_STAY_S = 10.0, 270.0, 1_500.0  # on a page; the middle one is the mean
_ACTIONS = 0.18  # share of the pages
_CUSTOMER_ACTIONS = 0.3  # share of the actions: signups and payments
_SILENT = 0.08  # share of the visits that end without a `leave` event
_PAGES = (1,) * 45 + (2,) * 22 + (3,) * 14 + (4,) * 9 + (5,) * 6 + (6,) * 4  # of a hundred visits
VISIT_S = STAY_S * sum(_PAGES) / len(_PAGES)
"""How long a visit lasts on average, from its first page to the end of its last one."""

_FILES = (
    "xdotool-2.20110530.tar.gz",
    "keynav-0.20110708.tar.gz",
    "fex-2.0.0.tar.gz",
    "grok-1.20110708.1.tar.gz",
    "logstash-1.1.0-monolithic.jar",
)
_SEARCHES = (
    "xdotool type speed",
    "ssh tunnel",
    "logstash grok",
    "dhcp dns update",
    "xvfb firefox",
    "puppet fact",
)
_LINKS = ("github.com/jordansissel/xdotool", "logstash.net/docs", "wiki.archlinux.org", "man.openbsd.org/ssh")


class Plan(NamedTuple):
    """What the demo sells; the price is in EUR."""

    price: float
    name: str


PLANS = Plan(9.0, "Starter"), Plan(29.0, "Team"), Plan(49.0, "Team, yearly"), Plan(199.0, "Business")
"""The cheapest first."""


class Action(NamedTuple):
    """What a visitor does on a page at that moment (epoch s): the fields of the event."""

    at: float
    fields: EventBody


class PlannedPage(NamedTuple):
    """A page of a visit, open from `opened` to `closed` (epoch s)."""

    path: str
    opened: float
    closed: float
    reading: Reading
    action: Action | None


class PlannedVisit(NamedTuple):
    """A visit of the demo; never without a page. `leaves`: the last page ends with a `leave` event."""

    visitor: Visitor
    pages: tuple[PlannedPage, ...]
    leaves: bool

    @property
    def begin(self) -> float:
        """When its first page is opened, epoch seconds."""
        return self.pages[0].opened

    @property
    def end(self) -> float:
        """When its last page is closed, epoch seconds."""
        return self.pages[-1].closed

    @property
    def signed_in(self) -> bool:
        """Whether the visitor is signed in at the end."""
        return self.visitor.signed_in or any(page.action and signs_up(page.action.fields) for page in self.pages)


def plan_visit(visitor: Visitor, begin: float, paths: Sequence[str], chance: random.Random) -> PlannedVisit:
    """A visit that begins at that moment (epoch s), on the entry page of the visitor and then on random `paths`."""
    pages: list[PlannedPage] = []
    path, signed_in = visitor.entry, visitor.signed_in
    for _ in range(chance.choice(_PAGES)):
        end = begin + _stay_s(chance)
        action = _plan_action(visitor, begin, end, chance, signed_in)
        signed_in = signed_in or (action is not None and signs_up(action.fields))
        reading = Reading(chance.uniform(0.5, 0.95), chance.randint(20, 100))
        pages.append(PlannedPage(path, begin, end, reading, action))
        path, begin = chance.choice(paths), end
    return PlannedVisit(visitor, tuple(pages), leaves=chance.random() >= _SILENT)


def signs_up(fields: EventBody) -> bool:
    """Whether the visitor is signed in from this event on."""
    return bool(fields["name"] == SIGNUP)


def _stay_s(chance: random.Random) -> float:
    """For how many seconds a visitor stays on a page: a gamma distribution of shape 2."""
    half_s = (STAY_S - MIN_STAY_S) / 2
    return min(MAX_STAY_S, MIN_STAY_S - half_s * math.log((1 - chance.random()) * (1 - chance.random())))


def _plan_action(visitor: Visitor, begin: float, end: float, chance: random.Random, signed_in: bool) -> Action | None:
    """What the visitor does on the page between its `begin` and `end`; None for most pages."""
    if chance.random() >= _ACTIONS:
        return None
    at = begin + (end - begin) * chance.uniform(0.2, 0.8)
    return Action(at, _make_action(visitor, chance, signed_in))


def _make_action(visitor: Visitor, chance: random.Random, signed_in: bool) -> EventBody:
    """The fields of the event for an action."""
    if chance.random() > _CUSTOMER_ACTIONS:
        return _visitor_action(chance)
    return _customer_action(visitor, chance, signed_in)


def _customer_action(visitor: Visitor, chance: random.Random, signed_in: bool) -> EventBody:
    """A payment if the visitor is signed in, else a signup."""
    return payment(visitor, chance.choice(PLANS)) if signed_in else signup(visitor)


def signup(visitor: Visitor) -> EventBody:
    """The fields of the event by which the visitor is signed in."""
    return {"name": SIGNUP, "description": "New account", "user_name": visitor.user_name}


def payment(visitor: Visitor, plan: Plan) -> EventBody:
    """The fields of the event by which the visitor buys that plan."""
    sale = {"value": plan.price, "currency": "EUR", "props": {"plan": plan.name}}
    return {"name": "Payment", "description": f"{plan.name} plan"} | sale | {"user_name": visitor.user_name}


def _visitor_action(chance: random.Random) -> EventBody:
    """An action that needs no login: a search, a download or an outbound link."""
    kind = chance.choices(("Download", "Search", "Outbound"), (30, 48, 22))[0]
    if kind == "Search":
        return {"name": kind, "description": chance.choice(_SEARCHES)}
    if kind == "Outbound":
        link = chance.choice(_LINKS)
        return {"name": kind, "description": link.partition("/")[0], "props": {"url": f"https://{link}"}}
    file = chance.choice(_FILES)
    return {"name": kind, "description": file, "props": {"url": url_of(f"/files/{file}")}}

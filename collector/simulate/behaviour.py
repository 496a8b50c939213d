"""The behaviour of the demo visitors: how many pages they visit, for how long, and what they do there."""

from __future__ import annotations

import math
import random

from collector.simulate.client import EventBody
from collector.simulate.people import Visitor, url_of
from collector.simulate.schedule import Reading

SIGNUP = "Signup"
MAX_STAY_S = 420.0

MIN_STAY_S = 8.0
_ACTIONS = 0.18  # share of the pages
_CUSTOMER_ACTIONS = 0.15  # share of the actions: signups and payments
_PAGES = (45, 22, 14, 9, 6, 4)  # percent of the visits with 1, 2, … pages

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
_PLANS = ((9.0, "Starter"), (29.0, "Team"), (49.0, "Team, yearly"), (199.0, "Business"))


def page_count(chance: random.Random) -> int:
    """How many pages a visit has: 1 to 6."""
    return chance.choices(range(1, 7), _PAGES)[0]


def stay_s(chance: random.Random) -> float:
    """For how many seconds a visitor stays on a page, at most `MAX_STAY_S`."""
    return min(MAX_STAY_S, max(MIN_STAY_S, chance.lognormvariate(math.log(60), 0.8)))


def make_reading(chance: random.Random) -> Reading:
    """How a visitor reads a page."""
    return Reading(chance.uniform(0.5, 0.95), chance.randint(20, 100))


def action_share(chance: random.Random) -> float | None:
    """After which share of the stay the visitor acts on the page; None for most pages: no action."""
    return None if chance.random() >= _ACTIONS else chance.uniform(0.2, 0.8)


def make_action(visitor: Visitor, chance: random.Random, *, signed_in: bool) -> EventBody:
    """The fields of the event for an action. After a `SIGNUP` the visitor is signed in."""
    return (
        _visitor_action(chance) if chance.random() > _CUSTOMER_ACTIONS else _customer_action(visitor, chance, signed_in)
    )


def _customer_action(visitor: Visitor, chance: random.Random, signed_in: bool) -> EventBody:
    """A payment if the visitor is signed in, else a signup."""
    name = {"user_name": visitor.user_name}
    if not signed_in:
        return {"name": SIGNUP, "description": "New account"} | name
    price, plan = chance.choice(_PLANS)
    sale = {"value": price, "currency": "EUR", "props": {"plan": plan}}
    return {"name": "Payment", "description": f"{plan} plan"} | sale | name


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

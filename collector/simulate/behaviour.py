"""The habits of the demo's people: how many pages they look at, for how long, and what they do there."""

from __future__ import annotations

import math
import random

from collector.simulate.client import Body
from collector.simulate.people import Visitor, url_of
from collector.simulate.schedule import Reading

SIGNUP = "Signup"
LONGEST_STAY_S = 420.0

_SHORTEST_STAY_S = 8.0
_EVENTS = 0.18  # of the pages
_DEALS = 0.15  # of the events: signups and payments
_PAGES = (45, 22, 14, 9, 6, 4)  # % of the visits with 1, 2, … pages

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


def pages_of(chance: random.Random) -> int:
    """How many pages a visit has: 1 to 6."""
    return chance.choices(range(1, 7), _PAGES)[0]


def stay_of(chance: random.Random) -> float:
    """How many seconds somebody stays on a page, at most `LONGEST_STAY_S`."""
    return min(LONGEST_STAY_S, max(_SHORTEST_STAY_S, chance.lognormvariate(math.log(60), 0.8)))


def reading_of(chance: random.Random) -> Reading:
    """How they read it."""
    return Reading(chance.uniform(0.5, 0.95), chance.randint(20, 100))


def moment_of(chance: random.Random) -> float | None:
    """After which share of their stay they do something on the page; on most they never do."""
    return None if chance.random() >= _EVENTS else chance.uniform(0.2, 0.8)


def deed_of(visitor: Visitor, chance: random.Random, *, signed_in: bool) -> Body:
    """What it is, as fields of an event. After a `SIGNUP` they are signed in."""
    return _deed(chance) if chance.random() > _DEALS else _deal(visitor, chance, signed_in)


def _deal(visitor: Visitor, chance: random.Random, signed_in: bool) -> Body:
    """A payment of somebody signed in; of others a signup, by which they are."""
    name = {"user_name": visitor.user_name}
    if not signed_in:
        return {"name": SIGNUP, "description": "New account"} | name
    price, plan = chance.choice(_PLANS)
    sale = {"value": price, "currency": "EUR", "props": {"plan": plan}}
    return {"name": "Payment", "description": f"{plan} plan"} | sale | name


def _deed(chance: random.Random) -> Body:
    """Something that anybody may do on a page."""
    kind = chance.choices(("Download", "Search", "Outbound"), (30, 48, 22))[0]
    if kind == "Search":
        return {"name": kind, "description": chance.choice(_SEARCHES)}
    if kind == "Outbound":
        link = chance.choice(_LINKS)
        return {"name": kind, "description": link.partition("/")[0], "props": {"url": f"https://{link}"}}
    file = chance.choice(_FILES)
    return {"name": kind, "description": file, "props": {"url": url_of(f"/files/{file}")}}

"""Access logs that the tests make: documentation addresses, known browsers and robots, and a plain recount of them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
START = int(datetime(2015, 5, 17, 10, tzinfo=UTC).timestamp())


def line(
    second: int,
    address: str = "203.0.113.1",
    path: str = "/",
    *,
    status: int = 200,
    method: str = "GET",
    agent: str = FIREFOX,
    referrer: str = "-",
) -> str:
    """A line of the Combined Log Format, so many seconds after 17 May 2015 10:00 UTC, with its newline."""
    at = datetime.fromtimestamp(START + second, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{at}] "{method} {path} HTTP/1.1" {status} 512 "{referrer}" "{agent}"\n'


def busy(lines: int = 3_000, days: int = 3, seed: int = 5) -> list[str]:
    """So many lines of some days, pages, files, errors and robots; as in real logs not quite in order."""
    chance = random.Random(seed)
    addresses = [f"{net}.{host}" for net in ("203.0.113", "198.51.100", "192.0.2") for host in range(1, 12)]
    moments = sorted(chance.randrange(days * 86_400) for _ in range(lines))
    made = []
    for moment in moments:
        path = chance.choice(["/", "/pricing", "/blog/a", "/blog/b", "/style.css", "/logo.png", "/feed"])
        agent = chance.choice([FIREFOX, CHROME, CHROME, ROBOT])
        status = chance.choice([200, 200, 200, 304, 404, 301])
        method = chance.choice(["GET", "GET", "GET", "POST"])
        referrer = chance.choice(["-", "https://www.google.com/", "https://example.com/"])
        late = moment + chance.randrange(40)  # it is written when the request ends
        text = line(
            moment, chance.choice(addresses), path, status=status, method=method, agent=agent, referrer=referrer
        )
        made.append((late, text))
    return [text for _, text in sorted(made, key=lambda pair: pair[0])]


class Recount(NamedTuple):
    """The numbers of a log."""

    visitors: int
    visits: int
    pageviews: int


def recount(lines: Sequence[str]) -> Recount:
    """A plain recount of `busy` lines, by days in UTC."""
    views = []
    for text in lines:
        found = re.match(r'(\S+) - - \[(.*?)\] "GET (\S+) \S+" (?:200|304) \d+ ".*?" "(.*)"$', text)
        if found and found[4] != ROBOT and found[3] not in ("/style.css", "/logo.png", "/feed"):
            at = int(datetime.strptime(found[2], "%d/%b/%Y:%H:%M:%S %z").timestamp())
            views.append((at, found[1], found[4]))
    last: dict[tuple[str, str], tuple[int, int]] = {}
    visitors, visits = set(), 0
    for at, *who in sorted(views):
        before, day = last.get(key := (who[0], who[1]), (-86_400, 0))
        if (at - before) // 60 > 30:  # a visit begins; its day is part of the visitor's id
            visits, day = visits + 1, at // 86_400
        visitors.add((*key, day))
        last[key] = at, day
    return Recount(len(visitors), visits, len(views))

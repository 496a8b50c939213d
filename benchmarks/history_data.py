"""A year of made-up history, written straight into the tables: the same rows for the same seed.

Pages by Zipf's law, 60 countries, real browsers and sources, events with properties; more visits by day than by
night, on weekdays than at weekends, and from month to month. `python -m benchmarks.history_data --visits 3000000`.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Any, Generic, NamedTuple, TypeVar

from analytics.base.config import Config
from analytics.base.ids import LOW_BITS
from analytics.sites import store
from analytics.storage import changes
from analytics.storage.database import Database
from benchmarks.fill import fill
from collector.ingest import device, page_url, source

T = TypeVar("T")
Row = tuple[Any, ...]

HOST = "example.com"
DAY_S = 86_400
VISIT_BATCH = 20_000  # visits in memory
PAGES = 2_000
RETURNING = 0.35  # share of visits by returning visitors
PAGEVIEWS = (46, 18, 11, 7, 5, 4, 3, 2, 1, 1, 1, 1)  # of 100 visits, with one, two … pageviews
LONG_READ = range(14, 24)  # pageviews of 4 more; the mean is 3.3
COUNTRIES = re.findall(
    "..",
    "USDEGBFRINBRCANLESITAUPLJPSECHATBEMXIDTRDKNOFIPTIECZROUAARZAKRGRHUILSGMYPHTHVNNZCLCOEGNGKEAESAPKBDHKTWSKBGHR"
    "RSLTLVEESILU",
)
LANGUAGES = {"US": "en-US", "GB": "en-GB", "DE": "de-DE", "AT": "de-AT", "FR": "fr-FR", "BR": "pt-BR", "ES": "es-ES"}
CITIES = {"US": ("New York", 40.7, -74.0), "DE": ("Berlin", 52.5, 13.4), "GB": ("London", 51.5, -0.1)}
CAME = {  # referrer and query: how often
    ("", ""): 34,
    ("https://www.google.com/", ""): 30,
    ("https://duckduckgo.com/", ""): 5,
    ("https://www.bing.com/", ""): 5,
    ("https://www.ecosia.org/search", ""): 1,
    ("https://news.ycombinator.com/item", ""): 4,
    ("https://t.co/abc", ""): 3,
    ("https://www.linkedin.com/feed/", ""): 3,
    ("https://old.reddit.com/r/webdev", ""): 2,
    ("https://www.youtube.com/watch", ""): 1,
    ("https://github.com/topics/analytics", ""): 3,
    ("https://chatgpt.com/", ""): 2,
    ("https://partner.example/reviews/footfall", ""): 2,
    ("https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=analytics"): 2,
    ("", "utm_source=newsletter&utm_medium=email&utm_campaign=weekly&utm_content=header"): 2,
    ("https://www.facebook.com/", "utm_source=facebook&utm_medium=paid-social&utm_campaign=autumn&utm_content=b"): 1,
}
ANDROID, APPLE = "Mozilla/5.0 (Linux; Android 10; K)", "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS, MAC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X)"
AGENTS = {  # and the screen: how often
    (f"{WINDOWS} {WEBKIT} Chrome/141.0.0.0 Safari/537.36", "1920x1080"): 18,
    (f"{WINDOWS} {WEBKIT} Chrome/140.0.0.0 Safari/537.36", "1536x864"): 8,
    (f"{WINDOWS} {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "1920x1080"): 7,
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", "1920x1080"): 4,
    (f"{MAC} {WEBKIT} Chrome/141.0.0.0 Safari/537.36", "1440x900"): 9,
    (f"{MAC} {APPLE} Version/18.6 Safari/605.1.15", "1728x1117"): 7,
    ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "1920x1200"): 2,
    (f"{ANDROID} {WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36", "393x873"): 17,
    (f"{ANDROID} {WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "360x780"): 4,
    (f"{IPHONE} {APPLE} Version/18.6 Mobile/15E148 Safari/604.1", "390x844"): 20,
    (f"{IPAD} {APPLE} Version/17.7 Mobile/15E148 Safari/604.1", "820x1180"): 3,
    (f"{ANDROID} {WEBKIT} Chrome/140.0.0.0 Safari/537.36", "800x1280"): 1,
}
PLANS, COLOURS, FILES = ("free", "pro", "team"), ("red", "green", "blue", "black"), ("guide.pdf", "prices.xlsx")


class Choice(Generic[T]):
    """Chooses among some values, each by its weight."""

    def __init__(self, values: Sequence[T], weights: Sequence[float]) -> None:
        self._values = values
        self._edges = list(accumulate(weights))

    def take(self, random: Random) -> T:
        """One of the values."""
        return self._values[bisect(self._edges, random.random() * self._edges[-1])]


class VisitRows(NamedTuple):
    """The rows of one visit, in the order of `benchmarks.fill.COLUMNS`."""

    visit: Row
    pageviews: list[Row]
    events: list[Row]


class Made(NamedTuple):
    """How many rows were written."""

    visits: int
    pageviews: int
    events: int


def write(database: Database, site_id: int, visits: int, begin: int, days: int = 365, seed: int = 1) -> Made:
    """Writes a site's history of `days` days from the second `begin` (epoch, a UTC midnight)."""
    made = [0, 0, 0]
    coming = _Crowd(site_id, seed).visits(visits, begin, days)
    while some := list(islice(coming, VISIT_BATCH)):
        made[0] += fill(database, "visits", (one.visit for one in some))
        made[1] += fill(database, "pageviews", (row for one in some for row in one.pageviews))
        made[2] += fill(database, "events", (row for one in some for row in one.events))
    with database.transaction() as connection:
        changes.record(connection, site_id)
    return Made(*made)


def _origins() -> Choice[Row]:
    """Host and where the visit came from, as the collector classifies it."""
    found = []
    for referrer, query in CAME:
        landed = page_url.read(f"https://{HOST}/?{query}")
        assert landed is not None
        found.append((HOST, *source.classify(landed, referrer)))
    return Choice(found, list(CAME.values()))


def _hours(visits: int, begin: int, days: int) -> Iterator[tuple[int, int]]:
    """The first second of each hour, and how many visits begin in it; together `visits`."""
    weights = []
    for hour in range(days * 24):
        at = begin + hour * 3600
        by_day = 0.25 + max(0.0, 1 - abs(at // 3600 % 24 - 14) / 10)
        weights.append(by_day * (0.6 if (at // DAY_S + 3) % 7 > 4 else 1.0) * (1 + hour / (days * 24)))
    done, edges, whole = 0, accumulate(weights), sum(weights)
    for hour, edge in enumerate(edges):
        upto = visits if hour == days * 24 - 1 else round(visits * edge / whole)
        yield begin + hour * 3600, upto - done
        done = upto


class _Crowd:
    """Makes the visits of one site, one after the other."""

    def __init__(self, site_id: int, seed: int) -> None:
        self._site_id = site_id
        self._random = Random(seed)
        self._number = 0
        self._visitors = 0
        self._paths = Choice([_path(rank) for rank in range(PAGES)], [1 / (rank + 1) for rank in range(PAGES)])
        self._countries = Choice(COUNTRIES, [1 / (rank + 1) for rank in range(len(COUNTRIES))])
        self._came = _origins()
        devices = [(*device.read(agent), screen) for agent, screen in AGENTS]
        self._devices = Choice(devices, list(AGENTS.values()))
        self._many = Choice([*range(1, 13), *LONG_READ], [*PAGEVIEWS, *[0.4] * len(LONG_READ)])

    def visits(self, many: int, begin: int, days: int) -> Iterator[VisitRows]:
        """`many` visits; those of one hour are in the order of their beginning."""
        for hour, some in _hours(many, begin, days):
            for second in sorted(self._random.randrange(3600) for _ in range(some)):
                yield self._visit(hour + second)

    def _id(self, at: int) -> int:
        self._number += 1
        return at * 1000 << LOW_BITS | self._number & (1 << LOW_BITS) - 1

    def _visitor(self) -> int:
        """A new visitor, or one of the last 50,000."""
        if self._visitors and self._random.random() < RETURNING:
            number = self._visitors - self._random.randrange(min(self._visitors, 50_000))
        else:
            self._visitors += 1
            number = self._visitors
        return (number * 0x9E3779B97F4A7C15 & (1 << 64) - 1) - (1 << 63)

    def _visit(self, began: int) -> VisitRows:
        random, site_id, visitor = self._random, self._site_id, self._visitor()
        user_id = f"user-{visitor % 20_000}" if visitor % 13 == 0 else None
        visit_id, at, pageviews, events = self._id(began), began, [], []
        for nth in range(self._many.take(random)):
            row_id = visit_id if nth == 0 else self._id(at)
            path, stay = self._paths.take(random), min(1500, 2 + int(random.expovariate(1 / 45)))
            who = (visit_id, visitor, user_id, HOST, path)
            title = path.strip("/").replace("-", " ").capitalize() or "Home"
            engaged = int(stay * 1000 * random.random())
            pageviews.append((site_id, row_id, f"{row_id:016x}", at, *who, title, engaged, random.randrange(5, 101)))
            if random.random() < 0.12:
                events.append(self._event(at + stay // 2, who))
            last, at = at, at + stay
        last = max([last, *(event[3] for event in events)])
        user_type = "" if user_id is None else ("supplier", "buyer")[visitor % 2]
        counts = began, last, last, len(pageviews), len(events), pageviews[0][8], pageviews[-1][8]
        origin = (*self._came.take(random), *self._place())
        return VisitRows((site_id, visit_id, visitor, user_id, user_type, *counts, *origin), pageviews, events)

    def _place(self) -> Row:
        """Country, region, city, latitude, longitude, device, screen and language."""
        country = self._countries.take(self._random)
        city, lat, lon = CITIES.get(country, ("", None, None))
        return country, "", city, lat, lon, *self._devices.take(self._random), LANGUAGES.get(country, "en")

    def _event(self, at: int, who: Row) -> Row:
        random, row_id = self._random, self._id(at)
        value, currency, props = None, "", {}
        match random.randrange(10):
            case 0:
                name, props = "Signup", {"plan": random.choice(PLANS)}
            case 1:
                name, props = "Purchase", {"plan": random.choice(PLANS), "colour": random.choice(COLOURS)}
                value, currency = round(random.lognormvariate(3.2, 0.8), 2), random.choice(("EUR", "EUR", "USD"))
            case 2 | 3:
                name, props = "File Download", {"url": f"https://{HOST}/files/{random.choice(FILES)}"}
            case 4:
                name, props = "404", {"path": who[-1]}
            case _:
                name, props = "Outbound Link: Click", {"url": f"https://github.com/footfall/{random.randrange(200)}"}
        text = json.dumps(props, separators=(",", ":"))
        return (self._site_id, row_id, f"{row_id:016x}", at, *who, name, text, value, currency, "", "", True)


def _path(rank: int) -> str:
    if rank == 0:
        return "/"
    return ("/blog/post-{}", "/docs/page-{}", "/shop/item-{}", "/pricing-{}")[rank % 4].format(rank)


def main() -> None:
    """Writes history into the database of a data directory, ending today."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history_data", description=__doc__)
    parser.add_argument("--visits", type=int, default=3_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--database-url", default="")
    options = parser.parse_args()
    database = Database(Config(data_dir=options.data_dir, database_url=options.database_url))
    now = int(time.time())
    known = {site.domain: site for site in store.all_sites(database)}
    site = known.get(HOST) or store.add(database, HOST, now=now)
    begun = time.monotonic()
    made = write(
        database, site.id, options.visits, now // DAY_S * DAY_S - options.days * DAY_S, options.days, options.seed
    )
    print(f"{made.visits:,} visits, {made.pageviews:,} pageviews, {made.events:,} events ", end="")
    print(f"in {time.monotonic() - begun:.0f} s")
    database.close()


if __name__ == "__main__":
    main()

"""Access logs into history: the pages of a log at its own times, through the steps and the store of live events.

Nobody becomes present by it: there are no beats, no feed, no counters of today, and no rate that it could use up. What
a line tells makes its id, so what was imported before is known; identical lines of a file are told apart by counting.
"""

from __future__ import annotations

import hmac
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from heapq import heappop, heappush, merge
from itertools import chain, islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.base import zones
from analytics.base.background import Pause, Report
from analytics.base.errors import InvalidInput
from analytics.base.ids import IMPORTED, Ids
from analytics.calendar.days import start_of
from analytics.calendar.period import EARLIEST
from analytics.sites import store as sites
from analytics.sites.host import OTHER
from analytics.sites.salts import LogSalts
from analytics.sites.site import Site
from analytics.storage.database import Database
from collector.imports.access_log import Hit
from collector.imports.log_file import LogFile
from collector.imports.log_reader import LogReader, shown, unknown
from collector.imports.log_sessions import address_of, at_home, own_hosts, walks
from collector.ingest import page_url, pipeline
from collector.ingest.accepted import Accepted
from collector.ingest.event import Event
from collector.ingest.outcomes import Duplicate, Filtered, Outcome, Stored, name_and_reason
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate
from collector.store.batch import store
from collector.store.writer import ID_CONFLICTS

COMMAND = "import access-log"
BATCH = 500  # pages a transaction
DISORDER_S, MOST_IN_DISORDER = 300, 20_000  # lines are written when a request ends: they are out of order by as much
SAMPLE = 20_000  # pages that tell which hosts are the log's own
MOST_COUNTED = 10_000  # lines of a file that are remembered, to tell identical ones (of one second) apart
MOST_FILES = 200
FOLLOW_S = 0.5
AHEAD_S = 300  # a clock may be ahead by as much
TRIES = 10
LONGEST_AGENT = 2_048
MOST_HOSTS, SHOWN_HOSTS = 100, 5  # other hosts that are told apart, and that are shown
FIRST_S = start_of(EARLIEST)  # before it there are no row ids

WHY = {
    "not_a_page": "pictures, styles, scripts, feeds and other files",
    "not_ok": "errors and redirects",
    "not_get": "other methods than GET",
    "broken_line": "unreadable lines",
    "bad_time": "times before 1971 or ahead",
    "bot": "robots",
}


class Line(NamedTuple):
    """A page of a log. Its id is made of what it tells, and is keyed: nobody can try addresses against it."""

    hit: Hit
    id: str


class Means(NamedTuple):
    """What an import works with; `clock` gives epoch seconds.

    `beside`: a server lives in this process, to which as much time is left as is taken.
    """

    database: Database
    kit: Kit
    rest: Pause
    tell: Report
    beside: bool = False
    clock: Callable[[], float] = time.time


@dataclass(slots=True)
class Totals:
    """What has been done so far, in pages; `left_out` by reason, in lines."""

    stored: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)  # lines of hosts that are not the site's
    stopped: bool = False

    @property
    def lines(self) -> int:
        """All lines that have been dealt with."""
        return self.stored + self.known + self.left_out.total() + self.hosts.total()


def run(
    means: Means, files: Sequence[str], site: str, follow: bool = False, form: str = "", timezone: str = "UTC"
) -> str:
    """Imports the logs, and with `follow` what is appended to them until somebody stops it; says what was done.

    `form` is the name of their format, "" where it is to be recognised; `timezone` is that of times which tell none.
    `InvalidInput` for a file that cannot be read or is no access log. Stopped anywhere, a second run goes on.
    """
    zone = ZoneInfo(zones.checked_zone(timezone))
    if len(files) > MOST_FILES:
        raise InvalidInput(f"{len(files)} files at once; at most {MOST_FILES}")
    found = sites.find(means.database, site)
    try:
        with ExitStack() as open_files:
            logs = [open_files.enter_context(closing(LogFile(path))) for path in files]
            return _imported(_Import(means, found, logs, follow, lambda: LogReader(form, zone)))
    except OSError as wrong:
        if isinstance(wrong, ConnectionError):  # whoever asked has gone away
            raise
        raise InvalidInput(str(wrong)) from None


def _imported(work: _Import) -> str:
    if work.following and not any(log.grows for log in work.logs):
        raise InvalidInput("--follow: a gzipped log does not grow; name one that does")
    work.read()
    work.check()
    if work.following:
        work.follow()
    return summary(work.totals)


def summary(totals: Totals) -> str:
    """What was done: pages that are in now, and what was left out, why."""
    lines = [
        f"{totals.lines:,} lines read: {totals.stored:,} pageviews imported, {totals.known:,} were there already.",
    ]
    if totals.left_out:
        reasons = (
            f"{count:,} {reason}{f' ({WHY[reason]})' if reason in WHY else ''}"
            for reason, count in totals.left_out.most_common()
        )
        lines.append(f"Left out: {'; '.join(reasons)}.")
    if totals.hosts:
        lines.append(f"{totals.hosts.total():,} lines of other hosts: {_named(totals.hosts)}.")
    if totals.stopped:
        lines.append("Stopped early; the same command goes on where it was.")
    return "\n".join(lines)


def _named(hosts: Counter[str]) -> str:
    names = ", ".join(shown(host) for host, _ in hosts.most_common(SHOWN_HOSTS))
    more = len(hosts) - SHOWN_HOSTS
    return f"{names} and {more} more" if more > 0 else names


class _Import:
    """An import under way. `reader` makes what reads a log of its format."""

    def __init__(
        self, means: Means, site: Site, logs: Sequence[LogFile], follow: bool, reader: Callable[[], LogReader]
    ) -> None:
        secret = means.kit.secret
        self.totals = Totals()
        self.logs, self.following = logs, follow
        self._means = means
        self._site = site
        # of its own: what a log tells does not count against anybody, and is remembered by nobody
        self._kit = replace(means.kit, salts=LogSalts(secret), rate=Rate(0), spammers=means.kit.spammers.fresh_copy())
        self._key = hmac.digest(secret, f"lines of logs {site.id}".encode(), "sha256")
        self._ids = Ids(IMPORTED)
        self._names = [Names(self._key) for _ in logs]
        self._reader = reader
        self._readers = [reader() for _ in logs]
        self._own: frozenset[str] = frozenset()
        self._any_of_site = False

    def read(self) -> None:
        """Imports what the logs have, in the order of time; `InvalidInput` where the format of one is unknown."""
        logs = [self._lines(number) for number in range(len(self.logs))]
        for log, reader in zip(self.logs, self._readers, strict=True):
            if reader.first_line and not reader.recognised:
                raise InvalidInput(unknown(log.path, reader))
        lines = merge(*map(in_order, logs), key=_time)
        first = list(islice(lines, SAMPLE))
        self._own = own_hosts(walks(line.hit for line in first))
        self._take(chain(first, lines), lambda: f"{self._share():.0f} %: {self._so_far()}")

    def check(self) -> None:
        """`InvalidInput` where nothing of the logs was of use, so that nobody believes that they are in."""
        totals = self.totals
        if not totals.stored + totals.known and not totals.hosts and set(totals.left_out) == {"broken_line"}:
            raise InvalidInput(unknown(self.logs[0].path, self._readers[0]))
        if totals.hosts and not self._any_of_site and not self.following:
            raise InvalidInput(
                f"none of the {totals.hosts.total():,} pages is of {self._site.domain}: the log is of "
                f"{_named(totals.hosts)}; a host that belongs to the site is allowed in Settings, Filters"
            )

    def follow(self) -> None:
        """Imports what is appended, until it is stopped."""
        while not self.totals.stopped:
            for number, log in enumerate(self.logs):
                self._take(in_order(self._lines(number)), self._so_far)
                if log.grows and log.reopened():
                    self._names[number], self._readers[number] = Names(self._key), self._reader()
            self._means.tell(f"following: {self._so_far()}")
            self.totals.stopped = self._means.rest(FOLLOW_S)

    def _lines(self, number: int) -> Iterator[Line]:
        """The site's pages of a log from where one has read to, with the moments of the past alone."""
        log = self.logs[number]
        lines = log.lines(unfinished=not (self.following and log.grows))
        return self._of_site(self._readers[number].pages(lines, self.totals.left_out), number)

    def _of_site(self, hits: Iterator[Hit], number: int) -> Iterator[Line]:
        latest = self._means.clock() + AHEAD_S
        for hit in hits:
            if hit.host and not self._site.allows_host(hit.host):
                hosts = self.totals.hosts
                hosts[hit.host if hit.host in hosts or len(hosts) < MOST_HOSTS else OTHER] += 1
                continue
            self._any_of_site = True
            if FIRST_S <= hit.time <= latest:
                yield Line(hit, self._names[number].of(hit))
            else:
                self.totals.left_out["bad_time"] += 1

    def _take(self, lines: Iterator[Line], so_far: Callable[[], str]) -> None:
        while not self.totals.stopped and (batch := list(islice(lines, BATCH))):
            began = time.monotonic()
            self._store([accepted for line in batch if (accepted := self._accept(line))])
            took = time.monotonic() - began
            self._means.tell(so_far())
            self.totals.stopped = self._means.rest(took if self._means.beside else 0)

    def _accept(self, line: Line) -> Accepted | None:
        """The pageview of that line; None where a step refuses it, which is counted."""
        hit = line.hit
        url = f"https://{hit.host or self._site.domain}{hit.path}"
        event = Event(
            self._site.domain,
            "pageview",
            line.id,
            url=url,
            referrer=at_home(hit.referrer, self._site.domain, self._own) or None,
        )
        at_ms = hit.time * 1000 + int(line.id[:3], 16) % 1000  # spread over the second, the same each time
        found = page_url.read(url)
        if found is None:
            self.totals.left_out["bad_address"] += 1
            return None
        agent = hit.user_agent[:LONGEST_AGENT]
        result = pipeline.run(
            pipeline.Hit(event, self._site, found, address_of(hit.address), agent, {}, at_ms), self._kit
        )
        if isinstance(result, Accepted):
            return result
        self.totals.left_out[result.reason if isinstance(result, Filtered) else result.code] += 1
        return None

    def _store(self, accepted: Sequence[Accepted]) -> None:
        for outcome in self._outcomes(accepted) if accepted else ():
            match outcome:
                case Stored():
                    self.totals.stored += 1
                case Duplicate():
                    self.totals.known += 1
                case _:
                    raise InvalidInput(
                        f"{self._site.shown_domain}: {name_and_reason(outcome)[1]}; the import has stopped"
                    )

    def _outcomes(self, accepted: Sequence[Accepted]) -> list[Outcome]:
        """One transaction; again with other ids where one was taken (see `analytics.base.ids`)."""
        for tries_left in reversed(range(TRIES)):
            try:
                with self._means.database.transaction() as connection:
                    return store(connection, accepted, self._ids, Counter(), live=False)
            except ID_CONFLICTS:
                if not tries_left:
                    raise
        raise AssertionError

    def _share(self) -> float:
        sizes = sum(log.size for log in self.logs)
        return 100 * sum(log.position for log in self.logs) / sizes if sizes else 100

    def _so_far(self) -> str:
        return f"{self.totals.lines:,} lines, {self.totals.stored:,} pageviews"


class Names:
    """The ids of a file's lines. Those that tell the same get different ones, the same at each import: they are the
    first, the second …; the last 10,000 lines are remembered for that.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counts: dict[bytes, int] = {}

    def of(self, hit: Hit) -> str:
        """24 hexadecimal digits."""
        texts = hit if hit.host else hit[:-1]  # so that logs of before hosts were read are still known
        told = self._digest("\0".join(map(str, texts)).encode("utf-8", "replace"))
        count = self._counts.pop(told, 0) + 1
        if len(self._counts) >= MOST_COUNTED:
            del self._counts[next(iter(self._counts))]
        self._counts[told] = count
        return self._digest(b"%b %d" % (told, count)).hex()

    def _digest(self, text: bytes) -> bytes:
        return blake2b(text, key=self._key, digest_size=12).digest()


def in_order(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines by time, where none is out of order by more than five minutes (or 20,000 lines)."""
    waiting: list[tuple[int, int, Line]] = []
    newest = 0
    for number, line in enumerate(lines):
        heappush(waiting, (line.hit.time, number, line))
        newest = max(newest, line.hit.time)
        while waiting[0][0] < newest - DISORDER_S or len(waiting) > MOST_IN_DISORDER:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]


def _time(line: Line) -> int:
    return line.hit.time

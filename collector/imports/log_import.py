"""Imports access logs into history: the pages of a log with the log's times, through the pipeline of live events.

An import makes nobody present: it writes no beats, no feed and no counters of today, and it uses up no rate limit. Its
days are counted into daily usage. The id of a line is made from its contents, so a second import recognises it.
Identical lines of a file are numbered.
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
from analytics.base.errors import InvalidInput
from analytics.base.ids import IMPORTED, Ids
from analytics.calendar.days import start_of
from analytics.calendar.period import EARLIEST
from analytics.jobs import daily, daily_usage
from analytics.jobs.daily import Work
from analytics.sites import store as sites
from analytics.sites.host import OTHER
from analytics.sites.salts import LogSalts
from analytics.sites.site import Site
from collector.imports.access_log import LoggedPage
from collector.imports.context import ImportContext
from collector.imports.log_file import LogFile
from collector.imports.log_reader import LogReader, printable, unknown_format_message
from collector.imports.log_sessions import own_hosts, sessions_of, usable_address, with_site_host
from collector.ingest import page_url, pipeline
from collector.ingest.accepted import Accepted
from collector.ingest.event import Event
from collector.ingest.outcomes import Duplicate, Filtered, Outcome, Stored, name_and_reason
from collector.ingest.rate import Rate
from collector.store.batch import store
from collector.store.writer import ID_CONFLICTS

BATCH = 500  # pages per transaction
MAX_DISORDER_S, MAX_DISORDER_LINES = (
    300,
    20_000,
)  # servers write a line when the request ends, so lines are out of order
SAMPLE = 20_000  # pages by which the log's own hosts are found
MAX_REMEMBERED_LINES = 10_000  # of a file, to number identical lines (of one second)
MAX_FILES = 200
FOLLOW_S = 0.5
MAX_AHEAD_S = 300  # by which the clock of the log may be ahead
MAX_TRIES = 10
MAX_AGENT_LENGTH = 2_048
MAX_HOSTS, SHOWN_HOSTS = 100, 5  # other hosts: how many are counted by name, how many the summary names
FIRST_S = start_of(EARLIEST)  # there are no row ids for earlier times

EXPLANATIONS = {
    "not_a_page": "pictures, styles, scripts, feeds and other files",
    "not_ok": "errors and redirects",
    "not_get": "other methods than GET",
    "broken_line": "unreadable lines",
    "bad_time": "times before 1971 or ahead",
    "bot": "robots",
}


class LoggedLine(NamedTuple):
    """A page of a log with its id: a keyed hash of its contents, so that nobody can find the address by trying."""

    page: LoggedPage
    id: str


@dataclass(slots=True)
class ImportTotals:
    """The result so far, in pages; `left_out` counts lines, by reason."""

    stored: int = 0
    duplicate: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)  # lines of hosts that are not the site's
    stopped: bool = False

    @property
    def lines(self) -> int:
        """The number of lines that have been processed."""
        return self.stored + self.duplicate + self.left_out.total() + self.hosts.total()


def run(
    context: ImportContext, files: Sequence[str], site: str, follow: bool = False, form: str = "", timezone: str = "UTC"
) -> str:
    """Imports the logs, with `follow` also the lines that are appended until it is stopped. Returns the summary.

    `form` is the name of their format, "" to recognise it; `timezone` is the zone of times without one. Raises
    `InvalidInput` if a file cannot be read or is no access log. After a stop at any point, a second run continues.
    """
    zone = ZoneInfo(zones.checked_zone(timezone))
    if len(files) > MAX_FILES:
        raise InvalidInput(f"{len(files)} files at once; at most {MAX_FILES}")
    found = sites.find(context.database, site)
    try:
        with ExitStack() as open_files:
            logs = [open_files.enter_context(closing(LogFile(path))) for path in files]
            return _import(_ImportRun(context, found, logs, follow, lambda: LogReader(form, zone)))
    except OSError as wrong:
        if isinstance(wrong, ConnectionError):  # the client of the command has disconnected
            raise
        raise InvalidInput(str(wrong)) from None


def _import(work: _ImportRun) -> str:
    if work.following and not any(log.grows for log in work.logs):
        raise InvalidInput("--follow: a gzipped log does not grow; name one that does")
    work.read()
    work.check()
    work.count_days()
    if work.following:
        work.follow()
        work.count_days()
    return summary(work.totals)


def summary(totals: ImportTotals) -> str:
    """The result in words: how many pages were imported, and what was left out for which reason."""
    lines = [
        f"{totals.lines:,} lines read: {totals.stored:,} pageviews imported, {totals.duplicate:,} were there already.",
    ]
    if totals.left_out:
        reasons = (
            f"{count:,} {reason}{f' ({EXPLANATIONS[reason]})' if reason in EXPLANATIONS else ''}"
            for reason, count in totals.left_out.most_common()
        )
        lines.append(f"Left out: {'; '.join(reasons)}.")
    if totals.hosts:
        lines.append(f"{totals.hosts.total():,} lines of other hosts: {_list_hosts(totals.hosts)}.")
    if totals.stopped:
        lines.append("Stopped early; the same command goes on where it was.")
    return "\n".join(lines)


def _list_hosts(hosts: Counter[str]) -> str:
    names = ", ".join(printable(host) for host, _ in hosts.most_common(SHOWN_HOSTS))
    more = len(hosts) - SHOWN_HOSTS
    return f"{names} and {more} more" if more > 0 else names


class _ImportRun:
    """An import in progress. `reader` makes a reader for one log."""

    def __init__(
        self, context: ImportContext, site: Site, logs: Sequence[LogFile], follow: bool, reader: Callable[[], LogReader]
    ) -> None:
        secret = context.kit.secret
        self.totals = ImportTotals()
        self.logs, self.following = logs, follow
        self._context = context
        self._site = site
        # Its own rate limit and spammers: the lines of a log have no effect on live visitors.
        self._kit = replace(
            context.kit, salts=LogSalts(secret), rate=Rate(0), spammers=context.kit.spammers.fresh_copy()
        )
        self._key = hmac.digest(secret, f"lines of logs {site.id}".encode(), "sha256")
        self._ids = Ids(IMPORTED)
        self._line_ids = [LineIds(self._key) for _ in logs]
        self._reader = reader
        self._readers = [reader() for _ in logs]
        self._own: frozenset[str] = frozenset()
        self._any_of_site = False

    def read(self) -> None:
        """Imports the logs' lines in the order of time. Raises `InvalidInput` if the format of a log is not known."""
        logs = [self._lines(number) for number in range(len(self.logs))]
        for log, reader in zip(self.logs, self._readers, strict=True):
            if reader.first_line and not reader.recognised:
                raise InvalidInput(unknown_format_message(log.path, reader))
        lines = merge(*map(sort_by_time, logs), key=_time)
        first = list(islice(lines, SAMPLE))
        self._own = own_hosts(sessions_of(line.page for line in first))
        self._import_lines(chain(first, lines), lambda: f"{self._percent_read():.0f} %: {self._progress()}")

    def check(self) -> None:
        """Raises `InvalidInput` if no line could be imported, so that the result does not look like a success."""
        totals = self.totals
        if not totals.stored + totals.duplicate and not totals.hosts and set(totals.left_out) == {"broken_line"}:
            raise InvalidInput(unknown_format_message(self.logs[0].path, self._readers[0]))
        if totals.hosts and not self._any_of_site and not self.following:
            raise InvalidInput(
                f"none of the {totals.hosts.total():,} pages is of {self._site.domain}: the log is of "
                f"{_list_hosts(totals.hosts)}; a host that belongs to the site is allowed in Settings, Filters"
            )

    def follow(self) -> None:
        """Imports the lines that are appended, until it is stopped."""
        while not self.totals.stopped:
            for number, log in enumerate(self.logs):
                self._import_lines(sort_by_time(self._lines(number)), self._progress)
                if log.grows and log.reopened():
                    self._line_ids[number], self._readers[number] = LineIds(self._key), self._reader()
            self._context.report(f"following: {self._progress()}")
            self.totals.stopped = self._context.pause(FOLLOW_S)

    def count_days(self) -> None:
        """Counts the people of the imported days. If it is stopped, the day's work does it."""
        context = self._context
        work = Work(context.database, int(context.clock()), context.retention_days, context.pause, context.report)
        daily.count_imported_days(work)

    def _lines(self, number: int) -> Iterator[LoggedLine]:
        """The site's pages of a log, from the current position, without times in the future."""
        log = self.logs[number]
        lines = log.lines(unfinished=not (self.following and log.grows))
        return self._of_site(self._readers[number].pages(lines, self.totals.left_out), number)

    def _of_site(self, pages: Iterator[LoggedPage], number: int) -> Iterator[LoggedLine]:
        latest = self._context.clock() + MAX_AHEAD_S
        for page in pages:
            if page.host and not self._site.allows_host(page.host):
                hosts = self.totals.hosts
                hosts[page.host if page.host in hosts or len(hosts) < MAX_HOSTS else OTHER] += 1
                continue
            self._any_of_site = True
            if FIRST_S <= page.time <= latest:
                yield LoggedLine(page, self._line_ids[number].id_of(page))
            else:
                self.totals.left_out["bad_time"] += 1

    def _import_lines(self, lines: Iterator[LoggedLine], progress: Callable[[], str]) -> None:
        while not self.totals.stopped and (batch := list(islice(lines, BATCH))):
            began = time.monotonic()
            self._store([accepted for line in batch if (accepted := self._accept(line))])
            took = time.monotonic() - began
            self._context.report(progress())
            self.totals.stopped = self._context.pause(took if self._context.in_server else 0)

    def _accept(self, line: LoggedLine) -> Accepted | None:
        """The pageview of a line; None, and counted in `left_out`, if the pipeline refuses it."""
        page = line.page
        url = f"https://{page.host or self._site.domain}{page.path}"
        event = Event(
            self._site.domain,
            "pageview",
            line.id,
            url=url,
            referrer=with_site_host(page.referrer, self._site.domain, self._own) or None,
        )
        at_ms = page.time * 1000 + int(line.id[:3], 16) % 1000  # spread over the second, the same in each import
        address = page_url.read(url)
        if address is None:
            self.totals.left_out["bad_address"] += 1
            return None
        agent = page.user_agent[:MAX_AGENT_LENGTH]
        result = pipeline.run(
            pipeline.Hit(event, self._site, address, usable_address(page.address), agent, {}, at_ms), self._kit
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
                    self.totals.duplicate += 1
                case _:
                    raise InvalidInput(
                        f"{self._site.shown_domain}: {name_and_reason(outcome)[1]}; the import has stopped"
                    )

    def _outcomes(self, accepted: Sequence[Accepted]) -> list[Outcome]:
        """Stores a batch in one transaction; retries with other ids if an id exists (see `analytics.base.ids`)."""
        for tries_left in reversed(range(MAX_TRIES)):
            try:
                with self._context.database.transaction() as connection:
                    outcomes = store(connection, accepted, self._ids, Counter(), live=False)
                    daily_usage.count_again(connection, (one.at for one in accepted))
                    return outcomes
            except ID_CONFLICTS:
                if not tries_left:
                    raise
        raise AssertionError

    def _percent_read(self) -> float:
        sizes = sum(log.size for log in self.logs)
        return 100 * sum(log.position for log in self.logs) / sizes if sizes else 100

    def _progress(self) -> str:
        return f"{self.totals.lines:,} lines, {self.totals.stored:,} pageviews"


class LineIds:
    """Makes the ids of a file's lines, the same ones in each import.

    Identical lines are numbered, so that each has an id of its own; the last 10,000 lines are remembered for that.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counts: dict[bytes, int] = {}

    def id_of(self, page: LoggedPage) -> str:
        """24 hexadecimal digits."""
        texts = (
            page if page.host else page[:-1]
        )  # earlier versions did not read hosts: their imports are still recognised
        digest = self._digest("\0".join(map(str, texts)).encode("utf-8", "replace"))
        count = self._counts.pop(digest, 0) + 1
        if len(self._counts) >= MAX_REMEMBERED_LINES:
            del self._counts[next(iter(self._counts))]
        self._counts[digest] = count
        return self._digest(b"%b %d" % (digest, count)).hex()

    def _digest(self, text: bytes) -> bytes:
        return blake2b(text, key=self._key, digest_size=12).digest()


def sort_by_time(lines: Iterable[LoggedLine]) -> Iterator[LoggedLine]:
    """The lines in the order of time, if none is out of order by more than five minutes (or 20,000 lines)."""
    waiting: list[tuple[int, int, LoggedLine]] = []
    newest = 0
    for number, line in enumerate(lines):
        heappush(waiting, (line.page.time, number, line))
        newest = max(newest, line.page.time)
        while waiting[0][0] < newest - MAX_DISORDER_S or len(waiting) > MAX_DISORDER_LINES:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]


def _time(line: LoggedLine) -> int:
    return line.page.time

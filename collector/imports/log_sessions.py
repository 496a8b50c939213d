"""The sessions in an access log, and the hosts of the log, which are found by its referrers."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from analytics.base.addresses import plain_address
from collector.imports.access_log import LoggedPage

SESSION_GAP_S = 30 * 60  # of log time; a longer silence ends a session, as it ends a visit

_WEB = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogSession:
    """The pages of one visitor (an address with a browser) without a silence of `SESSION_GAP_S`; never empty."""

    address: str
    user_agent: str
    pages: tuple[LoggedPage, ...]

    @property
    def start(self) -> int:
        """The time of the first page, epoch seconds."""
        return self.pages[0].time


def sessions_of(pages: Iterable[LoggedPage]) -> list[LogSession]:
    """The sessions of a log, by their start; the pages of each by time (logs are not always in order)."""
    visitors: dict[tuple[str, str], list[LoggedPage]] = {}
    for page in pages:
        visitors.setdefault((page.address, page.user_agent), []).append(page)
    found = [
        LogSession(address, agent, pages)
        for (address, agent), seen in visitors.items()
        for pages in _without_silence(sorted(seen, key=lambda page: page.time))
    ]
    return sorted(found, key=lambda session: session.start)


def _without_silence(pages: list[LoggedPage]) -> Iterator[tuple[LoggedPage, ...]]:
    start = 0
    for index in range(1, len(pages)):
        if pages[index].time - pages[index - 1].time > SESSION_GAP_S:
            yield tuple(pages[start:index])
            start = index
    yield tuple(pages[start:])


def own_hosts(sessions: list[LogSession]) -> frozenset[str]:
    """The hosts whose requests a log contains, if its lines do not name them.

    A host is one of them if a referrer on it is an earlier page of the same session, in two or more cases. The front
    page does not count, because every site has one.
    """
    cases: Counter[str] = Counter()
    for session in sessions:
        seen: set[str] = set()
        for page in session.pages:
            found = _WEB.match(page.referrer)
            if found and found[2] in seen:
                cases[found[1].lower()] += 1
            seen.add(page.path.partition("?")[0])
            seen.discard("/")
    return frozenset(host for host, count in cases.items() if count > 1)


def with_site_host(referrer: str, site: str, own: frozenset[str]) -> str:
    """The referrer; if its host is one of the log's own, with the site's domain in place of the host."""
    found = _WEB.match(referrer)
    if found and found[1].lower() in own:
        return f"https://{site}{referrer[found.end(1) :]}"
    return referrer


def usable_address(address: str) -> str:
    """The address in its plain form. For a host name or "", a unique local IPv6 address made from the text."""
    if plain := plain_address(address):
        return plain
    digest = blake2b(address.encode(errors="replace"), digest_size=15).digest()
    return str(ipaddress.IPv6Address(b"\xfd" + digest))


def make_id(*parts: object) -> str:
    """24 hexadecimal digits, the same for the same parts."""
    return blake2b("\0".join(map(str, parts)).encode(errors="replace"), digest_size=12).hexdigest()

"""Walks: what an access log knows of its visitors, and the hosts that it is about without naming them."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from analytics.base.addresses import plain_address
from collector.imports.access_log import Hit

WALK_GAP_S = 30 * 60  # of log time; a longer silence ends a walk, as it ends a visit

_WEB = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Walk:
    """The pages that one visitor (an address with a browser) saw without a long silence; never empty."""

    address: str
    user_agent: str
    pages: tuple[Hit, ...]

    @property
    def start(self) -> int:
        """The time of the first page, epoch seconds."""
        return self.pages[0].time


def walks(hits: Iterable[Hit]) -> list[Walk]:
    """The walks of a log, by their start; each one's pages by time (logs are not always in order)."""
    visitors: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        visitors.setdefault((hit.address, hit.user_agent), []).append(hit)
    found = [
        Walk(address, agent, pages)
        for (address, agent), seen in visitors.items()
        for pages in _without_silence(sorted(seen, key=lambda hit: hit.time))
    ]
    return sorted(found, key=lambda walk: walk.start)


def _without_silence(hits: list[Hit]) -> Iterator[tuple[Hit, ...]]:
    start = 0
    for index in range(1, len(hits)):
        if hits[index].time - hits[index - 1].time > WALK_GAP_S:
            yield tuple(hits[start:index])
            start = index
    yield tuple(hits[start:])


def own_hosts(walked: list[Walk]) -> frozenset[str]:
    """The hosts that a log is about, which it does not name: referrers that the same walk saw as pages.

    Two such cases make a host; the front page does not count, since every site has one.
    """
    cases: Counter[str] = Counter()
    for walk in walked:
        seen: set[str] = set()
        for page in walk.pages:
            found = _WEB.match(page.referrer)
            if found and found[2] in seen:
                cases[found[1].lower()] += 1
            seen.add(page.path.partition("?")[0])
            seen.discard("/")
    return frozenset(host for host, count in cases.items() if count > 1)


def at_home(referrer: str, site: str, own: frozenset[str]) -> str:
    found = _WEB.match(referrer)
    if found and found[1].lower() in own:
        return f"https://{site}{referrer[found.end(1) :]}"
    return referrer


def address_of(address: str) -> str:
    """The address in its plain form; for a host name or a blank a stand-in of its own from a private network."""
    if plain := plain_address(address):
        return plain
    digest = blake2b(address.encode(errors="replace"), digest_size=15).digest()
    return str(ipaddress.IPv6Address(b"\xfd" + digest))


def make_id(*parts: object) -> str:
    """24 hexadecimal digits that are the same for the same parts."""
    return blake2b("\0".join(map(str, parts)).encode(errors="replace"), digest_size=12).hexdigest()

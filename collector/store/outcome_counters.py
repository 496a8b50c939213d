"""What is counted beside the rows: the outcome of every event, and of some refused ones whose they were."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from analytics.live.reasons import FilteredReason, RejectedReason
from analytics.sites.host import OTHER
from collector.store.statements import Tables

OutcomeCounts = Counter[tuple[int, int, str, str]]
"""(site id or 0, hour, outcome, reason) -> how many; with `ROBOT` or `HOST` in the place of the outcome: whose."""

ROBOT, HOST = NAMED = "robot", "host"
KINDS: Mapping[str, str] = {  # the reasons that carry a name
    FilteredReason.BOT: ROBOT,
    FilteredReason.UNLISTED_HOST: HOST,
    RejectedReason.UNKNOWN_SITE: HOST,
}
MOST_NAMES = 100  # robots of a site and hour, hosts of a site, unknown sites; anybody can make up more
MOST_WAITING = 2_000  # keys in memory, from which on no new name is taken

ADD_ROBOTS = "ON CONFLICT (site_id, hour, name) DO UPDATE SET count = robots.count + excluded.count"
ADD_HOSTS = (
    "ON CONFLICT (site_id, host) DO UPDATE SET count = unlisted_hosts.count + excluded.count, last_at = "
    "CASE WHEN excluded.last_at > unlisted_hosts.last_at THEN excluded.last_at ELSE unlisted_hosts.last_at END"
)


def count(counts: OutcomeCounts, site_id: int, at: int, outcome: str, reason: str, name: str = "") -> None:
    """Counts one event into the counts; `name` says whose it was, for the reasons of `KINDS`."""
    hour = at // 3600 * 3600
    counts[site_id, hour, outcome, reason] += 1
    if not name:
        return
    kind = KINDS[reason]
    key = site_id, at // 60 * 60 if kind == HOST else hour, kind, name
    counts[key if key in counts or len(counts) < MOST_WAITING else (site_id, hour, kind, OTHER)] += 1


def write_names(tables: Tables, counts: OutcomeCounts) -> None:
    """Adds the names to their tables: at most one look and one statement for each."""
    if robots := {key: count for key, count in counts.items() if key[2] == ROBOT}:
        _write_robots(tables, robots)
    if hosts := {key: count for key, count in counts.items() if key[2] == HOST}:
        _write_hosts(tables, hosts)


def _write_robots(tables: Tables, counts: dict[tuple[int, int, str, str], int]) -> None:
    sites, hours = {key[0] for key in counts}, {key[1] for key in counts}
    known = defaultdict[tuple[int, int], set[str]](set)
    for site_id, hour, name in tables.select(
        f"SELECT site_id, hour, name FROM robots WHERE site_id IN ({tables.marks(sites)}) "
        f"AND hour IN ({tables.marks(hours)})",
        (*sites, *hours),
    ):
        known[site_id, hour].add(name)
    added: Counter[tuple[int, int, str]] = Counter()
    for (site_id, hour, _, name), count in counts.items():
        added[site_id, hour, _bounded(known[site_id, hour], name)] += count
    rows = [
        {"site_id": site_id, "hour": hour, "name": name, "count": count}
        for (site_id, hour, name), count in sorted(added.items())
    ]
    tables.insert("robots", rows, ADD_ROBOTS)


def _write_hosts(tables: Tables, counts: dict[tuple[int, int, str, str], int]) -> None:
    sites = {key[0] for key in counts}
    known = defaultdict[int, set[str]](set)
    for site_id, host in tables.select(
        f"SELECT site_id, host FROM unlisted_hosts WHERE site_id IN ({tables.marks(sites)})", tuple(sites)
    ):
        known[site_id].add(host)
    added: dict[tuple[int, str], tuple[int, int]] = {}
    for (site_id, at, _, name), count in counts.items():
        key = site_id, _bounded(known[site_id], name)
        before, last_at = added.get(key, (0, 0))
        added[key] = before + count, max(last_at, at)
    rows = [
        {"site_id": site_id, "host": host, "count": count, "last_at": last_at}
        for (site_id, host), (count, last_at) in sorted(added.items())
    ]
    tables.insert("unlisted_hosts", rows, ADD_HOSTS)


def _bounded(known: set[str], name: str) -> str:
    """The name, as long as there is room for it beside the known ones."""
    if name not in known and len(known) >= MOST_NAMES:
        return OTHER
    known.add(name)
    return name

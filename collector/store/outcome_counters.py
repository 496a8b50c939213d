"""Outcome counters: how many events had each outcome, and the names of refused robots and hosts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from analytics.live.reasons import FilteredReason, RejectedReason
from analytics.sites.host import OTHER
from collector.store.statements import Tables

OutcomeCounts = Counter[tuple[int, int, str, str]]
"""(site id or 0, hour, outcome, reason) -> count. A key of a name is (site id or 0, time, `ROBOT` or `HOST`, name)."""

ROBOT, HOST = NAMED = "robot", "host"
NAME_KINDS: Mapping[str, str] = {  # the kind of name that comes with a reason
    FilteredReason.BOT: ROBOT,
    FilteredReason.UNLISTED_HOST: HOST,
    RejectedReason.UNKNOWN_SITE: HOST,
}
MAX_NAMES = 100  # robots of a site and hour, hosts of a site, unknown sites: strangers can make up any number
MAX_KEYS = 2_000  # in memory; with more, a new name counts as `OTHER`

ADD_ROBOTS = "ON CONFLICT (site_id, hour, name) DO UPDATE SET count = robots.count + excluded.count"
ADD_HOSTS = (
    "ON CONFLICT (site_id, host) DO UPDATE SET count = unlisted_hosts.count + excluded.count, last_at = "
    "CASE WHEN excluded.last_at > unlisted_hosts.last_at THEN excluded.last_at ELSE unlisted_hosts.last_at END"
)


def count(counts: OutcomeCounts, site_id: int, at: int, outcome: str, reason: str, name: str = "") -> None:
    """Adds one event to the counts; `name` is the robot or the host, for the reasons in `NAME_KINDS`."""
    hour = at // 3600 * 3600
    counts[site_id, hour, outcome, reason] += 1
    if not name:
        return
    kind = NAME_KINDS[reason]
    key = site_id, at // 60 * 60 if kind == HOST else hour, kind, name
    counts[key if key in counts or len(counts) < MAX_KEYS else (site_id, hour, kind, OTHER)] += 1


def write_names(tables: Tables, counts: OutcomeCounts) -> None:
    """Adds the names to their tables, with at most one look-up and one statement for each table."""
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
    """The name; `OTHER` if it is new and there are `MAX_NAMES` already."""
    if name not in known and len(known) >= MAX_NAMES:
        return OTHER
    known.add(name)
    return name

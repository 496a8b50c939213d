"""What is counted beside the rows: the outcome of every event, and of some refused ones whose they were."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import Any

from analytics.sites.host import OTHER

Tally = Counter[tuple[int, int, str, str]]
"""(site id or 0, hour, outcome, reason) -> how many; with `ROBOT` or `HOST` in the place of the outcome: whose."""

ROBOT, HOST = "robot", "host"
KINDS = {"bot": ROBOT, "unlisted_host": HOST, "unknown_site": HOST}  # the reasons that carry a name
MOST_NAMES = 100  # robots of a site and hour, hosts of a site, unknown sites; anybody can make up more
MOST_WAITING = 2_000  # keys in memory, from which on no new name is taken

ROBOTS = (
    "INSERT INTO robots (site_id, hour, name, count) VALUES {} "
    "ON CONFLICT (site_id, hour, name) DO UPDATE SET count = robots.count + excluded.count"
)
HOSTS = (
    "INSERT INTO unlisted_hosts (site_id, host, count, last_at) VALUES {} "
    "ON CONFLICT (site_id, host) DO UPDATE SET count = unlisted_hosts.count + excluded.count, last_at = "
    "CASE WHEN excluded.last_at > unlisted_hosts.last_at THEN excluded.last_at ELSE unlisted_hosts.last_at END"
)


def count(tally: Tally, site_id: int, at: int, outcome: str, reason: str, name: str = "") -> None:
    """Counts one event into the tally; `name` says whose it was, for the reasons of `KINDS`."""
    hour = at // 3600 * 3600
    tally[site_id, hour, outcome, reason] += 1
    if not name:
        return
    kind = KINDS[reason]
    key = site_id, at // 60 * 60 if kind == HOST else hour, kind, name
    tally[key if key in tally or len(tally) < MOST_WAITING else (site_id, hour, kind, OTHER)] += 1


def outcomes(tally: Tally) -> list[tuple[int, int, str, str, int]]:
    """The rows of outcomes, in one order for all: processes do not deadlock."""
    return sorted((*key, count) for key, count in tally.items() if key[2] not in (ROBOT, HOST))


def write_names(cursor: Any, mark: str, tally: Tally) -> None:
    """Adds the names to their tables: at most one look and one statement for each. `mark` stands for a parameter."""
    if robots := {key: count for key, count in tally.items() if key[2] == ROBOT}:
        _write_robots(cursor, mark, robots)
    if hosts := {key: count for key, count in tally.items() if key[2] == HOST}:
        _write_hosts(cursor, mark, hosts)


def _write_robots(cursor: Any, mark: str, counts: dict[tuple[int, int, str, str], int]) -> None:
    sites, hours = {key[0] for key in counts}, {key[1] for key in counts}
    where = f"site_id IN ({_marks(sites, mark)}) AND hour IN ({_marks(hours, mark)})"
    look = f"SELECT site_id, hour, name FROM robots WHERE {where}"
    known = _known(cursor.execute(look, (*sites, *hours)).fetchall())
    rows: Counter[tuple[int, int, str]] = Counter()
    for (site_id, hour, _, name), count in counts.items():
        rows[site_id, hour, _bounded(known[site_id, hour], name)] += count
    _add(cursor, mark, ROBOTS, sorted((*key, count) for key, count in rows.items()))


def _write_hosts(cursor: Any, mark: str, counts: dict[tuple[int, int, str, str], int]) -> None:
    sites = {key[0] for key in counts}
    look = f"SELECT site_id, 0, host FROM unlisted_hosts WHERE site_id IN ({_marks(sites, mark)})"
    known = _known(cursor.execute(look, tuple(sites)).fetchall())
    rows: dict[tuple[int, str], tuple[int, int]] = {}
    for (site_id, at, _, name), count in counts.items():
        key = site_id, _bounded(known[site_id, 0], name)
        before, last_at = rows.get(key, (0, 0))
        rows[key] = before + count, max(last_at, at)
    _add(cursor, mark, HOSTS, sorted((*key, *values) for key, values in rows.items()))


def _known(rows: Iterable[tuple[int, int, str]]) -> defaultdict[tuple[int, int], set[str]]:
    known: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for site_id, hour, name in rows:
        known[site_id, hour].add(name)
    return known


def _bounded(known: set[str], name: str) -> str:
    """The name, as long as there is room for it beside the known ones."""
    if name not in known and len(known) >= MOST_NAMES:
        return OTHER
    known.add(name)
    return name


def _marks(values: Iterable[object], mark: str) -> str:
    return ",".join(mark for _ in values)


def _add(cursor: Any, mark: str, statement: str, rows: list[tuple[Any, ...]]) -> None:
    values = ",".join([f"({_marks(rows[0], mark)})"] * len(rows))
    cursor.execute(statement.format(values), tuple(chain.from_iterable(rows)))

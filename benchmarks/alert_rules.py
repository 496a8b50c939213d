"""200 alert rules over 50 sites: their processor time, what they cost senders of pageviews, how soon they are read."""

from __future__ import annotations

import json
import secrets
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from analytics.base.config import Config
from analytics.sites import store
from analytics.storage.database import Database
from benchmarks.chromium import OWNER
from benchmarks.common import BEHIND_PROXY, Report, cpu_s, rows, serving, spread
from benchmarks.load import Load, site_name
from benchmarks.pace import paced, pacing
from tests.support.factories import beat, keep_beats
from tests.support.serving import Server, eventually, listening

SITES, A_SECOND = 50, 200
ROUNDS, ROUND_S, SETTLE_S = 5, 60.0, 6.0
MAX_RATIO = 1.2
HOUR_S = 3_600
MAX_FIRES_S = MAX_GAP_S = 5.5  # they are read every 5 s
PEOPLE_THEN, BEAT_S, SEEDED_S = 5, 30, 1_800  # of each site an hour ago: people, and for how long
NOTIFY = {"priority": "low", "title": "{rule} on {site}"}

# Of each site: three on live metrics, one on a metric of the past. None of them fires.
RULES: Mapping[str, Mapping[str, Any]] = {
    "many people": {"metric": "active_sessions", "above": 1_000_000, "for_s": 60},
    "many from Germany": {"metric": "events_per_minute", "above": 1_000_000, "filters": [["is", "country", ["DE"]]]},
    "more than an hour ago": {"metric": "active_sessions", "change_above": 1_000_000, "readings": 3},
    "many visitors today": {"metric": "visitors", "above": 100_000_000, "period": "today"},
}
FIRING = {"metric": "active_sessions", "above": 0}  # fires at its first reading


class Measured(NamedTuple):
    """One load, the server's processor time for each minute of it, and the gaps between readings of a live rule during
    it: how often they took up to so many seconds.
    """

    load: Load
    cpu_s: float
    gaps: Counter[float]


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints processor time and p99 with the rules and without, in turns, and how soon a rule that must fire does."""
    rounds, round_s = (2, 6.0) if short else (ROUNDS, ROUND_S)
    with serving(_installed(folder), **BEHIND_PROXY) as server:
        program = _Program(server)
        program.add_rules()
        report.say(f"  {SITES * len(RULES)} rules on {SITES} sites, of which {SITES} are on metrics of the past;")
        report.say(
            f"  {A_SECOND} pageviews/s to all of them, {rounds} rounds of {round_s:g} s with and without, in turns"
        )
        found = _in_turns(server, program, rounds, round_s)
        for name, some in found.items():
            _print(report, name, some)
        cost = statistics.median(_differences(found))
        report.figure("the rules' processor time a minute", f"{cost:.2f} s, {cost / 0.6:.1f} % of a core")
        ratios = [one.load.p99 / other.load.p99 for one, other in zip(found["with"], found["without"], strict=True)]
        ends = f"[{min(ratios):.2f}–{max(ratios):.2f}]"
        report.at_most("p99 with rules to without", statistics.median(ratios), MAX_RATIO, "times", ends)
        _print_gaps(report, found["with"])
        _print_firing(report, server, program)
        unread = "SELECT COUNT(*) FROM rule_states WHERE state = 'no_data'"
        report.zero("rules without a reading, also of an hour ago", rows(server, unread)[0][0])
        ((wrong,),) = rows(server, "SELECT COUNT(*) FROM rules WHERE wrong <> ''")
        report.zero("rules that erred", wrong)


def _installed(folder: Path) -> Config:
    config = Config(data_dir=folder / "data")
    database = Database(config)
    for number in range(SITES):
        _seed(database, store.add(database, site_name(number), now=int(time.time())).id)
    database.close()
    return config


def _seed(database: Database, site_id: int) -> None:
    """People who were on the site an hour ago, for as long as the benchmark runs."""
    begin = int(time.time()) - HOUR_S - 2 * BEAT_S
    visitors = [site_id * 100 + number for number in range(PEOPLE_THEN)]
    keep_beats(
        database,
        [
            beat(visitor, site_id=site_id, at=at, nth=visitor)
            for at in range(begin, begin + SEEDED_S, BEAT_S)
            for visitor in visitors
        ],
    )


def _print(report: Report, name: str, some: Sequence[Measured]) -> None:
    p50, p99 = (spread([getattr(one.load, share) for one in some], 1) for share in ("p50", "p99"))
    report.figure(f"{name} rules", f"p50 {p50} · p99 {p99} ms")
    report.figure("  processor time a minute", f"{spread([one.cpu_s for one in some], 1)} s")
    report.zero("  other answers", sum(sum(one.load.strange.values()) for one in some))


def _differences(found: Mapping[str, Sequence[Measured]]) -> list[float]:
    return [one.cpu_s - other.cpu_s for one, other in zip(found["with"], found["without"], strict=True)]


def _in_turns(server: Server, program: _Program, rounds: int, round_s: float) -> dict[str, list[Measured]]:
    """With, without, without, with, …, after a round that is not counted."""
    first = 1
    found: dict[str, list[Measured]] = {"with": [], "without": []}
    paced(server.port, A_SECOND, min(round_s, 10.0), f"sites/{SITES}", first)
    for number in range(rounds):
        for name in list(found)[:: -1 if number % 2 else 1]:
            program.switch(on=name == "with")
            time.sleep(SETTLE_S)
            first += 1_000_000
            before, gaps = cpu_s(server.process.pid), _gaps(server)
            load = paced(server.port, A_SECOND, round_s, f"sites/{SITES}", first)
            took_s = (cpu_s(server.process.pid) - before) / load.seconds * 60
            found[name].append(Measured(load, took_s, _gaps(server) - gaps))
    return found


# ── how often ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _gaps(server: Server) -> Counter[float]:
    """How often it took up to so many seconds from one reading of a live rule to its next, since the start."""
    families = text_string_to_metric_families(server.request("GET", "/metrics").body.decode())
    samples = [one for family in families for one in family.samples if one.name == "footfall_rule_gap_seconds_bucket"]
    up_to = {0.0: 0} | {float(one.labels["le"]): int(one.value) for one in samples if one.labels["kind"] == "live"}
    return Counter({bound: up_to[bound] - up_to[less] for less, bound in pairwise(sorted(up_to))})


def _print_gaps(report: Report, found: Sequence[Measured]) -> None:
    gaps = sum((one.gaps for one in found), Counter[float]())
    bounds = sorted(gaps.elements())
    if not bounds:
        report.zero("readings of live rules that are missing", 1)
        return
    report.figure("readings of live rules", f"{len(bounds):,}, a gap after the one before up to")
    report.at_most("  99 of 100", bounds[len(bounds) * 99 // 100], MAX_GAP_S, "s")
    report.at_most("  the longest", bounds[-1], MAX_GAP_S, "s")


# ── how soon ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _print_firing(report: Report, server: Server, program: _Program) -> None:
    """Changes a rule of each site, one after another, so that it must fire, and waits for each notification."""
    program.switch(on=True)
    with (
        pacing(server.port, A_SECOND, f"sites/{SITES}", 900_000_000),
        listening(server, "", program.reader, "/api/notifications/stream") as listener,
    ):
        time.sleep(SETTLE_S)
        changed = {}
        for number in range(SITES):
            program.change(number, "many people", FIRING)
            changed[site_name(number)] = time.monotonic()
            time.sleep(0.1)
        fired: dict[str, float] = {}

        def has_all() -> bool:
            for at, line in listener.lines:
                said = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if said.get("type") == "notification" and said["data"]["type"] == "alert.firing":
                    fired.setdefault(said["data"]["site"], at)
            time.sleep(0.2)
            return len(fired) == SITES

        eventually(has_all, within=30)
    took = [fired[site] - at for site, at in changed.items()]
    report.figure("a rule that must fire: until its notification", f"{spread(took, 1)} s, {SITES} rules")
    report.at_most("  the longest", max(took), MAX_FIRES_S, "s")


# ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Program:
    """A program that manages rules with an admin key, and a login that reads notifications."""

    def __init__(self, server: Server) -> None:
        self._server = server
        password = secrets.token_urlsafe(12)
        server.command("user", "add", OWNER, "--role", "owner", "--password-stdin", stdin=password)
        self.reader = {"Cookie": server.sign_in(OWNER, password)}
        key = server.command("key", "add", "bench", "--scope", "admin")
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._ids: dict[tuple[int, str], int] = {}  # by the number of the site and the name of the rule

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self._server.request(method, path, sent, self._headers)
        assert answer.status in (200, 201, 204), answer
        return answer.json if answer.body else None

    def add_rules(self) -> None:
        """Leaves each site with the four rules alone."""
        for number in range(SITES):
            path = f"/api/v1/sites/{site_name(number)}/rules"
            for shipped in self._call("GET", path):
                self._call("DELETE", f"{path}/{shipped['id']}")
            for name, when in RULES.items():
                rule = self._call("POST", path, {"name": name, "when": when, "notify": NOTIFY})
                self._ids[number, name] = rule["id"]

    def switch(self, *, on: bool) -> None:
        """Switches all of them on or off."""
        for number, name in self._ids:
            self.change(number, name, RULES[name], on=on)

    def change(self, number: int, name: str, when: Mapping[str, Any], *, on: bool = True) -> None:
        """Changes one rule of the site with that number."""
        path = f"/api/v1/sites/{site_name(number)}/rules/{self._ids[number, name]}"
        self._call("PUT", path, {"name": name, "when": when, "notify": NOTIFY, "enabled": on})

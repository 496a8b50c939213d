"""Shared by the benchmarks: figures printed with their targets, a server in a folder of its own, CPU and memory."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from analytics.base.config import Config
from tests.support.serving import Server
from tests.support.serving import serving as forked_serving

ROOT = Path(__file__).parent.parent
SITE = "example.com"
BEGUN = "begun\n"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Report:
    """Prints each figure as a line, with its target where it has one, and remembers errors and missed targets.

    `lines` are those of the current benchmark, as they were printed.
    """

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.missed: list[str] = []
        self.lines: list[str] = []
        self._part = ""

    def head(self, part: str) -> None:
        """Starts the figures of one benchmark."""
        self._part = part
        self.say(f"\n── {part} " + "─" * (100 - len(part)))
        self.lines = []

    def say(self, line: str) -> None:
        """Prints a line as it is, immediately."""
        print(line, flush=True)
        self.lines.append(line)

    def figure(self, name: str, text: str, verdict: str = "") -> None:
        """A figure in words."""
        self.say(f"  {name:<44} {text:<40} {verdict}".rstrip())

    def at_most(self, name: str, value: float, limit: float, unit: str, more: str = "") -> None:
        """A figure that may be at most `limit`."""
        self._target(name, value, value <= limit, f"≤ {limit:,g}", unit, more)

    def at_least(self, name: str, value: float, limit: float, unit: str = "", more: str = "") -> None:
        """A figure that should be at least `limit`."""
        self._target(name, value, value >= limit, f"≥ {limit:,g}", unit, more)

    def _target(self, name: str, value: float, met: bool, limit: str, unit: str, more: str) -> None:
        shown = f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
        self.figure(
            name,
            " ".join(filter(None, (shown, unit, more))),
            f"target {limit} {unit}".strip() + f": {'met' if met else 'MISSED'}",
        )
        if not met:
            self.missed.append(f"{self._part}: {name}")

    def zero(self, name: str, count: int) -> None:
        """A count that is wrong unless it is 0."""
        self.figure(name, f"{count:,}", f"must be 0: {'right' if count == 0 else 'WRONG'}")
        if count:
            self.wrong.append(f"{self._part}: {name}")

    def end(self) -> None:
        """Prints the summary."""
        self.say("")
        self.say(f"missed targets: {'; '.join(self.missed) or 'none'}")
        self.say(f"wrong: {'; '.join(self.wrong) or 'nothing'}")


def machine() -> str:
    """The machine of the measurement."""
    return (
        f"{os.cpu_count()} cores · {platform.system()} · Python {platform.python_version()} · "
        f"SQLite {sqlite3.sqlite_version} · files on {_file_system(tempfile.gettempdir())} · "
        f"load average before {os.getloadavg()[0]:.1f}"
    )


def _file_system(path: str) -> str:
    lines = subprocess.run(["df", "-T", path], capture_output=True, text=True, check=False).stdout.split("\n")
    return lines[1].split()[1] if len(lines) > 1 and lines[1] else "an unknown file system"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed (nearest rank)."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median with the minimum and the maximum."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} [{low}–{high}]"


def times(values: Sequence[float]) -> str:
    """Milliseconds as p50, p99 and maximum."""
    return f"p50 {percentile(values, 0.5):.1f} · p99 {percentile(values, 0.99):.1f} · max {max(values):.1f} ms"


serving = partial(forked_serving, before=("env",))
"""A server as people start it: tests fork theirs from a process that has loaded everything already."""


@contextmanager
def footfall(folder: Path, database_url: str = "", **environment: str) -> Iterator[Server]:
    """The shipped server with the site example.com, behind a proxy that may name visitors, without a rate limit."""
    config = Config(data_dir=folder / "data", database_url=database_url)
    with serving(config, **{**BEHIND_PROXY, **environment}) as server:
        server.command("site", "add", SITE)
        yield server


def add_rules(server: Server, folder: Path, events: Sequence[str], site: str = SITE) -> None:
    """A rule for each of these events, which notifies of each by itself, with its description: 60 times a minute."""
    path = folder / "rule.json"
    for event in events:
        notify = {"priority": "low", "title": "{description}", "group_s": 0}
        path.write_text(json.dumps({"name": event, "when": {"event": event}, "notify": notify}))
        server.command("rule", "add", "--site", site, "--json", str(path))


class Child:
    """A process of a benchmark; `result` is what it has found, once it has ended."""

    def __init__(self) -> None:
        self.result: dict[str, Any] = {}


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Child]:
    """Runs the `main` of a module with these arguments in a process of its own, from when it has begun until the block
    ends. It is to call `begin`, go on until that says that it has to end, and then `end`.
    """
    one = Child()
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == BEGUN
            yield one
        finally:
            process.terminate()
            said = process.communicate(timeout=60)[0]
    one.result = json.loads(said)


def begin() -> Callable[[], bool]:
    """Says that the process has begun; returns what says whether it has to end."""
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    print(BEGUN, end="", flush=True)
    return lambda: bool(signals)


def end(result: Mapping[str, Any]) -> None:
    """Says what the process has found."""
    print(json.dumps(result))


BEHIND_PROXY = {"FOOTFALL_TRUSTED_PROXIES": "127.0.0.1", "FOOTFALL_COLLECT_RATE": "0"}


def cpu_s(pid: int) -> float:
    """The seconds of CPU that a process and its children have used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK_S + sum(cpu_s(int(child)) for child in children)


def memory_mb(pid: int) -> float:
    """The resident memory of a process; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def tool(name: str) -> str:
    """The path of a required program."""
    if path := shutil.which(name):
        return path
    sys.exit(f"no {name} on this machine")


def rows(server: Server, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a SELECT, read from the database of a server that runs or has ended."""
    with create_engine(server.config.url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]

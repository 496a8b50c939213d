"""docs/performance.md: `python -m benchmarks --write` replaces the section of each benchmark that ran to its end."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.common import ROOT

PAGE = ROOT / "docs" / "performance.md"
_BEGIN = re.compile(r"^<!-- bench (\w+) -->$", re.MULTILINE)
_END = "<!-- end {name} -->"


def sections(page: str) -> list[str]:
    """The names of the benchmarks that have a section on the page, in its order."""
    return _BEGIN.findall(page)


def section(lines: Sequence[str], machine: str, commit: str, day: date) -> str:
    """The output of a benchmark as Markdown, headed by the day, the commit and the machine of the run."""
    printed = "\n".join(lines).strip("\n")
    return f"Measured on {day:%Y-%m-%d}, commit {commit}, {machine}:\n\n```text\n{printed}\n```"


def replaced(page: str, name: str, section: str) -> str:
    """The page with a new section between the markers of that benchmark. Raises `ValueError` unless both markers are
    there once, in order.
    """
    begin, end = f"<!-- bench {name} -->\n", _END.format(name=name)
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"docs/performance.md needs the lines {begin.strip()} and {end}, once and in this order")
    before, after = page.partition(begin)[0], page.partition(end)[2]
    return f"{before}{begin}\n{section}\n\n{end}{after}"


def write(path: Path, name: str, section: str) -> None:
    """Replaces the section of that benchmark in the file; everything else stays."""
    path.write_text(replaced(path.read_text("utf-8"), name, section), "utf-8")


def commit() -> str:
    """The commit that is measured, with "-dirty" where files outside docs/ differ from it."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return _git("rev-parse", "--short=8", "HEAD") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

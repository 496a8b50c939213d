"""`python -m benchmarks.agents FILE…`: how many user agents of each list count as robots, and how long that takes.

A list is a text with one agent a line, isbot's fixtures/crawlers.yml and browsers.yml, or device-detector's
Tests/fixtures/*.yml. They are not part of this project: both are published with their own projects. `--show`
prints the agents that count as `robots` or as `people`.
"""

from __future__ import annotations

import argparse
import ast
import re
import time
from collections.abc import Iterator
from pathlib import Path

from collector.ingest import robot

_ENTRY = re.compile(r"\s*(?:- )?\s*user_agent: (.+)|  - (.+)")


def agents_of(path: Path) -> list[str]:
    """The different agents of the file, in its order."""
    lines = path.read_text("utf-8", errors="replace").splitlines()
    found = _of_yaml(lines) if path.suffix in {".yml", ".yaml"} else iter(lines)
    return list(dict.fromkeys(agent for agent in found if agent))


def _of_yaml(lines: list[str]) -> Iterator[str]:
    """Reads the few forms that these lists have: plain and quoted scalars on one line."""
    for line in lines:
        if entry := _ENTRY.fullmatch(line):
            yield _unquoted((entry[1] or entry[2]).strip())


def _unquoted(text: str) -> str:
    if text.startswith("'") and text.endswith("'"):
        return text[1:-1].replace("''", "'")
    return str(ast.literal_eval(text)) if text.startswith('"') and text.endswith('"') else text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agents", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--show", choices=("robots", "people"), help="print those that are taken for this kind")
    options = parser.parse_args()
    robot.warm_up()
    for path in options.files:
        agents = agents_of(path)
        start = time.process_time()
        robots = {agent: name for agent in agents if (name := robot.name_of(agent))}
        each_us = (time.process_time() - start) * 1e6 / max(1, len(agents))
        print(f"{path.name}: {len(agents)} agents, {len(robots)} robots, {len(agents) - len(robots)} people", end="")
        print(f" · {each_us:.0f} µs each")
        for agent in agents:
            if options.show and (agent in robots) == (options.show == "robots"):
                print(f"    {robots.get(agent, '')}: {agent}")


if __name__ == "__main__":
    main()

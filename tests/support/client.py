"""For tests of the Python client: what a receiver got, and programs that use the client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.receiver import Received, Receiver

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "clients/python"
KEY = "ff_ingest_key"


def posted(receiver: Receiver, path: str = "/api/metrics") -> list[dict[str, Any]]:
    """The samples, or what else came to that path, in the order in which it came."""
    return [item for one in list(receiver.received) if path_of(one) == path for item in json.loads(one.body)]


def path_of(one: Received) -> str:
    """The path of a request, without its query."""
    return one.line.split()[1].partition("?")[0]


def totals(samples: list[dict[str, Any]]) -> Mapping[str, float]:
    """The sum of the values by name."""
    found: Counter[str] = Counter()
    for sample in samples:
        found[sample["name"]] += sample["value"]
    return found


def environment(receiver: Receiver) -> dict[str, str]:
    """The environment of a program that sends to the receiver."""
    return os.environ | {
        "PYTHONPATH": os.pathsep.join((str(PYTHON), str(ROOT))),
        "FOOTFALL_SERVER": receiver.url,
        "FOOTFALL_INGEST_KEY": KEY,
    }


def run(receiver: Receiver, source: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, which may take 30 s; `more` goes into its environment."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        env=environment(receiver) | more,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

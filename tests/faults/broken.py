"""Runs a command of Python's with steps of ours broken: each fails with words that hold what it was given.

`python broken.py python app.py serve …`, so that `serving(config, before=…)` can start it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _break_steps() -> None:
    from analytics.access import invitations
    from collector.doors import pixel
    from collector.http.connection import Connection
    from collector.ingest.geo import Places
    from collector.live.hub import Hub

    def find_place(_places, *given):
        raise ValueError(f"no place for {given}")

    def make_stats(_hub, *given):
        raise LookupError(f"no figures for {given}: {MARKS}")

    def header_value(outcome):
        raise TypeError(f"no header for {outcome}: {MARKS}")

    def eof_received(_connection):
        raise RuntimeError(f"the end of {MARKS}")

    def find_invitation(*given, **more):
        raise KeyError(f"no invitation for {given} {more}: {MARKS}")

    for owner, name, broken in (
        (Places, "find", find_place),
        (invitations, "find", find_invitation),
        (Hub, "stats", make_stats),
        (pixel, "_header_value", header_value),
        (Connection, "eof_received", eof_received),
    ):
        assert hasattr(owner, name), f"{owner} has no step {name}"
        setattr(owner, name, broken)


MARKS = "198.18.77.123 Marked-7f3a91 /marked-path"

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    _break_steps()
    sys.argv = sys.argv[2:]
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")

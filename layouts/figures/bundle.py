"""The files with which a browser draws figures: plotly.js and the outlines of the world, built by `build.py`.

Their address contains a digest of all of them, so browsers may cache them for good.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from layouts.components.address import at

FOLDER = Path(__file__).parents[2] / "assets" / "plotly"
ROOT = "/assets/plotly/"
SCRIPT, WORLD = "plotly.min.js", "world_110m.json"
TYPES = {SCRIPT: "text/javascript", WORLD: "application/json"}
ENDINGS = {"br": ".br", "gzip": ".gz", "": ""}


@cache
def version() -> str:
    """The digest of the files, 16 hex digits."""
    digest = hashlib.sha256()
    for name in TYPES:
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()[:16]


def address(name: str = "") -> str:
    """The address of one of the files; without a name that of their folder, which ends in a slash."""
    return at(f"{ROOT}{version()}/{name}")


@cache
def packed(name: str, encoding: str) -> bytes:
    """A file in an encoding of `ENDINGS`. `KeyError` or `FileNotFoundError` for others."""
    return (FOLDER / f"{name}{ENDINGS[encoding]}").read_bytes()

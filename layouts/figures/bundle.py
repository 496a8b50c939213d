"""The files with which a browser draws figures: plotly.js and outlines, built by `build.py` and `build_regions.py`.

Their address contains a digest of all of them, so browsers may cache them for good.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import brotli

from layouts.components.address import at
from layouts.figures import region_names

FOLDER = Path(__file__).parents[2] / "assets" / "plotly"
ROOT = "/assets/plotly/"
SCRIPT, WORLD = "plotly.min.js", "world_110m.json"
TYPES = {SCRIPT: "text/javascript", WORLD: "application/json"}
OUTLINES = "regions"  # the folder with a file for each country, compressed with Brotli
ENDINGS = {"br": ".br", "gzip": ".gz", "": ""}


@cache
def version() -> str:
    """The digest of the files, 16 hex digits."""
    digest = hashlib.sha256()
    for file in (*(FOLDER / name for name in TYPES), *sorted((FOLDER / OUTLINES).glob("*.br"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def address(name: str = "") -> str:
    """The address of one of the files; without a name that of their folder, which ends in a slash."""
    return at(f"{ROOT}{version()}/{name}")


def outlines_address(country: str) -> str:
    """The address of the outlines of a country's regions."""
    return address(f"{OUTLINES}/{country}.json")


def packed_outlines(country: str) -> bytes:
    """The outlines of a country's regions, a GeoJSON file in Brotli. `KeyError` for a country without."""
    if region_names.outlines(country) is None:
        raise KeyError(country)
    return (FOLDER / OUTLINES / f"{country}.json.br").read_bytes()


def unpacked_outlines(country: str) -> bytes:
    """The same for browsers without Brotli."""
    content: bytes = brotli.decompress(packed_outlines(country))
    return content


@cache
def packed(name: str, encoding: str) -> bytes:
    """A file in an encoding of `ENDINGS`. `KeyError` or `FileNotFoundError` for others."""
    return (FOLDER / f"{name}{ENDINGS[encoding]}").read_bytes()

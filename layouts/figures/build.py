"""Builds what figures need in the browser: run `make plotly` after each change of this file or of plotly's version.

`assets/plotly/` gets plotly.js with the traces in use alone, and the outlines of land and countries for its maps, each
with its Brotli and gzip bytes. Needs Node's npm, so only developers run it. The built files are committed with the
sha256 of this file, by which a test finds a forgotten build.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import brotli

VERSION = "4.1.1"  # the one whose figures the Python package describes
ESBUILD = "0.28.1"
TRACES = "bar", "heatmap", "choropleth", "scattergeo", "funnel"  # scatter is part of the core
LAYERS = "land", "countries"
GRID = 10_000  # steps from edge to edge to which the outlines are rounded: 0.036° of longitude

HERE = Path(__file__)
BUILT = HERE.parents[2] / "assets" / "plotly"
SIDECAR = BUILT / "source.sha256"
SCRIPT, WORLD, LICENCE = "plotly.min.js", "world_110m.json", "LICENSE-plotly.txt"

_ENTRY = "const Plotly = require('plotly.js/lib/core');\nPlotly.register([{modules}]);\nmodule.exports = Plotly;\n"
# In place of d3-geo-projection, 22 kB of rare projections; the other common ones are in d3-geo.
_PROJECTIONS = "exports.geoNaturalEarth = require('d3-geo').geoNaturalEarth1;\n"
_WORLD = """
globalThis.window = globalThis;
const assets = require("plotly.js/dist/plotly-geo-assets.js");
process.stdout.write(JSON.stringify((assets.topojson || window.Plotly.topojson).world_110m));
"""


def source_digest() -> str:
    """The sha256 of this file, in hex; the sidecar contains that of the last build."""
    return hashlib.sha256(HERE.read_bytes()).hexdigest()


def build() -> None:
    """Writes the files of `assets/plotly/`. Raises `CalledProcessError` if npm or esbuild fails."""
    BUILT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = f"plotly.js@{VERSION}", f"esbuild@{ESBUILD}"
        _run(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *packages)
        _write(SCRIPT, _script(folder))
        _write(WORLD, _world(folder))
        shutil.copy(folder / "node_modules/plotly.js/LICENSE", BUILT / LICENCE)
    SIDECAR.write_text(source_digest() + "\n")


def _script(folder: Path) -> bytes:
    modules = ", ".join(f"require('plotly.js/lib/{trace}')" for trace in TRACES)
    (folder / "projections.js").write_text(_PROJECTIONS)
    (folder / "entry.js").write_text(_ENTRY.format(modules=modules))
    options = "--bundle", "--minify", "--format=iife", "--global-name=Plotly", "--target=es2020", "--loader:.css=empty"
    constants = "--define:global=window", "--define:define.amd=false", "--alias:d3-geo-projection=./projections.js"
    banner = f"--banner:js=/* plotly.js {VERSION}, cut to the traces in use. MIT licence: {LICENCE} */"
    return _run(folder, "node_modules/.bin/esbuild", "entry.js", *options, *constants, banner)


def _world(folder: Path) -> bytes:
    """The world's TopoJSON with the layers in use alone, rounded to the grid."""
    world = json.loads(_run(folder, "node", "--eval", _WORLD))
    layers = {name: world["objects"][name] for name in LAYERS}
    arcs = sorted({arc for layer in layers.values() for arc in _arcs(layer)})
    place = {arc: nth for nth, arc in enumerate(arcs)}
    scale, translate = world["transform"]["scale"], world["transform"]["translate"]
    steps = [360 / scale[0] / GRID, 180 / scale[1] / GRID]
    cut = {
        "type": "Topology",
        "bbox": world["bbox"],
        "transform": {"scale": [scale[0] * steps[0], scale[1] * steps[1]], "translate": translate},
        "objects": {name: _renumbered(layer, place) for name, layer in layers.items()},
        "arcs": [_rounded(world["arcs"][arc], steps) for arc in arcs],
    }
    return json.dumps(cut, separators=(",", ":")).encode()


def _arcs(shape: Any) -> Iterator[int]:
    """The numbers of the arcs of a geometry; `~n` is arc n from its end."""
    if isinstance(shape, int):
        yield shape if shape >= 0 else ~shape
    elif isinstance(shape, list):
        for part in shape:
            yield from _arcs(part)
    else:
        yield from _arcs(shape.get("geometries", shape.get("arcs", [])))


def _renumbered(shape: Any, place: dict[int, int]) -> Any:
    if isinstance(shape, int):
        return place[shape] if shape >= 0 else ~place[~shape]
    if isinstance(shape, list):
        return [_renumbered(part, place) for part in shape]
    return {
        key: _renumbered(value, place) if key in {"arcs", "geometries"} else value
        for key, value in shape.items()
        if value is not None
    }


def _rounded(arc: list[list[int]], steps: list[float]) -> list[list[int]]:
    """An arc of differences on the coarser grid. Points that fall together become one; an arc keeps two."""
    points, x, y = [], 0, 0
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append([round(x / steps[0]), round(y / steps[1])])
    moves = [[b[0] - a[0], b[1] - a[1]] for a, b in pairwise(points)]
    return [points[0], *([move for move in moves if any(move)] or moves[:1])]


def _write(name: str, content: bytes) -> None:
    packed = {"": content, ".br": brotli.compress(content, quality=11), ".gz": gzip.compress(content, 9, mtime=0)}
    for ending, data in packed.items():
        (BUILT / f"{name}{ending}").write_bytes(data)
    print(f"{name}: {', '.join(f'{len(data):,}{ending}' for ending, data in packed.items())} bytes")


def _run(folder: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603


if __name__ == "__main__":
    build()

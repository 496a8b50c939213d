"""Builds the site script: run `python collector/tracker/build.py` after each change of footfall.js.

Needs Node's npx, so only developers run it. The built file is committed with its source and the sha256 of that source,
by which a test finds a forgotten build.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import brotli

HERE = Path(__file__).parent
SOURCE = HERE / "footfall.js"
BUILT = HERE / "footfall.min.js"
SIDECAR = HERE / "footfall.min.js.source"

MAX_BYTES = 2_350  # under brotli, as promised to the sites that include the script
TERSER = (
    "npx",
    "--yes",
    "terser@5.51.2",
    "--ecma",
    "2020",
    "--compress",
    "passes=4,booleans_as_integers=true",
    "--mangle",
    "--",
)


def source_digest() -> str:
    """The sha256 of the source, in hex; the sidecar contains that of the last build."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()


def compressed(script: bytes) -> bytes:
    """The script under brotli at the best quality, in the mode that makes it shortest; it differs with each change."""
    modes = brotli.MODE_GENERIC, brotli.MODE_TEXT, brotli.MODE_FONT
    shortest: bytes = min((brotli.compress(script, mode=mode, quality=11) for mode in modes), key=len)
    return shortest


def size_on_the_wire(script: bytes) -> int:
    """The size in bytes under brotli, as it is served."""
    return len(compressed(script))


def build() -> None:
    """Writes the built file and its sidecar. Raises `CalledProcessError` if terser refuses the source."""
    done = subprocess.run([*TERSER, str(SOURCE)], check=True, stdout=subprocess.PIPE)  # noqa: S603
    BUILT.write_bytes(done.stdout)
    SIDECAR.write_text(source_digest() + "\n")


def main() -> int:
    build()
    size = size_on_the_wire(BUILT.read_bytes())
    print(f"{BUILT.name}: {BUILT.stat().st_size} bytes, {size} under brotli, {MAX_BYTES} allowed")
    return int(size > MAX_BYTES)


if __name__ == "__main__":
    sys.exit(main())

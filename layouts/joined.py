"""Our scripts and styles, each joined to one file: a page asks for two files instead of thirty.

A browser has six connections to a server, so thirty files wait for one another in five rounds over the network.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from layouts.components.address import at

ASSETS = Path(__file__).parents[1] / "assets"
SCRIPTS, STYLES = "/assets/footfall.js", "/assets/css/all.css"  # styles name other files as seen from their folder
FOLDERS = {SCRIPTS: ("components", "lib", "pages"), STYLES: ("css",)}
# theme.js comes before everything else in the document, and plain pages name their files themselves.
APART = {"theme.js", "plain.js", "plain.css"}


class Joined(NamedTuple):
    """The files behind one another in the order of their names, each after a comment with its name."""

    content: bytes
    version: str  # a digest of the content, 16 hex digits


def address(path: str) -> str:
    """The address of a joined file, by its path; it changes with the content."""
    return f"{at(path)}?m={joined(path).version}"


def joined(path: str) -> Joined:
    """A joined file as the files are now. `KeyError` for another path."""
    files = files_of(path)
    return _join(files, tuple(file.stat().st_mtime_ns for file in files))


def files_of(path: str) -> tuple[Path, ...]:
    """The files that are joined under that path."""
    ending = f"*{Path(path).suffix}"
    found = (file for folder in FOLDERS[path] for file in sorted((ASSETS / folder).glob(ending)))
    return tuple(file for file in found if file.name not in APART)


@lru_cache(maxsize=8)
def _join(files: tuple[Path, ...], _changed: tuple[int, ...]) -> Joined:
    parts = (f"/* {file.relative_to(ASSETS)} */\n".encode() + file.read_bytes() for file in files)
    content = b"\n".join(parts)
    return Joined(content, hashlib.sha256(content).hexdigest()[:16])

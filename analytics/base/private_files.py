"""Files of the data directory are their owner's alone: 0600, and 0700 for the directory."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from analytics.base import error_causes

UMASK = 0o077
OTHERS = 0o077
OURS = ("footfall.db", "columnar.duckdb", "secret.key", "country-", "control.sock")  # how our files' names begin


def directory(path: Path) -> None:
    """Makes the data directory, and takes it and what is ours in it away from others, where it was theirs too.

    Leaves what belongs to somebody else, or to everybody (like `/tmp`), as it is.
    A full disk is named by it from then on.
    """
    error_causes.DATA.path = path
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & stat.S_ISVTX:
        return
    close(path)
    for one in path.iterdir():
        if one.name.startswith(OURS) and stat.S_ISREG(one.lstat().st_mode):
            close(one)


def file(path: Path) -> None:
    """Makes the file where there is none, as its owner's alone: SQLite gives its log the same rights.

    One that may only be read is left so: who reads is served all the same.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    close(path)


def opener(path: str, flags: int) -> int:
    """For `open`: a file that it makes is its owner's alone, whatever the umask is of the application around us."""
    return os.open(path, flags, 0o600)


def close(path: Path) -> None:
    """Takes the file or the directory away from others."""
    with suppress(FileNotFoundError, PermissionError):
        mode = path.stat().st_mode
        if mode & OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)

"""Private files: only their owner may read the data directory (0700) and its files (0600)."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from analytics.base import error_causes

UMASK = 0o077
OTHERS = 0o077
OURS = ("footfall.db", "columnar.duckdb", "secret.key", "country-", "control.sock")  # prefixes of our file names


def directory(path: Path) -> None:
    """Makes the data directory if it is missing, and makes it and our files in it private.

    A directory of another user, or a shared one (like `/tmp`), stays as it is. From then on, error messages about the
    disk name this directory.
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
    """Makes the file if it is missing, and makes it private: SQLite gives its log the same permissions.

    A read-only file stays as it is, so that it can still be read.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    close(path)


def opener(path: str, flags: int) -> int:
    """An `opener` for `open` whose new files are private, whatever the umask of the surrounding application."""
    return os.open(path, flags, 0o600)


def close(path: Path) -> None:
    """Takes all permissions on the file or directory from other users."""
    with suppress(FileNotFoundError, PermissionError):
        mode = path.stat().st_mode
        if mode & OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)

"""Detects that the owner has changed a file while the server runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from analytics.base.error_log import describe

log = logging.getLogger("footfall.files")


class Version(NamedTuple):
    """What differs after a file was written, replaced or renamed."""

    device: int
    inode: int
    modified_ns: int
    size: int


class FileWatch:
    """Watches one file and calls `read` after it has changed and then stayed unchanged for one check.

    `setting` names the file in the log. `read` raises `ValueError` or `OSError` if the file cannot be used; the version
    that was read before stays in use. Create the watch before the file is first read, so that no change is missed.
    """

    def __init__(self, setting: str, path: Path, read: Callable[[], None]) -> None:
        self._setting, self._path, self._read_file = setting, path, read
        self._read = self._seen = _version(path)

    def check(self) -> None:
        """Reads the file if it changed before the last check and has not changed since. Call it every few seconds.

        A file that is being written changes from check to check; an incomplete file is not read.
        """
        version = _version(self._path)
        quiet, self._seen = version == self._seen, version
        if quiet and version != self._read:
            self._read = version
            self._read_again()

    def _read_again(self) -> None:
        try:
            self._read_file()
        except (OSError, ValueError) as failed:
            log.warning("%s: %s cannot be read; the one before stays in use", self._setting, self._path)
            log.debug("%s: %s", self._setting, describe(failed))
        else:
            log.info("%s: %s has changed and was read again", self._setting, self._path)


def _version(path: Path) -> Version | None:
    """The file's version; None if there is no such file."""
    with suppress(OSError):
        found = path.stat()
        return Version(found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
    return None

"""Log files, plain or gzipped: reads their lines, the position in the file, and lines that are appended later."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import closing
from os import PathLike
from typing import IO, cast

MAX_LINE_BYTES = 64 * 1024  # bytes; Apache and nginx refuse longer requests long before


class LogFile:
    """Reads a log line by line. Recognises gzip by the first bytes, not by the file's name. Close it.

    Raises OSError if the file cannot be read or the gzip data are damaged.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        self._file = open(self.path, "rb")  # noqa: SIM115 - `close` does
        about = os.fstat(self._file.fileno())
        self.size, self._inode = about.st_size, about.st_ino
        self.grows = self._file.peek(2)[:2] != b"\x1f\x8b"  # a gzipped log is complete
        self._source = self._file if self.grows else cast("IO[bytes]", gzip.GzipFile(fileobj=self._file))
        self._partial = b""  # the start of a line whose newline is not written yet
        self._skipping = False  # whether the rest of a line that is too long is being skipped

    @property
    def position(self) -> int:
        """How many bytes of the file on the disk have been read."""
        return self._file.tell()

    def lines(self, *, unfinished: bool = True) -> Iterator[bytes]:
        """The lines from the current position, cut at 64 KiB. `unfinished`: also the last line without a newline."""
        try:
            yield from self._whole_lines()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"{self.path} is a damaged gzip file: {error}") from error
        if unfinished and self._partial and not self._skipping:
            yield self._partial
            self._partial = b""

    def _whole_lines(self) -> Iterator[bytes]:
        while piece := self._source.readline(MAX_LINE_BYTES - len(self._partial)):
            line, self._partial = self._partial + piece, b""
            ends = line.endswith(b"\n")
            if not ends and len(line) < MAX_LINE_BYTES:
                self._partial = line
                continue
            if not self._skipping:
                yield line
            self._skipping = not ends

    def reopened(self) -> bool:
        """Reopens a rotated log (another file, or the same file truncated) at its start; whether it was rotated."""
        try:
            about = os.stat(self.path)
        except FileNotFoundError:
            return False
        if about.st_ino == self._inode and about.st_size >= self.position:
            return False
        self.close()
        self._open()
        return True

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def open_log(path: str | PathLike[str]) -> Iterator[bytes]:
    """The lines of a log file."""
    with closing(LogFile(path)) as log:
        yield from log.lines()

"""Log files: their lines, plain or gzipped, how far one has read, and what is appended later."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import closing
from os import PathLike
from typing import IO, cast

LONGEST_LINE = 64 * 1024  # bytes; Apache and nginx refuse longer requests long before


class LogFile:
    """A log that is read line by line; gzip is told by its first bytes, not by its name. Close it.

    Raises OSError where the file cannot be read or its gzip is damaged.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        self._file = open(self.path, "rb")  # noqa: SIM115 - `close` does
        about = os.fstat(self._file.fileno())
        self.size, self._inode = about.st_size, about.st_ino
        self.grows = self._file.peek(2)[:2] != b"\x1f\x8b"  # what is packed is finished
        self._source = self._file if self.grows else cast("IO[bytes]", gzip.GzipFile(fileobj=self._file))
        self._begun = b""  # a line without its end
        self._inside = False  # a line that is too long: what it has left is read past

    @property
    def position(self) -> int:
        """How many of its bytes (as they lie on the disk) have been read."""
        return self._file.tell()

    def lines(self, *, unfinished: bool = True) -> Iterator[bytes]:
        """The lines from where one has read to, cut at 64 KiB; `unfinished`: the last one even without its newline."""
        try:
            yield from self._whole_lines()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"{self.path} is a damaged gzip file: {error}") from error
        if unfinished and self._begun and not self._inside:
            yield self._begun
            self._begun = b""

    def _whole_lines(self) -> Iterator[bytes]:
        while piece := self._source.readline(LONGEST_LINE - len(self._begun)):
            line, self._begun = self._begun + piece, b""
            ends = line.endswith(b"\n")
            if not ends and len(line) < LONGEST_LINE:
                self._begun = line
                continue
            if not self._inside:
                yield line
            self._inside = not ends

    def reopened(self) -> bool:
        """Whether another file is there now, or the same begins anew: it was rotated, and is read from its start."""
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
        """Lets go of the file."""
        self._file.close()


def open_log(path: str | PathLike[str]) -> Iterator[bytes]:
    """The lines of a log file."""
    with closing(LogFile(path)) as log:
        yield from log.lines()

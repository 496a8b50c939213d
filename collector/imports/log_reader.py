"""Reads an access log in any known format. The format is named, or recognised by the first lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from itertools import chain, islice
from os import PathLike

from analytics.base.errors import InvalidInput
from collector.imports.access_log import BROKEN, LoggedPage, Skipped
from collector.imports.log_formats import FORMATS, NAMES
from collector.imports.log_formats.parsing import Format, Parse
from collector.imports.log_formats.prefixes import PREFIXES, Strip

FIRST_LINES = 200  # the format is recognised by these; each has at most 64 KiB
MAX_PRINTABLE = 160  # characters of a line in a message


class LogReader:
    """Reads one log from its start and, as it grows, piece by piece. Each log needs a reader of its own.

    `name` is one of `NAMES`, or "" for the format that most of the first lines have. `zone` is the zone of times
    without one. `first_line` is the first line, for a message if no format fits.
    """

    def __init__(self, name: str = "", zone: tzinfo = UTC) -> None:
        self._formats = [one for one in FORMATS if name in ("", one.name)]
        if not self._formats:
            raise InvalidInput(f"there is no log format {name[:40]!r}; there are {', '.join(NAMES)}")
        self._is_named = bool(name)
        self._zone = zone
        self._parse: Parse | None = None
        self.first_line = ""

    @property
    def recognised(self) -> bool:
        """Whether the format is known: it was named, or the lines so far have it."""
        return self._parse is not None

    def read(self, lines: Iterable[str | bytes]) -> Iterator[LoggedPage | Skipped]:
        """The result for each line, in the log's order, without blank lines and the log's comments.

        Bytes are decoded as UTF-8, with replacement. Never raises: a line in no known format is a `broken_line`. While
        the format is not known, the first lines are read at once.
        """
        remaining = iter(lines)
        if self._parse is None:
            first = list(islice(remaining, FIRST_LINES))
            self._recognise([text for line in first if (text := _text(line)) and not text.isspace()])
            remaining = chain(first, remaining)
        return _parsed(remaining, self._parse or (lambda _: BROKEN))

    def pages(self, lines: Iterable[str | bytes], skipped: Counter[str]) -> Iterator[LoggedPage]:
        """The page views among the lines, in the log's order. Counts the other lines by reason in `skipped`."""
        return _count_skipped(self.read(lines), skipped)

    def _recognise(self, first: list[str]) -> None:
        """Chooses the format and prefix that fit most lines, the plainest of several; none while no line fits."""
        if not first:
            return
        self.first_line = self.first_line or printable(first[0])
        strips: list[Strip | None] = [None, *(strip for strip in PREFIXES if any(map(strip, first)))]
        candidates = [(one, strip) for strip in strips for one in self._formats]
        best = max(candidates, key=lambda candidate: _score(_parser(self._zone, *candidate), first))
        requests, broken = _score(_parser(self._zone, *best), first)
        if self._is_named or requests or not broken:
            self._parse = _parser(self._zone, *best)


def _count_skipped(found: Iterable[LoggedPage | Skipped], skipped: Counter[str]) -> Iterator[LoggedPage]:
    for one in found:
        if isinstance(one, LoggedPage):
            yield one
        else:
            skipped[one.reason] += 1


def _text(line: str | bytes) -> str:
    return line.decode("utf-8", "replace") if isinstance(line, bytes) else line


def _parsed(lines: Iterable[str | bytes], parse: Parse) -> Iterator[LoggedPage | Skipped]:
    for line in lines:
        text = _text(line)
        if text and not text.isspace() and (found := parse(text)):
            yield found


def _parser(zone: tzinfo, chosen: Format, strip: Strip | None) -> Parse:
    parse = chosen.parser(zone)
    if strip is None:
        return parse

    def parse_without_prefix(line: str) -> LoggedPage | Skipped | None:
        rest = strip(line)
        return BROKEN if rest is None else parse(rest)

    return parse_without_prefix


def _score(parse: Parse, lines: list[str]) -> tuple[int, int]:
    """How well a parser fits: the number of lines that are requests, and minus the number of broken lines."""
    found = [parse(line) for line in lines]
    broken = found.count(BROKEN)
    return len(found) - broken - found.count(None), -broken


def printable(line: str) -> str:
    """The line for a message: shortened, and without control characters, which a terminal would execute."""
    text = "".join(sign if sign.isprintable() else " " for sign in line.rstrip()[:MAX_PRINTABLE])
    return f"{text} …" if len(line.rstrip()) > MAX_PRINTABLE else text


def unknown_format_message(path: str | PathLike[str], reader: LogReader) -> str:
    """The message for a log of which no line has a known format."""
    return (
        f"{path}: no line of it is one of an access log that can be read; the first: {reader.first_line} "
        f"(--format NAME takes one of {', '.join(NAMES)})"
    )

"""Reads an access log in whichever format it is: recognised by its first lines, or named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from itertools import chain, islice
from os import PathLike

from analytics.base.errors import InvalidInput
from collector.imports.access_log import BROKEN, Hit, Skipped
from collector.imports.log_formats import FORMATS, NAMES
from collector.imports.log_formats.parsing import Format, Parse
from collector.imports.log_formats.prefixes import PREFIXES, Strip

FIRST_LINES = 200  # by which a log's format is recognised; each has 64 KiB at most
SHOWN = 160  # characters of a line that is shown


class LogReader:
    """Reads one log from its start and, as it grows, piece by piece; each log needs a reader of its own.

    `name` is one of `NAMES`, or "" for the format that most of the first lines have; `zone` is that of times which
    tell none. `first_line` is the log's first, to be shown where nothing makes sense; `recognised` whether its format
    is known.
    """

    def __init__(self, name: str = "", zone: tzinfo = UTC) -> None:
        self._formats = [one for one in FORMATS if name in ("", one.name)]
        if not self._formats:
            raise InvalidInput(f"there is no log format {name[:40]!r}; there are {', '.join(NAMES)}")
        self._named = bool(name)
        self._zone = zone
        self._parse: Parse | None = None
        self.first_line = ""

    @property
    def recognised(self) -> bool:
        """Whether there is a format to read the log by: the one that was named, or that the lines so far have."""
        return self._parse is not None

    def read(self, lines: Iterable[str | bytes]) -> Iterator[Hit | Skipped]:
        """What each line is, in the log's order; blank lines and the log's own remarks are passed over.

        Bytes are UTF-8, wrong ones replaced. No line raises: one that makes no sense is a `broken_line`. While the
        format is unknown, the first lines are read at once.
        """
        remaining = iter(lines)
        if self._parse is None:
            first = list(islice(remaining, FIRST_LINES))
            self._recognise([text for line in first if (text := _text(line)) and not text.isspace()])
            remaining = chain(first, remaining)
        return _parsed(remaining, self._parse or (lambda _: BROKEN))

    def pages(self, lines: Iterable[str | bytes], skipped: Counter[str]) -> Iterator[Hit]:
        """The page views among the lines, in the log's order; the others are counted by reason into `skipped`."""
        return _counted(self.read(lines), skipped)

    def _recognise(self, first: list[str]) -> None:
        """Takes the way in which most lines make sense, the plainest where several do; none while no line does."""
        if not first:
            return
        self.first_line = self.first_line or shown(first[0])
        strips: list[Strip | None] = [None, *(strip for strip in PREFIXES if any(map(strip, first)))]
        ways = [(one, strip) for strip in strips for one in self._formats]
        best = max(ways, key=lambda way: _sense(_parser(self._zone, *way), first))
        requests, broken = _sense(_parser(self._zone, *best), first)
        if self._named or requests or not broken:
            self._parse = _parser(self._zone, *best)


def _counted(found: Iterable[Hit | Skipped], skipped: Counter[str]) -> Iterator[Hit]:
    for one in found:
        if isinstance(one, Hit):
            yield one
        else:
            skipped[one.reason] += 1


def _text(line: str | bytes) -> str:
    return line.decode("utf-8", "replace") if isinstance(line, bytes) else line


def _parsed(lines: Iterable[str | bytes], parse: Parse) -> Iterator[Hit | Skipped]:
    for line in lines:
        text = _text(line)
        if text and not text.isspace() and (found := parse(text)):
            yield found


def _parser(zone: tzinfo, chosen: Format, strip: Strip | None) -> Parse:
    parse = chosen.parser(zone)
    if strip is None:
        return parse

    def behind(line: str) -> Hit | Skipped | None:
        rest = strip(line)
        return BROKEN if rest is None else parse(rest)

    return behind


def _sense(parse: Parse, lines: list[str]) -> tuple[int, int]:
    """How many requests the lines tell, and how many lines make no sense, as a number below 0."""
    found = [parse(line) for line in lines]
    broken = found.count(BROKEN)
    return len(found) - broken - found.count(None), -broken


def shown(line: str) -> str:
    """The line for somebody to look at: shortened, and without what a terminal would obey."""
    text = "".join(sign if sign.isprintable() else " " for sign in line.rstrip()[:SHOWN])
    return f"{text} …" if len(line.rstrip()) > SHOWN else text


def unknown(path: str | PathLike[str], reader: LogReader) -> str:
    """What to say of a log of which no line makes sense."""
    return (
        f"{path}: no line of it is one of an access log that can be read; the first: {reader.first_line} "
        f"(--format NAME takes one of {', '.join(NAMES)})"
    )

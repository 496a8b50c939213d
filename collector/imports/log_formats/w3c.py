"""W3C's extended logs, of which a line begins with `#Fields:` and says what follows; it may come again at any time.

https://www.w3.org/TR/WD-logfile.html. Times are UTC, but for `date-local` and `time-local`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo

from collector.imports.access_log import BROKEN, Hit, Skipped
from collector.imports.log_formats.parsing import Parse, iso_time

REMARKS = ("#Version", "#Date", "#Software", "#Remark", "#Start-Date", "#End-Date")
MOST_FIELDS = 200

_VALUES = re.compile(r'"[^"]*"|[^ ]+')  # Advanced Logging of IIS puts texts with blanks into quotes


def parser_of(
    ours: Callable[[Sequence[str]], bool], read: Callable[[Mapping[str, str], tzinfo], Hit | Skipped]
) -> Callable[[tzinfo], Parse]:
    """What makes parsers of a kind of W3C log: `ours` knows it by its fields, `read` gets a line by them.

    Names are in lower case; `-` is nothing.
    """

    def parser(zone: tzinfo) -> Parse:
        fields: list[str] = []

        def parse(line: str) -> Hit | Skipped | None:
            nonlocal fields
            if line.startswith("#"):
                directive, _, told = line.partition(":")
                if directive != "#Fields":
                    return None if directive in REMARKS else BROKEN
                names = told.lower().split()[:MOST_FIELDS]
                fields = names if ours(names) else []
                return None if fields else BROKEN
            values = _values(line.rstrip("\r\n"))
            if not fields or len(values) != len(fields):
                return BROKEN
            return read({name: "" if value == "-" else value for name, value in zip(fields, values, strict=True)}, zone)

        return parse

    return parser


def _values(line: str) -> list[str]:
    if "\t" in line:
        return line.split("\t")
    return [one.strip('"') for one in _VALUES.findall(line)] if '"' in line else line.split(" ")


def moment(told: Mapping[str, str], zone: tzinfo) -> int | None:
    """Epoch seconds of `date` and `time`, or of those in the server's own zone."""
    if "date-local" in told:
        return iso_time(f"{told['date-local']}T{told.get('time-local', '')}", zone)
    return iso_time(f"{told.get('date', '')}T{told.get('time', '')}", UTC)


def target(told: Mapping[str, str]) -> str:
    """The path with its query."""
    query = told.get("cs-uri-query", "")
    return f"{told.get('cs-uri-stem', '')}?{query}" if query else told.get("cs-uri-stem", "")

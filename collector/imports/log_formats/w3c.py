"""W3C's extended log format. A line `#Fields:` names the fields of the lines after it; more of them may follow.

https://www.w3.org/TR/WD-logfile.html. Times are in UTC, except `date-local` and `time-local`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo

from collector.imports.access_log import BROKEN, LoggedPage, Skipped
from collector.imports.log_formats.parsing import Parse, iso_time

REMARKS = ("#Version", "#Date", "#Software", "#Remark", "#Start-Date", "#End-Date")
MAX_FIELDS = 200

_VALUES = re.compile(r'"[^"]*"|[^ ]+')  # IIS Advanced Logging quotes texts that contain blanks


def parser_of(
    is_format: Callable[[Sequence[str]], bool], classify: Callable[[Mapping[str, str], tzinfo], LoggedPage | Skipped]
) -> Callable[[tzinfo], Parse]:
    """Makes the `Format.parser` of a kind of W3C log.

    `is_format` recognises the kind by the names of the fields, in lower case. `classify` gets the fields of a line, by
    name; `-` becomes "".
    """

    def parser(zone: tzinfo) -> Parse:
        fields: list[str] = []

        def parse(line: str) -> LoggedPage | Skipped | None:
            nonlocal fields
            if line.startswith("#"):
                directive, _, argument = line.partition(":")
                if directive != "#Fields":
                    return None if directive in REMARKS else BROKEN
                names = argument.lower().split()[:MAX_FIELDS]
                fields = names if is_format(names) else []
                return None if fields else BROKEN
            values = _values(line.rstrip("\r\n"))
            if not fields or len(values) != len(fields):
                return BROKEN
            by_name = {name: "" if value == "-" else value for name, value in zip(fields, values, strict=True)}
            return classify(by_name, zone)

        return parse

    return parser


def _values(line: str) -> list[str]:
    if "\t" in line:
        return line.split("\t")
    return [one.strip('"') for one in _VALUES.findall(line)] if '"' in line else line.split(" ")


def epoch_seconds(fields: Mapping[str, str], zone: tzinfo) -> int | None:
    """Epoch seconds of `date` and `time` (UTC), or of `date-local` and `time-local` (in `zone`); None without them."""
    if "date-local" in fields:
        return iso_time(f"{fields['date-local']}T{fields.get('time-local', '')}", zone)
    return iso_time(f"{fields.get('date', '')}T{fields.get('time', '')}", UTC)


def target(fields: Mapping[str, str]) -> str:
    """The path with its query."""
    query = fields.get("cs-uri-query", "")
    return f"{fields.get('cs-uri-stem', '')}?{query}" if query else fields.get("cs-uri-stem", "")

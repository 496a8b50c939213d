"""What log collectors write in front of a server's line. Each function removes one kind of prefix."""

from __future__ import annotations

import re
from collections.abc import Callable

from collector.imports.log_formats.parsing import json_object, text

Strip = Callable[[str], str | None]
"""The line without its prefix; None if it does not have this prefix."""

_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,]+(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_COLOUR = r"(?:\x1b\[[0-9;]*m)*"
_COMPOSE = rf"{_COLOUR}[\w.-]+ *\| ?{_COLOUR} ?"


def _matched(pattern: str) -> Strip:
    """Removes what the pattern matches at the start of a line."""
    compiled = re.compile(pattern)

    def strip(line: str) -> str | None:
        found = compiled.match(line)
        return line[found.end() :] if found else None

    return strip


def _of_docker(line: str) -> str | None:
    """The line inside a JSON object of Docker's log files."""
    return text((json_object(line) or {}).get("log")) or None


PREFIXES: tuple[Strip, ...] = (
    # `web-1  | `, with or without colours, and `web_1 | 2026-11-11T10:00:01Z `: docker compose
    _matched(_COMPOSE),
    _matched(rf"{_COMPOSE}{_ISO} "),
    # `<190>1 2026-11-11T10:00:01Z web1 nginx 123 - - `: syslog, RFC 5424
    _matched(rf'(?:<[0-9]{{1,3}}>)?1 {_ISO} [^ ]+ [^ ]+ [^ ]+ [^ ]+ (?:-|(?:\[(?:[^\]"]|"[^"]*")*\])+) \ufeff?'),
    # `<190>Nov 11 10:00:01 web1 nginx[123]: `, with or without host or priority, also with an ISO 8601 time: RFC 3164
    _matched(
        rf"(?:<[0-9]{{1,3}}>)?(?:[A-Z][a-z]{{2}} [ 0-9][0-9] [0-9:]{{8}}|{_ISO}) "
        r"(?:[^ :\[]+ )?[^ :\[]+(?:\[[^\] ]*\])?: "
    ),
    # `2026-11-11T10:00:01.123456789Z stdout F `: Kubernetes; without the stream's name: `docker logs -t`
    _matched(rf"{_ISO} (?:(?:stdout|stderr) F )?"),
    _of_docker,
)

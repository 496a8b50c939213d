"""What the parsers of log formats share: their type, and functions that read times, texts and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from collector.imports.access_log import LATEST, LoggedPage, Skipped

Parse = Callable[[str], LoggedPage | Skipped | None]


class Format(NamedTuple):
    """A log format. `parser` makes a parser for one log; its argument is the zone of times without one."""

    name: str
    parser: Callable[[tzinfo], Parse]


# `[^"\\]*(?:\\.[^"\\]*)*` matches a quoted text with escapes in linear time.
QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ESCAPE = re.compile(r"((?:\\x[0-9a-fA-F]{2})+)|\\(.)", re.DOTALL)
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")
_CLF_TIME = re.compile(r"\[?([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}):([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{4})\]?")


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def midnight(day: str, zone: str = "+0000") -> int | None:
    """Epoch seconds of 00:00 of `17/May/2015` at `+0200`; None if there is no such day."""
    east = int(zone[1:3]) * 3600 + int(zone[3:]) * 60
    try:
        utc = datetime(int(day[7:]), _MONTHS.index(day[3:6]) + 1, int(day[:2]), tzinfo=UTC)
    except ValueError:
        return None
    return int(utc.timestamp()) + (east if zone[0] == "-" else -east)


def clf_time(text: str) -> int | None:
    """Epoch seconds of `17/May/2015:10:05:03 +0200`, with or without brackets; None if the text is no such time."""
    found = _CLF_TIME.fullmatch(text)
    day = midnight(found[1], found[3]) if found else None
    clock = seconds(found[2]) if found else None
    return None if day is None or clock is None else day + clock


def seconds(clock: str) -> int | None:
    """Seconds since midnight of `10:05:03`, None if there is no such time; second 60 is a leap second."""
    hour, minute, second = clock[:2], clock[3:5], clock[6:]
    if hour > "23" or minute > "59" or second > "60":
        return None
    return int(hour) * 3600 + int(minute) * 60 + int(second)


def epoch_seconds(value: object, zone: tzinfo) -> int | None:
    """Epoch seconds of a time in JSON; None if it is no time.

    The value is a number (of seconds, or of milli-, micro- or nanoseconds), an ISO 8601 text (in `zone` if it has no
    offset), or a time in Apache's format.
    """
    if isinstance(value, str):
        return clf_time(value) if "/" in value else _number_to_seconds(value) or iso_time(value, zone)
    return _number_to_seconds(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def iso_time(text: str, zone: tzinfo = UTC) -> int | None:
    """Epoch seconds of an ISO 8601 time, in `zone` if it has no offset; None if the text is no time."""
    try:
        at = datetime.fromisoformat(text)
        return in_range((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError):
        return None


def _number_to_seconds(value: str | float) -> int | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    while LATEST <= number < LATEST * 10**9:
        number /= 1000
    return in_range(number)


def in_range(epoch: float) -> int | None:
    """Whole epoch seconds; None if the number is out of range."""
    return int(epoch) if 0 <= epoch < LATEST else None


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def unescaped(quoted: str) -> str:
    """The quoted text of Apache, nginx or HAProxy without escapes: `\\"` is `"`, `\\xe4` is a byte, `-` is ""."""
    if quoted == "-":
        return ""
    return _ESCAPE.sub(_unescaped, quoted) if "\\" in quoted else quoted


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        return _decoded(escape[1])
    return {"n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(escape[2], escape[2])


def _decoded(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal.replace("\\x", "")).decode("utf-8", "replace")


def request_line(text: str) -> tuple[str, str]:
    """Method and target of `GET /a?b HTTP/1.1` or of `GET /a` (HTTP/0.9), still escaped."""
    method, _, rest = text.partition(" ")
    target, _, protocol = rest.rpartition(" ")
    return method, target if protocol.startswith("HTTP/") else rest


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def json_object(line: str) -> dict[str, Any] | None:
    """The JSON object of a line, None if there is none. Reads nginx's `\\xHH` for bytes too, though it is no JSON."""
    if not line.lstrip().startswith("{"):
        return None
    return _loaded(line) or ("\\x" in line and _loaded(_BYTES.sub(_as_json, line))) or None


def _loaded(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _as_json(escaped: re.Match[str]) -> str:
    return json.dumps(_decoded(escaped[0]))[1:-1]


def text(value: object) -> str:
    """The text of a JSON value, of a list its first; "" for `-` and for anything else."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if not isinstance(value, str) or value == "-":
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()  # replaces lone surrogates


def status_of(value: object) -> int:
    """The HTTP status of a JSON value, a number or a text; 0 if it is none."""
    digits = str(value) if isinstance(value, int | str) else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 3 else 0


def lower_keys(value: object) -> Mapping[str, Any]:
    """A JSON object with its names in lower case; empty if the value is no object."""
    return {name.lower(): one for name, one in value.items()} if isinstance(value, dict) else {}

"""What the parsers of log formats share: their type, and how they read times, texts and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from collector.imports.access_log import LATEST, Hit, Skipped

Parse = Callable[[str], Hit | Skipped | None]


class Format(NamedTuple):
    """A format by its name; `parser` makes what reads one log from its start.

    It gets the zone of times that tell none.
    """

    name: str
    parser: Callable[[tzinfo], Parse]


# `[^"\\]*(?:\\.[^"\\]*)*` is a quoted text with escapes, in linear time.
QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ESCAPE = re.compile(r"((?:\\x[0-9a-fA-F]{2})+)|\\(.)", re.DOTALL)
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")
_CLF_TIME = re.compile(r"\[?([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}):([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{4})\]?")


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def midnight(day: str, zone: str = "+0000") -> int | None:
    """Epoch seconds of 00:00 of `17/May/2015` at `+0200`; None where there is no such day."""
    east = int(zone[1:3]) * 3600 + int(zone[3:]) * 60
    try:
        utc = datetime(int(day[7:]), _MONTHS.index(day[3:6]) + 1, int(day[:2]), tzinfo=UTC)
    except ValueError:
        return None
    return int(utc.timestamp()) + (east if zone[0] == "-" else -east)


def clf_time(text: str) -> int | None:
    """Epoch seconds of `17/May/2015:10:05:03 +0200`, with brackets or without."""
    found = _CLF_TIME.fullmatch(text)
    day = midnight(found[1], found[3]) if found else None
    clock = seconds(found[2]) if found else None
    return None if day is None or clock is None else day + clock


def seconds(clock: str) -> int | None:
    """Seconds since midnight of `10:05:03`; the 60th second is a leap second."""
    hour, minute, second = clock[:2], clock[3:5], clock[6:]
    if hour > "23" or minute > "59" or second > "60":
        return None
    return int(hour) * 3600 + int(minute) * 60 + int(second)


def moment(told: object, zone: tzinfo) -> int | None:
    """Epoch seconds of what JSON tells: a number (seconds, or milli-, micro- or nanoseconds), ISO 8601 (in `zone` where
    it has no offset), or a time as Apache writes it.
    """
    if isinstance(told, str):
        return clf_time(told) if "/" in told else _of_number(told) or iso_time(told, zone)
    return _of_number(told) if isinstance(told, int | float) and not isinstance(told, bool) else None


def iso_time(text: str, zone: tzinfo = UTC) -> int | None:
    """Epoch seconds of an ISO 8601 time; in `zone` where it has no offset."""
    try:
        at = datetime.fromisoformat(text)
        return in_range((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError):
        return None


def _of_number(told: str | float) -> int | None:
    try:
        number = float(told)
    except (ValueError, OverflowError):
        return None
    while LATEST <= number < LATEST * 10**9:
        number /= 1000
    return in_range(number)


def in_range(epoch: float) -> int | None:
    """Whole seconds, None for what is no time."""
    return int(epoch) if 0 <= epoch < LATEST else None


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def unescaped(quoted: str) -> str:
    """What stood between the quotes of Apache, nginx and HAProxy: `-` is nothing, `\\"` is `"`, `\\xe4` its byte."""
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
    """Method and target of `GET /a?b HTTP/1.1` and of `GET /a` (HTTP/0.9), still escaped."""
    method, _, rest = text.partition(" ")
    target, _, protocol = rest.rpartition(" ")
    return method, target if protocol.startswith("HTTP/") else rest


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def json_object(line: str) -> dict[str, Any] | None:
    """The object that a line is. nginx writes bytes as `\\xHH`, which is no JSON: they are read all the same."""
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


def text(told: object) -> str:
    """A text of JSON: the first of a list; `-`, null and what is no text are nothing."""
    if isinstance(told, list):
        told = told[0] if told else ""
    if not isinstance(told, str) or told == "-":
        return ""
    return told if told.isascii() else told.encode("utf-8", "replace").decode()  # half of a surrogate pair


def number(told: object) -> int:
    """A status, also where it is a text; 0 for what is none."""
    given = str(told) if isinstance(told, int | str) else ""
    return int(given) if given.isascii() and given.isdigit() and len(given) == 3 else 0


def lowered(told: object) -> Mapping[str, Any]:
    """An object of JSON by its names in lower case; empty for what is no object."""
    return {name.lower(): value for name, value in told.items()} if isinstance(told, dict) else {}

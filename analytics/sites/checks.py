"""Checks of a site's settings: each returns the value as it is stored, or raises `InvalidInput`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from analytics.base import paths
from analytics.base.addresses import network
from analytics.base.errors import InvalidInput, message
from analytics.base.zones import checked_zone
from analytics.calendar.period import Period
from analytics.sites.site import normal_domain

IDENTITIES = ("daily", "browser")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_NAME = 120
MAX_PATH = 300
MAX_LINES = 200  # of hosts, addresses or paths: each event is compared with each of them
MAX_RETENTION_DAYS = 3_650


def _network(text: str) -> str:
    try:
        return str(network(text))
    except ValueError:
        wrong = message("{address} is no address or network like 203.0.113.7 or 10.0.0.0/8", address=repr(text))
        raise InvalidInput(wrong) from None


def _path(text: str) -> str:
    if not text.isprintable() or len(text.split()) != 1 or len(text) > MAX_PATH:
        raise InvalidInput(message("{path} is no path like /admin/** ; it has no spaces", path=repr(text[:80])))
    return "/" + paths.readable(text.strip()).replace(" ", "%20").lstrip("/")  # a line of the table has no space


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(message("a name has 1 to {limit} characters", limit=MAX_NAME))
    return name


def _checked_identity(text: str) -> str:
    if text not in IDENTITIES:
        raise InvalidInput(f"identity {text!r}: {' or '.join(IDENTITIES)}")
    return text


def _checked_weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise InvalidInput(f"{text!r} is no day of the week; give one like {WEEKDAYS[0]}")
    return WEEKDAYS.index(text)


def _checked_retention(text: str) -> int | None:
    if not text.strip():
        return None
    if not re.fullmatch(r" *[0-9]{1,4} *", text) or not 1 <= int(text) <= MAX_RETENTION_DAYS:
        raise InvalidInput(message("give whole days from 1 to {limit}, or nothing", limit=f"{MAX_RETENTION_DAYS:,}"))
    return int(text)


def _checked_period(text: str) -> str:
    period = Period.parse(text)
    if period.dates:
        raise InvalidInput(f"period {text}: a preset that moves with the days, like 30d")
    return period.preset


def _checked_uuid(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise InvalidInput(f"{text[:80]!r} is no UUID like 11111111-1111-4111-8111-111111111111") from None


def _lines(check: Callable[[str], str]) -> Callable[[Iterable[str]], str]:
    """A check of a list: applies `check` to each entry and removes duplicates."""

    def checked_lines(texts: Iterable[str]) -> str:
        lines = list(dict.fromkeys(check(text) for text in texts))
        if len(lines) > MAX_LINES:
            raise InvalidInput(message("at most {limit} entries, please", limit=MAX_LINES))
        return "\n".join(lines)

    return checked_lines


def _new_name(text: str) -> str:
    return _checked_name(text) if text.strip() else ""


ADDS: Mapping[str, Callable[[str], str]] = {"domain": normal_domain, "name": _new_name, "timezone": checked_zone}
"""The fields of a new site."""

CHANGES: Mapping[str, Callable[[Any], Any]] = {
    "name": _checked_name,
    "timezone": checked_zone,
    "week_start": _checked_weekday,
    "identity": _checked_identity,
    "retention_days": _checked_retention,
    "overview_period": _checked_period,
    "uuid": _checked_uuid,
    "hosts": _lines(normal_domain),
    "excluded_hosts": _lines(normal_domain),
    "excluded_addresses": _lines(_network),
    "excluded_paths": _lines(_path),
}
"""The settings of a site that can be changed; the last four are lists."""

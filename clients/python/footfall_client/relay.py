"""Passes on what the site script sends to the application itself, so that browsers need not reach Footfall, and the
application says who they are. What a browser sends is checked, so that it cannot spoil a batch with others' events.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from footfall_client.outbox import Item

MAX_BODY = 65_536
MAX_EVENTS = 100
MAX_TEXT, MAX_PROPS = 8_192, 30
MAX_NUMBER = 2**53

KINDS = ("pageview", "heartbeat", "event", "leave")


class Visitor(NamedTuple):
    """Whose browser it is. `user_id` is None where nobody is signed in; `knows`: the application can say that."""

    ip: str
    user_agent: str
    user_id: str | None = None
    knows: bool = False

    def fields(self) -> dict[str, str | None]:
        """What an event says of the visitor. Without a valid address, as behind a Unix socket, it says none."""
        said: dict[str, str | None] = {"user_agent": self.user_agent[:2048]}
        if _is_address(self.ip):
            said["ip"] = self.ip
        if self.knows:
            said["user_id"] = self.user_id
        return said


@functools.lru_cache(4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def events_of(body: bytes, site: str, visitor: Visitor, now: float) -> list[Item]:
    """The events in a request of the site script, as from that visitor. Leaves out what is none, and invalid fields."""
    if len(body) > MAX_BODY:
        return []
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found = sent if isinstance(sent, list) else [sent]
    added = {"site": site, "time": round(now, 3), **visitor.fields()}
    return [
        {name: value for name, value in one.items() if name in FIELDS and FIELDS[name](value)} | added
        for one in found[:MAX_EVENTS]
        if isinstance(one, dict) and one.get("type") in KINDS
    ]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) <= MAX_NUMBER


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER


def _is_screen(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


def _is_props(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_PROPS
        and all(one is None or _is_text(one) or _is_number(one) for one in value.values())
    )


FIELDS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("type", "id", "pageview", "url", "referrer", "title", "state", "timezone", "language"), _is_text),
    **dict.fromkeys(("visitor_id", "user_id", "user_type", "name", "currency", "description", "user_name"), _is_text),
    **dict.fromkeys(("engaged_ms", "scroll"), _is_whole),
    "value": _is_number,
    "screen": _is_screen,
    "props": _is_props,
}

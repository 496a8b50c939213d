"""The events that the script sends by itself: the addresses that they carry are kept as carefully as any other."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from collector import page
from collector.payload import Event

ADDRESSES = {"Outbound Link: Click": "url", "File Download": "url", "404": "path"}
"""The names, and the property of each that holds an address."""


def cleared(event: Event) -> Event:
    """The event without what names a person or opens a door in the address that it carries.

    Parts of a path become ":redacted" (see `page.redact`); a query that holds such a part is dropped whole.
    """
    name = ADDRESSES.get(event.name or "")
    if name is None or not event.props:
        return event
    told: Any = event.props.get(name)
    if not isinstance(told, str) or (kept := _cleared(told)) == told:
        return event
    return replace(event, props=event.props | {name: kept})


def _cleared(address: str) -> str:
    path, mark, query = address.partition("?")
    parts = re.sub("[&=]", "/", query)
    return page.redact(path) + (mark + query if page.redact(parts) == parts else "")

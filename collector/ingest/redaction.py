"""The events that the script sends by itself: the addresses that they carry are kept as carefully as any other."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from analytics.base.redaction import clean_address
from collector.ingest.event import Event

ADDRESSES = {"Outbound Link: Click": "url", "File Download": "url", "404": "path"}
"""The names, and the property of each that holds an address."""


def cleared(event: Event) -> Event:
    """The event without what names a person or opens a door in the address that it carries.

    See `redaction.clean_address`.
    """
    name = ADDRESSES.get(event.name or "")
    if name is None or not event.props:
        return event
    told: Any = event.props.get(name)
    if not isinstance(told, str) or (kept := clean_address(told)) == told:
        return event
    return replace(event, props=event.props | {name: kept})

"""Redacts the addresses in events that the script sends by itself, like all other addresses."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from analytics.base.redaction import clean_address
from collector.ingest.event import Event

ADDRESSES = {"Outbound Link: Click": "url", "File Download": "url", "404": "path"}
"""The names of those events, and the property of each that contains an address."""


def with_redacted_address(event: Event) -> Event:
    """The event without personal data and secrets in the address that it carries.

    See `clean_address` in `analytics.base.redaction`.
    """
    name = ADDRESSES.get(event.name or "")
    if name is None or not event.props:
        return event
    value: Any = event.props.get(name)
    if not isinstance(value, str) or (redacted := clean_address(value)) == value:
        return event
    return replace(event, props=event.props | {name: redacted})

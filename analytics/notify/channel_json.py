"""Channels as JSON (contract §7): read strictly, with a message for each wrong field, and written back."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from analytics.base.errors import InvalidInput, message
from analytics.notify.channel import ChannelKind, NotificationChannel
from analytics.notify.json_fields import FieldReader, choice, text
from analytics.notify.outbound.webhook import checked_secret

MAX_NAME = 120
MAX_ADDRESS = 2_000


class ChannelInput(NamedTuple):
    """What people write of a channel. Without a `secret` a new webhook gets one, and a changed one keeps its own."""

    kind: ChannelKind
    to: str
    secret: str = ""
    name: str = ""


def read(given: object) -> ChannelInput:
    """The channel in that JSON. One `InvalidInput` names every field that is wrong, unknown or missing.

    Whether the address is one of that kind, and leads outside, is for the caller to check.
    """
    reading = FieldReader("channel")
    fields = reading.fields_of("", given, ("kind", "to"), ("secret", "name"))
    kind = reading.field(fields, "kind", partial(choice, ChannelKind), None)
    to = reading.field(fields, "to", partial(text, 1, MAX_ADDRESS), "")
    secret = reading.field(fields, "secret", partial(_secret, kind), "")
    name = reading.field(fields, "name", partial(text, 0, MAX_NAME), "")
    reading.check()
    return ChannelInput(kind, to, secret, name)


def _secret(kind: ChannelKind | None, given: object) -> str:
    if kind not in (ChannelKind.WEBHOOK, None):
        raise InvalidInput(message("only webhooks are signed"))
    return checked_secret(text(1, MAX_NAME * 2, given))


def plain(channel: NotificationChannel) -> dict[str, Any]:
    """The channel as JSON, with its address and its secret: for admins."""
    return {
        "kind": channel.kind,
        "to": channel.address,
        **({"secret": channel.secret} if channel.secret else {}),
        "name": channel.name,
    }

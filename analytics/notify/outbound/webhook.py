"""Webhooks after the Standard Webhooks specification 1.0.0: signed, with the same id at each attempt."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Any

from analytics.base.errors import InvalidInput, message
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.http_channel import as_body, deliver
from analytics.notify.outbound.message import Covered, OutboundMessage, iso_time
from analytics.notify.outbound.outside import Outside

PREFIX = "whsec_"
MIN_SECRET, MAX_SECRET = 24, 64  # bytes
MAX_BODY = 20_000  # bytes; bodies are shorter
MAX_TITLE, MAX_LINK = 250, 2_000  # characters


def new_secret() -> str:
    """A secret to sign with."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def checked_secret(text: str) -> str:
    """The secrets that the text has, one or two with a space between; `InvalidInput` for any other text."""
    parts = text.split()
    if not 1 <= len(parts) <= 2 or not all(MIN_SECRET <= len(_key(one)) <= MAX_SECRET for one in parts):
        raise InvalidInput(
            message("secret: give whsec_ and {low} to {high} bytes in Base64", low=MIN_SECRET, high=MAX_SECRET)
        )
    return " ".join(parts)


def send(channel: NotificationChannel, message: OutboundMessage, outside: Outside, now: int) -> ChannelAnswer:
    """Posts the message, signed at `now` where the channel has a secret."""
    body = body_of(message)
    headers = {"webhook-id": message.message_id, "webhook-timestamp": str(now)}
    if channel.secret:
        headers["webhook-signature"] = signatures(channel.secret, message.message_id, now, body)
    return deliver(channel.address, body, headers, outside)


def signatures(secret: str, message_id: str, now: int, body: bytes) -> str:
    """A signature `v1,…` with each of the secrets, so that a receiver may know the old one or the new one."""
    signed = f"{message_id}.{now}.".encode() + body
    made = (hmac.new(_key(one), signed, hashlib.sha256).digest() for one in secret.split())
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def _key(secret: str) -> bytes:
    """The bytes of a secret, empty if it is not one."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except (binascii.Error, ValueError):
        return b""


def body_of(message: OutboundMessage) -> bytes:
    """The body, below `MAX_BODY` bytes: of a long message the text and the explanation are cut, of several the list."""
    while len(body := as_body(_fields(message))) >= MAX_BODY:
        message = _shortened(message)
    return body


def _shortened(message: OutboundMessage) -> OutboundMessage:
    """With half of its text, of its explanation and of its lists."""
    shown = message.covered[: len(message.covered) // 2]
    more = message.more + len(message.covered) - len(shown)
    rules, fewer = message.rules[: len(message.rules) // 2], message.more_rules + (len(message.rules) + 1) // 2
    text, why = message.text[: len(message.text) // 2], message.why[: len(message.why) // 2]
    return message._replace(text=text, why=why, covered=shown, more=more, rules=rules, more_rules=fewer)


def _fields(message: OutboundMessage) -> dict[str, Any]:
    link = message.link or message.open_url
    optional: dict[str, Any] = {
        "severity": message.severity,
        "alert": message.alert,
        "metric": message.metric,
        "alert_link": message.alert_url if len(message.alert_url) <= MAX_LINK else "",
        "link": link if len(link) <= MAX_LINK else "",
        "currency": message.currency,
        "why": [one._asdict() for one in message.why],
        "rules": [one._asdict() for one in message.rules],
        "notifications": [_covered_fields(one) for one in message.covered],
    }
    data: dict[str, Any] = {
        "id": None if message.id is None else str(message.id),
        "site": message.site,
        "rule": message.rule,
        "priority": message.priority,
        "title": message.title[:MAX_TITLE],
        "message": message.text,
        "value": message.value,
        "count": message.events,
    }
    data |= {name: value for name, value in optional.items() if value}
    data |= {} if message.threshold is None else {"threshold": message.threshold}
    return {"type": message.type, "timestamp": iso_time(message.at), "data": data}


def _covered_fields(one: Covered) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": str(one.id),
        "type": one.type,
        "rule": one.rule,
        "title": one.title[:MAX_TITLE],
        "timestamp": iso_time(one.at),
        "value": one.value,
    }
    return fields | ({"outcome": one.outcome} if one.outcome else {})

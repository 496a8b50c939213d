"""Slack's incoming webhooks: blocks, with texts from outside as plain text."""

from __future__ import annotations

from typing import Any

from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.http_channel import as_body, deliver
from analytics.notify.outbound.message import MessageLink, OutboundMessage, facts_of, headline_of, lines_of, links_of
from analytics.notify.outbound.outside import Outside

MAX_HEADER = 150  # characters, as those below
MAX_SECTION = 3_000
MAX_FALLBACK = 1_000
MAX_CONTEXT = 500


def send(channel: NotificationChannel, message: OutboundMessage, outside: Outside, _now: int) -> ChannelAnswer:
    """Posts the message to the webhook of a Slack channel."""
    return deliver(channel.address, as_body(body_of(message)), {}, outside)


def body_of(message: OutboundMessage) -> dict[str, Any]:
    """The blocks, and a line of text for Slack's own notification."""
    text = "\n".join(part for part in (message.text, *lines_of(message)) if part)
    facts = " · ".join(value if name in ("Site", "Time") else f"{name}: {value}" for name, value in facts_of(message))
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(headline_of(message), MAX_HEADER)}]
    blocks += [{"type": "section", "text": _plain(text, MAX_SECTION)}] if text else []
    blocks.append({"type": "context", "elements": [_plain(facts, MAX_CONTEXT)]})
    if links := links_of(message):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": " | ".join(map(_link, links))}})
    return {"text": escaped(headline_of(message)[:MAX_FALLBACK]), "blocks": blocks}


def escaped(text: str) -> str:
    """The text in Slack's markup, without links and mentions: `<!channel>` stays text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:most] or "–", "emoji": False}


def _link(link: MessageLink) -> str:
    url = escaped(link.url[:1_000]).replace("|", "%7C")
    return f"<{url}|{escaped(link.label[:75]).replace('|', '/')}>"

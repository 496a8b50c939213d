"""Discord's webhooks: one embed, with texts from outside escaped, and nobody mentioned."""

from __future__ import annotations

import re
from typing import Any

from analytics.notify.channel import NotificationChannel
from analytics.notify.notification import RESOLVED
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.http_channel import as_body, deliver
from analytics.notify.outbound.message import (
    MessageLink,
    OutboundMessage,
    facts_of,
    headline_of,
    iso_time,
    lines_of,
    links_of,
)
from analytics.notify.outbound.outside import Outside

MAX_TITLE = 256  # characters, as those below; all of an embed has at most 6,000
MAX_DESCRIPTION = 4_000
MAX_FIELD = 200
COLOURS = {"low": 0x6C757D, "medium": 0x0D6EFD, "high": 0xFD7E14, "urgent": 0xDC3545}
RESOLVED_COLOUR = 0x198754
REMOVED = 404  # what Discord answers for a webhook that was deleted

_MARKUP = re.compile(r"[\\*_~`|>\[\]()#:/@<-]")


def send(channel: NotificationChannel, message: OutboundMessage, outside: Outside, _now: int) -> ChannelAnswer:
    """Posts the message to the webhook of a Discord channel; a deleted webhook is gone."""
    answer = deliver(channel.address, as_body(body_of(message)), {}, outside)
    return answer._replace(final=True, gone=True) if answer.status == REMOVED else answer


def body_of(message: OutboundMessage) -> dict[str, Any]:
    """The embed."""
    embed = {
        "title": escaped(headline_of(message), MAX_TITLE) or "–",
        "description": _description(message),
        "color": RESOLVED_COLOUR if message.type == RESOLVED else COLOURS.get(message.priority, 0),
        "timestamp": iso_time(message.at),
        "fields": [
            {"name": name, "value": escaped(value, MAX_FIELD), "inline": True}
            for name, value in facts_of(message)
            if name != "Time"
        ],
    }
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _description(message: OutboundMessage) -> str:
    lines = [escaped(message.text, MAX_DESCRIPTION // 2), *(escaped(line, MAX_FIELD) for line in lines_of(message))]
    links = " · ".join(map(_link, links_of(message)))
    text = "\n".join(line for line in lines if line)[: MAX_DESCRIPTION - len(links) - 2].rstrip("\\")
    return "\n\n".join(part for part in (text, links) if part)


def escaped(text: str, most: int) -> str:
    """The text with Discord's markup as text, at most so many characters: no link, no mention."""
    return _MARKUP.sub(r"\\\g<0>", text)[:most].rstrip("\\")


def _link(link: MessageLink) -> str:
    url = link.url[:1_000].replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    return f"[{escaped(link.label, 80)}](<{url.replace('<', '%3C').replace('>', '%3E')}>)"

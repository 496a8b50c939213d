"""What channels over HTTP share: a body goes to an address that is checked now, and the answer says what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analytics.base.errors import InvalidInput
from analytics.base.public_address import BlockedAddress, UnknownHost
from analytics.notify.outbound.address import check_address
from analytics.notify.outbound.answer import ChannelAnswer, failure, line_of
from analytics.notify.outbound.http_post import HttpAnswer, NoAnswer, post
from analytics.notify.outbound.outside import Outside

GONE = 410
THROTTLED = {429, 502, 503, 504}  # the statuses whose `Retry-After` counts
JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


def as_body(value: Any) -> bytes:
    """The value as JSON, in UTF-8 without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def deliver(url: str, body: bytes, headers: Mapping[str, str], outside: Outside) -> ChannelAnswer:
    """Posts a JSON body. Only 2xx with a complete answer is success; redirects are not followed; 410 is the end."""
    try:
        target = check_address(url, outside.allowed, outside.resolve)
        return answered(post(target, body, JSON_TYPE | dict(headers), outside.trust))
    except BlockedAddress as refused:
        return failure(f"blocked_address: {refused}", final=True)
    except UnknownHost as unknown:
        return failure(f"unknown_host: {unknown}")
    except InvalidInput as refused:
        return failure(f"wrong_address: {refused}", final=True)
    except NoAnswer as none:
        return failure(str(none))


def answered(answer: HttpAnswer) -> ChannelAnswer:
    """What an HTTP answer means."""
    text = answer.cut or answer.text
    if 300 <= answer.status < 400:
        text = "redirects are not followed"
    return ChannelAnswer(
        sent=200 <= answer.status < 300 and not answer.cut,
        status=answer.status,
        text=line_of(text),
        retry_after_s=answer.retry_after_s if answer.status in THROTTLED else None,
        final=answer.status == GONE,
        gone=answer.status == GONE,
    )

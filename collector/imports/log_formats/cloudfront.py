"""CloudFront's standard logs: W3C with tabs. Texts are percent-encoded once more than in the request.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from urllib.parse import unquote

from collector.imports.access_log import BROKEN, LoggedPage, Skipped, classify, visitor_address
from collector.imports.log_formats import w3c
from collector.imports.log_formats.parsing import Format, status_of

_ENCODED_PERCENT = re.compile(r"%25(?=[0-9a-fA-F]{2})")


def _is_format(fields: Sequence[str]) -> bool:
    return {"date", "time", "c-ip", "cs-uri-stem", "sc-status", "x-edge-location"} <= set(fields)


def _classify(fields: Mapping[str, str], zone: tzinfo) -> LoggedPage | Skipped:
    time, status, target = w3c.epoch_seconds(fields, zone), status_of(fields.get("sc-status")), w3c.target(fields)
    if time is None or not status or not target or not fields["c-ip"]:
        return BROKEN
    visitor = visitor_address(fields["c-ip"], unquote(fields.get("x-forwarded-for", "")).split(","))
    agent = unquote(unquote(fields.get("cs(user-agent)", "")))
    host = fields.get("x-host-header") or fields.get("cs(host)", "")
    referrer = _decode_once(fields.get("cs(referer)", ""))
    return classify(visitor, time, fields.get("cs-method", ""), _decode_once(target), status, referrer, agent, host)


def _decode_once(encoded: str) -> str:
    """The address as in the request: the log encodes its percent signs."""
    return _ENCODED_PERCENT.sub("%", encoded)


FORMAT = Format("cloudfront", w3c.parser_of(_is_format, _classify))

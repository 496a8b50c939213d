"""CloudFront's standard logs: W3C with tabs, in which texts are encoded once more than they were sent.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from urllib.parse import unquote

from collector.imports.access_log import BROKEN, Hit, Skipped, judged, visitor_address
from collector.imports.log_formats import w3c
from collector.imports.log_formats.parsing import Format, number

_ENCODED_PERCENT = re.compile(r"%25(?=[0-9a-fA-F]{2})")


def _ours(fields: Sequence[str]) -> bool:
    return {"date", "time", "c-ip", "cs-uri-stem", "sc-status", "x-edge-location"} <= set(fields)


def _read(told: Mapping[str, str], zone: tzinfo) -> Hit | Skipped:
    time, status, target = w3c.moment(told, zone), number(told.get("sc-status")), w3c.target(told)
    if time is None or not status or not target or not told["c-ip"]:
        return BROKEN
    who = visitor_address(told["c-ip"], unquote(told.get("x-forwarded-for", "")).split(","))
    agent = unquote(unquote(told.get("cs(user-agent)", "")))
    host = told.get("x-host-header") or told.get("cs(host)", "")
    referrer = _once(told.get("cs(referer)", ""))
    return judged(who, time, told.get("cs-method", ""), _once(target), status, referrer, agent, host)


def _once(encoded: str) -> str:
    """The address as it was sent: its percent signs are encoded in the log."""
    return _ENCODED_PERCENT.sub("%", encoded)


FORMAT = Format("cloudfront", w3c.parser_of(_ours, _read))

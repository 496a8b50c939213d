"""IIS logs in W3C's extended format. Blanks are written `+`; one of the fields may be `X-Forwarded-For`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from collector.imports.access_log import BROKEN, NO_AGENT, LoggedPage, Skipped, classify, visitor_address
from collector.imports.log_formats import w3c
from collector.imports.log_formats.parsing import Format, status_of

FORWARDED = ("x-forwarded-for", "cs(x-forwarded-for)", "x_forwarded_for", "originalip")


def _is_format(fields: Sequence[str]) -> bool:
    has_request = {"c-ip", "cs-uri-stem", "sc-status"} <= set(fields) and "x-edge-location" not in fields
    return has_request and ({"date", "time"} <= set(fields) or {"date-local", "time-local"} <= set(fields))


def _classify(fields: Mapping[str, str], zone: tzinfo) -> LoggedPage | Skipped:
    time, status, target = w3c.epoch_seconds(fields, zone), status_of(fields.get("sc-status")), w3c.target(fields)
    if time is None or not status or not target or not fields["c-ip"]:
        return BROKEN
    forwarded = next((fields[name] for name in FORWARDED if name in fields), "").replace("+", " ")
    visitor = visitor_address(fields["c-ip"], forwarded.split(","))
    agent = fields.get("cs(user-agent)", NO_AGENT).replace("+", " ")
    referrer = fields.get("cs(referer)", "")
    host = fields.get("cs-host") or fields.get("cs(host)", "")
    return classify(visitor, time, fields.get("cs-method", "GET"), target, status, referrer, agent, host)


FORMAT = Format("iis", w3c.parser_of(_is_format, _classify))

"""nginx's `log_format … escape=json`. Administrators choose the names of its fields, so the usual names are tried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import partial
from typing import Any

from collector.imports.access_log import BROKEN, NO_AGENT, LoggedPage, Skipped, classify, visitor_address
from collector.imports.log_formats.parsing import (
    Format,
    epoch_seconds,
    json_object,
    lower_keys,
    request_line,
    status_of,
    text,
)

TIMES = ("time_iso8601", "date", "time_local", "msec", "timestamp", "@timestamp", "time", "ts")
ADDRESSES = ("remote_addr", "ip", "remote_ip", "client_ip", "clientip", "client", "remote_address")
FORWARDED = ("http_x_forwarded_for", "x_forwarded_for", "x-forwarded-for", "forwarded_for", "xff")
TARGETS = ("request_uri", "path", "uri", "url")
METHODS = ("request_method", "method")
STATUSES = ("status", "status_code", "response_status")
REFERRERS = ("http_referer", "http_referrer", "referrer", "referer")
AGENTS = ("http_user_agent", "user_agent", "useragent", "user-agent", "agent")
HOSTS = ("host", "http_host", "server_name", "vhost")


def _parse(zone: tzinfo, line: str) -> LoggedPage | Skipped:
    entry = lower_keys(json_object(line))
    time = next((at for name in TIMES if (at := epoch_seconds(entry.get(name), zone)) is not None), None)
    address = _first_text(entry, ADDRESSES)
    status = next((status_of(entry[name]) for name in STATUSES if name in entry), 0)
    method, target = _request(entry)
    if time is None or not address or not status or not target:
        return BROKEN
    visitor = visitor_address(address, _first_text(entry, FORWARDED).split(","))
    agent = _first_text(entry, AGENTS) if entry.keys() & set(AGENTS) else NO_AGENT
    return classify(
        visitor, time, method, target, status, _first_text(entry, REFERRERS), agent, _first_text(entry, HOSTS)
    )


def _request(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Method and target, from the one field `request` or from fields of their own. The default method is GET."""
    if " " in (request := text(entry.get("request"))):
        return request_line(request)
    target, query = _first_text(entry, TARGETS), _first_text(entry, ("args", "query_string"))
    whole = f"{target}?{query}" if query and "?" not in target else target
    return _first_text(entry, METHODS) or "GET", whole


def _first_text(entry: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := text(entry.get(name)))), "")


FORMAT = Format("nginx-json", lambda zone: partial(_parse, zone))

"""nginx's `log_format … escape=json`: everybody names the fields themselves, so each is found by the names in use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import partial
from typing import Any

from collector.imports.access_log import BROKEN, NO_AGENT, Hit, Skipped, judged, visitor_address
from collector.imports.log_formats.parsing import Format, json_object, lowered, moment, number, request_line, text

TIMES = ("time_iso8601", "date", "time_local", "msec", "timestamp", "@timestamp", "time", "ts")
ADDRESSES = ("remote_addr", "ip", "remote_ip", "client_ip", "clientip", "client", "remote_address")
FORWARDED = ("http_x_forwarded_for", "x_forwarded_for", "x-forwarded-for", "forwarded_for", "xff")
TARGETS = ("request_uri", "path", "uri", "url")
METHODS = ("request_method", "method")
STATUSES = ("status", "status_code", "response_status")
REFERRERS = ("http_referer", "http_referrer", "referrer", "referer")
AGENTS = ("http_user_agent", "user_agent", "useragent", "user-agent", "agent")
HOSTS = ("host", "http_host", "server_name", "vhost")


def _parse(zone: tzinfo, line: str) -> Hit | Skipped:
    told = lowered(json_object(line))
    time = next((at for name in TIMES if (at := moment(told.get(name), zone)) is not None), None)
    address = _first(told, ADDRESSES)
    status = next((number(told[name]) for name in STATUSES if name in told), 0)
    method, target = _request(told)
    if time is None or not address or not status or not target:
        return BROKEN
    who = visitor_address(address, _first(told, FORWARDED).split(","))
    agent = _first(told, AGENTS) if told.keys() & set(AGENTS) else NO_AGENT
    return judged(who, time, method, target, status, _first(told, REFERRERS), agent, _first(told, HOSTS))


def _request(told: Mapping[str, Any]) -> tuple[str, str]:
    """Method and target, whole in `request` or apart; what tells no method was a GET."""
    if " " in (request := text(told.get("request"))):
        return request_line(request)
    target, query = _first(told, TARGETS), _first(told, ("args", "query_string"))
    whole = f"{target}?{query}" if query and "?" not in target else target
    return _first(told, METHODS) or "GET", whole


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := text(told.get(name)))), "")


FORMAT = Format("nginx-json", lambda zone: partial(_parse, zone))

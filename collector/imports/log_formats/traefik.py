"""Traefik's access log as JSON; its other format is Combined. https://doc.traefik.io/traefik/observability/access-logs/

It contains only the headers that Traefik is configured to log (`fields.headers.names.User-Agent=keep`).
"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial

from collector.imports.access_log import BROKEN, NO_AGENT, LoggedPage, Skipped, bare_address, classify, visitor_address
from collector.imports.log_formats.parsing import Format, epoch_seconds, json_object, lower_keys, status_of, text


def _parse(zone: tzinfo, line: str) -> LoggedPage | Skipped:
    entry = lower_keys(json_object(line))
    time = epoch_seconds(entry.get("startutc") or entry.get("startlocal") or entry.get("time"), zone)
    status = status_of(entry.get("downstreamstatus"))
    peer = text(entry.get("clienthost")) or bare_address(text(entry.get("clientaddr")))
    method, target = text(entry.get("requestmethod")), text(entry.get("requestpath"))
    if time is None or not status or not peer or not method or not target:
        return BROKEN
    has_headers = any(name.startswith("request_") for name in entry)
    agent = text(entry.get("request_user-agent")) if has_headers else NO_AGENT
    visitor = visitor_address(peer, text(entry.get("request_x-forwarded-for")).split(","))
    host = text(entry.get("requesthost")) or text(entry.get("requestaddr"))
    return classify(visitor, time, method, target, status, text(entry.get("request_referer")), agent, host)


FORMAT = Format("traefik", lambda zone: partial(_parse, zone))

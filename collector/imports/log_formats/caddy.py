"""Caddy's access log: one JSON object per request. https://caddyserver.com/docs/caddyfile/directives/log"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial

from collector.imports.access_log import BROKEN, NO_AGENT, LoggedPage, Skipped, bare_address, classify, visitor_address
from collector.imports.log_formats.parsing import Format, epoch_seconds, json_object, lower_keys, status_of, text


def _parse(zone: tzinfo, line: str) -> LoggedPage | Skipped:
    entry = lower_keys(json_object(line))
    request = lower_keys(entry.get("request"))
    time, status = epoch_seconds(entry.get("ts"), zone), status_of(entry.get("status"))
    peer = text(request.get("remote_ip")) or bare_address(text(request.get("remote_addr")))
    method, target = text(request.get("method")), text(request.get("uri"))
    if time is None or not status or not peer or not method or not target:
        return BROKEN
    headers = lower_keys(request.get("headers"))
    client = text(request.get("client_ip"))
    # If Caddy trusts the proxy, it has evaluated the header itself: then `client_ip` differs from the peer.
    forwarded = [] if client not in ("", peer) else text(headers.get("x-forwarded-for")).split(",")
    agent = text(headers.get("user-agent")) if headers else NO_AGENT
    visitor = visitor_address(client or peer, forwarded)
    return classify(
        visitor, time, method, target, status, text(headers.get("referer")), agent, text(request.get("host"))
    )


FORMAT = Format("caddy", lambda zone: partial(_parse, zone))

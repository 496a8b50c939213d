"""Caddy's access log: JSON, one object a request. https://caddyserver.com/docs/caddyfile/directives/log"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial

from collector.imports.access_log import BROKEN, NO_AGENT, Hit, Skipped, bare_address, judged, visitor_address
from collector.imports.log_formats.parsing import Format, json_object, lowered, moment, number, text


def _parse(zone: tzinfo, line: str) -> Hit | Skipped:
    told = lowered(json_object(line))
    request = lowered(told.get("request"))
    time, status = moment(told.get("ts"), zone), number(told.get("status"))
    peer = text(request.get("remote_ip")) or bare_address(text(request.get("remote_addr")))
    method, target = text(request.get("method")), text(request.get("uri"))
    if time is None or not status or not peer or not method or not target:
        return BROKEN
    headers = lowered(request.get("headers"))
    client = text(request.get("client_ip"))
    # Where Caddy trusts a proxy it has read the header itself: then its answer differs from the peer.
    forwarded = [] if client not in ("", peer) else text(headers.get("x-forwarded-for")).split(",")
    agent = text(headers.get("user-agent")) if headers else NO_AGENT
    who = visitor_address(client or peer, forwarded)
    return judged(who, time, method, target, status, text(headers.get("referer")), agent, text(request.get("host")))


FORMAT = Format("caddy", lambda zone: partial(_parse, zone))

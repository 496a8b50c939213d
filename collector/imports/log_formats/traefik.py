"""Traefik's access log as JSON; its other form is Combined. https://doc.traefik.io/traefik/observability/access-logs/

Headers are in it only where they are kept (`fields.headers.names.User-Agent=keep`).
"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial

from collector.imports.access_log import BROKEN, NO_AGENT, Hit, Skipped, bare_address, judged, visitor_address
from collector.imports.log_formats.parsing import Format, json_object, lowered, moment, number, text


def _parse(zone: tzinfo, line: str) -> Hit | Skipped:
    told = lowered(json_object(line))
    time = moment(told.get("startutc") or told.get("startlocal") or told.get("time"), zone)
    status = number(told.get("downstreamstatus"))
    peer = text(told.get("clienthost")) or bare_address(text(told.get("clientaddr")))
    method, target = text(told.get("requestmethod")), text(told.get("requestpath"))
    if time is None or not status or not peer or not method or not target:
        return BROKEN
    kept = any(name.startswith("request_") for name in told)
    agent = text(told.get("request_user-agent")) if kept else NO_AGENT
    who = visitor_address(peer, text(told.get("request_x-forwarded-for")).split(","))
    host = text(told.get("requesthost")) or text(told.get("requestaddr"))
    return judged(who, time, method, target, status, text(told.get("request_referer")), agent, host)


FORMAT = Format("traefik", lambda zone: partial(_parse, zone))

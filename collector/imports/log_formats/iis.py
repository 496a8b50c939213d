"""IIS, in W3C's extended format. Blanks are `+`; a proxy's `X-Forwarded-For` may be one of the fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from collector.imports.access_log import BROKEN, NO_AGENT, Hit, Skipped, judged, visitor_address
from collector.imports.log_formats import w3c
from collector.imports.log_formats.parsing import Format, number

FORWARDED = ("x-forwarded-for", "cs(x-forwarded-for)", "x_forwarded_for", "originalip")


def _ours(fields: Sequence[str]) -> bool:
    named = {"c-ip", "cs-uri-stem", "sc-status"} <= set(fields) and "x-edge-location" not in fields
    return named and ({"date", "time"} <= set(fields) or {"date-local", "time-local"} <= set(fields))


def _read(told: Mapping[str, str], zone: tzinfo) -> Hit | Skipped:
    time, status, target = w3c.moment(told, zone), number(told.get("sc-status")), w3c.target(told)
    if time is None or not status or not target or not told["c-ip"]:
        return BROKEN
    forwarded = next((told[name] for name in FORWARDED if name in told), "").replace("+", " ")
    who = visitor_address(told["c-ip"], forwarded.split(","))
    agent = told.get("cs(user-agent)", NO_AGENT).replace("+", " ")
    referrer = told.get("cs(referer)", "")
    host = told.get("cs-host") or told.get("cs(host)", "")
    return judged(who, time, told.get("cs-method", "GET"), target, status, referrer, agent, host)


FORMAT = Format("iis", w3c.parser_of(_ours, _read))

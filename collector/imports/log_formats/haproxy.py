"""HAProxy's `option httplog`. https://docs.haproxy.org/3.0/configuration.html#8.2.3

Its times have no zone. The log does not name the captured request headers (only the configuration does), so they are
recognised by what they look like.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import partial

from analytics.base.addresses import plain_address
from collector.imports.access_log import BROKEN, NO_AGENT, LoggedPage, Skipped, classify, visitor_address
from collector.imports.log_formats.parsing import Format, in_range, midnight, request_line, seconds, status_of

# client, [accept date], frontend, backend/server, timers, status, bytes, two cookies, how it ended, connections,
# queues, {captured request headers} {captured response headers} "request"
_LINE = re.compile(
    r"([^ ]+) \[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}):([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?\] [^ ]+ [^ ]+ "
    r"[0-9/+-]+ ([0-9]{3}|-1) \+?[0-9]+ [^ ]+ [^ ]+ [^ ]{4} [0-9/+]+ [0-9/]+ "
    r'(?:\{([^{}]*)\} )?(?:\{[^{}]*\} )?"([^"]*)"\s*\Z'
)
_ESCAPE = re.compile(r"(?:#[0-9A-F]{2})+")
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z0-9-]+(?::[0-9]{1,5})?", re.IGNORECASE)


def _parse(zone: tzinfo, line: str) -> LoggedPage | Skipped:
    found = _LINE.match(line)
    time = _time(zone, *found.group(2, 3)) if found else None
    if found is None or time is None:
        return BROKEN
    headers = [_unescaped(one) for one in (found[5] or "").split("|")]
    forwarded = next((one for one in headers if _is_forwarded(one)), "")
    referrer = next((one for one in headers if one.lower().startswith(("http://", "https://"))), "")
    agent = next((one for one in headers if "/" in one and one is not referrer), NO_AGENT)
    host = next((one for one in headers if _HOST.fullmatch(one) and one is not forwarded), "")
    method, target = request_line(_unescaped(found[6]))
    visitor = visitor_address(found[1].rpartition(":")[0], forwarded.split(","))
    return classify(visitor, time, method, target, status_of(found[4]), referrer, agent, host)


def _is_forwarded(header: str) -> bool:
    """Whether the header looks like `X-Forwarded-For`; `203.0.113.7:8080` alone is a host."""
    *_, last = header.split(",")
    return bool(plain_address(last)) and last.count(":") != 1


def _time(zone: tzinfo, day: str, clock: str) -> int | None:
    start, since = midnight(day), seconds(clock)
    local = None if start is None or since is None else in_range(start + since)
    return None if local is None else int(datetime.fromtimestamp(local, UTC).replace(tzinfo=zone).timestamp())


def _unescaped(text: str) -> str:
    """The text without HAProxy's escapes: it writes control characters, and those that would end a header, as `#7C`."""
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[0].replace("#", "")).decode("utf-8", "replace"), text)


FORMAT = Format("haproxy", lambda zone: partial(_parse, zone))

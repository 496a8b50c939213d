"""The formats of access logs: one file per format, and one list of all.

A format makes a parser for each log, because some parsers remember the log's header. A parser takes a line and returns
the page, the reason why the line is no page, or None for a comment of the log. It never raises.
"""

from __future__ import annotations

from collector.imports.log_formats import alb, caddy, clf, cloudfront, haproxy, iis, nginx_json, traefik
from collector.imports.log_formats.parsing import Format

# If several formats fit a log equally well, the first of them is used.
FORMATS: tuple[Format, ...] = (
    *(clf.COMBINED, clf.COMMON, clf.COMBINED_VHOST, clf.COMMON_VHOST),
    *(nginx_json.FORMAT, caddy.FORMAT, traefik.FORMAT),
    *(cloudfront.FORMAT, iis.FORMAT, alb.FORMAT, haproxy.FORMAT),
)

NAMES = tuple(one.name for one in FORMATS)

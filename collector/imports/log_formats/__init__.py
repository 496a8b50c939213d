"""The formats of access logs: one file a format, one list of all.

A format makes a parser for each log, since some remember what the log's header said. A parser takes a line and gives
the hit, why it is none, or None for a line that is the log's own remark. No line makes it raise.
"""

from __future__ import annotations

from collector.imports.log_formats import alb, caddy, clf, cloudfront, haproxy, iis, nginx_json, traefik
from collector.imports.log_formats.parsing import Format

# Where several recognise a log equally well, the first is taken.
FORMATS: tuple[Format, ...] = (
    *(clf.COMBINED, clf.COMMON, clf.COMBINED_VHOST, clf.COMMON_VHOST),
    *(nginx_json.FORMAT, caddy.FORMAT, traefik.FORMAT),
    *(cloudfront.FORMAT, iis.FORMAT, alb.FORMAT, haproxy.FORMAT),
)

NAMES = tuple(one.name for one in FORMATS)

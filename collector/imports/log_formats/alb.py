"""AWS load balancers: the log of the Application Load Balancer, and of the classic one, which lacks the first field.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
The log contains no referrers.
"""

from __future__ import annotations

import re
from datetime import tzinfo

from collector.imports.access_log import BROKEN, LoggedPage, Skipped, bare_address, classify
from collector.imports.log_formats.parsing import QUOTED, Format, Parse, iso_time, request_line, status_of, unescaped

# type, time, balancer, client, target, three durations, the balancer's status, the target's, bytes in and out
_LINE = re.compile(
    r"(?:(?:https?|h2|grpcs|wss?) )?([0-9][0-9T:.+-]+Z) [^ ]+ ([^ ]+) [^ ]+ [0-9.-]+ [0-9.-]+ [0-9.-]+ "
    rf"([0-9]{{3}}|-) (?:[0-9]{{3}}|-) [0-9-]+ [0-9-]+ {QUOTED} {QUOTED}",
)


def _parse(line: str) -> LoggedPage | Skipped:
    found = _LINE.match(line)
    time = iso_time(found[1]) if found else None
    if found is None or time is None:
        return BROKEN
    method, target = request_line(unescaped(found[4]))
    address = bare_address(found[2].rpartition(":")[0].strip("[]"))
    return classify(address, time, method, target, status_of(found[3]), "", unescaped(found[5]))


def _parser(_: tzinfo) -> Parse:
    return _parse


FORMAT = Format("alb", _parser)

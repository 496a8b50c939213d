"""Finds the door of a request in the table, for one running service. The same for `serve`, WSGI and ASGI."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy.exc import SQLAlchemyError

from analytics.base.error_log import describe
from analytics.live.reasons import ShedReason
from collector.api.context import DATABASE_AWAY, NO_STORE, Answer, Context
from collector.doors.collect import Collector
from collector.doors.cors import CORS, preflight
from collector.doors.door import ANYBODY, MANAGERS, PROGRAMS, SENDERS, Answers, Collects, Door, Threads
from collector.doors.path_patterns import PathPatterns
from collector.doors.table import DOORS, ELSEWHERE
from collector.http.messages import (
    SECURITY_HEADERS,
    Headers,
    Request,
    Response,
    bearer_token,
    error,
    routed,
    without_extra_slashes,
)
from collector.ingest.outcomes import Shed, name_and_reason

log = logging.getLogger("footfall.routes")

BUSY = Shed(ShedReason.BUSY, "too many requests are under way; send it again", 2)  # the body was not read
FAILED = error(500, "failed", "something failed on the server; its log says what", (NO_STORE,))


class Routes:
    """Finds the door of a request, and answers for doors that do not collect; `collector` answers for the others.

    `security_headers` has the security headers of every answer. `public`: the dashboard needs no login.
    """

    def __init__(
        self, context: Context, collector: Collector, security_headers: Headers = SECURITY_HEADERS, public: bool = False
    ) -> None:
        self.context = context
        self.collector = collector
        self.security_headers = security_headers
        self.public = public
        self.base_path = context.base_path
        self.counts = context.counts
        self.paths = frozenset(door.path for door in DOORS)
        collecting = [door for door in DOORS if isinstance(door, Collects)]
        self.collecting = frozenset(door.path for door in collecting)
        self.collects = {(method, door.path): door for door in collecting for method in door.methods}
        self._for_programs = frozenset(door.path for door in DOORS if door.credentials in (PROGRAMS, MANAGERS, SENDERS))
        self._patterns = PathPatterns(self.paths)
        self._by_path = {path: _by_method(path, [door for door in DOORS if door.path == path]) for path in self.paths}
        self._refusals = {path: _wrong_method(path, doors) for path, doors in self._by_path.items()}

    def find(self, request: Request) -> Door | None:
        """The door of the request, None if Flask has to answer. For a wrong method, a door that answers 405."""
        path = self._patterns.find(request.path)
        if path is None:
            return ELSEWHERE if request.path.startswith(ELSEWHERE.path) else None
        return self._by_path[path].get(request.method) or self._refusals[path]

    def is_for_programs(self, path: str) -> bool:
        """Whether the door of the path is for programs with a key."""
        return self._patterns.find(path) in self._for_programs

    def answer(self, door: Answers, request: Request) -> Answer:
        """The door's answer; 503 if the database is unavailable. Never raises."""
        try:
            return door.answer(self.context, request)
        except SQLAlchemyError as away:
            log.error("%s: the database does not answer: %s", request.path, describe(away))
            return DATABASE_AWAY
        except Exception as failed:
            log.error("%s failed: %s", request.path, describe(failed))
            return FAILED

    def canonical(self, path: str) -> str:
        """The path for the look-up of doors: without the base path and, if that finds a door, without extra slashes."""
        below = routed(path, self.base_path)
        if self._patterns.find(below):
            return below
        plain = routed(without_extra_slashes(path), self.base_path)
        return plain if self._patterns.find(plain) else below

    def is_signed_in(self, headers: Mapping[str, str]) -> bool:
        """Whether the headers contain a valid login. Raises if the database fails. Not for the event loop."""
        return self.context.person_of(headers) is not None

    def has_key(self, headers: Mapping[str, str]) -> bool:
        """Whether the headers contain a valid key."""
        return self.context.keys.find(bearer_token(headers)) is not None

    def not_collected(self, response: Response) -> Response:
        """The answer to a collector request whose body was not read: counts it and adds the CORS headers."""
        outcome = name_and_reason(BUSY) if response.status == BUSY.status else ("rejected", f"http_{response.status}")
        self.context.writer.count(0, self.context.now(), *outcome)
        return response._replace(headers=(*response.headers, *CORS))


def _by_method(path: str, doors: Iterable[Door]) -> dict[str, Door]:
    """The doors of one path by method; with one for preflights if pages of other origins may use the path."""
    found = {method: door for door in doors for method in door.methods}
    if any(door.cross_origin for door in found.values()):
        methods = ", ".join(found)
        found["OPTIONS"] = _extra_door(path, lambda _, request: preflight(request, methods))
    return found


def _wrong_method(path: str, doors: Mapping[str, Door]) -> Answers:
    own = doors if "POST" in doors else doors.keys() - {"OPTIONS"}  # GET needs no preflight
    allow = ", ".join(sorted(own))
    refused = error(405, "wrong_method", f"this route takes {allow}", (("Allow", allow), *CORS[:1]))
    return _extra_door(path, lambda _, __: refused)


def _extra_door(path: str, answer: Callable[[Context, Request], Answer]) -> Answers:
    """A door without a row in the table."""
    return Answers((), path, ANYBODY, answer, Threads.LOOP, None)

"""The table of doors over one open service: which door answers a request. The same for `serve`, WSGI and ASGI."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy.exc import SQLAlchemyError

from analytics.base.error_log import describe
from analytics.live.reasons import ShedReason
from collector.api.context import DATABASE_AWAY, NO_STORE, Answered, Context
from collector.doors.collect import Collector
from collector.doors.cors import CORS, preflight
from collector.doors.door import ANYBODY, PROGRAMS, Answers, Collects, Door, Threads
from collector.doors.table import DOORS
from collector.http.messages import SECURITY_HEADERS, Headers, Request, Response, error, routed, without_extra_slashes
from collector.ingest.outcomes import Shed, name_and_reason

log = logging.getLogger("footfall.routes")

BUSY = Shed(ShedReason.BUSY, "too many requests are under way; send it again", 2)  # before any of it was read
FAILED = error(500, "failed", "something failed on the server; its log says what", (NO_STORE,))


class Routes:
    """Finds the door of a request; None leaves it to Flask.

    Doors that collect are answered by `collector`, the others by `answer`. `security_headers` go with every answer;
    `public` says that nobody has to sign in.
    """

    def __init__(
        self, context: Context, collector: Collector, security_headers: Headers = SECURITY_HEADERS, public: bool = False
    ) -> None:
        self.context = context
        self.collector = collector
        self.security_headers = security_headers
        self.public = public
        self.base_path = context.base_path
        self.paths = frozenset(door.path for door in DOORS)
        collecting = [door for door in DOORS if isinstance(door, Collects)]
        self.collecting = frozenset(door.path for door in collecting)
        self.collects = {(method, door.path): door for door in collecting for method in door.methods}
        self.for_programs = frozenset(door.path for door in DOORS if door.who == PROGRAMS)
        self._by_path = {path: _by_method(path, [door for door in DOORS if door.path == path]) for path in self.paths}
        self._refusals = {path: _wrong_method(path, doors) for path, doors in self._by_path.items()}

    def find(self, request: Request) -> Door | None:
        """The door of the request; one that says 405 where only the method is wrong."""
        doors = self._by_path.get(request.path)
        if doors is None:
            return None
        return doors.get(request.method) or self._refusals[request.path]

    def answer(self, door: Answers, request: Request) -> Answered:
        """What the door answers; 503 where the database does not let it. Never raises."""
        try:
            return door.answer(self.context, request)
        except SQLAlchemyError as away:
            log.error("%s: the database does not answer: %s", request.path, describe(away))
            return DATABASE_AWAY
        except Exception as failed:
            log.error("%s failed: %s", request.path, describe(failed))
            return FAILED

    def canonical(self, path: str) -> str:
        """The path by which doors are found: below the base path, and that of a door without slashes too many."""
        below = routed(path, self.base_path)
        if below in self._by_path:
            return below
        plain = routed(without_extra_slashes(path), self.base_path)
        return plain if plain in self._by_path else below

    def is_signed_in(self, headers: Mapping[str, str]) -> bool:
        """Whether somebody who is signed in sends them. Raises where the database does not tell. Not for the loop."""
        return self.context.who_reads(headers) is not None

    def shows_key(self, headers: Mapping[str, str]) -> bool:
        """Whether they carry a key that there is."""
        scheme, _, plain = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.context.keys.find(plain.strip()) is not None

    def not_collected(self, response: Response) -> Response:
        """The answer to a collector request whose body could not be read; counted, and readable by the page."""
        fate = name_and_reason(BUSY) if response.status == BUSY.status else ("rejected", f"http_{response.status}")
        self.context.writer.count(0, self.context.now(), *fate)
        return response._replace(headers=(*response.headers, *CORS))


def _by_method(path: str, doors: Iterable[Door]) -> dict[str, Door]:
    """The doors of one path, and one that answers preflights where pages of other origins may come."""
    found = {method: door for door in doors for method in door.methods}
    if any(door.cross_origin for door in found.values()):
        methods = ", ".join(found)
        found["OPTIONS"] = _made(path, lambda _, request: preflight(request, methods))
    return found


def _wrong_method(path: str, doors: Mapping[str, Door]) -> Answers:
    own = doors if "POST" in doors else doors.keys() - {"OPTIONS"}  # what is only fetched needs no preflight
    allow = ", ".join(sorted(own))
    refused = error(405, "wrong_method", f"this route takes {allow}", (("Allow", allow), *CORS[:1]))
    return _made(path, lambda _, __: refused)


def _made(path: str, answer: Callable[[Context, Request], Answered]) -> Answers:
    """A door that no row of the table has."""
    return Answers((), path, ANYBODY, answer, Threads.LOOP, None)

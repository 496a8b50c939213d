"""The doors as WSGI middleware in front of the Flask server, so that `gunicorn app:server` collects too.

An open stream occupies one of the server's threads, and so does a slow body; under `serve` they do not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from collector.api.context import Stream
from collector.doors.door import Collects, Door
from collector.doors.endpoint import CALLS, CHECK_STREAMS_S, SIGN_IN_FIRST
from collector.doors.routes import Routes
from collector.http.limits import DEFAULT
from collector.http.messages import Request, Response, routed, with_security_headers
from collector.http.refusals import TOO_LARGE
from collector.http.wsgi_bridge import Wsgi, with_route


def attach(server: Any, routes: Routes) -> None:
    """Puts the routes in front of a Flask server (`server.wsgi_app`)."""
    server.wsgi_app = DoorMiddleware(server.wsgi_app, routes)


class DoorMiddleware:
    """A WSGI application that answers the requests of the doors, and passes all others to `app`."""

    def __init__(self, app: Wsgi, routes: Routes) -> None:
        self._app = app
        self._routes = routes
        self._counting = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun = time.monotonic()
        statuses: list[int] = []

        def start(status: str, *rest: Any) -> Any:
            statuses.append(int(status[:3]))
            return start_response(status, *rest)

        body, route = self._answer(environ, start)
        with self._counting:
            self._routes.counts.record(route, statuses[-1], time.monotonic() - begun)
        return [] if environ["REQUEST_METHOD"] == "HEAD" and isinstance(body, list) else body

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> tuple[Iterable[bytes], str]:
        """The body, and the pattern of the route that gave it."""
        request = _request(environ)
        request = request._replace(path=self._routes.canonical(request.path))
        door = self._routes.find(request)
        if door is None:
            if self._is_too_large(environ):
                return self._respond(SIGN_IN_FIRST if request.path == CALLS else TOO_LARGE, start_response), ""
            routes: list[str] = []
            app = with_route(self._app, routes.append)
            return app(_with_base_path(self._routes.base_path, environ), start_response), routes[-1]
        return self._answer_at(door, request, environ, start_response), door.path

    def _answer_at(
        self, door: Door, request: Request, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        body = _body(environ, DEFAULT.event_bytes) if request.method in ("POST", "PUT") else b""
        if body is None:
            too_large = self._routes.not_collected(TOO_LARGE) if isinstance(door, Collects) else TOO_LARGE
            return self._respond(too_large, start_response)
        request = request._replace(body=body)
        if isinstance(door, Collects):
            return self._respond(self._routes.collector.collect(request, door, DEFAULT.commit_s), start_response)
        answer = self._routes.answer(door, request)
        if isinstance(answer, Stream):
            start_response(_status(200), list(with_security_headers(answer.headers, self._routes.security_headers)))
            return _frames(answer)
        return self._respond(answer, start_response)

    def _is_too_large(self, environ: dict[str, Any]) -> bool:
        """Whether a request without a cookie has a larger body than the sign-in form. The gate checks cookies later."""
        length = environ.get("CONTENT_LENGTH") or "0"
        is_stranger = not self._routes.public and not environ.get("HTTP_COOKIE")
        return is_stranger and length.isdecimal() and int(length) > DEFAULT.form_bytes

    def _respond(self, response: Response, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = "Content-Length", str(len(response.body))
        start_response(
            _status(response.status), [*with_security_headers(response.headers, self._routes.security_headers), length]
        )
        return [response.body]


def _with_base_path(base_path: str, environ: dict[str, Any]) -> dict[str, Any]:
    """The WSGI environment for an application below the base path. Proxies may have removed the base path or not."""
    if not base_path:
        return environ
    return environ | {"SCRIPT_NAME": base_path, "PATH_INFO": routed(environ.get("PATH_INFO", "/"), base_path)}


def _request(environ: dict[str, Any]) -> Request:
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
    peer = environ.get("REMOTE_ADDR") or "127.0.0.1"
    return Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, peer)


def _body(environ: dict[str, Any], max_bytes: int) -> bytes | None:
    """The body, None if it is larger than `max_bytes`."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > max_bytes:
        return None
    wanted = int(length) if length.isdecimal() else max_bytes + 1
    body: bytes = environ["wsgi.input"].read(wanted) if length or environ.get("wsgi.input_terminated") else b""
    return body if len(body) <= max_bytes else None


def _frames(stream: Stream) -> Iterator[bytes]:
    woken = threading.Event()
    subscription = stream.subscribe(woken.set)
    try:
        while not subscription.closed and stream.allowed():
            woken.wait(CHECK_STREAMS_S)
            woken.clear()
            if frame := subscription.take():
                yield frame
    finally:
        stream.unsubscribe(subscription)


def _status(number: int) -> str:
    return f"{number} {HTTPStatus(number).phrase}"

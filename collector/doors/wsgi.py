"""The WSGI door: the same routes in front of any Flask server, so that `gunicorn app:server` collects too.

An open stream holds one of the server's threads, and so does a slow body: `serve` has no such limits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from collector.api.context import Stream
from collector.doors.door import Collects
from collector.doors.endpoint import CALLS, CHECK_S, SIGN_IN_FIRST
from collector.doors.routes import Routes
from collector.http.limits import DEFAULT
from collector.http.messages import Request, Response, routed, with_security_headers
from collector.http.refusals import TOO_LARGE

Wsgi = Callable[..., Iterable[bytes]]


def attach(server: Any, routes: Routes) -> None:
    """Puts the routes in front of a Flask server (`server.wsgi_app`)."""
    server.wsgi_app = Door(server.wsgi_app, routes)


class Door:
    """A WSGI application: the routes, and `behind` for everything else."""

    def __init__(self, behind: Wsgi, routes: Routes) -> None:
        self._behind = behind
        self._routes = routes

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answered = self._answer(environ, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" and isinstance(answered, list) else answered

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = _request(environ)
        request = request._replace(path=self._routes.canonical(request.path))
        door = self._routes.find(request)
        if door is None:
            if self._is_too_much(environ):
                return self._answered(SIGN_IN_FIRST if request.path == CALLS else TOO_LARGE, start_response)
            return self._behind(_below(self._routes.base_path, environ), start_response)
        body = _body(environ, DEFAULT.event_bytes) if request.method == "POST" else b""
        if body is None:
            too_large = self._routes.not_collected(TOO_LARGE) if isinstance(door, Collects) else TOO_LARGE
            return self._answered(too_large, start_response)
        request = request._replace(body=body)
        if isinstance(door, Collects):
            return self._answered(self._routes.collector.collect(request, door, DEFAULT.commit_s), start_response)
        answered = self._routes.answer(door, request)
        if isinstance(answered, Stream):
            start_response(_status(200), list(with_security_headers(answered.headers, self._routes.security_headers)))
            return _frames(answered)
        return self._answered(answered, start_response)

    def _is_too_much(self, environ: dict[str, Any]) -> bool:
        """Whether a stranger sends more than signing in takes; who shows a cookie is left to the gate."""
        length = environ.get("CONTENT_LENGTH") or "0"
        stranger = not self._routes.public and not environ.get("HTTP_COOKIE")
        return stranger and length.isdecimal() and int(length) > DEFAULT.form_bytes

    def _answered(self, response: Response, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = "Content-Length", str(len(response.body))
        start_response(
            _status(response.status), [*with_security_headers(response.headers, self._routes.security_headers), length]
        )
        return [response.body]


def _below(base_path: str, environ: dict[str, Any]) -> dict[str, Any]:
    """The environment of a request below that path, whether a proxy has taken it away or not."""
    if not base_path:
        return environ
    return environ | {"SCRIPT_NAME": base_path, "PATH_INFO": routed(environ.get("PATH_INFO", "/"), base_path)}


def _request(environ: dict[str, Any]) -> Request:
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
    peer = environ.get("REMOTE_ADDR") or "127.0.0.1"
    return Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, peer)


def _body(environ: dict[str, Any], most: int) -> bytes | None:
    """The body, None where it is larger than `most`."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > most:
        return None
    wanted = int(length) if length.isdecimal() else most + 1
    body: bytes = environ["wsgi.input"].read(wanted) if length or environ.get("wsgi.input_terminated") else b""
    return body if len(body) <= most else None


def _frames(stream: Stream) -> Iterator[bytes]:
    woken = threading.Event()
    subscription = stream.subscribe(woken.set)
    try:
        while not subscription.closed and stream.allowed():
            woken.wait(CHECK_S)
            woken.clear()
            if frame := subscription.take():
                yield frame
    finally:
        stream.unsubscribe(subscription)


def _status(number: int) -> str:
    return f"{number} {HTTPStatus(number).phrase}"

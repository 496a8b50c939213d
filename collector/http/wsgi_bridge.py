"""The bridge to a WSGI application: one whole request in, one whole response out."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from werkzeug.test import run_wsgi_app

from collector.http.messages import Request, Response

Wsgi = Callable[..., Iterable[bytes]]

USUAL_PORTS = {"http": "80", "https": "443"}
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding", "server", "date"}


class AppResponse(NamedTuple):
    """An application's response, and the pattern of the route that gave it; "" if none did."""

    response: Response
    route: str


def environ_of(request: Request, base_path: str = "", scheme: str = "http") -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of a complete request; its path is below `base_path`.

    HEAD becomes GET, so that its response has the Content-Length of GET. The server does not send the body.
    """
    host, _, port = request.headers.get("host", "localhost").rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET" if request.method == "HEAD" else request.method,
        "SCRIPT_NAME": base_path,
        "PATH_INFO": request.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": host or port,
        "SERVER_PORT": port if host and port.isdecimal() else USUAL_PORTS[scheme],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if "_" in name:  # it would look like the header with a hyphen, which only a trusted proxy may set
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ


def call_wsgi(app: Wsgi, request: Request, base_path: str = "", scheme: str = "http") -> AppResponse:
    """The application's whole response; for HEAD the response to GET, with its body."""
    routes: list[str] = []
    environ = environ_of(request, base_path, scheme)
    chunks, status, headers = run_wsgi_app(with_route(app, routes.append), environ, buffered=True)
    kept = tuple((name, value) for name, value in headers if name.lower() not in HOP_BY_HOP)
    return AppResponse(Response(int(status.split(" ", 1)[0]), kept, b"".join(chunks)), routes[-1])


def with_route(app: Wsgi, note: Callable[[str], None]) -> Wsgi:
    """The application; as it starts a response, `note` gets the pattern of Flask's route, "" if it found none."""

    def noting(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(*head: Any) -> Any:
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            note(rule.rule if rule is not None else "")
            return start_response(*head)

        return app(environ, start)

    return noting

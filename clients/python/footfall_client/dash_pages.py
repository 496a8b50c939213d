"""What the plugin for Dash adds to the server of an application: it measures requests, and serves the site script and
what that sends, so that browsers speak to the application alone.
"""

from __future__ import annotations

import functools
import html
import logging
import time
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any

from footfall_client import asgi, wsgi
from footfall_client.client import Client
from footfall_client.relay import MAX_BODY, Visitor, events_of

if TYPE_CHECKING:
    from dash import Dash

log = logging.getLogger("footfall_client")

ROUTE = "_footfall"  # below the application's own prefix; the script is at the same with ".js"
SCRIPT = "footfall.min.js"
SCRIPT_TYPE = "text/javascript; charset=utf-8"
CACHED = "public, max-age=3600"
TAKEN, TOO_LARGE = ("{}", 202), ("{}", 413)
User = Callable[[], object]


class Visitors:
    """Says whose request it is, by the application's own function if it has one."""

    def __init__(self, user: User | None) -> None:
        self._user = user
        self._warned = False

    def now(self, ip: str | None, user_agent: str) -> Visitor:
        """The visitor of the current request. Never raises."""
        if self._user is None:
            return Visitor(ip or "", user_agent)
        try:
            found = self._user()
        except Exception as failed:
            if not self._warned:
                self._warned = True
                log.warning("`user` of footfall_client.dash.install raises %s", type(failed).__name__)
            found = None
        return Visitor(ip or "", user_agent, None if found is None else str(found)[:128], knows=True)


class Pages:
    """The pages of one application, on whatever server of Dash: Flask, FastAPI or Quart."""

    def __init__(self, app: Dash, client: Client, site: str, visitors: Visitors) -> None:
        self._app, self._client, self._site, self._visitors = app, client, site, visitors

    def serve_when_ready(self, *, with_script: bool) -> None:
        """Adds what the server needs: now, or when an application without server gets one."""
        if self._app.server:
            self._serve(with_script)
            return
        init_app = self._app.init_app

        def init_app_and_serve(app: Any = None, **kwargs: Any) -> None:
            init_app(app, **kwargs)
            self._serve(with_script)

        self._app.init_app = init_app_and_serve  # type: ignore[method-assign]

    def _serve(self, with_script: bool) -> None:
        server: Any = self._app.server
        try:
            if hasattr(server, "wsgi_app"):
                server.wsgi_app = wsgi.Middleware(server.wsgi_app, client=self._client)
                add = self._serve_on_flask
            elif hasattr(server, "asgi_app"):
                server.asgi_app = asgi.Middleware(server.asgi_app, client=self._client)
                add = self._serve_on_quart
            else:
                server.add_middleware(asgi.Middleware, client=self._client)
                add = self._serve_on_starlette
            if with_script:
                add(server, self._app.config.routes_pathname_prefix + ROUTE)
                self._add_script()
        except Exception as failed:
            log.warning("requests and pages are not measured: %s: %s", type(failed).__name__, failed)

    def _serve_on_flask(self, server: Any, path: str) -> None:
        import flask  # noqa: PLC0415 — the application has it

        answer = _without_cookies(flask.Response)

        def collect() -> Any:
            request = flask.request
            if (request.content_length or 0) > MAX_BODY:
                return answer(*TOO_LARGE)
            self._relay(request.stream.read(MAX_BODY + 1), request.remote_addr, request.headers)
            return answer(*TAKEN)

        def script() -> Any:
            return answer(script_bytes(), content_type=SCRIPT_TYPE, headers={"Cache-Control": CACHED})

        server.add_url_rule(f"{path}.js", f"{path}.js", script, methods=["GET"])
        server.add_url_rule(path, path, collect, methods=["POST"])

    def _serve_on_quart(self, server: Any, path: str) -> None:
        import quart  # noqa: PLC0415 — the application has it

        answer = _without_cookies(quart.Response)

        async def collect() -> Any:
            request = quart.request
            if (request.content_length or 0) > MAX_BODY:
                return answer(*TOO_LARGE)
            self._relay(await request.get_data(cache=False), request.remote_addr, request.headers)
            return answer(*TAKEN)

        async def script() -> Any:
            return answer(script_bytes(), content_type=SCRIPT_TYPE, headers={"Cache-Control": CACHED})

        server.add_url_rule(f"{path}.js", f"{path}.js", script, methods=["GET"])
        server.add_url_rule(path, path, collect, methods=["POST"])

    def _serve_on_starlette(self, server: Any, path: str) -> None:
        from starlette.responses import Response  # noqa: PLC0415 — the application has it

        async def collect(request: Any) -> Any:
            body = b""
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY:
                    return Response(*TOO_LARGE)
            self._relay(body, request.client.host if request.client else "", request.headers)
            return Response(*TAKEN)

        async def script(_request: Any) -> Any:
            return Response(script_bytes(), headers={"Content-Type": SCRIPT_TYPE, "Cache-Control": CACHED})

        server.router.add_route(f"{path}.js", script, methods=["GET"])
        server.router.add_route(path, collect, methods=["POST"])

    def _relay(self, body: bytes, ip: str | None, headers: Any) -> None:
        if headers.get("dnt") == "1" or headers.get("sec-gpc") == "1":
            return
        visitor = self._visitors.now(ip, headers.get("user-agent", ""))
        for event in events_of(body, self._site, visitor, time.time()):
            self._client.sender.event(event)

    def _add_script(self) -> None:
        """Dash calls `interpolate_index` for each page; applications may have one of their own."""
        interpolate: Callable[..., str] = self._app.interpolate_index

        def interpolate_with_script(**parts: Any) -> str:
            path = html.escape(self._app.config.requests_pathname_prefix + ROUTE)
            tag = f'<script defer src="{path}.js" data-site="{html.escape(self._site)}" data-api="{path}"></script>'
            return interpolate(**{**parts, "scripts": f"{parts.get('scripts', '')}\n{tag}"})

        self._app.interpolate_index = interpolate_with_script  # type: ignore[method-assign, assignment]


def _without_cookies(response: Any) -> Any:
    """A class of responses that set no cookie: a page that is open prolongs no login."""

    class WithoutCookies(response):  # type: ignore[misc]
        def set_cookie(self, *_args: Any, **_kwargs: Any) -> None:
            pass

        delete_cookie = set_cookie

    return WithoutCookies


@functools.cache
def script_bytes() -> bytes:
    """The site script that Footfall serves, which here sends the application's cookies to the application: they say
    who is signed in.
    """
    script = resources.files("footfall_client").joinpath(SCRIPT).read_bytes()
    return script.replace(b'credentials:"omit"', b'credentials:"same-origin"')

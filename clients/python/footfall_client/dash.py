"""The plugin for Dash applications: `install(app)` measures requests and callbacks, and counts who is there.

Dash's own hooks are for all applications of a process, none of them runs when a callback has ended, and one for errors
would swallow them. So the plugin wraps, of one application, what Dash's servers call for each callback.
"""

from __future__ import annotations

import asyncio
import functools
import html
import inspect
import logging
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from importlib import resources
from typing import TYPE_CHECKING, Any

from footfall_client import asgi, wsgi
from footfall_client.callbacks import Call, Calls, callback_name, error_of
from footfall_client.client import Client, connect, tags_of
from footfall_client.relay import MAX_BODY, Visitor, events_of

if TYPE_CHECKING:
    from dash import Dash

log = logging.getLogger("footfall_client")

ROUTE = "_footfall"  # below the application's own prefix: the script, and what it sends
SCRIPT = "footfall.min.js"
User = Callable[[], object]

_handled: ContextVar[list[str] | None] = ContextVar("footfall_client_handled", default=None)
"""Errors of the running callback that the application's `on_error` has handled."""


def install(
    app: Dash,
    server: str | None = None,
    site: str = "",
    key: str | None = None,
    user: User | None = None,
    *,
    instance: str | None = None,
) -> None:
    """Measures a Dash application for a site of Footfall. Call it before the application serves.

    `user` returns who is signed in, as a text or a number, or None; it is called within each request. Server and key
    are `FOOTFALL_SERVER` and `FOOTFALL_INGEST_KEY` of the environment if they are not given. `instance` names this
    machine among several. Raises `ValueError` if the server is not an address or the site is missing.
    """
    if not site:
        raise ValueError("the site is missing: the domain by which Footfall knows the application")
    if app in _installed:
        return
    _installed.add(app)
    client = connect(server, key, instance)
    if client:
        plugin = _Plugin(app, client, site, user, Calls(client.sender, site, tags_of(instance)))
        plugin.measure_callbacks()
        plugin.serve_when_ready()


_installed: weakref.WeakSet[Dash] = weakref.WeakSet()


class _Plugin:
    """What is added to one application."""

    def __init__(self, app: Dash, client: Client, site: str, user: User | None, calls: Calls) -> None:
        self._app, self._client, self._site, self._user, self._calls = app, client, site, user, calls
        self._warned = False
        self._name = functools.lru_cache(1024)(self._callback_name)
        client.sender.every_second(calls.samples, calls.forget)

    def _visitor(self, ip: str | None, user_agent: str) -> Visitor:
        """The visitor of the current request."""
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

    # ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────────────

    def measure_callbacks(self) -> None:
        """Every server of Dash asks `_prepare_callback` for the function of a callback."""
        prepare: Callable[[Any, Any], Any] | None = getattr(self._app, "_prepare_callback", None)
        if prepare is None:
            log.warning("this version of Dash has no place where callbacks can be measured")
            return

        def prepare_measured(g: Any, body: Any) -> Any:
            func = prepare(g, body)
            try:
                return self._measured(func, g, str(body["output"]))
            except Exception as failed:
                log.warning("a callback could not be measured: %s", type(failed).__name__)
                return func

        self._app._prepare_callback = prepare_measured  # type: ignore[method-assign]
        self._observe_handled_errors()

    def _observe_handled_errors(self) -> None:
        """Notes what the application's own `on_error` gets; one without stays without."""
        handle: Callable[[Exception], Any] | None = getattr(self._app, "_on_error", None)
        if handle is None:
            return

        def handle_noted(error: Exception) -> Any:
            if (noted := _handled.get()) is not None:
                noted.append(error_of(error))
            return handle(error)

        self._app._on_error = handle_noted

    def _measured(self, func: Callable[..., Any], g: Any, output: str) -> Callable[..., Any]:
        """The function of one call, measured. One in the background runs in another process, and is left alone."""
        if self._app.callback_map[output].get("background"):
            return func
        note = functools.partial(self._note, self._name(output), g)
        if inspect.iscoroutinefunction(func):

            @functools.wraps(func)
            async def measured_async(*args: Any, **kwargs: Any) -> Any:
                began, noted = time.perf_counter(), _noting()
                try:
                    value = await func(*args, **kwargs)
                except BaseException as error:
                    note(began, noted, error)
                    raise
                note(began, noted, None)
                return value

            return measured_async

        @functools.wraps(func)
        def measured(*args: Any, **kwargs: Any) -> Any:
            began, noted = time.perf_counter(), _noting()
            try:
                value = func(*args, **kwargs)
            except BaseException as error:
                note(began, noted, error)
                raise
            note(began, noted, None)
            return value

        return measured

    def _note(self, name: str, g: Any, began: float, noted: list[str], error: BaseException | None) -> None:
        took_s = time.perf_counter() - began
        try:
            headers = g.headers
            wrong = error_of(error) if error is not None and not _is_no_error(error) else "".join(noted[:1])
            url = headers.get("Referer") or headers.get("referer") or ""
            agent = headers.get("User-Agent") or headers.get("user-agent") or ""
            self._calls.done.append(Call(name, url, self._visitor(g.remote, agent), took_s, wrong))
            self._client.sender.start()
        except Exception as failed:
            log.warning("a callback could not be measured: %s", type(failed).__name__)

    def _callback_name(self, output: str) -> str:
        return callback_name(output, self._app.callback_map[output].get("inputs", ()))

    # ── requests, and the site script ────────────────────────────────────────────────────────────────────────────────

    def serve_when_ready(self) -> None:
        """Adds what the server needs: now, or when an application without server gets one."""
        if self._app.server:
            self._serve()
            return
        init_app = self._app.init_app

        def init_app_and_serve(app: Any = None, **kwargs: Any) -> None:
            init_app(app, **kwargs)
            self._serve()

        self._app.init_app = init_app_and_serve  # type: ignore[method-assign]

    def _serve(self) -> None:
        server: Any = self._app.server
        try:
            if hasattr(server, "wsgi_app"):
                server.wsgi_app = wsgi.Middleware(server.wsgi_app, client=self._client)
                self._serve_on_flask(server)
            elif hasattr(server, "add_middleware"):
                server.add_middleware(asgi.Middleware, client=self._client)
                self._serve_on_starlette(server)
            else:
                log.warning("of a Dash application on %s only callbacks are measured", type(server).__name__)
                return
        except Exception as failed:
            log.warning("requests and pages are not measured: %s: %s", type(failed).__name__, failed)
            return
        self._add_script()

    def _serve_on_flask(self, server: Any) -> None:
        import flask  # noqa: PLC0415 — the application has it

        path = self._app.config.routes_pathname_prefix + ROUTE

        def script() -> Any:
            return flask.Response(script_bytes(), headers=SCRIPT_HEADERS)

        def collect() -> Any:
            request = flask.request
            if (request.content_length or 0) > MAX_BODY:
                return flask.Response("{}", 413, content_type="application/json")
            self._relay(request.get_data(cache=False), request.remote_addr, request.headers)
            return flask.Response("{}", 202, content_type="application/json")

        server.add_url_rule(f"{path}.js", f"{path}.js", script, methods=["GET"])
        server.add_url_rule(path, path, collect, methods=["POST"])

    def _serve_on_starlette(self, server: Any) -> None:
        from starlette.responses import Response  # noqa: PLC0415 — the application has it

        path = self._app.config.routes_pathname_prefix + ROUTE

        async def script(_request: Any) -> Any:
            return Response(script_bytes(), headers=SCRIPT_HEADERS)

        async def collect(request: Any) -> Any:
            body = b""
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY:
                    return Response("{}", 413, media_type="application/json")
            self._relay(body, request.client.host if request.client else "", request.headers)
            return Response("{}", 202, media_type="application/json")

        server.router.add_route(f"{path}.js", script, methods=["GET"])
        server.router.add_route(path, collect, methods=["POST"])

    def _relay(self, body: bytes, ip: str | None, headers: Any) -> None:
        if headers.get("dnt") == "1" or headers.get("sec-gpc") == "1":
            return
        visitor = self._visitor(ip, headers.get("user-agent", ""))
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


def _noting() -> list[str]:
    noted: list[str] = []
    _handled.set(noted)
    return noted


def _is_no_error(error: BaseException) -> bool:
    """`PreventUpdate` is how a callback says that nothing changes; a client that went away cancels it."""
    return type(error).__name__ == "PreventUpdate" or isinstance(error, asyncio.CancelledError | GeneratorExit)


SCRIPT_HEADERS = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=3600"}


@functools.cache
def script_bytes() -> bytes:
    """The site script, the same that Footfall serves."""
    return resources.files("footfall_client").joinpath(SCRIPT).read_bytes()

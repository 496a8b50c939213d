"""The plugin for Dash applications: `install(app)` measures requests and callbacks, and counts who is there.

Dash's own hooks are for all applications of a process, none of them runs when a callback has ended, and one for errors
would swallow them. So the plugin wraps, of one application, what Dash's servers call for each callback.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from footfall_client.callbacks import Call, Calls, callback_name, error_of
from footfall_client.client import Client, connect
from footfall_client.dash_pages import Pages, User, Visitors

if TYPE_CHECKING:
    from dash import Dash

log = logging.getLogger("footfall_client")

_handled: ContextVar[list[str] | None] = ContextVar("footfall_client_handled", default=None)
"""Errors of the running callback that the application's `on_error` has handled."""


def install(
    app: Dash,
    server: str | None = None,
    site: str = "",
    key: str | None = None,
    user: User | None = None,
    *,
    pages: bool = True,
    instance: str | None = None,
) -> None:
    """Measures a Dash application for a site of Footfall. Call it before the application serves.

    `user` returns who is signed in, as a text or a number, or None; it is called within each request. Server and key
    are `FOOTFALL_SERVER` and `FOOTFALL_INGEST_KEY` of the environment if they are not given. Without `pages` no script
    is added, so that it is not known who is there. `instance` names this machine among several. Raises `ValueError` if
    the server is not an address or the site is missing.
    """
    if not site:
        raise ValueError("the site is missing: the domain by which Footfall knows the application")
    if app in _installed:
        return
    _installed.add(app)
    client = connect(server, key, instance, site)
    if client:
        visitors = Visitors(user)
        _Callbacks(app, client, Calls(client.sender.event, site), visitors).measure()
        Pages(app, client, site, visitors).serve_when_ready(with_script=pages)


_installed: weakref.WeakSet[Dash] = weakref.WeakSet()


class _Callbacks:
    """The callbacks of one application, which it measures."""

    def __init__(self, app: Dash, client: Client, calls: Calls, visitors: Visitors) -> None:
        self._app, self._client, self._calls, self._visitors = app, client, calls, visitors
        self._name = functools.lru_cache(1024)(self._callback_name)
        client.sender.every_second(calls.samples, calls.forget)

    def measure(self) -> None:
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
            self._calls.done.append(Call(name, url, self._visitors.now(g.remote, agent), took_s, wrong))
            self._client.sender.start()
        except Exception as failed:
            log.warning("a callback could not be measured: %s", type(failed).__name__)

    def _callback_name(self, output: str) -> str:
        return callback_name(output, self._app.callback_map[output].get("inputs", ()))


def _noting() -> list[str]:
    noted: list[str] = []
    _handled.set(noted)
    return noted


def _is_no_error(error: BaseException) -> bool:
    """`PreventUpdate` is how a callback says that nothing changes; a client that went away cancels it."""
    return type(error).__name__ == "PreventUpdate" or isinstance(error, asyncio.CancelledError | GeneratorExit)

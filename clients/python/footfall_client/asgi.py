"""The middleware for ASGI applications, such as FastAPI's and Starlette's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from footfall_client.client import Client, connect

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MEASURED = "footfall_client.measured"


class Middleware:
    """An ASGI application that measures the HTTP requests of another one and changes nothing of it. Everything else, as
    websockets and lifespan, is passed through.

    A request lasts until its last byte was sent; one of server-sent events until its headers. It failed if an exception
    left the application before, or if its status is 500 or more; not if its client went away. Requests that another
    middleware of ours measures already are passed through.
    """

    def __init__(
        self,
        app: Application,
        server: str | None = None,
        key: str | None = None,
        *,
        site: str | None = None,
        instance: str | None = None,
        client: Client | None = None,
    ) -> None:
        """Server and key are `FOOTFALL_SERVER` and `FOOTFALL_INGEST_KEY` of the environment if they are not given.

        A key of every site needs the `site`; `instance` names this machine among several. Raises `ValueError` if the
        server is not an address.
        """
        self._app = app
        self.client = client or connect(server, key, instance, site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = self.client
        if scope["type"] != "http" or client is None or MEASURED in scope:
            await self._app(scope, receive, send)
            return
        scope[MEASURED] = True
        client.sender.start()
        running = client.requests.begin()

        async def pass_on(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.start":
                running.failed = message["status"] >= 500
                if _is_event_stream(message.get("headers", ())):
                    running.end()
            await send(message)
            if kind == "http.response.body" and not message.get("more_body"):
                running.end()

        try:
            await self._app(scope, receive, pass_on)
        except asyncio.CancelledError:
            running.end()
            raise
        except BaseException:
            running.end(failed=True)
            raise
        running.end()


def _is_event_stream(headers: Any) -> bool:
    if not isinstance(headers, list | tuple):
        return False  # perhaps an iterator, which only the server may use
    for name, value in headers:
        if name.lower() == b"content-type":
            return bool(value.lower().startswith(b"text/event-stream"))
    return False

"""The middleware for WSGI applications, such as Flask's and Django's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from footfall_client.client import Client, connect
from footfall_client.measure import Running

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MEASURED = "footfall_client.measured"


class Middleware:
    """A WSGI application that measures another one and changes nothing of it.

    A request lasts until the server closes the response; one of server-sent events until its headers. It failed if an
    exception left the application, or if its status is 500 or more. Requests that another middleware of ours measures
    already are passed through.
    """

    def __init__(
        self,
        app: WSGIApplication,
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

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = self.client
        if client is None or MEASURED in environ:
            return self._app(environ, start_response)
        environ[MEASURED] = True
        client.sender.start()
        running = client.requests.begin()

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            running.failed = status[:1] == "5"
            if _is_event_stream(headers):
                running.end()
            return start_response(status, headers) if exc_info is None else start_response(status, headers, exc_info)

        try:
            body = self._app(environ, start)
        except BaseException:
            running.end(failed=True)
            raise
        if isinstance(body, list | tuple) or _is_file(environ, body):
            running.end()  # the server needs to see what it is: it gives a length, or sends the file without Python
            return body
        return _Body(body, running)


class _Body:
    """The application's iterable; the request ends when it is closed."""

    __slots__ = ("_body", "_iterator", "_running")

    def __init__(self, body: Iterable[bytes], running: Running) -> None:
        self._body, self._running = body, running
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._iterator is None:
                self._iterator = iter(self._body)
            return next(self._iterator)
        except StopIteration:
            raise
        except BaseException:
            self._running.end(failed=True)
            raise

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        except BaseException:
            self._running.end(failed=True)
            raise
        self._running.end()

    def __del__(self) -> None:
        self._running.end()  # of a server that does not close


def _is_event_stream(headers: list[tuple[str, str]]) -> bool:
    for name, value in headers:
        if len(name) == 12 and name.lower() == "content-type":
            return value.lower().startswith("text/event-stream")
    return False


def _is_file(environ: WSGIEnvironment, body: Any) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)

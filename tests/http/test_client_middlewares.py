"""The middlewares of the Python client: they measure each request and change nothing of the application."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from footfall_client import asgi, wsgi
from footfall_client.client import Client, connect
from tests.support import client as support
from tests.support.client import KEY, posted, totals
from tests.support.proxy import free_port
from tests.support.receiver import Receiver, receiving
from tests.support.serving import eventually

HEADERS = [("Content-Type", "text/plain")]


@pytest.fixture
def footfall() -> Iterator[Receiver]:
    """A receiver in the place of Footfall."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def client(footfall) -> Iterator[Client]:
    client = connect(footfall.url, KEY, "web-1")
    assert client
    yield client
    client.sender.close(0.1)


def measured(client: Client) -> list[bool]:
    """Of each request that has ended, whether it failed."""
    return [failed for _, failed in client.requests.done]


# ── WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def call(application: Any, path: str = "/") -> tuple[str, list[bytes]]:
    """The status and the pieces of an answer, from an application that is called as servers do."""
    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    environ["wsgi.file_wrapper"] = FileWrapper
    said: list[str] = []

    def start_response(status: str, _headers: Any, _exc_info: Any = None) -> Callable[[bytes], object]:
        said.append(status)
        return lambda _: None

    body = application(environ, start_response)
    try:
        pieces = list(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return said[-1], pieces


class Body:
    """An iterable that records when it is closed, and may fail at either."""

    def __init__(self, *pieces: bytes, fails: str = "") -> None:
        self.pieces, self.fails, self.closed = iter(pieces), fails, 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.fails == "iterating":
            raise LookupError("iterating")

    def close(self) -> None:
        self.closed += 1
        if self.fails == "closing":
            raise LookupError("closing")


def answering(body: Iterable[bytes], status: str = "200 OK", headers: Any = HEADERS) -> Any:
    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(status, headers)
        return body

    return application


def test_a_request_ends_when_its_response_is_closed(client):
    body = Body(b"a", b"b")
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    response = wsgi.Middleware(answering(body), client=client)(environ, lambda *_: lambda _: None)
    assert isinstance(response, Iterator)
    assert [next(response), next(response)] == [b"a", b"b"]
    with pytest.raises(StopIteration):
        next(response)
    assert (measured(client), len(client.requests.running)) == ([], 1)
    response.close()  # type: ignore[attr-defined]
    assert (measured(client), len(client.requests.running), body.closed) == ([False], 0, 1)


def test_pieces_pass_one_by_one_as_the_application_makes_them(client):
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    response = iter(wsgi.Middleware(answering(pieces()), client=client)(environ, lambda *_: lambda _: None))
    assert (next(response), made) == (b"0", [0])
    assert (next(response), made) == (b"1", [0, 1])


@pytest.mark.parametrize(("status", "failed"), [("200 OK", False), ("404 X", False), ("500 X", True), ("503 X", True)])
def test_a_status_of_500_and_more_is_a_failure(client, status, failed):
    assert call(wsgi.Middleware(answering(Body(b"x"), status), client=client)) == (status, [b"x"])
    assert measured(client) == [failed]


def test_an_exception_of_the_application_passes_unchanged(client):
    error = LookupError("mine")

    def application(_environ: Any, _start_response: Any) -> Iterable[bytes]:
        raise error

    with pytest.raises(LookupError) as raised:
        call(wsgi.Middleware(application, client=client))
    assert raised.value is error
    assert (measured(client), len(client.requests.running)) == ([True], 0)


@pytest.mark.parametrize("when", ["iterating", "closing"])
def test_an_exception_of_the_response_passes_unchanged(client, when):
    body = Body(b"x", fails=when)
    with pytest.raises(LookupError, match=when):
        call(wsgi.Middleware(answering(body), client=client))
    assert (measured(client), body.closed) == ([True], 1)


def test_exc_info_reaches_the_server(client):
    given: list[Any] = []

    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", HEADERS)
        try:
            raise LookupError("late")
        except LookupError:
            start_response("500 Broken", HEADERS, sys.exc_info())
        return [b"broken"]

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    wsgi.Middleware(application, client=client)(environ, lambda *words: given.append(words))
    assert [len(words) for words in given] == [2, 3]
    assert given[1][2][0] is LookupError
    assert measured(client) == [True]


def test_the_callable_write_is_passed_on(client):
    written: list[bytes] = []

    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", HEADERS)(b"by write")
        return []

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    wsgi.Middleware(application, client=client)(environ, lambda *_: written.append)
    assert written == [b"by write"]


def test_lists_and_files_reach_the_server_as_they_are_since_it_sends_them_in_its_own_way(client, tmp_path):
    (tmp_path / "file").write_bytes(b"of a file")
    with (tmp_path / "file").open("rb") as file:
        for body in ([b"whole"], (b"whole",), FileWrapper(file)):
            environ: dict[str, Any] = {"wsgi.file_wrapper": FileWrapper}
            setup_testing_defaults(environ)
            application = wsgi.Middleware(answering(body), client=client)
            assert application(environ, lambda *_: lambda _: None) is body
    assert measured(client) == [False] * 3


def test_a_stream_of_events_lasts_until_its_headers(client):
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    headers = [("content-Type", "text/event-stream; charset=utf-8")]
    application = wsgi.Middleware(answering(Body(b"data: 1\n\n"), headers=headers), client=client)
    response = application(environ, lambda *_: lambda _: None)
    assert (measured(client), len(client.requests.running)) == ([False], 0)
    assert list(response) == [b"data: 1\n\n"]
    response.close()  # type: ignore[attr-defined]
    assert measured(client) == [False]


def test_a_response_that_the_server_forgets_ends_too(client):
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    wsgi.Middleware(answering(Body(b"x")), client=client)(environ, lambda *_: lambda _: None)
    assert (measured(client), len(client.requests.running)) == ([False], 0)


def test_a_request_is_measured_once_by_two_middlewares(client):
    call(wsgi.Middleware(wsgi.Middleware(answering(Body(b"x")), client=client), client=client))
    assert measured(client) == [False]


def test_the_middleware_is_correct_wsgi_on_both_of_its_sides(client, capfd):
    with serving(validator(wsgi.Middleware(validator(answering(Body(b"a", b"b"))), client=client))) as port:
        assert get(port, "/") == (200, b"ab")
    assert capfd.readouterr().err == ""
    assert measured(client) == [False]


def test_without_server_or_key_the_application_runs_without_being_measured(monkeypatch, caplog):
    monkeypatch.delenv("FOOTFALL_SERVER", raising=False)
    before = threading.active_count()
    assert call(wsgi.Middleware(answering(Body(b"x")))) == ("200 OK", [b"x"])
    assert "nothing is measured" in caplog.text
    assert threading.active_count() == before


def test_server_and_key_may_come_from_the_environment(monkeypatch, footfall):
    monkeypatch.setenv("FOOTFALL_SERVER", footfall.url)
    monkeypatch.setenv("FOOTFALL_INGEST_KEY", KEY)
    middleware = wsgi.Middleware(answering(Body(b"x")))
    call(middleware)
    assert middleware.client
    middleware.client.sender.close()
    assert totals(posted(footfall))["requests_per_second"] == 1
    assert footfall.received[0].headers["authorization"] == f"Bearer {KEY}"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """The port of a server with that application."""
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_requests_of_a_real_server_arrive_with_all_that_is_measured(client, footfall):
    with make_server(
        "127.0.0.1", 0, wsgi.Middleware(answering(Body(b"x")), client=client), handler_class=_Quiet
    ) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        for _ in range(5):
            connection = http.client.HTTPConnection("127.0.0.1", one.server_port)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
        one.shutdown()
        thread.join()
    eventually(lambda: {"cpu_percent", "requests_per_second"} <= totals(posted(footfall)).keys())
    client.sender.close()
    samples = posted(footfall)
    assert totals(samples)["requests_per_second"] == 5
    names = {"requests_per_second", "queue_depth", "response_time_ms", "response_time_p95_ms", "error_rate"}
    assert {one["name"] for one in samples} == names | {"cpu_percent", "memory_percent"}
    assert {one["tags"]["instance"] for one in samples} == {"web-1"}


# ── ASGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(application: asgi.Application, scope: dict[str, Any], fails: bool = False) -> list[Any]:
    """What an application sends, called once as servers do; with `fails` the client has gone."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if fails:
            raise OSError("the client has gone")
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent


def asgi_answering(status: int = 200, kind: bytes = b"text/plain", then: BaseException | None = None) -> Any:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"Content-Type", kind)]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})
        if then:
            raise then

    return application


@pytest.mark.parametrize(("status", "failed"), [(200, False), (404, False), (500, True), (503, True)])
def test_an_asgi_request_is_measured_and_its_messages_pass_unchanged(client, status, failed):
    sent = run(asgi.Middleware(asgi_answering(status), client=client), {"type": "http"})
    assert sent == run(asgi_answering(status), {"type": "http"})
    assert (measured(client), len(client.requests.running)) == ([failed], 0)


def test_what_an_application_does_after_its_response_is_not_part_of_the_request(client):
    seen: list[list[bool]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asgi_answering()(scope, receive, send)
        seen.append(measured(client))
        raise LookupError("a task in the background")

    with pytest.raises(LookupError):
        run(asgi.Middleware(application, client=client), {"type": "http"})
    assert (seen, measured(client)) == ([[False]], [False])


def test_an_exception_of_an_asgi_application_passes_unchanged(client):
    error = LookupError("mine")

    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise error

    with pytest.raises(LookupError) as raised:
        run(asgi.Middleware(application, client=client), {"type": "http"})
    assert raised.value is error
    assert measured(client) == [True]


def test_a_request_that_its_server_cancels_has_not_failed(client):
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(asgi.Middleware(application, client=client), {"type": "http"})
    assert measured(client) == [False]


def test_an_asgi_stream_of_events_lasts_until_its_headers(client):
    seen: list[list[bool]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def look(message: Any) -> None:
            await send(message)
            seen.append(measured(client))

        await asgi_answering(kind=b"text/event-stream")(scope, receive, look)

    run(asgi.Middleware(application, client=client), {"type": "http"})
    assert seen == [[False]] * 3


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "of.the.future"])
def test_everything_but_http_passes_through(client, kind):
    given: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        given.append((scope, receive, send))

    async def nothing(*_: Any) -> Any:
        return None

    scope = {"type": kind}
    asyncio.run(asgi.Middleware(application, client=client)(scope, nothing, nothing))
    assert given == [({"type": kind}, nothing, nothing)]
    assert measured(client) == []


def test_an_asgi_request_is_measured_once_by_two_middlewares(client):
    run(asgi.Middleware(asgi.Middleware(asgi_answering(), client=client), client=client), {"type": "http"})
    assert measured(client) == [False]


ASGI_APPLICATION = """
from footfall_client import asgi

async def hello(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/broken":
        raise RuntimeError("broken")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for number in range(3):
        await send({"type": "http.response.body", "body": b"%d" % number, "more_body": number < 2})

app = asgi.Middleware(hello, instance="web-1")
"""


@contextmanager
def granian(footfall: Receiver, folder: Any) -> Iterator[int]:
    """The port of Granian with that application; it is stopped as its users do."""
    (folder / "hello.py").write_text(ASGI_APPLICATION)
    port = free_port()
    words = ("--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-log")
    with subprocess.Popen(
        [sys.executable, "-m", "granian", *words, "hello:app"],
        cwd=folder,
        env=support.environment(footfall),
        start_new_session=True,
    ) as process:
        try:
            eventually(lambda: process.poll() is not None or _listens(port), within=60)
            yield port
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_requests_behind_granian_are_counted_and_none_is_lost_at_the_end(footfall, tmp_path):
    with granian(footfall, tmp_path) as port:
        assert [get(port, "/") for _ in range(9)] == [(200, b"012")] * 9
        assert get(port, "/broken")[0] == 500
    samples = posted(footfall)
    assert totals(samples)["requests_per_second"] == 10
    assert max(one["value"] for one in samples if one["name"] == "error_rate") > 0

"""What the Python client costs the application that it measures: per request, and per callback of Dash."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from dash import Dash, Input, Output, html

import footfall_client.dash
from benchmarks.common import Report, spread
from footfall_client import asgi, wsgi
from footfall_client.client import Client, connect
from tests.support.client import posted, totals
from tests.support.proxy import free_port
from tests.support.receiver import Receiver, receiving, silent

MAX_US = 20.0
ROUNDS, REQUESTS, CALLBACKS = 40, 5_000, 300
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "5")]
KEY = "ff_ingest_key"
Run = Callable[[int], None]


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the difference that the client makes, in turns with and without it, while its thread sends."""
    rounds = 6 if short else ROUNDS
    report.say(
        f"  {rounds} rounds of {REQUESTS:,} requests with and without, in turns, in one thread; the sender's thread"
    )
    report.say("  posts every second. The difference per request, median of the rounds:")
    with receiving() as footfall:
        _wsgi(report, "WSGI", footfall, footfall.url, rounds)
        _asgi(report, footfall, rounds)
        _dash(report, footfall, rounds)
    _wsgi(report, "WSGI, Footfall is away", None, f"http://127.0.0.1:{free_port()}", rounds)
    with receiving() as hanging:
        hanging.replies += [silent(hanging)] * 1000
        _wsgi(report, "WSGI, Footfall hangs", None, hanging.url, rounds)


def _compare(report: Report, name: str, with_it: Run, without: Run, rounds: int, requests: int) -> list[float]:
    """The microseconds that each round took longer per request."""
    with_it(requests)  # not counted: the first request starts the thread
    without(requests)
    plain, more = [], []
    for number in range(rounds):
        took = {}
        for one in (with_it, without) if number % 2 else (without, with_it):
            begun = time.perf_counter()
            one(requests)
            took[one] = (time.perf_counter() - begun) / requests * 1e6
        plain.append(took[without])
        more.append(took[with_it] - took[without])
    report.figure(f"{name}: without", f"{spread(plain, 1)} µs")
    return more


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wsgi(report: Report, name: str, footfall: Receiver | None, url: str, rounds: int) -> None:
    with _client(url) as client:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)

        def served_by(application: Any) -> Run:
            def serve(requests: int) -> None:
                for _ in range(requests):
                    body = application(environ.copy(), _start_response)
                    for _piece in body:
                        pass
                    body.close()

            return serve

        more = _compare(
            report, name, served_by(wsgi.Middleware(_hello, client=client)), served_by(_hello), rounds, REQUESTS
        )
        report.at_most(f"{name}: the middleware", statistics.median(more), MAX_US, "µs", _ends(more))
    if footfall:
        _print_lost(report, footfall, (rounds + 1) * REQUESTS)


class _Body:
    """An iterable like those of frameworks: no list, and closed."""

    def __init__(self) -> None:
        self._pieces = iter((b"hello",))

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        pass


def _hello(_environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return _Body()


def _start_response(_status: str, _headers: Any, _exc_info: Any = None) -> Any:
    return lambda _: None


def _asgi(report: Report, footfall: Receiver, rounds: int) -> None:
    footfall.received.clear()
    with _client(footfall.url) as client, asyncio.Runner() as runner:

        def served_by(application: Any) -> Run:
            async def serve(requests: int) -> None:
                for _ in range(requests):
                    await application({"type": "http", "path": "/", "headers": []}, _receive, _send)

            return lambda requests: runner.run(serve(requests))

        measured = served_by(asgi.Middleware(_hello_asgi, client=client))
        more = _compare(report, "ASGI", measured, served_by(_hello_asgi), rounds, REQUESTS)
        report.at_most("ASGI: the middleware", statistics.median(more), MAX_US, "µs", _ends(more))
    _print_lost(report, footfall, (rounds + 1) * REQUESTS)


async def _hello_asgi(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_message: Any) -> None:
    return None


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dash(report: Report, footfall: Receiver, rounds: int) -> None:
    footfall.received.clear()
    plain, measured = _application(), _application()
    footfall_client.dash.install(measured, footfall.url, "example.com", KEY, user=lambda: "ann")
    more = _compare(report, "Dash callback", _called(measured), _called(plain), rounds, CALLBACKS)
    report.figure("Dash callback: the plugin", f"{spread(more, 1)} µs, request and user included")
    for sender in list(footfall_client.sender._senders):
        sender.close()
    called = totals(posted(footfall))["callback_runs"]
    report.zero("  callbacks that were not counted", (rounds + 1) * CALLBACKS - round(called))


def _application() -> Dash:
    app = Dash(__name__)
    app.layout = html.Div([html.Div(id="in"), html.Div(id="out")])

    @app.callback(Output("out", "children"), Input("in", "children"))
    def answer(value: str) -> str:
        return value

    return app


def _called(app: Dash) -> Run:
    """Posts a callback as a browser does."""
    browser = app.server.test_client()
    body = {
        "output": "out.children",
        "outputs": {"id": "out", "property": "children"},
        "inputs": [{"id": "in", "property": "children", "value": "x"}],
        "changedPropIds": ["in.children"],
    }
    headers = {"Referer": "http://example.com/sales", "User-Agent": "Firefox"}

    def call(requests: int) -> None:
        for _ in range(requests):
            answer = browser.post("/_dash-update-component", json=body, headers=headers)
            assert answer.status_code == 200
            answer.close()

    return call


# ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _client(url: str) -> Iterator[Client]:
    client = connect(url, KEY, "bench")
    assert client
    yield client
    client.sender.close()


def _ends(values: list[float]) -> str:
    return f"[{min(values):.1f}–{max(values):.1f}]"


def _print_lost(report: Report, footfall: Receiver, requests: int) -> None:
    arrived = round(totals(posted(footfall))["requests_per_second"])
    report.zero("  requests that were not counted", requests - arrived)

"""The examples of the Python client, each served by its own server, as people try them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.support.client import PYTHON, environment, posted, totals
from tests.support.proxy import free_port
from tests.support.receiver import Receiver, receiving
from tests.support.serving import eventually

EXAMPLES = PYTHON / "examples"
WEB = ("flask_app.py",)
GUNICORN = ("-m", "gunicorn", "--workers", "2", "--threads", "4", "--log-level", "error", "--bind")


@pytest.fixture
def footfall() -> Iterator[Receiver]:
    """A receiver in the place of Footfall."""
    with receiving() as receiver:
        yield receiver


@contextmanager
def serving(footfall: Receiver, *words: str, port: int, end: signal.Signals = signal.SIGINT) -> Iterator[int]:
    """The port of a program that serves; it is ended by that signal, which is not an error."""
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=EXAMPLES,
        env=environment(footfall) | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - one call, before anything runs
    ) as process:
        try:
            eventually(lambda: process.poll() is not None or _listens(port), within=60)
            yield port
            process.send_signal(end)
            process.wait(20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _heed_interrupts() -> None:
    """What a shell starts in the background ignores them, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def ask(port: int, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """The status and the text of an answer; with a body it is posted as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        sent = None if body is None else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": "application/json"} if sent else {}
        connection.request("GET" if sent is None else "POST", path, sent, named | kind)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def walk_through(port: int) -> int:
    """Asks for every page of a web example, and returns how often."""
    assert "Hello from" in ask(port, "/")[1]
    assert ask(port, "/rows") == (200, "".join(f"{number}\n" for number in range(100)))
    assert ask(port, "/nothing")[0] == 404
    assert ask(port, "/broken")[0] == 500
    return 4


@pytest.mark.parametrize("name", WEB)
def test_an_example_is_measured_and_loses_no_request_at_its_end(footfall, name):
    with serving(footfall, name, port=free_port()) as port:
        asked = walk_through(port) + walk_through(port)
        eventually(lambda: "cpu_percent" in totals(posted(footfall)))
    samples = posted(footfall)
    assert totals(samples)["requests_per_second"] == asked
    assert max(one["value"] for one in samples if one["name"] == "error_rate") > 0
    assert all(one["tags"] == {"instance": socket.gethostname(), "process": "1"} for one in samples)


def test_the_flask_example_behind_gunicorn_loses_nothing_of_either_worker(footfall):
    port = free_port()
    words = (*GUNICORN, f"127.0.0.1:{port}", "flask_app:app")
    asked = 0

    def both_serve() -> bool:
        nonlocal asked
        assert set(pool.map(ask, [port] * 8, ["/rows"] * 8)) == {(200, "".join(f"{number}\n" for number in range(100)))}
        asked += 8
        return {one["tags"]["process"] for one in posted(footfall)} == {"1", "2"}

    with serving(footfall, *words, port=port, end=signal.SIGTERM), ThreadPoolExecutor(8) as pool:
        eventually(both_serve, within=60)
        asked += walk_through(port)
    assert totals(posted(footfall))["requests_per_second"] == asked


def test_the_dash_example_is_measured_with_its_callbacks_and_people(footfall):
    body = {
        "output": "chosen.children",
        "outputs": {"id": "chosen", "property": "children"},
        "inputs": [{"id": "choice", "property": "value", "value": "two"}],
        "changedPropIds": ["choice.value"],
    }
    with serving(footfall, "dash_app.py", port=free_port()) as port:
        assert "_footfall.js" in ask(port, "/")[1]
        seen = {"X_Forwarded_User": "ann", "Referer": f"http://127.0.0.1:{port}/", "User_Agent": "Firefox"}
        assert "You chose two" in ask(port, "/_dash-update-component", body, **seen)[1]
        body["inputs"] = [{"id": "choice", "property": "value", "value": "broken"}]
        assert ask(port, "/_dash-update-component", body, **seen)[0] == 500
        view = {"type": "pageview", "id": "a1b2c3d4", "url": "http://127.0.0.1/"}
        assert ask(port, "/_footfall", [view], **seen) == (202, "{}")
    assert totals(posted(footfall))["callback_runs"] == 2
    events = posted(footfall, "/api/collect")
    assert {(one["type"], one.get("name"), one["user_id"]) for one in events} == {
        ("pageview", None, "ann"),
        ("event", "Callback", "ann"),
        ("event", "Callback Error", "ann"),
    }

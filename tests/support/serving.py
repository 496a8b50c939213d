"""The shipped server as a process of its own, and clients that talk to it from outside."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

import psycopg

from analytics.base.config import Config
from analytics.storage.database import Database
from collector import control
from tests.support import preloaded

ROOT = Path(__file__).parents[2]
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SITE = "example.com"
T = TypeVar("T")


class Answer(NamedTuple):
    """A whole HTTP answer; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A running `python app.py serve`; `command` runs the command line on the same data."""

    def __init__(
        self, config: Config, *options: str, command: str = "serve", before: Sequence[str] = (), **environment: str
    ) -> None:
        self.config = config
        self.environment = environment_of(config) | environment
        start = subprocess.Popen if before else preloaded.popen
        self.process = start(
            [*before, sys.executable, "app.py", *command.split(), "--port", "0", *options],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()
        self.port = self._wait_until_ready()
        self.url = f"http://127.0.0.1:{self.port}"

    def _drain(self) -> None:
        assert self.process.stderr
        self.errors.extend(self.process.stderr)

    def _wait_until_ready(self) -> int:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if found := re.match(r"Footfall is ready on http://[^:]+:(\d+)$", self.lines[-1]):
                return int(found.group(1))
        raise AssertionError(f"the server did not start: {self.process.wait()}\n{''.join(self.errors)}")

    def command(self, *words: str, stdin: str = "") -> str:
        """The output of a command, which must succeed."""
        done = run_command(self.config, *words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def tell(self, name: str, /, **options: Any) -> str:
        """The answer to a command over the control socket, as the command line sends it; needs no process, so quick."""
        return control.ask(self.config.data_dir, name, options)

    def sign_in(self, email: str, password: str) -> str:
        """The `Cookie` header of a new login."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.request("POST", "/sign-in", urlencode({"email": email, "password": password}), form)
        assert answer.status == 302, answer
        return answer.headers["set-cookie"].partition(";")[0]

    def connect(self, timeout: float = 15) -> socket.socket:
        """A bare connection, for what no HTTP client would send."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Answer:
        """One request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def collect(self, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Posts to the collector, as a browser's script would; `body` is made JSON unless it is bytes."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request(
            "POST",
            "/api/collect",
            sent,
            {"Content-Type": "text/plain;charset=UTF-8", "User-Agent": AGENT} | dict(headers or {}),
        )

    def stop(self) -> int:
        """Ends the server as an operator would (SIGTERM) and returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def close(self) -> None:
        """Kills the server if it still runs, and closes its pipes."""
        if self.process.poll() is None:
            self.kill()
        self._drainer.join(5)
        if self.process.returncode not in (0, -signal.SIGKILL):
            print(f"the server ended with {self.process.returncode}", *self.errors, sep="\n")  # pytest shows it
        assert self.process.stdout
        assert self.process.stderr
        self.process.stdout.close()
        self.process.stderr.close()

    def kill(self) -> None:
        """Ends the server as the kernel would (SIGKILL)."""
        self.process.kill()
        self.process.wait(10)


# Python code that starts Python so that it reacts to Ctrl-C: a process that a script starts in the background inherits
# that the signal is ignored.
AS_ON_A_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def environment_of(config: Config) -> dict[str, str]:
    """The environment of a process that works on that installation."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    return inherited | {
        "FOOTFALL_DATA_DIR": str(config.data_dir),
        "FOOTFALL_DATABASE_URL": config.database_url,
        "PYTHONWARNINGS": "default",
    }


def with_data(config: Config) -> Config:
    """The installation, with a database: commands do not create one."""
    Database(config).close()
    return config


def run_command(config: Config, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command line on that installation."""
    command = [sys.executable, "app.py", *words]
    return preloaded.run(command, stdin=stdin, timeout=180, cwd=ROOT, env=environment_of(config))


@contextmanager
def serving(
    config: Config, *options: str, command: str = "serve", before: Sequence[str] = (), **environment: str
) -> Iterator[Server]:
    """A server for the length of a block. `before` is the program in front, like `("setpriv", "--no-new-privs")`."""
    server = Server(config, *options, command=command, before=before, **environment)
    try:
        yield server
    finally:
        server.close()


class Message(NamedTuple):
    """One message of a live stream."""

    id: str
    type: str
    data: Any


class Listener:
    """One open live stream: `lines` (with their monotonic time) and `messages` fill as they come. Close it.

    `ended` is set when the server has ended it. With a status other than 200 there are no lines.
    """

    def __init__(
        self, server: Server, query: str, headers: Mapping[str, str] | None = None, path: str = "/api/live/stream"
    ) -> None:
        self.lines: list[tuple[float, str]] = []
        self.messages: list[Message] = []
        self.ended = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=40)
        self._connection.request("GET", f"{path}?{query}", headers=dict(headers or {}))
        assert self._connection.sock
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        message_id = ""
        with suppress(OSError, http.client.HTTPException, ValueError):
            for raw in self._response:
                line = raw.decode().rstrip("\n")
                self.lines.append((time.monotonic(), line))
                field, _, value = line.partition(": ")
                if field == "id":
                    message_id = value
                elif field == "data":
                    self.messages.append(Message(message_id, **json.loads(value)))
        self.ended.set()

    def of(self, kind: str) -> list[Message]:
        """The messages of one type so far."""
        return [message for message in self.messages if message.type == kind]

    def close(self) -> None:
        """Closes the connection, as a closed tab does."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._response.close()
        self._connection.close()


@contextmanager
def listening(
    server: Server, query: str, headers: Mapping[str, str] | None = None, path: str = "/api/live/stream"
) -> Iterator[Listener]:
    """A stream that is open for the length of a block."""
    listener = Listener(server, query, headers, path)
    try:
        yield listener
    finally:
        listener.close()


def eventually(check: Callable[[], T], within: float = 20.0) -> T:
    """The result of `check` as soon as it is truthy; fails with the last result after so many seconds."""
    end = time.monotonic() + within
    while not (value := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s; at last: {value!r}")
        time.sleep(0.01)
    return value


def rows(config: Config, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, read from the database itself without our code."""
    if config.embedded:
        with closing(sqlite3.connect(config.data_dir / "footfall.db", timeout=10)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(config.database_url) as connection:
        return connection.execute(statement.encode()).fetchall()


def received(connection: socket.socket, until: str = "$ends", within: float = 15) -> str:
    """The text received over a bare connection, up to that text or to its end."""
    connection.settimeout(within)
    text = ""
    with suppress(ConnectionError):
        while until not in text and (piece := connection.recv(65536)):
            text += piece.decode("latin-1")
    return text


def pageview(page_id: str, path: str = "/", site: str = SITE, **fields: Any) -> dict[str, Any]:
    """A pageview on the wire."""
    return {"site": site, "type": "pageview", "id": page_id, "url": f"https://{site}{path}"} | fields


def heartbeat(page_id: str, site: str = SITE, **fields: Any) -> dict[str, Any]:
    """A heartbeat on the wire."""
    return {"site": site, "type": "heartbeat", "pageview": page_id} | fields


def leave(page_id: str, site: str = SITE, **fields: Any) -> dict[str, Any]:
    """A leave on the wire."""
    return {"site": site, "type": "leave", "pageview": page_id} | fields


def event(event_id: str, name: str, path: str = "/", site: str = SITE, **fields: Any) -> dict[str, Any]:
    """An event on the wire."""
    return {"site": site, "type": "event", "id": event_id, "name": name, "url": f"https://{site}{path}"} | fields

"""The shipped server as a process of its own, and clients that talk to it as the outside does."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from analytics.config import Config

ROOT = Path(__file__).parent.parent
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SITE = "example.com"


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

    def __init__(self, config: Config, *options: str, command: str = "serve", **environment: str) -> None:
        self.config = config
        self.environment = _environment(config) | environment
        self.process = subprocess.Popen(
            [sys.executable, "app.py", command, "--port", "0", *options],
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

    def command(self, *words: str, given: str = "") -> str:
        """What a command prints; it has to succeed."""
        done = run_command(self.config, *words, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def request(
        self, method: str, path: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None, timeout: float = 10
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
        """Ends it as an operator would (SIGTERM) and gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def close(self) -> None:
        """Kills it where it still runs, and closes its pipes."""
        if self.process.poll() is None:
            self.kill()
        self._drainer.join(5)
        assert self.process.stdout
        assert self.process.stderr
        self.process.stdout.close()
        self.process.stderr.close()

    def kill(self) -> None:
        """Ends it as the kernel would (SIGKILL)."""
        self.process.kill()
        self.process.wait(10)


def _environment(config: Config) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    return kept | {
        "FOOTFALL_DATA_DIR": str(config.data_dir),
        "FOOTFALL_DATABASE_URL": config.database_url,
        "PYTHONWARNINGS": "default",
    }


def run_command(config: Config, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """The command line on that installation."""
    return subprocess.run(
        [sys.executable, "app.py", *words],
        cwd=ROOT,
        env=_environment(config),
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(config: Config, *options: str, command: str = "serve", **environment: str) -> Iterator[Server]:
    """A server for the length of a block, with the site example.com unless it has one already."""
    server = Server(config, *options, command=command, **environment)
    try:
        yield server
    finally:
        server.close()


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

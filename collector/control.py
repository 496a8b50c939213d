"""The control socket: on SQLite only the server may open the file, so commands go through the server.

The protocol: one JSON line as request; lines with the progress of a long command and one line with its result as
response. The socket is a Unix socket in the data directory that only its owner can open.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput
from analytics.base.program import command

log = logging.getLogger("footfall.control")

NAME = "control.sock"
MAX_PATH_BYTES = 100  # the system allows 107
MAX_LINE = 1024 * 1024
MAX_ANSWER = 256 * MAX_LINE  # a query may return 10,000 rows
ANSWER_TIMEOUT_S = 300.0

OnProgress = Callable[[str], None]
RunCommand = Callable[[str, dict[str, Any], OnProgress], str]


class NoServer(ConnectionError):
    """No server uses that data directory."""


@contextlib.contextmanager
def _short_path(data_dir: Path) -> Any:
    """A path to the socket that is short enough, however long the path of the data directory is."""
    path = str((data_dir / NAME).absolute())
    if len(path.encode()) <= MAX_PATH_BYTES:
        yield path
        return
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def ask(data_dir: Path, name: str, options: dict[str, Any], on_progress: OnProgress = lambda _: None) -> str:
    """Runs a command in the running server and returns its text. `on_progress` receives progress texts.

    Raises `NoServer` if no server runs, and `InvalidInput` if the command does.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(ANSWER_TIMEOUT_S)
        try:
            with _short_path(data_dir) as path:
                client.connect(path)
        except OSError:
            raise NoServer(
                f"no server is running on {data_dir.absolute()}; start one with {command('serve')}"
            ) from None
        client.sendall(json.dumps({"command": name, "options": options}).encode() + b"\n")
        with client.makefile("rb") as file:
            answer = _line(file)
            while "so_far" in answer:
                on_progress(answer["so_far"])
                answer = _line(file)
    if "error" in answer:
        raise InvalidInput(answer["error"])
    return str(answer["text"])


def _line(file: IO[bytes]) -> dict[str, str]:
    line: dict[str, str] = json.loads(file.readline(MAX_ANSWER) or b'{"error": "the server went away"}')
    return line


class Control:
    """Listens in the data directory and runs each command in its own thread; close it at the end."""

    def __init__(self, data_dir: Path, run: RunCommand) -> None:
        self._run = run
        self._path = data_dir / NAME
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            with _short_path(data_dir) as path:
                self._socket.bind(path)
        finally:
            os.umask(umask)
        self._socket.listen(8)
        self._thread = threading.Thread(target=self._listen, name="footfall-control", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="footfall-command", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        def send(**line: str) -> None:
            client.sendall(json.dumps(line).encode() + b"\n")

        with client, contextlib.suppress(OSError):  # the client has disconnected: that ends a long command
            client.settimeout(10)
            with client.makefile("rb") as file:
                send(**self._answer(file.readline(MAX_LINE), lambda so_far: send(so_far=so_far)))

    def _answer(self, line: bytes, on_progress: OnProgress) -> dict[str, str]:
        try:
            request = json.loads(line)
            return {"text": self._run(request["command"], request["options"], on_progress)}
        except InvalidInput as wrong:
            return {"error": str(wrong)}
        except ConnectionError:
            raise
        except Exception as failed:
            log.error("a command failed: %s", describe(failed))
            return {"error": f"the server could not do it: {describe(failed)}"}

    def close(self) -> None:
        """Stops listening."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

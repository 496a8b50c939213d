"""The control socket: on SQLite the server owns the file, so commands go through it.

One JSON line in; out come lines that say how far a long command is, and one with its result; over a Unix socket in
the data directory that only its owner can open.
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
LONGEST_PATH = 100  # a socket's path has room for 107 bytes
LONGEST_LINE = 1024 * 1024
LONGEST_ANSWER = 256 * LONGEST_LINE  # the answer to a question may have 10,000 rows
PATIENCE_S = 300.0

Tell = Callable[[str], None]
Run = Callable[[str, dict[str, Any], Tell], str]


class NoServer(ConnectionError):
    """No server is running on that data directory."""


@contextlib.contextmanager
def _short(data_dir: Path) -> Any:
    """A path to the socket that is short enough, however deep the data directory lies."""
    path = str((data_dir / NAME).absolute())
    if len(path.encode()) <= LONGEST_PATH:
        yield path
        return
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def ask(data_dir: Path, name: str, options: dict[str, Any], tell: Tell = lambda _: None) -> str:
    """What the running server's command says; `NoServer` where none runs, `InvalidInput` as the command raises it.

    `tell` hears how far it is.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(PATIENCE_S)
        try:
            with _short(data_dir) as path:
                client.connect(path)
        except OSError:
            raise NoServer(
                f"no server is running on {data_dir.absolute()}; start one with {command('serve')}"
            ) from None
        client.sendall(json.dumps({"command": name, "options": options}).encode() + b"\n")
        with client.makefile("rb") as file:
            answer = _line(file)
            while "so_far" in answer:
                tell(answer["so_far"])
                answer = _line(file)
    if "error" in answer:
        raise InvalidInput(answer["error"])
    return str(answer["text"])


def _line(file: IO[bytes]) -> dict[str, str]:
    line: dict[str, str] = json.loads(file.readline(LONGEST_ANSWER) or b'{"error": "the server went away"}')
    return line


class Control:
    """Listens in the data directory and runs what is asked, each in a thread of its own; close it at the end."""

    def __init__(self, data_dir: Path, run: Run) -> None:
        self._run = run
        self._path = data_dir / NAME
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            with _short(data_dir) as path:
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
        def say(**line: str) -> None:
            client.sendall(json.dumps(line).encode() + b"\n")

        with client, contextlib.suppress(OSError):  # whoever asked has gone away: a long command ends there
            client.settimeout(10)
            with client.makefile("rb") as file:
                say(**self._answer(file.readline(LONGEST_LINE), lambda so_far: say(so_far=so_far)))

    def _answer(self, line: bytes, tell: Tell) -> dict[str, str]:
        try:
            asked = json.loads(line)
            return {"text": self._run(asked["command"], asked["options"], tell)}
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

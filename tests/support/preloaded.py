"""A process that has loaded Footfall once and forks itself. Each server and each command of the tests starts from that
state, with nothing opened and no thread started. Loading takes seconds, and the tests start hundreds of processes.

`popen` is `subprocess.Popen` for `python app.py …`. The new process is a child of the tests, with the pipes, the
environment and the folder of the call, so it is waited for, signalled and killed like any other. Tests that need an
interpreter of their own (another user, limits, another program in front) uses `subprocess`.
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
PR_SET_CHILD_SUBREAPER = 36
MAX_REQUEST = 1 << 20  # bytes: the words and the environment


# ── in the tests' process ────────────────────────────────────────────────────────────────────────────────────────────


class _Preloaded:
    """The process that forks. It ends when the tests do, which closes their end of the socket."""

    def __init__(self) -> None:
        # A grandchild becomes our child when its parent ends, rather than init's, so that it can be waited for.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.preloaded", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONWARNINGS": "default"},
            )

        atexit.register(self._end)

    def _end(self) -> None:
        self._socket.close()
        self.process.wait(60)

    def start(self, argv: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> int:
        """The pid of a new process that runs `app.main`."""
        request = json.dumps({"argv": argv, "folder": folder, "environment": environment}).encode()
        assert len(request) < MAX_REQUEST
        with self._lock:
            socket.send_fds(self._socket, [request], streams)
            return int(self._socket.recv(64))


_preloaded: _Preloaded | None = None


def _process() -> _Preloaded:
    global _preloaded  # noqa: PLW0603 - one for all tests of this process, when first needed
    if _preloaded is None:
        _preloaded = _Preloaded()
    return _preloaded


class popen(subprocess.Popen[str]):  # noqa: N801 - it replaces Popen
    """`Popen([sys.executable, "app.py", …])` without the loading. Requires `cwd` and `env`."""

    def _execute_child(
        self, args: list[str], _: Any, __: Any, ___: Any, ____: Any, cwd: Any, env: Any, *rest: Any
    ) -> None:
        python, program, *words = map(str, args)
        assert (python, Path(program).name) == (sys.executable, "app.py")
        p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = rest[3:9]
        streams = [p2cread, c2pwrite, errwrite]
        streams = [number if stream == -1 else stream for number, stream in enumerate(streams)]
        self.pid = _process().start([program, *words], str(cwd), env, streams)
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)


def run(args: list[str], *, stdin: str, timeout: float, **options: Any) -> subprocess.CompletedProcess[str]:
    """Like `subprocess.run`: waits for the end, and captures the output."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with popen(args, **pipes, **options) as process:
        try:
            out, err = process.communicate(stdin, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(args, process.returncode, out, err)


# ── in the process that forks ────────────────────────────────────────────────────────────────────────────────────────


def _fork(request: bytes, streams: list[int], control: socket.socket) -> bool:
    """Starts a process for the request, and answers with its pid. True in the new process, False in this one."""
    reading, writing = os.pipe()
    between = os.fork()
    if between:
        os.close(writing)
        os.waitpid(between, 0)  # from now on the new process is a child of the tests
        with open(reading, "rb") as pipe:
            control.send(pipe.read())
        for stream in streams:
            os.close(stream)
        return False
    if pid := os.fork():
        os.write(writing, str(pid).encode())
        os._exit(0)
    os.close(reading)
    os.close(writing)
    control.close()
    _become(json.loads(request), streams)
    return True


def _become(request: dict[str, Any], streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = request["argv"]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # as app.py has it while it loads


def main() -> NoReturn:
    """Serves requests until the tests end; in a forked process, runs that process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then close the socket
    import app

    assert threading.active_count() == 1, "what is forked must have one thread"
    faulthandler.enable()  # a process that aborts prints where each thread was
    gc.freeze()  # the shared objects need no garbage collection
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        request, streams, _, _ = socket.recv_fds(control, MAX_REQUEST, 3)
        if not request:
            os._exit(0)
        if _fork(request, streams, control):
            app.main()
            sys.exit(0)


if __name__ == "__main__":
    main()

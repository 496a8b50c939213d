"""Records which functions of the project run, in every thread, while something happens."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
ROOMS = ("analytics", "collector", "callbacks", "layouts", "app.py", "cli.py")


class Call(NamedTuple):
    """One call: `function` as "file:name"; `caller` is the project's function before it, "" for a thread's first."""

    thread: str
    function: str
    caller: str

    @property
    def file(self) -> str:
        """The file of the function."""
        return self.function.partition(":")[0]


class Tracing:
    """The calls of one recording, in order. `begin` and `end` may be called several times."""

    def __init__(self, threads: Collection[str], without: Collection[str]) -> None:
        self.calls: list[Call] = []
        self._threads = threads
        self._without = without
        self._on = False

    def begin(self) -> None:
        """Records from now on."""
        self._on = True

    def end(self) -> None:
        """Stops recording."""
        self._on = False

    @property
    def functions(self) -> list[str]:
        """The different functions, in the order in which they first ran."""
        return list(dict.fromkeys(call.function for call in self.calls))

    @property
    def files(self) -> list[str]:
        """The different files, in the order in which they first ran."""
        return list(dict.fromkeys(call.file for call in self.calls))

    def hook(self, frame: FrameType, event: str, _: Any) -> None:
        """The function for `sys.setprofile`."""
        if not self._on or event != "call" or not (function := _name(frame)):
            return
        thread, callers = threading.current_thread().name, list(_callers(frame))
        left_out = any(caller.partition(":")[2] in self._without for caller in (function, *callers))
        if not left_out and (not self._threads or thread in self._threads):
            self.calls.append(Call(thread, function, callers[0] if callers else ""))


def _callers(frame: FrameType) -> Iterator[str]:
    while frame.f_back:
        frame = frame.f_back
        if function := _name(frame):
            yield function


def _name(frame: FrameType) -> str:
    """The project's function of the frame, as "file:name"; "" for other code."""
    path = frame.f_code.co_filename
    if not path.startswith(f"{ROOT}/"):
        return ""
    file = path.removeprefix(f"{ROOT}/")
    inner = frame.f_code.co_name.startswith("<")  # a comprehension is part of its function
    return "" if inner or not file.startswith(ROOMS) else f"{file}:{frame.f_code.co_qualname}"


@contextmanager
def tracing(without: Collection[str] = (), threads: Collection[str] = ()) -> Iterator[Tracing]:
    """Watches the threads of these names (without any: all) that start within the block; records from `begin` on.

    `without` are functions ("Class.name") below which nothing counts.
    """
    recording = Tracing(threads, without)
    threading.setprofile(recording.hook)
    try:
        yield recording
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]  # which the typeshed lacks

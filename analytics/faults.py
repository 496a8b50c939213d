"""Faults: how a failure is told in the log. What failed and where, never its words: they may hold what a visitor sent.

`tests/unit/test_architecture.py` holds every room to it.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

log = logging.getLogger("footfall.faults")

FORMAT = "%(levelname)s %(name)s: %(message)s"
MOST_FRAMES = 10
MOST_CAUSES = 4


def told(error: BaseException) -> str:
    """One line: the type and the innermost frames, innermost first; the same of its causes.

    Like `OperationalError at collector/writer.py:214 _store < … from OperationalError SQLITE_FULL at …`.
    """
    return " from ".join(map(_placed, _causes(error)))


def _placed(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    where = " < ".join(f"{'/'.join(PurePath(one.filename).parts[-2:])}:{one.lineno} {one.name}" for one in frames[::-1])
    return f"{_named(error)} at {where}" if where else _named(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MOST_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _named(error: BaseException) -> str:
    """The type, and the code that a database driver gives beside its words."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


class Format(logging.Formatter):
    """The form of a line of the log, also where a library logs a failure of ours."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return told(ei[1])


def keep_log(level: str) -> None:
    """Logs to stderr from that level up, unless the process logs somewhere already; a thread that dies is told too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Format(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
    threading.excepthook = _thread_died


def _thread_died(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else "a thread"
    log.error("%s has died: %s", name, told(died.exc_value) if died.exc_value else died.exc_type.__name__)


def loop_failed(_loop: object, context: Mapping[str, Any]) -> None:
    """The exception handler of an event loop: its own prints callbacks with all that they were given."""
    failed = context.get("exception")
    log.error("the event loop: %s", told(failed) if failed else context["message"])

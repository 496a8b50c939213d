"""Faults: how a failure is told in the log. What failed and where, never its words: they may hold what a visitor sent.

What an operator can mend is told in plain words (`analytics/base/error_causes.py`), everything else by its type and
place; the whole of it follows at the level DEBUG. `tests/unit/test_architecture.py` holds every room to it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from analytics.base import error_causes

log = logging.getLogger("footfall.faults")

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
TIME = "%Y-%m-%dT%H:%M:%SZ"
MAX_FRAMES = 10
MAX_CAUSES = 4


@dataclass(frozen=True, slots=True)
class Description:
    """What to say of a failure. As a text it is its words; the log adds the chain at DEBUG."""

    words: str
    chain: str

    def __str__(self) -> str:
        return self.words


def describe(error: BaseException) -> Description:
    """What the log says of a failure: `the disk that holds /srv/data is full`, or its type and place."""
    return Description(cause(error) or _placed(error, 1), chain(error))


def cause(error: BaseException) -> str:
    """What the operator has to mend, in plain words; "" where it is nothing that is known."""
    return next((words for one in _causes(error) if (words := error_causes.explain(one))), "")


def chain(error: BaseException) -> str:
    """One line: the type and the innermost frames, innermost first; the same of its causes.

    Like `OperationalError at collector/store/writer.py:214 _store < … from OperationalError SQLITE_FULL at …`.
    """
    return " from ".join(_placed(one, MAX_FRAMES) for one in _causes(error))


def _placed(error: BaseException, most: int) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-most:]
    where = " < ".join(f"{'/'.join(PurePath(one.filename).parts[-2:])}:{one.lineno} {one.name}" for one in frames[::-1])
    return f"{_named(error)} at {where}" if where else _named(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _named(error: BaseException) -> str:
    """The type, and the code that a database driver gives beside its words."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


class Format(logging.Formatter):
    """The form of a line of the log, also where a library logs a failure of ours. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(FORMAT, TIME)

    def format(self, record: logging.LogRecord) -> str:
        """The line, and at DEBUG another with the chain of the failure that it tells of."""
        line = super().format(record)
        args = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
        chains = [one.chain for one in args if isinstance(one, Description)]
        if not chains or not logging.getLogger().isEnabledFor(logging.DEBUG):
            return line
        began = f"{self.formatTime(record, TIME)} DEBUG {record.name}: "
        return "\n".join([line, *(f"{began}{one}" for one in chains)])

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return chain(ei[1])


def configure(level: str) -> None:
    """Logs to stderr from that level up, unless the process logs somewhere already; a thread that dies is told too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Format())
    logging.basicConfig(level=level, handlers=[handler])
    threading.excepthook = _thread_died


def _thread_died(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else "a thread"
    log.error("%s has died: %s", name, describe(died.exc_value) if died.exc_value else died.exc_type.__name__)


def loop_failed(_loop: object, context: Mapping[str, Any]) -> None:
    """The exception handler of an event loop: its own prints callbacks with all that they were given."""
    failed = context.get("exception")
    log.error("the event loop: %s", describe(failed) if failed else context["message"])

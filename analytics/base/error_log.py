"""The error log: says what failed and where, never the error's message, which may contain a visitor's data.

A cause that an operator can fix is explained in plain words (`analytics/base/error_causes.py`), any other error by its
type and place. The whole chain follows at the level DEBUG. `tests/unit/test_architecture.py` checks every package.
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
    """A failure as the log shows it: `str()` is its words, `LogFormatter` adds the chain at DEBUG."""

    words: str
    chain: str

    def __str__(self) -> str:
        return self.words


def describe(error: BaseException) -> Description:
    """A failure for the log: `the disk that holds /srv/data is full`, or its type and place."""
    return Description(cause(error) or _placed(error, 1), chain(error))


def cause(error: BaseException) -> str:
    """What the operator has to fix, in plain words; "" if the cause is not a known one."""
    return next((words for one in _causes(error) if (words := error_causes.explain(one))), "")


def chain(error: BaseException) -> str:
    """One line: the error's type and frames, innermost first, followed by those of its causes.

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
    """The error's type, and the code of a database driver if there is one."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


class LogFormatter(logging.Formatter):
    """Formats a line of the log; failures that libraries log too, without their messages. Times are UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(FORMAT, TIME)

    def format(self, record: logging.LogRecord) -> str:
        """The line, and at DEBUG a second one with the chain of each failure in it."""
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
    """Logs to stderr from that level up, unless logging is configured already. A thread that dies is logged too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=level, handlers=[handler])
    threading.excepthook = _thread_died


def _thread_died(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else "a thread"
    log.error("%s has died: %s", name, describe(died.exc_value) if died.exc_value else died.exc_type.__name__)


def loop_failed(_loop: object, context: Mapping[str, Any]) -> None:
    """An event loop's exception handler. The default one prints callbacks with all their arguments."""
    failed = context.get("exception")
    log.error("the event loop: %s", describe(failed) if failed else context["message"])

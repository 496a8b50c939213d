"""How a failure is told: its type, its code and its place, never its words."""

from __future__ import annotations

import logging
import re
import sqlite3
import sys

from analytics import faults


def failed_below() -> Exception:
    """A failure with a cause of its own."""
    try:
        try:
            sqlite3.connect(":memory:").execute("SELECT marked_words")
        except sqlite3.Error as cause:
            raise RuntimeError("marked_words") from cause
    except RuntimeError as failed:
        return failed
    raise AssertionError


def test_a_failure_is_told_by_types_codes_and_places_down_to_its_cause():
    place = r"unit/test_faults\.py:\d+ failed_below"
    assert re.fullmatch(
        rf"RuntimeError at {place} from OperationalError SQLITE_ERROR at {place}", faults.told(failed_below())
    )


def test_a_failure_that_was_never_raised_is_its_type():
    assert faults.told(ValueError("marked_words")) == "ValueError"


def test_an_endless_chain_and_a_deep_stack_are_told_in_short():
    def deeper(depth: int) -> None:
        if not depth:
            raise ValueError("marked_words")
        deeper(depth - 1)

    try:
        deeper(50)
    except ValueError as failed:
        failed.__cause__ = failed
        told = faults.told(failed)
    assert (told.count("deeper"), told.count("ValueError")) == (
        faults.MOST_FRAMES * faults.MOST_CAUSES,
        faults.MOST_CAUSES,
    )


def test_what_a_library_logs_of_a_failure_has_no_words_of_it_either():
    try:
        raise LookupError("marked_words")
    except LookupError:
        record = logging.getLogger("library").makeRecord("library", 40, "f", 1, "it failed", (), sys.exc_info())
    written = faults.Format(faults.FORMAT).format(record)
    assert re.fullmatch(r"ERROR library: it failed\nLookupError at unit/test_faults\.py:\d+ \w+", written)


def test_the_event_loop_tells_no_callback_with_what_it_was_given(caplog):
    faults.loop_failed(
        None, {"message": "Exception in callback f(marked_words)", "exception": ValueError("marked_words")}
    )
    faults.loop_failed(None, {"message": "Task was destroyed but it is pending!", "task": "marked_words"})
    assert caplog.messages == ["the event loop: ValueError", "the event loop: Task was destroyed but it is pending!"]

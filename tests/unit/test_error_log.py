"""How a failure is logged: its type, its code and its place, never its message."""

from __future__ import annotations

import errno
import logging
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from analytics.base import error_causes, error_log


def failed_below() -> Exception:
    """A failure with a cause of its own."""
    try:
        try:
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.execute("SELECT marked_words")
        except sqlite3.Error as cause:
            raise RuntimeError("marked_words") from cause
    except RuntimeError as failed:
        return failed
    raise AssertionError


def test_a_failure_is_described_by_types_codes_and_places_down_to_its_cause():
    place = r"unit/test_error_log\.py:\d+ failed_below"
    assert re.fullmatch(
        rf"RuntimeError at {place} from OperationalError SQLITE_ERROR at {place}", error_log.chain(failed_below())
    )


def test_a_failure_that_was_never_raised_is_its_type():
    assert str(error_log.describe(ValueError("marked_words"))) == "ValueError"


def test_an_endless_chain_and_a_deep_stack_are_shortened():
    def deeper(depth: int) -> None:
        if not depth:
            raise ValueError("marked_words")
        deeper(depth - 1)

    try:
        deeper(50)
    except ValueError as failed:
        failed.__cause__ = failed
        chain = error_log.chain(failed)
    assert (chain.count("deeper"), chain.count("ValueError")) == (
        error_log.MAX_FRAMES * error_log.MAX_CAUSES,
        error_log.MAX_CAUSES,
    )


def test_what_a_library_logs_of_a_failure_has_no_words_of_it_either():
    try:
        raise LookupError("marked_words")
    except LookupError:
        record = logging.getLogger("library").makeRecord("library", 40, "f", 1, "it failed", (), sys.exc_info())
    written = error_log.LogFormatter().format(record)
    assert re.fullmatch(r"\S+Z ERROR library: it failed\nLookupError at unit/test_error_log\.py:\d+ \w+", written)


@pytest.fixture
def logged():
    """Formats a failure as the log does, at a level of the log."""
    root = logging.getLogger()
    before = root.level

    def write(failed: BaseException, level: int) -> str:
        root.setLevel(level)
        record = logging.LogRecord(
            "footfall.writer", 40, "f", 1, "it cannot be stored: %s", (error_log.describe(failed),), None
        )
        record.created = 1788170405.5
        return error_log.LogFormatter().format(record)

    yield write
    root.setLevel(before)


def test_a_line_has_its_time_in_utc_its_level_and_short_words(logged):
    written = logged(failed_below(), logging.INFO)
    place = r"unit/test_error_log\.py:\d+ failed_below"
    head = r"2026-08-31T10:00:05Z ERROR footfall\.writer: it cannot be stored: "
    assert re.fullmatch(rf"{head}RuntimeError at {place}", written)


def test_the_chain_of_a_failure_follows_at_the_level_debug(logged):
    failed = failed_below()
    first, second = logged(failed, logging.DEBUG).splitlines()
    assert first == logged(failed, logging.INFO)
    assert second == f"2026-08-31T10:00:05Z DEBUG footfall.writer: {error_log.chain(failed)}"


# ── what an operator can fix ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(error_causes.DATA, "path", tmp_path)
    return tmp_path


def failure(of):
    with pytest.raises(Exception) as caught:
        of()
    return caught.value


def on_sqlite(path, *statements):
    def run():
        engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 0})
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return run


def test_a_full_disk_is_named_as_the_cause(data):
    def write():
        with Path("/dev/full").open("w") as file:
            file.write("x")

    assert str(error_log.describe(failure(write))) == f"the disk that holds {data} is full"


def test_a_full_disk_below_sqlite_is_named_as_the_cause(data):
    statements = "PRAGMA max_page_count=2", "CREATE TABLE a (b)", "CREATE TABLE c (d)", "CREATE TABLE e (f)"
    failed = failure(on_sqlite(data / "a.db", *statements))
    assert isinstance(failed, DBAPIError)
    assert str(error_log.describe(failed)) == f"the disk that holds {data} is full"


def test_errors_of_sqlite_are_explained_in_plain_words(data):
    path = data / "a.db"
    with sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("CREATE TABLE a (b)")
        holder.execute("BEGIN EXCLUSIVE")
        locked = failure(on_sqlite(path, "SELECT * FROM a"))
    holder.close()
    (data / "text.db").write_text("no database " * 100)
    errors = [
        locked,
        failure(on_sqlite(f"file:{path}?mode=ro&uri=true", "CREATE TABLE b (c)")),
        failure(on_sqlite(data / "text.db", "SELECT * FROM a")),
        failure(on_sqlite(data / "nowhere" / "a.db", "SELECT 1")),
    ]
    assert [str(error_log.describe(one)) for one in errors] == [
        f"another process holds the lock of the database file in {data}",
        f"the database file in {data} may not be written to",
        f"the database file in {data} is none of SQLite's: put a copy of it back",
        f"the database file in {data} cannot be opened: it or its directory is gone, or not this user's",
    ]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EDQUOT, "the quota of this user on the disk that holds {} is used up"),
        (errno.EROFS, "{} is on a disk that is read-only"),
        (errno.EACCES, "this user lacks the right to {}, to a file in it or to one that a setting names"),
        (errno.EMFILE, "too many files and connections are open: raise the limit of this process"),
        (errno.EIO, "the disk that holds {} reports an error"),
    ],
)
def test_errors_of_the_system_are_explained_in_plain_words(data, number, words):
    described = str(error_log.describe(OSError(number, os.strerror(number), "marked_words")))
    assert described.startswith(words.format(data))
    assert "marked_words" not in described


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://u:p@127.0.0.1:1/d", "the database server cannot be reached: the connection is refused"),
        ("postgresql://u:p@nowhere.invalid/d", "the database server cannot be reached: nobody knows its name"),
        ("postgresql:///d?host=/nowhere", "the database server cannot be reached: it has no socket there"),
    ],
)
def test_a_server_that_cannot_be_reached_is_explained_in_plain_words(address, words):
    engine = create_engine(
        address.replace("postgresql", "postgresql+psycopg"), poolclass=NullPool, connect_args={"connect_timeout": 5}
    )
    failed = failure(engine.connect)
    assert str(error_log.describe(failed)) == words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("53100", "the disk of the database server is full"),
        ("53300", "the database server has too many connections"),
        ("28P01", "the database server refuses the user or the password of FOOTFALL_DATABASE_URL"),
        ("42501", "the user of FOOTFALL_DATABASE_URL lacks a right in that database"),
        ("25006", "the database server takes no writes: it is a standby, or read-only"),
        ("57014", "the database server stopped a statement that took too long"),
        ("57P01", "the database server was shut down"),
        ("57P03", "the database server is starting or stopping"),
    ],
)
def test_errors_of_postgresql_are_explained_by_their_code(state, words):
    assert str(error_log.describe(psycopg.errors.lookup(state)("marked_words"))) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  password authentication failed for user "marked"', "refuses the user or the password"),
        ("FATAL:  sorry, too many clients already", "has too many connections"),
        ("FATAL:  remaining connection slots are reserved for SUPERUSER", "has too many connections"),
        ("FATAL:  the database system is starting up", "is starting or stopping"),
        ('FATAL:  database "marked" does not exist', "does not exist"),
        ('FATAL:  role "marked" does not exist', "refuses the user or the password"),
        ("connection timeout expired", "does not answer in time"),
        ("server closed the connection unexpectedly", "is lost"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "lets nobody in from this machine"),
    ],
)
def test_a_failed_connection_without_a_code_is_recognised_by_its_message(said, words):
    described = str(error_log.describe(psycopg.OperationalError(f"connection failed: {said}")))
    assert words in described
    assert "marked" not in described


def test_the_event_loop_logs_no_arguments_of_callbacks(caplog):
    error_log.loop_failed(
        None, {"message": "Exception in callback f(marked_words)", "exception": ValueError("marked_words")}
    )
    error_log.loop_failed(None, {"message": "Task was destroyed but it is pending!", "task": "marked_words"})
    assert caplog.messages == ["the event loop: ValueError", "the event loop: Task was destroyed but it is pending!"]

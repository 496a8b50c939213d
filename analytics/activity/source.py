"""Connections to the databases of host applications, and their failures in one line each."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from analytics.activity.source_guard import Allowed, guarded
from analytics.activity.watch import masked
from analytics.base.errors import InvalidInput, message

SourceConnection = psycopg.Connection[tuple[object, ...]]

MIN_VERSION = 13  # the first with xid8 and pg_current_snapshot
NETWORK = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
NETWORK |= {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3}
MAX_LINE = 300
DEADLINE_S = 15.0  # less than the page waits (assets/lib/form.js)
SOURCE = "source"


class SourceRefused(InvalidInput):
    """The database of a host application cannot be used; the message says why, without a password.

    `field` is the part of the definition that is wrong, by its name in forms.
    """

    def __init__(self, message: str, field: str = SOURCE) -> None:
        super().__init__(message, {field: message})


def checked_source(url: str) -> str:
    """The URL without spaces around it, if it is one of a PostgreSQL database; else `InvalidInput`, without it."""
    url = url.strip()
    if not _is_source(url):
        example = "postgresql://user:password@host:5432/name"
        said = message("the source is no URL of a PostgreSQL database; give one like {example}", example=example)
        raise InvalidInput(said, {SOURCE: said})
    return url


def _is_source(url: str) -> bool:
    """Whether libpq can read the URL. A port that is no number is a part of a password with `/` or `@` in it, which
    libpq's error would repeat.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False
    ports = str(given.get("port") or "").split(",")
    return url.startswith(("postgresql://", "postgres://")) and all(not one or one.isdecimal() for one in ports)


def connect(url: str, allowed: Allowed = None, *, statement_timeout_s: int = 20) -> SourceConnection:
    """A connection in autocommit mode; `SourceRefused` if there is none, its address is not `allowed`, or the server is
    too old.
    """
    more = {**NETWORK, "options": f"-c statement_timeout={statement_timeout_s}s", "application_name": "footfall"}
    try:
        connection = psycopg.connect(autocommit=True, **{**more, **parameters(url, allowed)})
    except psycopg.Error as failed:
        said = message("cannot connect to {source}: {reason}", source=masked(url), reason=reason(failed))
        raise SourceRefused(said) from None
    try:
        check_version(connection.info.server_version)
    except SourceRefused:
        connection.close()
        raise
    return connection


def parameters(url: str, allowed: Allowed) -> dict[str, Any]:
    """The parameters of a connection to the source; `SourceRefused` if it is not `allowed`."""
    given = conninfo_to_dict(url)
    if allowed is None:
        return given
    try:
        return guarded(given, allowed)
    except InvalidInput as refused:
        raise SourceRefused(str(refused)) from None


@contextmanager
def opened(url: str, allowed: Allowed = None, *, deadline_s: float = DEADLINE_S) -> Iterator[SourceConnection]:
    """A connection for the length of a block, in which every failure of the server is `SourceRefused` too.

    It is cut at the deadline: a server may accept a connection and then never answer.
    """
    end = time.monotonic() + deadline_s
    with closing(connect(url, allowed)) as connection, _cut_at(end, connection) as is_cut:
        try:
            yield connection
        except (psycopg.Error, SourceRefused) as failed:
            if is_cut.is_set():
                said = message("the server did not answer within {n} s", n=f"{deadline_s:g}")
                raise SourceRefused(said) from None
            if isinstance(failed, SourceRefused):
                raise
            raise SourceRefused(reason(failed)) from None


@contextmanager
def _cut_at(end: float, connection: SourceConnection) -> Iterator[threading.Event]:
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, end - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_cut
    finally:
        timer.cancel()
        timer.join()


def check_version(number: int) -> None:
    """`SourceRefused` for the number of a version that is too old, like 120009 for 12.9."""
    if number < MIN_VERSION * 10_000:
        version = f"{number // 10_000}.{number % 10_000}"
        said = message(
            "the server is PostgreSQL {version}; following a table needs {oldest} or newer",
            version=version,
            oldest=MIN_VERSION,
        )
        raise SourceRefused(said)


def check_writable(connection: SourceConnection) -> None:
    """`SourceRefused` if the server takes no writes."""
    row = connection.execute("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')").fetchone()
    assert row
    if row[0]:
        raise SourceRefused(message("the server is a standby and takes no writes; name its primary server"))
    if row[1] == "on":
        raise SourceRefused(message("the database is read-only for this user (default_transaction_read_only)"))


def reason(failed: psycopg.Error) -> str:
    """The failure in one line, in the words of the server or of libpq; neither of them names a password."""
    if isinstance(failed, errors.LockNotAvailable):
        return message("a long transaction holds the table; try again when it has ended")
    with suppress(AttributeError):
        if failed.diag.message_primary:
            return _line(failed.diag.message_primary)
    lines = [line.strip() for line in str(failed).splitlines() if line.strip()]
    return _line(lines[0] if lines else type(failed).__name__)


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_LINE]

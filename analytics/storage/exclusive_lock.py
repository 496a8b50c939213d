"""A lock that one process of all on a database has, for as long as it lives or until it releases it."""

from __future__ import annotations

import threading
from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from analytics.storage.database import Database


class ExclusiveLock:
    """The lock of that number (`locks.py`). Thread-safe; release it at the end.

    SQLite has one process, which always has the lock. On PostgreSQL a connection of its own holds it.
    """

    def __init__(self, database: Database, number: int) -> None:
        self._database, self._number = database, number
        self._guard = threading.Lock()
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        """Whether this process has the lock; takes it if it is free, without waiting."""
        if self._database.embedded:
            return True
        with self._guard:
            return self._is_held() or self._take()

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:  # the lock has gone with the connection
            self._close()
        return self._connection is not None

    def _take(self) -> bool:
        self._connection = self._database.writing.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._connection.detach()  # so that it is closed at the end, which releases the lock
        taking = text("SELECT pg_try_advisory_lock(:n)")
        if not self._connection.execute(taking, {"n": self._number}).scalar():
            self._close()
        return self._connection is not None

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def release(self) -> None:
        """Releases the lock, if this process has it: at once, not when the server notices the closed connection."""
        with self._guard, suppress(DBAPIError):
            if self._is_held() and self._connection:
                self._connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": self._number})
            self._close()

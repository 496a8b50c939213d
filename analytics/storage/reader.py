"""Reading a database: what those need who never write, and a database that cannot be written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from analytics.base.config import Config
from analytics.base.program import command
from analytics.storage import engines
from analytics.storage.database import MIGRATIONS, NoData, check_there


class Readable(Protocol):
    """A database, for those who only read."""

    def read(self) -> AbstractContextManager[Connection]:
        """A connection that only reads."""


class ReadOnlyDatabase:
    """The database of these settings, next to a server or without one. It makes and changes nothing. Close it.

    Raises `NoData` if there is none, or if its tables are those of another version.
    """

    def __init__(self, config: Config) -> None:
        check_there(config)
        self._engine = engines.read_only(config)
        try:
            self._check_version()
        except BaseException:
            self.close()
            raise

    def _check_version(self) -> None:
        with self.read() as connection:
            version = MigrationContext.configure(connection).get_current_revision()
        if version != ScriptDirectory(str(MIGRATIONS)).get_current_head():
            raise NoData(f"the tables are not those of this version; {command('serve')} brings them up to date")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

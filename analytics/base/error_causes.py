"""Causes of failures that an operator can fix, in plain words: disks, databases, permissions, limits.

The words are a closed set. The message of an exception is matched only if it has no code, and it is never repeated.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class _Data:
    """This process's data directory; None until it is known."""

    path: Path | None = None


DATA = _Data()
FULL_BYTES = 256 * 1024  # less is too little for a transaction of SQLite

_FULL = "the disk that holds {data} is full"
_NO_PERMISSION = "this user lacks the right to {data}, to a file in it or to one that a setting names"
_READ_ONLY = "{data} is on a disk that is read-only"

_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "the quota of this user on the disk that holds {data} is used up",
    errno.EFBIG: "a file may not grow any more: a limit of this process (ulimit -f)",
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EIO: "the disk that holds {data} reports an error",
    errno.EMFILE: "too many files and connections are open: raise the limit of this process (ulimit -n, LimitNOFILE)",
    errno.ENFILE: "too many files and connections are open on this machine",
    errno.ENOMEM: "the memory is used up",
}

# Prefixes of SQLite's codes; https://www.sqlite.org/rescode.html
_SQLITE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_BUSY": "another process holds the lock of the database file in {data}",
    "SQLITE_LOCKED": "another process holds the lock of the database file in {data}",
    "SQLITE_READONLY": "the database file in {data} may not be written to",
    "SQLITE_PERM": _NO_PERMISSION,
    "SQLITE_AUTH": _NO_PERMISSION,
    "SQLITE_CANTOPEN": "the database file in {data} cannot be opened: it or its directory is gone, or not this user's",
    "SQLITE_CORRUPT": "the database file in {data} is damaged: put a copy of it back",
    "SQLITE_NOTADB": "the database file in {data} is none of SQLite's: put a copy of it back",
    "SQLITE_IOERR": "the disk that holds {data} reports an error",
    "SQLITE_NOMEM": "the memory is used up",
    "SQLITE_TOOBIG": "a value is too large for the database",
}

# Prefixes of PostgreSQL's codes; the longest match wins. https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "08": "the connection to the database server is lost",
    "25006": "the database server takes no writes: it is a standby, or read-only",
    "28": "the database server refuses the user or the password of FOOTFALL_DATABASE_URL",
    "3D000": "the database that FOOTFALL_DATABASE_URL names does not exist",
    "40001": "the database server undid a transaction, since another was in its way",
    "40P01": "the database server undid a transaction, since another was in its way",
    "42501": "the user of FOOTFALL_DATABASE_URL lacks a right in that database",
    "53100": "the disk of the database server is full",
    "53200": "the memory of the database server is used up",
    "53300": "the database server has too many connections",
    "53": "the database server lacks resources",
    "55P03": "the database server waited for a lock for too long",
    "57014": "the database server stopped a statement that took too long",
    "57P03": "the database server is starting or stopping",
    "57P": "the database server was shut down",
    "58": "the disk of the database server reports an error",
    "XX001": "the database server reports damaged data",
}

_NO_SPACE = "no space left on device"
# Phrases in the message of a failed connection, which has no code; in lower case.
_PHRASES = {
    "password authentication failed": _POSTGRESQL["28"],
    "no password supplied": _POSTGRESQL["28"],
    "no pg_hba.conf entry": "the database server lets nobody in from this machine, or not this user (pg_hba.conf)",
    "too many clients": _POSTGRESQL["53300"],
    "too many connections": _POSTGRESQL["53300"],
    "connection slots are reserved": _POSTGRESQL["53300"],
    "starting up": _POSTGRESQL["57P03"],
    "shutting down": _POSTGRESQL["57P03"],
    "role ": _POSTGRESQL["28"],
    'database "': _POSTGRESQL["3D000"],
    "connection refused": "the database server cannot be reached: the connection is refused",
    "no such file or directory": "the database server cannot be reached: it has no socket there",
    "resolve host": "the database server cannot be reached: nobody knows its name",
    "translate host name": "the database server cannot be reached: nobody knows its name",
    "name or service not known": "the database server cannot be reached: nobody knows its name",
    "no route to host": "the database server cannot be reached: there is no way to it",
    "network is unreachable": "the database server cannot be reached: there is no way to it",
    "timeout": "the database server does not answer in time",
    "timed out": "the database server does not answer in time",
    "ssl": "the database server and this machine do not agree on SSL",
    "closed the connection": _POSTGRESQL["08"],
    "connection is lost": _POSTGRESQL["08"],
    "connection is closed": _POSTGRESQL["08"],
}


def explain(error: BaseException) -> str:
    """What the operator has to fix; "" for other errors. The error's own causes are not considered."""
    found = _of_system(error) or _of_database(error)
    return found.format(data=_data())


def _data() -> str:
    return str(DATA.path.absolute()) if DATA.path else "the data"


def _of_system(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return _ERRNO[errno.ENOMEM]
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return _ERRNO.get(error.errno or 0, "")
    return ""


def _of_database(error: BaseException) -> str:
    if name := getattr(error, "sqlite_errorname", None):
        return _FULL if name.startswith("SQLITE_IOERR") and _is_full() else _first(_SQLITE, name)
    if state := getattr(error, "sqlstate", None):
        return _first(_POSTGRESQL, state)
    module = type(error).__module__.partition(".")[0]
    if module == "sqlalchemy" and isinstance(error, Exception) and type(error).__name__ == "TimeoutError":
        return "all connections to the database are in use"
    if module == "_duckdb":
        return _FULL if _NO_SPACE in str(error).lower() else ""
    message = str(error).lower() if module == "psycopg" else ""
    return next((words for phrase, words in _PHRASES.items() if phrase in message), "")


def _first(known: dict[str, str], code: str) -> str:
    """The words of the longest known prefix of a code."""
    return next((known[prefix] for prefix in sorted(known, key=len, reverse=True) if code.startswith(prefix)), "")


def _is_full() -> bool:
    """Whether the data's disk is nearly full: SQLite reports some writes to a full disk as I/O errors."""
    try:
        disk = os.statvfs(DATA.path or ".")
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < FULL_BYTES

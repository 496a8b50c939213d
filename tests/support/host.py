"""The PostgreSQL database of a host application, whose tables are watched."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from analytics.activity.watch import WatchDefinition, filters_of

BOOKINGS = """
CREATE TYPE booking_status AS ENUM ('draft', 'pending', 'paid');
CREATE TABLE bookings (
    id bigserial PRIMARY KEY,
    guest text NOT NULL,
    status booking_status NOT NULL DEFAULT 'pending',
    amount numeric(10, 2) NOT NULL DEFAULT 0,
    secret text,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""
CATALOG = """
SELECT 'schema' AS kind, nspname::text AS name, nspacl::text AS more FROM pg_namespace
    WHERE nspname !~ '^pg_(toast|temp)'
UNION ALL SELECT 'class', oid::regclass::text, relkind::text || coalesce(relacl::text, '') FROM pg_class
    WHERE relnamespace <> 'pg_toast'::regnamespace
UNION ALL SELECT 'function', oid::regprocedure::text, proacl::text FROM pg_proc WHERE oid >= 16384
UNION ALL SELECT 'trigger', tgname::text, tgrelid::regclass::text FROM pg_trigger
UNION ALL SELECT 'type', oid::regtype::text, '' FROM pg_type
    WHERE oid >= 16384 AND typnamespace <> 'pg_toast'::regnamespace
UNION ALL SELECT 'depend', count(*)::text, '' FROM pg_depend
ORDER BY 1, 2, 3
"""


def watch_of(table: str, /, *filters: str, **fields: Any) -> WatchDefinition:
    """A watch of that table. `filters` are as people write them; `fields` may name another table, and a schema."""
    values = {"schema": "public", "table": table, "filters": filters_of(filters)}
    return WatchDefinition(**values | fields)


class Host:
    """A database of a host application, with a table of bookings."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.run(BOOKINGS)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection whose transactions the test ends itself."""
        return psycopg.connect(self.url)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, which is committed."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description else []

    def catalog(self) -> list[tuple[Any, ...]]:
        """Everything that the database has: schemas, relations, functions, triggers, types, and their rights."""
        return self.run(CATALOG)

    def outbox(self) -> list[tuple[Any, ...]]:
        """Operation, old and new of what was not read yet, in the order in which it was written."""
        return self.run("SELECT operation, old, new FROM footfall.outbox WHERE step IS NULL ORDER BY id")


@contextmanager
def over_tcp(
    host: Host, *grants: str, user: str = "shop", password: str = "s3cret", silent_after: bytes = b""
) -> Iterator[str]:
    """The URL at which people of a page reach the host's database: over TCP, as a user who has to know a password.

    The user has these rights; by default those that a watch with gauges needs. Once a client has sent the bytes
    `silent_after`, it gets no answer any more.
    """
    name = urlsplit(host.url).path.strip("/")
    user = f"{user}_{name}"
    needed = (f"CREATE ON DATABASE {name}", "TRIGGER, SELECT, INSERT ON bookings", "USAGE ON bookings_id_seq")
    host.run(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
    for grant in grants or needed:
        host.run(f"GRANT {grant} TO {user}")
    _ask_for_password(host, user)
    folder = Path(host.url.split("host=")[1])
    with _gateway(next(folder.glob(".s.PGSQL.*[0-9]")), silent_after) as port:
        yield f"postgresql://{user}:{password}@127.0.0.1:{port}/{name}"
    host.run(f"DROP OWNED BY {user} CASCADE")
    host.run(f"DROP ROLE {user}")


def _ask_for_password(host: Host, user: str) -> None:
    """The test server trusts everybody; this one user not."""
    rules = Path(host.run("SHOW hba_file")[0][0])
    rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
    host.run("SELECT pg_reload_conf()")


@contextmanager
def _gateway(path: Path, silent_after: bytes) -> Iterator[int]:
    """A port of this machine that leads to the server's socket."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=_serve, args=(listener, path, silent_after), daemon=True).start()
        yield listener.getsockname()[1]


def _serve(listener: socket.socket, path: Path, silent_after: bytes) -> None:
    with suppress(OSError):  # the listener is closed
        while True:
            threading.Thread(target=_join, args=(listener.accept()[0], path, silent_after), daemon=True).start()


def _join(client: socket.socket, path: Path, silent_after: bytes) -> None:
    """Passes on both ways, until both have ended."""
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(str(path))
        back = threading.Thread(target=_pump, args=(server, client, b""), daemon=True)
        back.start()
        _pump(client, server, silent_after)
        back.join()


def _pump(source: socket.socket, target: socket.socket, silent_after: bytes) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            if not (silent_after and silent_after in data):
                target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)

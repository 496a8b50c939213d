"""Paths in letters and without the ids of sessions, hosts in ASCII: each page and host in one form"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic import op

from analytics.base import idn, paths
from analytics.base.errors import InvalidInput
from analytics.base.redaction import clean_address, clean_path
from analytics.query import filters

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

log = logging.getLogger("footfall.migrations")

BATCH = 20_000
TOLD_EVERY_S = 2.0
ADDRESSES = {"Outbound Link: Click": "url", "File Download": "url", "404": "path"}  # the property that has one

Cells = tuple[Any, ...]
cleaned = lru_cache(10_000)(clean_path)  # the same functions as for what comes from now on: old and new are one row


def _visit(cells: Cells) -> Cells:
    entry, last, referrer, source = cells
    host, slash, path = referrer.partition("/")
    is_host = "." in source
    return cleaned(entry), cleaned(last), host + cleaned(slash + path), idn.in_ascii(source) if is_host else source


def _path(cells: Cells) -> Cells:
    return (cleaned(cells[0]),)


def _event(cells: Cells) -> Cells:
    path, name, props = cells
    key = ADDRESSES.get(name)
    told = json.loads(props) if key else {}
    if isinstance(told.get(key), str) and (kept := clean_address(told[key])) != told[key]:
        props = json.dumps(told | {key: kept}, ensure_ascii=False, separators=(",", ":"))
    return cleaned(path), name, props


FACTS: tuple[tuple[str, tuple[str, ...], Callable[[Cells], Cells]], ...] = (
    ("visits", ("entry_page", "exit_page", "referrer", "source"), _visit),
    ("pageviews", ("path",), _path),
    ("events", ("path", "name", "props"), _event),
    ("heartbeats", ("path",), _path),
)


def upgrade() -> None:
    connection, began = op.get_bind(), time.monotonic()
    looked_at, changed = Counter[str](), Counter[str]()
    for name, columns, clean in FACTS:
        _rewrite(connection, name, columns, clean, looked_at, changed)
    for name, rewrite in (("sites", _sites), ("embeds", _embeds), ("segments", _segments)):
        looked_at[name], changed[name] = rewrite(connection)
    if looked_at.total():
        each = ", ".join(f"{name} {changed[name]:,} of {looked_at[name]:,}" for name in looked_at if looked_at[name])
        took = time.monotonic() - began
        log.info(
            "paths and hosts are in one form now: %s rows changed in %.1f s (%s)", f"{changed.total():,}", took, each
        )


def downgrade() -> None:
    """What was written before is readable by the version before."""


def _rewrite(
    connection: sa.Connection,
    name: str,
    columns: tuple[str, ...],
    clean: Callable[[Cells], Cells],
    looked_at: Counter[str],
    changed: Counter[str],
) -> None:
    """Rewrites a table of facts, by its key and in batches: memory stays small, and the log says how far it is."""
    table = sa.table(name, *(sa.column(one) for one in ("site_id", "id", *columns)))
    of_row = table.c.site_id == sa.bindparam("of_site"), table.c.id == sa.bindparam("of_id")
    change = sa.update(table).where(*of_row).values({one: sa.bindparam(f"new_{one}") for one in columns})
    told = time.monotonic()
    for rows in _batches(connection, table):
        news = [
            {"of_site": row[0], "of_id": row[1], **{f"new_{one}": cell for one, cell in zip(columns, new, strict=True)}}
            for row in rows
            if (new := clean(tuple(row[2:]))) != tuple(row[2:])
        ]
        if news:
            connection.execute(change, news)
        looked_at[name] += len(rows)
        changed[name] += len(news)
        if time.monotonic() - told > TOLD_EVERY_S:
            told = time.monotonic()
            log.info("%s: %s rows looked at, %s changed so far", name, f"{looked_at[name]:,}", f"{changed[name]:,}")


def _batches(connection: sa.Connection, table: sa.TableClause) -> Iterator[list[Any]]:
    key = sa.tuple_(table.c.site_id, table.c.id)
    asked = sa.select(table).order_by(table.c.site_id, table.c.id).limit(BATCH)
    rows = list(connection.execute(asked))
    while rows:
        yield rows
        rows = list(connection.execute(asked.where(key > sa.tuple_(*map(sa.literal, rows[-1][:2])))))


def _sites(connection: sa.Connection) -> tuple[int, int]:
    """A domain that another site has already stays as it is: nothing is merged."""
    rows = list(connection.execute(sa.text("SELECT id, domain, hosts, excluded_hosts, excluded_paths FROM sites")))
    taken = {row.domain for row in rows}
    changed = 0
    for row in rows:
        domain = idn.to_ascii(row.domain)
        if not domain or (domain != row.domain and domain in taken):
            log.warning("the site %r stays as it is: %r is there too", row.domain, domain)
            domain = row.domain
        taken.add(domain)
        patterns = (paths.readable(one).replace(" ", "%20") for one in row.excluded_paths.split())
        new = (domain, _hosts(row.hosts), _hosts(row.excluded_hosts), "\n".join(dict.fromkeys(patterns)))
        if new != tuple(row[1:]):
            change = "UPDATE sites SET domain = :d, hosts = :h, excluded_hosts = :e, excluded_paths = :p WHERE id = :id"
            connection.execute(sa.text(change), {"id": row.id, **dict(zip("dhep", new, strict=True))})
            changed += 1
    return len(rows), changed


def _hosts(lines: str) -> str:
    return "\n".join(dict.fromkeys(idn.in_ascii(one) for one in lines.split()))


def _embeds(connection: sa.Connection) -> tuple[int, int]:
    rows = list(connection.execute(sa.text("SELECT id, hosts FROM embeds")))
    news = [{"id": row.id, "hosts": new} for row in rows if (new := _hosts(row.hosts)) != row.hosts]
    if news:
        connection.execute(sa.text("UPDATE embeds SET hosts = :hosts WHERE id = :id"), news)
    return len(rows), len(news)


def _segments(connection: sa.Connection) -> tuple[int, int]:
    rows = list(connection.execute(sa.text("SELECT id, filters FROM segments")))
    news = [{"id": row.id, "filters": new} for row in rows if (new := _filters(row.filters)) != row.filters]
    if news:
        connection.execute(sa.text("UPDATE segments SET filters = :filters WHERE id = :id"), news)
    return len(rows), len(news)


def _filters(written: str) -> str:
    """As they are saved from now on: a filter takes either form, and keeps the one that is in the rows."""
    try:
        return json.dumps([filters.plain(one) for one in filters.parse(json.loads(written))], ensure_ascii=False)
    except (ValueError, InvalidInput):
        return written

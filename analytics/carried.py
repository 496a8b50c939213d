"""Facts of a visit that its pageviews and events carry in the replica, so that a filter by them asks no visit: looking
for the visit of each of ten million pageviews was half of what such a question cost.

A row without a visit carries NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import duckdb
from sqlalchemy import Table

from analytics import schema
from analytics.ids import first_id, time_ms

NAMES = ("source", "channel", "country", "browser", "os", "device")
AT_ONCE = 1_000_000  # rows in one UPDATE
NEAR_S = 7 * 86_400  # most visits begin so near to what happens in them

_PARTS = (schema.pageviews.name, schema.events.name)
_SET = ", ".join(f"{name} = v.{name}" for name in NAMES)
_APART = " OR ".join(f"t.{name} IS DISTINCT FROM v.{name}" for name in NAMES)
_OF_VISIT = "v.site_id = t.site_id AND v.id = t.visit_id"


def columns(table: Table) -> Sequence[str]:
    """The names of these columns in the replica's table of that name."""
    return () if table.name == schema.visits.name else NAMES


def renew(replica: duckdb.DuckDBPyConnection, since: int) -> None:
    """Sets right what the visitors in `touched` have done from that second on; see `firsts.renew`."""
    whose = "(t.site_id, t.visitor) IN (SELECT s, v FROM touched)"
    theirs = "(SELECT * FROM visits WHERE (site_id, visitor) IN (SELECT s, v FROM touched))"
    for part in _PARTS:
        wrong = (
            f'{part} AS t LEFT JOIN {theirs} AS v ON {_OF_VISIT} WHERE t."at" >= {since:d} AND {whose} AND ({_APART})'
        )
        _write(replica, part, wrong)


def renew_all(
    replica: duckdb.DuckDBPyConnection, site_id: int | None = None, step: Callable[[], None] = lambda: None
) -> None:
    """Sets right all rows, or those of a site; `step` is called now and then."""
    only = "true" if site_id is None else f"t.site_id = {site_id:d}"
    for part in _PARTS:
        for low, high in _pieces(replica, part, only):
            between = f"BETWEEN {first_id(_second(low) - NEAR_S):d} AND {first_id(_second(high) + NEAR_S):d}"
            for visits, which in ((f"(SELECT * FROM visits WHERE id {between})", ""), ("visits", "NOT")):
                rows = f"t.id BETWEEN {low:d} AND {high:d} AND t.visit_id {which} {between} AND {only} AND ({_APART})"
                _write(replica, part, f"{part} AS t LEFT JOIN {visits} AS v ON {_OF_VISIT} WHERE {rows}")
            step()


def _second(row_id: int) -> int:
    return time_ms(row_id) // 1000


def _write(replica: duckdb.DuckDBPyConnection, part: str, wrong: str) -> None:
    facts = ", ".join(f"v.{name}" for name in NAMES)
    replica.execute(f"CREATE OR REPLACE TEMP TABLE piece AS SELECT t.site_id, t.id, {facts} FROM {wrong}")
    replica.execute(f"UPDATE {part} AS t SET {_SET} FROM piece AS v WHERE t.site_id = v.site_id AND t.id = v.id")


def _pieces(replica: duckdb.DuckDBPyConnection, part: str, only: str) -> Iterator[tuple[int, int]]:
    """The ids of the rows from the lowest to the highest, in as many parts as there are `AT_ONCE` rows."""
    edges = replica.execute(f"SELECT min(id), max(id), count(*) FROM {part} AS t WHERE {only}").fetchall()
    low, high, many = edges[0]
    if low is None:
        return
    width = (high - low) // (many // AT_ONCE + 1) + 1
    for begin in range(low, high + 1, width):
        yield begin, min(begin + width - 1, high)


def wrong(replica: duckdb.DuckDBPyConnection, most: int) -> Iterator[tuple[str, int, int]]:
    """Table, site and row of what carries something else than its visit has: at most so many of each table."""
    for part in _PARTS:
        asked = f"SELECT '{part}', t.site_id, t.id FROM {part} AS t LEFT JOIN visits AS v ON {_OF_VISIT} WHERE {_APART}"
        yield from replica.execute(f"{asked} LIMIT {most:d}").fetchall()

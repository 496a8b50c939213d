"""Who is there for the first time: columns of the replica alone, by which different people are counted without
telling them apart.

Each row says until when (epoch, seconds) the same visitor was there in rows before it, 0 for never: `before` in any of
them, `before_page` in those of the same page, and so on. Of a period's rows each visitor has exactly one in which that
is before the period's begin. Counting those among two million took 9 ms, counting different visitors 123 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import duckdb

from analytics.base.ids import LOW_BITS
from analytics.base.limits import MAX_VISIT_S
from analytics.query.facts import BY_HIT, BY_VISIT
from analytics.query.metrics import PAGEVIEW
from analytics.replica import denormalised

ROW_BATCH = 1_000_000  # rows in one UPDATE: some 200 MB

Touched = tuple[int, int, int]  # a row's site and visitor, and the second at which it begins


class _Chain(NamedTuple):
    """Rows that are before and after each other: `part` is the number of their table (as a text it took a quarter
    longer), `began` their order, `until` when the visitor was there last.
    """

    columns: Mapping[str, str]
    parts: Mapping[str, str]  # by table: the SELECT of its rows

    def rows(self, only: str) -> str:
        numbered = enumerate(self.parts.values())
        return " UNION ALL ".join(f"SELECT {part} AS part, {rows} {only}" for part, rows in numbered)


# As in `stats`, a visit without any pageview or event is none, and one is looked for that long after its start.
_UNTIL = f"least(last_at, (id >> {LOW_BITS}) // 1000 + {MAX_VISIT_S})"
_VISITS = _Chain(
    BY_VISIT,
    {"visits": f"*, started_at AS began, CASE WHEN pageviews + events > 0 THEN {_UNTIL} END AS until FROM visits"},
)
_HIT = f'site_id, id, visitor, "at" AS began, "at" AS until, path, {", ".join(BY_HIT)}'
_HITS = _Chain(
    BY_HIT,
    {
        "pageviews": f"{_HIT}, '{PAGEVIEW}' AS name FROM pageviews",
        "events": f"{_HIT}, name FROM events",
    },
)
_CHAINS = (_VISITS, _HITS)


def _told(column: str, alike: str) -> str:
    by = ", ".join(filter(None, ("site_id", "visitor", alike)))
    over = f"PARTITION BY {by} ORDER BY began, id, part ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    return f"coalesce(max(until) OVER ({over}), 0) AS right_{column}"


def _wrong(chain: _Chain, only: str, name: str) -> str:
    """The rows in which this column is not right, with what would be."""
    told = f"SELECT *, {_told(name, chain.columns[name])} FROM ({chain.rows(only)})"
    return f"SELECT part, site_id, id, right_{name} FROM ({told}) WHERE {name} <> right_{name}"


# ── setting right ────────────────────────────────────────────────────────────────────────────────────────────────────

_EARLIER = "(b.began, b.id, b.part) < (a.began, a.id, a.part)"


def renew(replica: duckdb.DuckDBPyConnection, touched: Sequence[Touched]) -> None:
    """Sets right what depends on these rows; call it in the transaction in which they came, went or changed.

    A visitor's later rows are compared with the earlier ones, all columns at once: as windows, one for each column,
    that took 140 ms for 250 rows.
    """
    if not touched:
        return
    replica.execute(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT s, v, min(b) AS since FROM (SELECT "
        + ", ".join(f"unnest(string_split(${n}, ','))::BIGINT AS {name}" for n, name in enumerate("svb", 1))
        + ") GROUP BY s, v",
        [",".join(map(str, part)) for part in zip(*touched, strict=True)],
    )
    for chain in _CHAINS:
        rows = chain.rows("WHERE (site_id, visitor) IN (SELECT s, v FROM touched)")
        replica.execute(f"CREATE OR REPLACE TEMP TABLE near AS {rows}")
        replica.execute(f"CREATE OR REPLACE TEMP TABLE settled AS {_wrong_near(chain)}")
        for _ in _settle(replica, chain, chain.columns):
            pass
    denormalised.renew(replica, min(began for *_, began in touched))


def _wrong_near(chain: _Chain) -> str:
    """Of the rows in `near` those that are wrong from where their visitor was touched, with what would be right."""
    right = ", ".join(
        f"coalesce(max(b.until) FILTER ({f'b.{alike} = a.{alike}' if alike else 'true'}), 0) AS right_{name}"
        for name, alike in chain.columns.items()
    )
    kept = ", ".join(f"any_value(a.{name}) AS {name}" for name in chain.columns)
    apart = " OR ".join(f"{name} <> right_{name}" for name in chain.columns)
    return (
        f"SELECT * FROM (SELECT a.part, a.site_id, a.id, {kept}, {right} FROM near AS a "
        "JOIN touched ON a.site_id = s AND a.visitor = v AND a.began >= since "
        f"LEFT JOIN near AS b ON b.site_id = a.site_id AND b.visitor = a.visitor AND {_EARLIER} "
        f"GROUP BY a.part, a.site_id, a.id) WHERE {apart}"
    )


def renew_all(
    replica: duckdb.DuckDBPyConnection, site_id: int | None = None, step: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Sets right all rows, or those of a site; `step` hears now and then how many columns of how many are done."""
    only = "" if site_id is None else f"WHERE site_id = {site_id:d}"
    work = [(chain, name) for chain in _CHAINS for name in chain.columns]
    for done, (chain, name) in enumerate(work):  # one by one: each needs an order of its own
        step(done, len(work))
        replica.execute(f"CREATE OR REPLACE TEMP TABLE settled AS {_wrong(chain, only, name)}")
        for _ in _settle(replica, chain, [name]):
            step(done, len(work))


def _settle(replica: duckdb.DuckDBPyConnection, chain: _Chain, names: Iterable[str]) -> Iterator[None]:
    """Writes what is right into the rows that `settled` names, piece by piece.

    Each piece is a table of its own, so that DuckDB knows that it is the smaller side and writes in the order of the
    rows: in another order it took five times as long.
    """
    changes = ", ".join(f"{name} = right_{name}" for name in names)
    for part, table in enumerate(chain.parts):
        edges = f"SELECT min(id), max(id), count(*) FROM settled WHERE part = {part}"
        for low, high in _pieces(*replica.execute(edges).fetchall()[0]):
            some = f"SELECT * FROM settled WHERE part = {part} AND id BETWEEN {low:d} AND {high:d}"
            replica.execute(f"CREATE OR REPLACE TEMP TABLE piece AS {some}")
            replica.execute(
                f"UPDATE {table} AS t SET {changes} FROM piece AS n WHERE t.site_id = n.site_id AND t.id = n.id"
            )
            yield


def _pieces(low: int | None, high: int | None, many: int) -> Iterator[tuple[int, int]]:
    """The ids from the lowest to the highest, in as many parts as there are `AT_ONCE` rows."""
    if low is None or high is None:
        return
    width = (high - low) // (many // ROW_BATCH + 1) + 1
    for begin in range(low, high + 1, width):
        yield begin, min(begin + width - 1, high)


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def wrong(replica: duckdb.DuckDBPyConnection, most: int) -> Iterator[tuple[str, int, int, str]]:
    """Table, site, row and column of what is not right: at most so many of each column."""
    for chain in _CHAINS:
        tables = list(chain.parts)
        for name in chain.columns:
            found = replica.execute(f"SELECT part, site_id, id FROM ({_wrong(chain, '', name)}) LIMIT {most:d}")
            yield from ((tables[part], site_id, row_id, name) for part, site_id, row_id in found.fetchall())

"""`first_seen` columns, in the replica only: count the distinct visitors of a period without COUNT(DISTINCT).

In each row, such a column is the second (epoch) at which the same visitor was last seen in an earlier row, 0 for never:
`before` in any earlier row, `before_page` in those of the same page, and so on. Of the rows of a period, each visitor
has exactly one whose value is before the period's begin. Counting those among two million rows took 9 ms, counting
distinct visitors 123 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import duckdb

from analytics.base.ids import LOW_BITS, NO_VISITOR
from analytics.base.limits import MAX_VISIT_S
from analytics.query.facts import BY_HIT, BY_VISIT
from analytics.query.metrics import PAGEVIEW
from analytics.replica import denormalised

ROW_BATCH = 1_000_000  # rows in one UPDATE: some 200 MB

Touched = tuple[int, int, int]  # a changed row's site, visitor and second (epoch)


class _Chain(NamedTuple):
    """Tables whose rows are in one order of time.

    `part` is the number of a row's table (as a text it took a quarter longer), `began` is the row's place in the order,
    and `until` is when the visitor was last seen in it.
    """

    columns: Mapping[str, str]
    parts: Mapping[str, str]  # by table: the SELECT of its rows

    def rows(self, only: str) -> str:
        numbered = enumerate(self.parts.values())
        return " UNION ALL ".join(f"SELECT {part} AS part, {rows} {only}" for part, rows in numbered)


# As in `stats`, a visit without a pageview or event does not count, and a visit lasts at most MAX_VISIT_S.
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
        "events": f"{_HIT}, name FROM (FROM events WHERE visitor <> {NO_VISITOR})",
    },
)
_CHAINS = (_VISITS, _HITS)


def _expected(column: str, alike: str) -> str:
    by = ", ".join(filter(None, ("site_id", "visitor", alike)))
    over = f"PARTITION BY {by} ORDER BY began, id, part ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    return f"coalesce(max(until) OVER ({over}), 0) AS right_{column}"


def _wrong(chain: _Chain, only: str, name: str) -> str:
    """SQL: the rows in which this column is wrong, with the right value."""
    expected = f"SELECT *, {_expected(name, chain.columns[name])} FROM ({chain.rows(only)})"
    return f"SELECT part, site_id, id, right_{name} FROM ({expected}) WHERE {name} <> right_{name}"


# ── updating ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_EARLIER = "(b.began, b.id, b.part) < (a.began, a.id, a.part)"


def update(replica: duckdb.DuckDBPyConnection, touched: Sequence[Touched]) -> None:
    """Updates the rows that depend on these changed ones; call it in the transaction that changed them.

    It joins each visitor's later rows with the earlier ones, for all columns at once: with a window for each column,
    250 rows took 140 ms.
    """
    touched = [one for one in touched if one[1] != NO_VISITOR]
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
        replica.execute(f"CREATE OR REPLACE TEMP TABLE corrections AS {_wrong_near(chain)}")
        for _ in _write(replica, chain, chain.columns):
            pass
    denormalised.update(replica, min(began for *_, began in touched))


def _wrong_near(chain: _Chain) -> str:
    """SQL: the wrong ones of the rows in `near`, from the visitor's first change on, with the right values."""
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


def update_all(
    replica: duckdb.DuckDBPyConnection, site_id: int | None = None, step: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Updates all rows, or those of a site; `step(done, all)` is called with the numbers of columns, now and then."""
    only = "" if site_id is None else f"WHERE site_id = {site_id:d}"
    work = [(chain, name) for chain in _CHAINS for name in chain.columns]
    for done, (chain, name) in enumerate(work):  # one by one: each needs an order of its own
        step(done, len(work))
        replica.execute(f"CREATE OR REPLACE TEMP TABLE corrections AS {_wrong(chain, only, name)}")
        for _ in _write(replica, chain, [name]):
            step(done, len(work))


def _write(replica: duckdb.DuckDBPyConnection, chain: _Chain, names: Iterable[str]) -> Iterator[None]:
    """Writes the table `corrections` into the rows, piece by piece, and yields after each.

    Each piece is a table of its own, so that DuckDB knows that it is the smaller side of the join and writes in the
    order of the rows: in another order it took five times as long.
    """
    changes = ", ".join(f"{name} = right_{name}" for name in names)
    for part, table in enumerate(chain.parts):
        edges = f"SELECT min(id), max(id), count(*) FROM corrections WHERE part = {part}"
        for low, high in _pieces(*replica.execute(edges).fetchall()[0]):
            some = f"SELECT * FROM corrections WHERE part = {part} AND id BETWEEN {low:d} AND {high:d}"
            replica.execute(f"CREATE OR REPLACE TEMP TABLE piece AS {some}")
            replica.execute(
                f"UPDATE {table} AS t SET {changes} FROM piece AS n WHERE t.site_id = n.site_id AND t.id = n.id"
            )
            yield


def _pieces(low: int | None, high: int | None, rows: int) -> Iterator[tuple[int, int]]:
    """Splits the ids from the lowest to the highest into ranges, one for each `ROW_BATCH` rows."""
    if low is None or high is None:
        return
    width = (high - low) // (rows // ROW_BATCH + 1) + 1
    for begin in range(low, high + 1, width):
        yield begin, min(begin + width - 1, high)


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def wrong(replica: duckdb.DuckDBPyConnection, limit: int) -> Iterator[tuple[str, int, int, str]]:
    """Table, site, row id and column of wrong values, at most `limit` of each column."""
    for chain in _CHAINS:
        tables = list(chain.parts)
        for name in chain.columns:
            found = replica.execute(f"SELECT part, site_id, id FROM ({_wrong(chain, '', name)}) LIMIT {limit:d}")
            yield from ((tables[part], site_id, row_id, name) for part, site_id, row_id in found.fetchall())

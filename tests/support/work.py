"""How much a database reads to answer, whatever the time that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import event

from analytics.storage.database import Database

STEP = 10  # instructions of SQLite's virtual machine: a row that is read and left out costs about as many


def rows_read(database: Database, do: Callable[[], object]) -> int:
    """About how many rows the queries of `do` read: counted by PostgreSQL, estimated from SQLite's instructions."""
    return _on_sqlite(database, do) if database.embedded else _on_postgresql(database, do)


def _on_sqlite(database: Database, do: Callable[[], object]) -> int:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def begin(driver: Any, *_: object) -> None:
        driver.set_progress_handler(count, STEP)

    event.listen(database.reading, "checkout", begin)
    try:
        do()
    finally:
        event.remove(database.reading, "checkout", begin)
    return steps


def _on_postgresql(database: Database, do: Callable[[], object]) -> int:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(database.reading, "before_cursor_execute", note)
    try:
        do()
    finally:
        event.remove(database.reading, "before_cursor_execute", note)
    explain = "EXPLAIN (ANALYZE, FORMAT JSON) "
    with database.read() as connection:
        answers = [connection.exec_driver_sql(explain + statement, values).scalar_one() for statement, values in asked]
    plans = [answer[0]["Plan"] for answer in answers]
    return sum(_rows(node) for plan in plans for node in _nodes(plan))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _rows(node: dict[str, Any]) -> int:
    """The rows that a scan of a table or an index has read, also those that its filter left out."""
    if "Relation Name" not in node:
        return 0
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int(node["Actual Loops"] * (node["Actual Rows"] + left_out))

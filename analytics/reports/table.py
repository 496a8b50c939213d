"""A table: heads and rows, written for people (text in columns), for spreadsheets (CSV) and for programs (JSON)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from analytics.base import idn
from analytics.calendar.period import Span
from analytics.query import formatting
from analytics.query.answer import Past, breakdown
from analytics.query.metrics import Metric
from analytics.query.query import Query
from analytics.query.result import Number

FORMATS = ("table", "csv", "json")
Cell = str | Number | dict[str, Any]


class Table(NamedTuple):
    """Heads, and rows of as many cells; money is a `value` with its `currency`, what nobody knows is None."""

    heads: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


def of_answer(query: Query, span: Span, past: Past) -> Table:
    """The answer to a question: its dimensions, then its metrics, in the units of the statistics API."""
    found = breakdown(query, span, past).rows
    values = [formatting.value(one, query.clock) for one in query.split]
    currencies = formatting.currencies(query, span, found, past.ask)
    rows = [
        (
            *(value(one) for value, one in zip(values, row.dimensions, strict=True)),
            *(
                _number(one, number, currencies.get(row.dimensions, ""))
                for one, number in zip(query.asked, row.metrics, strict=True)
            ),
        )
        for row in found
    ]
    return Table((*query.dimensions, *query.metrics), rows)


def _number(one: Metric, number: Number, currency: str) -> Cell:
    if one.unit != "money" or number is None:
        return formatting.number(one, number)
    return {"value": number, "currency": currency}


def text(table: Table, form: str) -> str:
    """The table as text of one of `FORMATS`, without a newline at its end."""
    return {"table": _columns, "csv": _csv, "json": _json}[form](table)


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text, "" for none. Hosts are in letters.

    What is not printable is shown as a dot: no text steers a terminal.
    """
    if not rows:
        return ""
    shown = [[_printable(idn.in_letters(cell)) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(heads))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown)
    return "\n".join(line.rstrip() for line in lines)


def _printable(cell: str) -> str:
    return cell if cell.isprintable() else "".join(one if one.isprintable() else "·" for one in cell)


def _columns(table: Table) -> str:
    return columns(table.heads, [[_shown(cell) for cell in row] for row in table.rows]) or "Nothing in this period."


def _shown(cell: Cell) -> str:
    if isinstance(cell, dict):
        return f"{cell['value']:.2f} {cell['currency']}"
    return "-" if cell is None else str(cell)


def _csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.heads)
    writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return out.getvalue().rstrip("\n")


def _plain(cell: Cell) -> str | Number:
    return cell["value"] if isinstance(cell, dict) else cell


def _json(table: Table) -> str:
    lines = [json.dumps(dict(zip(table.heads, row, strict=True)), ensure_ascii=False) for row in table.rows]
    return "[\n  " + ",\n  ".join(lines) + "\n]" if lines else "[]"

"""Rows as text: in columns for people, as CSV for spreadsheets and programs, as JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from analytics.base import idn
from analytics.calendar.period import Span
from analytics.query import formatting
from analytics.query.answer import answer
from analytics.query.backend import Backend
from analytics.query.metrics import Metric
from analytics.query.query import Query
from analytics.query.result import Number

FORMATS = ("table", "csv", "json")
FORMULAS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")  # with what a spreadsheet begins a formula; four in full width
CELLS = re.compile(r"(?<=[;\t\r\n])")  # where a spreadsheet may begin another cell: not all separate them by commas
Cell = str | Number
Money = dict[str, Any]


class Table(NamedTuple):
    """Heads, and rows of as many cells; money is a `value` with its `currency`, an unknown number is None."""

    heads: tuple[str, ...]
    rows: list[tuple[Cell | Money, ...]]


def table_of(query: Query, span: Span, backend: Backend) -> Table:
    """The answer to a question: its dimensions, then its metrics, in the units of the statistics API."""
    found = answer(query, span, backend).rows
    values = [formatting.value(one, query.clock) for one in query.split]
    currencies = formatting.currencies(query, span, found, backend)
    rows = [
        (
            *(value(one) for value, one in zip(values, row.dimensions, strict=True)),
            *(
                _number(one, number, currencies.get(row.dimensions, ""))
                for one, number in zip(query.resolved_metrics, row.metrics, strict=True)
            ),
        )
        for row in found
    ]
    return Table((*query.dimensions, *query.metrics), rows)


def _number(one: Metric, number: Number, currency: str) -> Cell | Money:
    if one.unit != "money" or number is None:
        return formatting.number(one, number)
    return {"value": number, "currency": currency}


def text(table: Table, form: str) -> str:
    """The table as text of one of `FORMATS`, without a newline at its end."""
    return {"table": _columns, "csv": _csv, "json": _json}[form](table)


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text, "" for none. Hosts are in letters.

    Unprintable characters are shown as dots, so that no text can control a terminal.
    """
    if not rows:
        return ""
    shown = [[_printable(idn.in_letters(cell)) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(heads))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown)
    return "\n".join(line.rstrip() for line in lines)


def spreadsheet(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as CSV (RFC 4180) for spreadsheets: numbers with a point, nothing where a number is not known.

    Visitors choose the names of pages and sources: what a spreadsheet would read as a formula gets an apostrophe in
    front, also where a semicolon or a tab within the text begins another cell, as with German settings.
    """
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, float):
        return round(cell, 4)
    return _defused(cell) if isinstance(cell, str) else cell


def _defused(text: str) -> str:
    shown, is_formula = "", False
    for piece in reversed(CELLS.split(text)):
        first = next((sign for sign in piece if not _is_unseen(sign)), None)
        is_formula = first in FORMULAS if first else is_formula  # a piece of spaces may be left out before the next
        shown = f"'{piece}{shown}" if is_formula else f"{piece}{shown}"
    is_cut = not is_formula and text.lstrip(" \n").startswith(("\t", "\r"))  # some programs leave these out
    return f"'{shown}" if is_cut else shown


def _is_unseen(sign: str) -> bool:
    """Whether a reader of CSV may leave it out: spaces, marks, what has no form, and the quotes around a cell."""
    return sign == '"' or unicodedata.category(sign)[0] in "ZCM"


def _printable(cell: str) -> str:
    return cell if cell.isprintable() else "".join(one if one.isprintable() else "·" for one in cell)


def _columns(table: Table) -> str:
    return columns(table.heads, [[_shown(cell) for cell in row] for row in table.rows]) or "Nothing in this period."


def _shown(cell: Cell | Money) -> str:
    if isinstance(cell, dict):
        return f"{cell['value']:.2f} {cell['currency']}"
    return "-" if cell is None else str(cell)


def _csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.heads)
    writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return out.getvalue().rstrip("\n")


def _plain(cell: Cell | Money) -> Cell:
    return cell["value"] if isinstance(cell, dict) else cell


def _json(table: Table) -> str:
    lines = [json.dumps(dict(zip(table.heads, row, strict=True)), ensure_ascii=False) for row in table.rows]
    return "[\n  " + ",\n  ".join(lines) + "\n]" if lines else "[]"

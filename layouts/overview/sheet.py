"""Rows as a CSV file that a spreadsheet opens without being told to do anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | float | None
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def text(rows: Iterable[Sequence[Cell]]) -> str:
    """The rows as CSV (RFC 4180), one a line; numbers with a point, nothing where a number is not known.

    Pages and sources are named by whoever visits: a text that a spreadsheet would take for a formula gets an
    apostrophe in front.
    """
    file = io.StringIO()
    csv.writer(file).writerows([_harmless(cell) for cell in row] for row in rows)
    return file.getvalue()


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, float):
        return round(cell, 4)
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" \n").startswith(DANGEROUS) else cell

"""One whole list in a dialog, with search, sorting, pages and a CSV file: the props of a `DetailsTable`."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from analytics.base.words import _, pgettext
from analytics.query.filters import Filter
from analytics.query.metrics import METRICS
from analytics.reports.lists import LISTS, TIME, shown_value
from analytics.reports.values import Entry, Listing, columns_of, heading_of
from analytics.reports.view import PAGE, Details, change
from layouts import wrong_address
from layouts.components import figures
from layouts.footfall_components.details_table import DetailsColumn, DetailsRow, WrongDetails
from layouts.footfall_components.ranking import EmptyState
from layouts.overview.panels import BY_PATH, Named, naming, titled, ways

PROPS = (
    *("of", "title", "noun", "searchable", "naming", "columns", "rows", "count", "before", "after", "file", "empty"),
    "wrong",
)


def table(
    one: Details, found: Listing, current: tuple[Filter, ...], period: str, files: str, named: Named = BY_PATH
) -> dict[str, Any]:
    """All of PROPS; `files` is the address below which the files of the Overview are."""
    columns, pages = columns_of(one.of), max(1, ceil(found.total / PAGE))
    titles = [
        _column("name", _(heading_of(one.of)), one),
        *(_column(name, _(METRICS[name].label), one) for name in columns),
    ]
    return {
        "of": one.of,
        "title": title(one.of),
        "noun": _noun(one.of),
        "searchable": one.of != TIME,
        "naming": naming(LISTS[one.of], named.by_title) if one.of in LISTS else None,
        "columns": titles,
        "rows": [
            titled(_row(one, entry, columns, found.everybody, current), named.titles.get(entry.value))
            for entry in found.rows
        ],
        "count": _count(one, found, period),
        "before": None if pages == 1 else _turn(one.page - 1, one.page > 1),
        "after": None if pages == 1 else _turn(one.page + 1, one.page < pages),
        "file": f"{files}/{one.of}.csv",
        "empty": _nothing(one, period),
        "wrong": None,
    }


def wrong(message: str, search: str) -> WrongDetails:
    """The words in place of a list for the query string `search`, from the message of an `InvalidInput`.

    The dialog is in front of the toolbar, which says the same.
    """
    return {**wrong_address.start_over(message), "title": _("Details"), "search": search}


def title(of: str) -> str:
    """The title of the dialog."""
    return _("Over time") if of == TIME else _(LISTS[of].label)


def _noun(of: str) -> str:
    return pgettext("chart", "points") if of == TIME else _(LISTS[of].rows)


def _nothing(one: Details, period: str) -> EmptyState:
    hint = _("Nothing in the list has these letters.") if one.search else _("Another period may have some.")
    return {"title": _("No {rows} in this period: {period}", rows=_noun(one.of), period=period), "hint": hint}


def _column(name: str, label: str, one: Details) -> DetailsColumn:
    is_current = one.order.by == name
    downwards = not one.order.descending if is_current else name != "name"
    return {
        "key": name,
        "label": label,
        "change": change(sort="-" * downwards + name, page=""),
        "order": "none" if not is_current else "down" if one.order.descending else "up",
    }


def _row(one: Details, entry: Entry, columns: Sequence[str], everybody: int, current: tuple[Filter, ...]) -> DetailsRow:
    cells = [figures.number(value, METRICS[name].unit) for name, value in zip(columns, entry.numbers, strict=True)]
    if one.of == TIME:
        return {"key": entry.value, "label": entry.name, "cells": cells}
    name = LISTS[one.of].dimension
    row: DetailsRow = {"key": f"{name}={entry.value}", "label": shown_value(name, entry.value), "cells": cells}
    if everybody:
        row["share"] = figures.number((entry.numbers[columns.index("visitors")] or 0) / everybody, "share")
    ways_on = ways(name, [entry.value], current)
    return row | {"change": ways_on["change"], "out": ways_on["out"]}


def _count(one: Details, found: Listing, period: str) -> str:
    if not found.rows:
        return f"{figures.count(0)}, {period}"
    first = (one.page - 1) * PAGE
    return _(
        "{first}–{last} of {total}, {period}",
        first=figures.count(first + 1),
        last=figures.count(first + len(found.rows)),
        total=figures.count(found.total),
        period=period,
    )


def _turn(page: int, is_there: bool) -> str:
    return change(page="" if page == 1 else page) if is_there else ""

"""One whole list in a dialog, with search, sorting, pages and a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.query.filters import Filter
from analytics.query.metrics import METRICS
from analytics.reports.lists import LISTS, TIME
from analytics.reports.values import Entry, Listing, columns_of, heading_of
from analytics.reports.view import CLOSED, MAX_SEARCH_LENGTH, PAGE, Details, change
from layouts.components import figures, states
from layouts.components.markup import Tag, aria, data, icon
from layouts.overview.panels import exclude, link

Value = int | float | None
SEARCH = "details-search"


def title(of: str) -> str:
    """The title of the dialog."""
    return "Over time" if of == TIME else LISTS[of].label


def _noun(of: str) -> str:
    return "points" if of == TIME else LISTS[of].rows


def head(one: Details) -> list[Any]:
    """Title, search field, close button."""
    search = {
        "class": "ff-input",
        "id": SEARCH,
        "type": "search",
        "value": one.search,
        "placeholder": "Search",
        "aria-label": f"Search {_noun(one.of)}",
        "maxlength": MAX_SEARCH_LENGTH,
        "autocomplete": "off",
    }
    close = html.Button(icon("x"), type="button", className="ff-icon", **aria(label="Close"), **data(change=CLOSED))
    field: list[Any] = [] if one.of == TIME else [Tag("input", search)]
    return [
        html.Header([html.H2(title(one.of)), html.Div([*field, close], className="ff-end")], className="ff-card-head")
    ]


def rows(one: Details, found: Listing, current: tuple[Filter, ...], period: str) -> list[Any]:
    """The table with its foot."""
    if not found.rows:
        hint = "Nothing in the list has these letters." if one.search else "Another period may have some."
        return [states.nothing(f"No {_noun(one.of)} in this period: {period}", hint), _foot(one, found, period)]
    columns = columns_of(one.of)
    titles = [_title("name", heading_of(one.of), one), *(_title(name, METRICS[name].label, one) for name in columns)]
    lines = [_row(one, entry, columns, found.everybody, current) for entry in found.rows]
    table = html.Table([html.Thead(html.Tr(titles)), html.Tbody(lines)], className="ff-table ff-whole")
    return [html.Div(table, className="ff-scroll", tabIndex=0), _foot(one, found, period)]


def _title(name: str, label: str, one: Details) -> Component:
    is_current = one.order.by == name
    downwards = not one.order.descending if is_current else name != "name"
    order = "none" if not is_current else "descending" if one.order.descending else "ascending"
    button = html.Button(
        [label, icon("down", 12)],
        type="button",
        **data(change=change(sort="-" * downwards + name, page=""), keep=f"sort-{name}"),
    )
    return html.Th(button, scope="col", className="" if name == "name" else "ff-num", **aria(sort=order))


def _row(one: Details, entry: Entry, columns: Sequence[str], everybody: int, current: tuple[Filter, ...]) -> Component:
    if one.of == TIME:
        first = html.Td(entry.name)
    else:
        name = LISTS[one.of].dimension
        inner = [link(name, entry.value, current), exclude(name, entry.value, current)]
        first = html.Td(html.Div(inner, className="ff-named"), title=entry.name)
    cells = [
        _cell(name, value, everybody if one.of != TIME else 0)
        for name, value in zip(columns, entry.numbers, strict=True)
    ]
    return html.Tr([first, *cells])


def _cell(name: str, value: Value, everybody: int) -> Component:
    written = figures.number(value, METRICS[name].unit)
    if name != "visitors" or not everybody:
        return html.Td(written, className="ff-num")
    share = html.Span(figures.number((value or 0) / everybody, "share"), className="ff-pct is-shown")
    return html.Td([share, " ", html.B(written)], className="ff-num")


def _foot(one: Details, found: Listing, period: str) -> Component:
    pages = max(1, ceil(found.total / PAGE))
    first = (one.page - 1) * PAGE
    many = f"{figures.count(first + 1)}–{figures.count(first + len(found.rows))} of {figures.count(found.total)}"
    words = html.Span(f"{many if found.rows else figures.count(0)}, {period}")
    turns = (
        [_turn("Previous", one.page - 1, one.page - 1 >= 1), _turn("Next", one.page + 1, one.page < pages)]
        if pages > 1
        else []
    )
    file = html.A([icon("download", 14), "CSV"], href="#", className="ff-btn", **data(csv=one.of))
    return html.Footer([words, *turns, file], className="ff-turn")


def _turn(label: str, page: int, is_there: bool) -> Component:
    attributes: dict[str, Any] = {"data-change": change(page="" if page == 1 else page), "data-keep": label}
    return html.Button(
        label, type="button", className="ff-btn", disabled=not is_there, **(attributes if is_there else {})
    )

"""A table of labels with their people, most first, and a line for those left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.live.state import LabelCount, Others
from layouts.components import figures
from layouts.components.markup import name

NO_TITLES: Mapping[str, str] = {}


def top(entries: Sequence[LabelCount], rest: Others, rows: int) -> tuple[Sequence[LabelCount], Others]:
    """The first `rows` of the entries; the others join `rest`."""
    over = entries[rows:]
    return entries[:rows], Others(rest.people + sum(entry.people for entry in over), rest.others + len(over))


def table(
    heading: str, entries: Sequence[LabelCount], column: str, titles: Mapping[str, str] = NO_TITLES
) -> html.Table:
    """One row per entry: label, bar relative to the largest, people. `column` is the heading of the numbers.

    `titles` are the titles of pages by path: such a row has both.
    """
    columns = html.Colgroup([html.Col(), html.Col(className="ff-col-bar"), html.Col(className="ff-col-n")])
    head = html.Tr(
        [
            html.Th(heading, scope="col"),
            html.Th(html.Span(_("Share"), className="ff-vh"), scope="col"),
            html.Th(column, scope="col", className="ff-num"),
        ]
    )
    most = max((entry.people for entry in entries), default=1)
    rows = [_row(entry, most, titles.get(entry.label, "")) for entry in entries]
    return html.Table([columns, html.Thead(head), html.Tbody(rows)], className="ff-table")


def left_out(rest: Others, words: str) -> html.P | None:
    """The line for those left out, whose words have the places {people} and {n}: `6 people on 6 other pages`; None when
    nobody is left out.
    """
    if not rest.people:
        return None
    said = words.format(people=figures.people(rest.people), n=figures.count(rest.others))
    return html.P(said, className="ff-rest")


def _row(entry: LabelCount, most: int, title: str) -> Component:
    shown = [name(title), html.Small(name(entry.label), className="ff-window")] if title else name(entry.label)
    share = f"{100 * entry.people / most:.0f}%"
    return html.Tr(
        [
            html.Td(shown, title=f"{title}\n{entry.label}" if title else entry.label),
            html.Td(html.Span(html.I(), className="ff-mini", style={"--w": share})),
            html.Td(html.B(figures.count(entry.people)), className="ff-num"),
        ]
    )

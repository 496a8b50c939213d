"""A table of rows that people act on, such as people, keys and hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def table(heads: Sequence[str], rows: Sequence[html.Tr], *, numbers: Sequence[str] = (), body: str = "") -> Component:
    """The table. A head "" is that of the actions; the columns of `numbers` are aligned to the right. Scrolls sideways
    where there is no room. `body` is the id of the element to which further rows, `labelled`, are added.
    """
    titles = [_head(one, one in numbers) for one in heads]
    named: dict[str, Any] = {"id": body} if body else {}
    inner = [html.Thead(html.Tr(titles)), html.Tbody(labelled(heads, rows), **named)]
    whole: Component = dbc.Table(inner, class_name="ff-table ff-rows", responsive=True)
    return whole


def labelled(heads: Sequence[str], rows: Sequence[html.Tr]) -> list[html.Tr]:
    """The rows, each cell with its heading: on a phone a row is a card, and the headings are out of sight."""
    for row in rows:
        for cell, title in zip(row.children, heads, strict=True):
            setattr(cell, "data-label", title)
    return list(rows)


def _head(title: str, is_number: bool) -> html.Th | html.Td:
    if not title:
        return html.Td()
    return html.Th(title, scope="col", className="ff-num" if is_number else "")

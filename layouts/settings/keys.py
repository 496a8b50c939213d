"""Settings, API keys: which programs may read the numbers or send visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from layouts.components import figures, form, states
from layouts.components.address import at
from layouts.components.table import table

ADD, REMOVE = "key", "key-remove"
LIST, KEY = "keys", "new-key"

SCOPES = (("stats", "Read the numbers"), ("ingest", "Send visits"), ("admin", "Both"))


class KeyRow(NamedTuple):
    """One key. `everywhere`: it opens every site; `may_remove`: this person may remove it."""

    id: int
    name: str
    scope: str
    since: int
    everywhere: bool
    may_remove: bool


def cards(domain: str, rows: Sequence[KeyRow]) -> list[Component]:
    """The list with its channel, and the form that adds."""
    words = html.Span(html.A("Reference", href=at("/api/docs"), className="ff-btn ff-btn-plain"), className="ff-end")
    head = html.Header([html.H2("API keys"), form.state(REMOVE), words], className="ff-card-head")
    listed = html.Div(lists(rows), id=LIST)
    return [html.Section([head, listed, form.channel(REMOVE, domain)], className="ff-card"), _add(domain)]


def lists(rows: Sequence[KeyRow]) -> list[Component]:
    """The table, or words where there is no key."""
    if not rows:
        return [states.nothing("No key yet", "A program shows a key instead of signing in.", "lock")]
    return [table(("Name", "May", "Since", ""), [_row(row) for row in rows])]


def _add(domain: str) -> Component:
    fields = [
        form.text(ADD, "name", "Name", hint="The program or server that will use it.", maxlength=120),
        form.select(ADD, "scope", "May", "stats", SCOPES),
    ]
    intro = ["Opens ", html.Bdi(to_letters(domain)), " alone."]
    return form.card(ADD, "Add a key", fields, domain=domain, intro=intro, save="Add key", once=KEY)


def _row(row: KeyRow) -> html.Tr:
    name: list[Component] = [html.Bdi(row.name, className="ff-trunc", title=row.name)]
    if row.everywhere:
        name.append(html.Span("Every site", className="ff-window ff-trunc"))
    lost = f"Remove the key {row.name}? Whatever uses it is refused from then on."
    remove = form.form(REMOVE, [form.confirm_button("Remove", lost)], key=str(row.id)) if row.may_remove else None
    cells = [html.Td(name), html.Td(dict(SCOPES)[row.scope]), html.Td(figures.day(row.since)), html.Td(remove)]
    return html.Tr(cells, id=f"key-{row.id}")

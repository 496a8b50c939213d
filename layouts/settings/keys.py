"""Settings, API keys: which programs may read the numbers or send visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.base.words import N_, _, pgettext
from layouts.components import figures, form, states
from layouts.components.address import at
from layouts.components.markup import sentence
from layouts.components.table import table

ADD, REMOVE = "key", "key-remove"
LIST, KEY = "keys", "new-key"

SCOPES = (("stats", N_("Read the numbers")), ("ingest", N_("Send visits")), ("admin", N_("Both")))


class KeyRow(NamedTuple):
    """One key. `everywhere`: it opens every site; `may_remove`: this person may remove it."""

    id: int
    name: str
    scope: str
    since: int
    everywhere: bool
    may_remove: bool


def cards(domain: str, rows: Sequence[KeyRow]) -> list[Component]:
    """The keys in a list, and the form that adds one."""
    link = html.A(_("Reference"), href=at("/api/docs"), className="ff-btn ff-btn-plain")
    end = html.Span(link, className="ff-end")
    head = html.Header([html.H2(_("API keys")), form.state(REMOVE), end], className="ff-card-head")
    listed = html.Div(lists(rows), id=LIST)
    return [html.Section([head, listed, form.connection(REMOVE, domain)], className="ff-card"), _add(domain)]


def lists(rows: Sequence[KeyRow]) -> list[Component]:
    """The table, or words where there is no key."""
    if not rows:
        return [states.nothing(_("No key yet"), _("A program shows a key instead of signing in."), "lock")]
    return [table((_("Name"), pgettext("what a key opens", "May"), _("Since"), ""), [_row(row) for row in rows])]


def _add(domain: str) -> Component:
    fields = [
        form.text(ADD, "name", _("Name"), hint=_("The program or server that will use it."), maxlength=120),
        form.select(ADD, "scope", pgettext("what a key opens", "May"), "stats", form.translated(SCOPES)),
    ]
    intro = sentence(_("Opens {site} alone."), site=html.Bdi(to_letters(domain)))
    return form.card(ADD, _("Add a key"), fields, domain=domain, intro=intro, save=_("Add key"), once=KEY)


def _row(row: KeyRow) -> html.Tr:
    name: list[Component] = [html.Bdi(row.name, className="ff-trunc", title=row.name)]
    if row.everywhere:
        name.append(html.Span(_("Every site"), className="ff-window ff-trunc"))
    lost = _("Remove the key {name}? Whatever uses it is refused from then on.", name=row.name)
    remove = form.form(REMOVE, [form.confirm_button(_("Remove"), lost)], key=str(row.id)) if row.may_remove else None
    cells = [html.Td(name), html.Td(_(dict(SCOPES)[row.scope])), html.Td(figures.day(row.since)), html.Td(remove)]
    return html.Tr(cells, id=f"key-{row.id}")

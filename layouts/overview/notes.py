"""Notes: the menu in which an admin writes and removes them. Their marks are in the chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.sites.note import MAX_TEXT, Note
from layouts.components import figures, form
from layouts.components.markup import aria, data, icon

ADD, REMOVE = "note", "note-remove"
LIST = "overview-notes-list"


def connections(domain: str) -> list[Component]:
    """What connects the menu's forms with their callbacks, once on a page."""
    return [form.connection(name, domain) for name in (ADD, REMOVE)]


def menu(today: str, *, hidden: bool) -> Component:
    """The menu without a note, with the form that adds one; its day is `today` at first."""
    summary = html.Summary(_("Notes"), className="ff-details", **data(key="notes"))
    inner = html.Div([html.Ul(id=LIST), _form(today)], className="ff-pop ff-pop-end ff-segments")
    return html.Details([summary, inner], className="ff-menu", hidden=hidden)


def lines(known: Sequence[Note]) -> list[Component]:
    """The notes of the period."""
    return [_line(one) for one in known]


def _line(one: Note) -> Component:
    day = figures.day_text(int(datetime(one.day.year, one.day.month, one.day.day, tzinfo=UTC).timestamp()))
    words = html.Span([html.Bdi(one.text, className="ff-trunc"), html.Span(day, className="ff-window")], title=one.text)
    label = _("Remove {name}", name=one.text)
    away = html.Button(
        icon("x", 14),
        type="submit",
        className="ff-icon",
        title=label,
        **aria(label=label),
        **data(confirm=_("The note “{text}” will be gone for everybody.", text=one.text)),
    )
    return html.Li([words, form.form(REMOVE, [away], key=str(one.id))])


def _form(today: str) -> Component:
    limits = {"min": "1971-01-01", "max": "2099-12-31"}
    fields = [
        form.text(ADD, "day", _("Day"), today, kind="date", **limits),
        form.text(ADD, "text", _("What happened"), maxlength=MAX_TEXT, autocomplete="off"),
    ]
    return form.form(ADD, [*fields, form.actions(_("Add note"))], className="ff-asked")

"""Notes: their marks in the chart, and the menu in which an admin writes and removes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.sites.note import MAX_TEXT, Note
from layouts.components import figures, form
from layouts.components.markup import Tag, data, icon

ADD, REMOVE = "note", "note-remove"
ROWS = 3  # of labels, so that labels close to each other do not overlap


class Mark(NamedTuple):
    """A position in the chart, in percent from the left, and its text."""

    left: float
    text: str


def channels(domain: str) -> list[Component]:
    """The channels of the menu's forms, once on a page."""
    return [form.channel(name, domain) for name in (ADD, REMOVE)]


def marks(given: Sequence[Mark]) -> list[Component]:
    """A line for each mark, with its text on the side that has room."""
    return [_mark(one, number % ROWS) for number, one in enumerate(given)]


def _mark(one: Mark, row: int) -> Component:
    side = "is-left" if one.left > 50 else "is-right"
    label = html.Span([icon("flag", 12), html.Bdi(one.text)], style={"top": f"{26 * row}px"}, title=one.text)
    return html.Span(label, className=f"ff-note {side}", style={"left": f"{one.left:.2f}%"})


def menu(known: Sequence[Note], today: str) -> Component:
    """The menu: the notes of the period, and the form that adds one, whose day is `today` at first."""
    lines = [html.Ul([_line(one) for one in known])] if known else []
    summary = html.Summary("Notes", className="ff-details", **data(keep="notes"))
    pop = html.Div([*lines, _form(today)], className="ff-pop ff-pop-end ff-segments")
    return html.Details([summary, pop], className="ff-menu")


def _line(one: Note) -> Component:
    day = figures.day_text(int(datetime(one.day.year, one.day.month, one.day.day, tzinfo=UTC).timestamp()))
    words = html.Span([html.Bdi(one.text, className="ff-trunc"), html.Span(day, className="ff-window")], title=one.text)
    said: dict[str, Any] = {
        "aria-label": f"Remove {one.text}",
        "data-confirm": f"The note “{one.text}” will be gone for everybody.",
    }
    away = html.Button(icon("x", 14), type="submit", className="ff-icon", title=f"Remove {one.text}", **said)
    return html.Li([words, form.form(REMOVE, [away], key=str(one.id))])


def _form(today: str) -> Any:
    fields = [
        _field("day", "Day", {"type": "date", "value": today, "min": "1971-01-01", "max": "2099-12-31"}),
        _field("text", "What happened", {"type": "text", "maxlength": MAX_TEXT, "autocomplete": "off"}),
    ]
    inner = [*fields, form.actions("Add note")]
    return Tag("form", {"class": "ff-asked", "data-form": ADD, "novalidate": True}, inner)


def _field(name: str, label: str, rules: dict[str, object]) -> Component:
    control = f"{ADD}-{name}"
    note = html.Div(
        [html.Span(className="ff-hint"), html.Span(className="ff-wrong", role="alert")],
        id=f"{control}-note",
        className="ff-field-note",
        **data(note=name),
    )
    field: Any = Tag("input", {"class": "ff-input", "id": control, "name": name, **rules})
    caption: Any = Tag("label", {"for": control}, label)
    return html.Div([caption, field, note], className="ff-field")

"""The menu of saved segments, which applies, saves and removes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.query import filters
from analytics.query.filters import Filter
from analytics.query.segment import MAX_NAME_LENGTH, Segment
from analytics.reports.view import filtered
from layouts.components import form
from layouts.components.markup import Tag, aria, data, icon

SAVE, REMOVE = "segment", "segment-remove"


class May(NamedTuple):
    """The id of the person (0 without an account), and whether they may change segments and notes of everybody."""

    person_id: int
    share: bool

    @property
    def save(self) -> bool:
        """Whether they may save segments of their own."""
        return self.person_id != 0


def channels(domain: str) -> list[Component]:
    """The channels of the menu's forms, once on a page."""
    return [form.channel(name, domain) for name in (SAVE, REMOVE)]


def menu(known: Sequence[Segment], current: tuple[Filter, ...], may: May) -> list[Component]:
    """The menu; empty where there is neither a segment nor a filter to save."""
    saving = [_form(current, may)] if current and may.save else []
    if not known and not saving:
        return []
    lines = [html.Ul([_line(one, current, may) for one in known])] if known else []
    summary = html.Summary(["Segments", icon("down", 14)], className="ff-btn ff-btn-plain", **data(keep="segments"))
    return [html.Details([summary, html.Div([*lines, *saving], className="ff-pop ff-segments")], className="ff-menu")]


def _line(one: Segment, current: tuple[Filter, ...], may: May) -> Component:
    marked: dict[str, Any] = {"aria-current": "true"} if one.filters == current else {}
    whose = [html.Span("everybody's", className="ff-window")] if one.person_id is None else []
    way = html.A(
        [html.Bdi(one.name, className="ff-trunc"), *whose], href="#", **data(change=filtered(one.filters)), **marked
    )
    return html.Li([way, *([_away(one)] if may.share or (may.save and one.person_id is not None) else [])])


def _away(one: Segment) -> Component:
    of = "for everybody" if one.person_id is None else "for you"
    button = html.Button(
        icon("x", 14),
        type="submit",
        className="ff-icon",
        title=f"Remove {one.name}",
        **aria(label=f"Remove {one.name}"),
        **data(confirm=f"The segment “{one.name}” will be gone {of}."),
    )
    return form.form(REMOVE, [button], key=str(one.id))


def _form(current: tuple[Filter, ...], may: May) -> Any:
    written = json.dumps([filters.plain(one) for one in current], ensure_ascii=False)
    name = {
        "class": "ff-input",
        "id": f"{SAVE}-name",
        "name": "name",
        "maxlength": MAX_NAME_LENGTH,
        "autocomplete": "off",
    }
    note = html.Div(
        [html.Span(className="ff-hint"), html.Span(className="ff-wrong", role="alert")],
        id=f"{SAVE}-name-note",
        className="ff-field-note",
        **data(note="name"),
    )
    label: Any = Tag("label", {"for": f"{SAVE}-name"}, "Save these filters as")
    line: Any = Tag("input", name)
    field = html.Div([label, line, note], className="ff-field")
    shared = [_switch()] if may.share else []
    hidden = Tag("input", {"type": "hidden", "name": "filters", "value": written})
    inner = [field, hidden, *shared, form.actions("Save segment")]
    return Tag("form", {"class": "ff-asked", "data-form": SAVE, "novalidate": True}, inner)


def _switch() -> Component:
    inner = [html.I(**aria(hidden="true")), html.Span("For everybody who sees the site")]
    state: dict[str, Any] = {"data-name": "shared", "aria-checked": "false"}
    return html.Button(inner, type="button", role="switch", className="ff-switch", **state)

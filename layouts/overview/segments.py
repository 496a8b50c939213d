"""The menu of saved segments, which applies, saves and removes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.query import filters
from analytics.query.filters import Filter
from analytics.query.segment import MAX_NAME_LENGTH, Segment
from analytics.reports.view import filtered
from layouts.components import form
from layouts.components.markup import aria, data, icon
from layouts.footfall_components.address_link import AddressLink

SAVE, REMOVE = "segment", "segment-remove"
MENU, LIST, FILTERS = "overview-segments", "overview-segments-list", f"{SAVE}-filters"


class May(NamedTuple):
    """The id of the person (0 without an account), and whether they may change segments and notes of everybody."""

    person_id: int
    share: bool

    @property
    def save(self) -> bool:
        """Whether they may save segments of their own."""
        return self.person_id != 0


def connections(domain: str) -> list[Component]:
    """What connects the menu's forms with their callbacks, once on a page."""
    return [form.connection(name, domain) for name in (SAVE, REMOVE)]


def menu(may: May) -> Component:
    """The menu before the first answer: hidden, without a segment, and its form hidden too."""
    summary = html.Summary([_("Segments"), icon("down", 14)], className="ff-btn ff-btn-plain", **data(key="segments"))
    inner = html.Div([html.Ul(id=LIST), _form(may)], className="ff-pop ff-segments")
    return html.Details([summary, inner], id=MENU, className="ff-menu", hidden=True)


def lines(known: Sequence[Segment], current: tuple[Filter, ...], may: May) -> list[Component]:
    """The segments that there are."""
    return [_line(one, current, may) for one in known]


def written(current: tuple[Filter, ...]) -> str:
    """The filters as the form that saves them sends them."""
    return json.dumps([filters.plain(one) for one in current], ensure_ascii=False)


def _line(one: Segment, current: tuple[Filter, ...], may: May) -> Component:
    whose = [html.Span(_("everybody's"), className="ff-window")] if one.person_id is None else []
    name, is_current = html.Bdi(one.name, className="ff-trunc"), one.filters == current
    way = AddressLink([name, *whose], change=filtered(one.filters), current=is_current)
    return html.Li([way, *([_away(one)] if may.share or (may.save and one.person_id is not None) else [])])


def _away(one: Segment) -> Component:
    asked = (
        _("The segment “{name}” will be gone for everybody.", name=one.name)
        if one.person_id is None
        else _("The segment “{name}” will be gone for you.", name=one.name)
    )
    label = _("Remove {name}", name=one.name)
    button = html.Button(
        icon("x", 14),
        type="submit",
        className="ff-icon",
        title=label,
        **aria(label=label),
        **data(confirm=asked),
    )
    return form.form(REMOVE, [button], key=str(one.id))


def _form(may: May) -> Component:
    unseen: Any = {"type": "hidden", "name": "filters", "value": ""}
    inner = [
        form.text(SAVE, "name", _("Save these filters as"), maxlength=MAX_NAME_LENGTH, autocomplete="off"),
        dcc.Input(id=FILTERS, **unseen),
        *([form.switch(SAVE, "shared", _("For everybody who sees the site"), False)] if may.share else []),
        form.actions(_("Save segment")),
    ]
    return form.form(SAVE, inner, className="ff-asked", hidden=True)

"""The buttons of a snooze: for an hour, for four, until tomorrow, and its end."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.notify.snooze import HOURS, TOMORROW, WAKE, tomorrow
from layouts.components import figures
from layouts.components.markup import data


def buttons(now: int, zone: tzinfo, *, is_snoozed: bool, has_focus: bool) -> list[Component]:
    """The buttons for a form, of which the first one may have the focus; the last ends a snooze that goes on."""
    until = figures.time_of_day(tomorrow(now, zone), zone)
    choices = [(value, _(label)) for value, label in HOURS]
    choices.append((TOMORROW, _("Until tomorrow, {time}", time=until)))
    choices += [(WAKE, _("End the snooze"))] if is_snoozed else []
    return [_button(value, label, has_focus=has_focus and not at) for at, (value, label) in enumerate(choices)]


def _button(value: str, label: str, *, has_focus: bool) -> Component:
    focus: dict[str, Any] = {"autoFocus": True} if has_focus else {}
    return html.Button(label, id=button_id(value), type="submit", className="ff-btn", **data(value=value), **focus)


def button_id(value: str) -> str:
    """The id of a button of the snooze, for the focus after an answer."""
    return f"snooze-{value}"

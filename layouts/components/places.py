"""The countries of the people on the live map."""

from __future__ import annotations

from dash import html

from analytics.base.words import _
from analytics.live.state import LiveState
from layouts.components import figures, label_counts
from layouts.components.markup import aria

COUNTRIES = 6


def list_of_countries(state: LiveState) -> html.Ul:
    """Countries by people, and how many people are in the others."""
    shown, rest = label_counts.top(state.countries, state.other_countries, COUNTRIES)
    lines = [_line(figures.country(entry.label) if entry.label else _("Unknown"), entry.people) for entry in shown]
    if rest.people:
        lines.append(_line(_("{n} more", n=figures.count(rest.others)), rest.people))
    return html.Ul(lines, className="ff-map-list", **aria(label=_("Countries now")))


def _line(name: str, people: int) -> html.Li:
    return html.Li([html.Bdi(name, className="ff-trunc"), html.B(figures.count(people))])

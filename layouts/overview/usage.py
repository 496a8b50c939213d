"""Daily usage: the people of each UTC day, signed in and anonymous, as the daily work counted them, without filters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from analytics.query.result import Usage
from analytics.reports.lists import USAGE
from layouts.components import figures
from layouts.components.markup import icon
from layouts.footfall_components.address_link import AddressLink
from layouts.footfall_components.day_bars import DayBar, DayBars

KINDS = (  # class, label, words for a number of them
    ("is-stored", N_("Signed in"), N_("{n} signed in")),
    ("is-anonymous", N_("Anonymous"), N_("{n} anonymous")),
)
PROPS = ("said", "most", "days", "ends", "empty")


def head(files: str) -> Component:
    """The head of the card; `files` is the address below which the files of the Overview are."""
    label = _("Daily usage as CSV")
    file = AddressLink(icon("download", 14), file=f"{files}/{USAGE}.csv", look="ff-icon", title=label, label=label)
    window = html.Span(_("everybody, by UTC days"), className="ff-window")
    legend = [html.Span([html.I(className=kind), _(label)], className="ff-bars-key") for kind, label, _said in KINDS]
    about = html.Div([window, *legend], className="ff-about")
    return html.Header([html.H2(_("Daily usage")), about, html.Div(file, className="ff-end")], className="ff-card-head")


def chart(name: str) -> DayBars:
    """The bars before their days, which `bars` brings."""
    return DayBars(id=name, kinds=[look for look, *_words in KINDS])


def bars(found: Sequence[Usage], days: Sequence[date]) -> dict[str, Any]:
    """What `chart` shows, all of PROPS: a bar for each day; days without people, or not counted yet, have none."""
    if not found:
        hint = _("The people of a day are counted at 01:00 UTC of the next.")
        return dict.fromkeys(PROPS) | {"empty": {"title": _("No day of this period is counted"), "hint": hint}}
    by_day = {one.day: one for one in found}
    most = max(found, key=lambda one: one.people)
    day = _day(date.fromisoformat(most.day))
    return {
        "said": _("At most {people}, on {day}. The file has every day.", people=figures.people(most.people), day=day),
        "most": figures.count(most.people),
        "days": [_bar(by_day.get(day.isoformat()), day, most.people) for day in days],
        "ends": [_day(day) for day in dict.fromkeys((days[0], days[len(days) // 2], days[-1]))],
        "empty": None,
    }


def _bar(one: Usage | None, day: date, most: int) -> DayBar:
    if one is None:
        return {"day": day.isoformat(), "title": _("{day}: nobody", day=_day(day)), "height": 0, "parts": []}
    parts = [one.signed_in, one.anonymous]
    counted = ", ".join(_(said, n=figures.count(many)) for (*_look, said), many in zip(KINDS, parts, strict=True))
    title = f"{_day(day)}: {figures.people(one.people)}, {counted}"
    return {"day": one.day, "title": title, "height": round(100 * one.people / most, 1), "parts": parts}


def _day(day: date) -> str:
    return figures.day_text(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))

"""The six numbers at the top with their change, and the words above the chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from analytics.calendar.period import INTERVAL_LABELS, Span, days_of
from analytics.query.metrics import METRICS
from analytics.reports.values import Numbers
from analytics.reports.view import BARS, TOP, change, filtered
from layouts.components import figures
from layouts.footfall_components.ranking import ChoiceItem, EmptyState
from layouts.footfall_components.stats import Compared, Stat

SO_FAR = {
    "minute": N_("This minute, so far"),
    "hour": N_("This hour, so far"),
    "day": N_("This day, so far"),
    "week": N_("This week, so far"),
    "month": N_("This month, so far"),
}


class Windows(NamedTuple):
    """The dates of the period and of its comparison in words; "" without a comparison. `on_a_day`: that is one day."""

    shown: str
    earlier: str = ""
    on_a_day: bool = False


def windows(shown: Span, earlier: Span | None, zone: tzinfo) -> Windows:
    """The dates of both spans, in the reader's language."""
    first, last = days_of(earlier or shown, zone)
    return Windows(
        figures.dates(*days_of(shown, zone)), figures.dates(first, last) if earlier else "", on_a_day=first == last
    )


def stats(now: Numbers, before: Numbers | None, chosen: str, windows: Windows) -> list[Stat]:
    """The six numbers, of which the chart draws the one that is `chosen`."""
    return [_stat(name, now, before, name == chosen, windows) for name in TOP]


def sentence(shown: Sequence[Stat], empty: EmptyState | None) -> str:
    """The chosen number with its change, or that there is none, for screen readers."""
    if empty:
        return empty["title"]
    one = next(stat for stat in shown if stat["chosen"])
    compared = one["compared"]
    parts = [
        one["label"],
        one["value"],
        *([compared["said"], compared["since"], compared["within"]] if compared else []),
    ]
    return " ".join(part for part in parts if part)


def nothing(period: str, is_filtered: bool, first_day: date) -> EmptyState:
    """Words instead of numbers that would all be zero: the period, and the next step. `first_day` is the first day with
    stored data.
    """
    title = _("Nobody came in this period: {period}", period=period)
    if is_filtered:
        hint = _("No visit suits all of the filters.")
        return {"title": title, "hint": hint, "link": _("Remove the filters"), "change": filtered(())}
    hint = _("The first visit was on {date}.", date=figures.dates(first_day, first_day))
    return {"title": title, "hint": hint, "link": _("Show all time"), "change": change(period="all", interval="")}


def no_data(snippet: str) -> EmptyState:
    """Words instead of the whole page of a site without any data; `snippet` is the address of the page that has its
    snippet, "" for people who may not see that.
    """
    title = _("Nothing has been recorded of this site yet")
    if not snippet:
        return {"title": title, "hint": _("An admin of the site can put the snippet into its pages.")}
    hint = _("One line in its pages, and the first visit appears here.")
    return {"title": title, "hint": hint, "link": _("Show the snippet"), "href": snippet}


def title(metric: str, interval: str) -> str:
    """The heading of the chart."""
    return _("{metric} by {interval}", metric=_(METRICS[metric].label), interval=_(interval))


def legend(windows: Windows, interval: str, *, is_running: bool) -> list[Component]:
    """What the lines of the chart are."""
    keys = [_key("ff-key", windows.shown)]
    if windows.earlier:
        keys.append(_key("ff-key ff-key-prev", windows.earlier))
    if is_running:
        keys.append(_key("ff-key is-open", _(SO_FAR[interval])))
    return keys


def intervals(known: Sequence[str], chosen: str) -> list[ChoiceItem]:
    """The intervals by which the chart can be drawn."""
    return [
        {
            "key": f"interval-{one}",
            "label": _(INTERVAL_LABELS[one]),
            "change": change(interval=one),
            "chosen": one == chosen,
        }
        for one in known
    ]


def shapes(*, bars: bool) -> list[ChoiceItem]:
    """How the chart is drawn."""
    return [
        {"key": "shape-line", "label": _("Line"), "change": change(draw=""), "chosen": not bars},
        {"key": "shape-bars", "label": _("Bars"), "change": change(draw=BARS), "chosen": bars},
    ]


def _stat(name: str, now: Numbers, before: Numbers | None, is_chosen: bool, windows: Windows) -> Stat:
    metric = METRICS[name]
    has_before = before is not None and before[name] is not None
    return {
        "key": f"stat-{name}",
        "label": _(metric.label),
        "value": figures.number(now[name], metric.unit),
        "definition": _(metric.definition),
        "change": change(metric="" if name == TOP[0] else name),
        "chosen": is_chosen,
        "compared": _compared(name, now[name], before, windows) if before and has_before else None,
    }


def is_of_few(name: str, before: Numbers) -> bool:
    """Whether a change of this number since `before` says nothing, since too few people or visits are behind it."""
    basis = name if METRICS[name].unit == "count" else "visits"
    return (before[basis] or 0) < figures.FEW


def _compared(name: str, now: float | None, before: Numbers, windows: Windows) -> Compared:
    metric, few = METRICS[name], is_of_few(name, before)
    found = None if now is None else figures.delta(now, before[name], better=metric.better, fine=True, is_few=few)
    return {
        "look": found.look if found else "",
        "seen": found.seen if found else "",
        "said": found.said if found else "",
        "since": _("from {value}", value=figures.number(before[name], metric.unit)),
        "within": _("on {date}", date=windows.earlier) if windows.on_a_day else _("in {dates}", dates=windows.earlier),
    }


def _key(kind: str, words: str) -> Component:
    return html.Span([html.I(className=kind), words])

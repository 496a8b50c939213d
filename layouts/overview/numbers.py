"""The six numbers at the top with their change, and the chart of the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.calendar.period import Span, days_of
from analytics.query.metrics import METRICS
from analytics.reports.lists import TIME
from analytics.reports.values import Chart, Numbers
from analytics.reports.view import TOP, change, filtered
from layouts.components import figures, states
from layouts.components.markup import aria, data, icon
from layouts.overview import chart


class Windows(NamedTuple):
    """The dates of the period and of its comparison in words; "" without a comparison."""

    shown: str
    earlier: str = ""


def card(
    now: Numbers,
    before: Numbers | None,
    drawn: Chart,
    intervals: Sequence[str],
    windows: Windows,
    menu: Sequence[Component] = (),
) -> list[Any]:
    """The whole card; `menu` is the menu of notes, for people who may write them."""
    chosen = drawn.metric.id
    stats = [_stat(name, now, before, name == chosen, windows) for name in TOP]
    return [
        html.Div(stats, className="ff-stats", role="group", **aria(label="Draw in the chart")),
        html.Figure(
            [_caption(drawn, intervals, windows, menu), chart.plot(drawn, _label(drawn, windows))],
            className="ff-main-chart",
        ),
    ]


def windows(shown: Span, earlier: Span | None, zone: tzinfo) -> Windows:
    """The dates of both spans, in the reader's language."""
    return Windows(*(figures.dates(*days_of(one, zone)) if one else "" for one in (shown, earlier)))


def nothing(period: str, is_filtered: bool, first_day: date | None) -> list[Any]:
    """Words instead of numbers that would all be zero: the period, and the next step. `first_day` is the first day with
    stored data.
    """
    if is_filtered:
        hint, further = "No visit suits all of the filters.", _link("Remove the filters", filtered(()))
    elif first_day is None:
        hint, further = "Nothing has been recorded of this site yet.", None
    else:
        hint = f"The first visit was on {figures.dates(first_day, first_day)}."
        further = _link("Show all time", change(period="all", interval=""))
    empty = states.nothing(f"Nobody came in this period: {period}", hint)
    return [html.Div([empty, *([html.P(further, className="ff-void-more")] if further else [])])]


def _link(label: str, changed: str) -> Component:
    return html.A(label, href="#", className="ff-link", **data(change=changed))


def _stat(name: str, now: Numbers, before: Numbers | None, is_chosen: bool, windows: Windows) -> Component:
    metric = METRICS[name]
    lines: list[Component] = [
        html.Span(metric.label, className="ff-k"),
        html.Span(figures.number(now[name], metric.unit), className="ff-v"),
    ]
    if before is not None and before[name] is not None:
        lines.append(_compared(name, now[name], before[name], windows.earlier))
    return html.Button(
        lines,
        type="button",
        className="ff-stat",
        title=metric.definition,
        **aria(pressed="true" if is_chosen else "false"),
        **data(change=change(metric="" if name == TOP[0] else name), keep=f"stat-{name}"),
    )


def _compared(name: str, now: float | None, before: float | None, dates: str) -> Component:
    metric = METRICS[name]
    changed = None if now is None else figures.change(now, before, better=metric.better, fine=True)
    then = f"from {figures.number(before, metric.unit)}"
    first: list[Any] = [changed, " "] if changed else []
    words = [html.Span(then), html.Span(f" in {dates}", className="ff-vh")]
    return html.Span([*first, *words], className="ff-d")


def _caption(drawn: Chart, intervals: Sequence[str], windows: Windows, menu: Sequence[Component]) -> Component:
    keys = [_key("ff-key", windows.shown)]
    if windows.earlier:
        keys.append(_key("ff-key ff-key-prev", windows.earlier))
    if chart.is_running(drawn):
        keys.append(_key("ff-key is-open", f"This {drawn.interval}, so far"))
    ways = [_interval(one, one == drawn.interval) for one in intervals]
    return html.Figcaption(
        [
            html.H2(_title(drawn)),
            html.Span(keys, className="ff-legend"),
            html.Div(
                [
                    html.Span(ways, className="ff-seg", role="group", **aria(label="Interval")),
                    *menu,
                    html.A(
                        "Table",
                        className="ff-details",
                        href="#",
                        **aria(label="Chart as a table"),
                        **data(change=change(details=TIME), keep="details-time"),
                    ),
                    html.A(
                        icon("download"),
                        className="ff-icon",
                        href="#",
                        title="Chart as CSV",
                        **aria(label="Chart as CSV"),
                        **data(csv=TIME),
                    ),
                ],
                className="ff-end",
            ),
        ],
        className="ff-card-tools",
    )


def _key(kind: str, words: str) -> Component:
    return html.Span([html.I(className=kind), words])


def _interval(name: str, is_chosen: bool) -> Component:
    return html.Button(
        name.capitalize(),
        type="button",
        **aria(pressed="true" if is_chosen else "false"),
        **data(change=change(interval=name), keep=f"interval-{name}"),
    )


def _title(drawn: Chart) -> str:
    return f"{drawn.metric.label} by {drawn.interval}"


def _label(drawn: Chart, windows: Windows) -> str:
    compared = f", with {windows.earlier}" if windows.earlier else ""
    noted = f" Notes: {'; '.join(text for _, text in drawn.notes)}." if drawn.notes else ""
    return f"{_title(drawn)}, {windows.shown}{compared}. Arrow keys read it out; the table has all of it.{noted}"

"""The bar above the numbers: filters, comparison and period; or what is wrong with the address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from analytics.calendar.period import PRESETS, Period, Span, days_of, moved, span, with_today
from analytics.query.dimensions import DIMENSIONS, dimension
from analytics.query.filters import Every, Filter, HasDone, Match, Not
from analytics.query.query import Query
from analytics.reports.lists import read
from analytics.reports.view import OFF, USUAL_COMPARISON, change, filtered
from layouts.components import figures
from layouts.components.markup import Tag, aria, data, icon

COMPARISONS = (
    (USUAL_COMPARISON, "Previous, same weekdays"),
    ("previous", "Previous period"),
    ("year:weekdays", "Year before, same weekdays"),
    ("year", "Year before"),
    (OFF, "Nothing"),
)
OPERATORS = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "contains_not": "does not contain",
    "matches": "matches",
    "matches_not": "does not match",
}


def bar(query: Query, shown: Span, earlier: Span | None, now: int, segments: Sequence[Component] = ()) -> list[Any]:
    """The whole bar of a question, whose period `shown` is compared with `earlier`; `segments` is their menu."""
    end = [_comparison(query, earlier), html.Span(_period(query, shown, now), className="ff-turns")]
    return [
        html.H1("Overview"),
        *_chips(query.filters),
        _further(),
        *segments,
        html.Div(end, className="ff-end"),
    ]


def wrong(message: str) -> list[Any]:
    """Instead of the bar: what is wrong in the address, and a link to start over."""
    out = html.A("Start over", href="?", className="ff-link", **data(change="*"))
    words = html.Span([f"This address cannot be shown. {message[:1].upper()}{message[1:]}. ", out])
    return [html.H1("Overview"), html.Div([icon("alert"), words], className="ff-alert is-warn", role="alert")]


# ── filters ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chips(current: tuple[Filter, ...]) -> list[Component]:
    return [_chip(one, current[:number] + current[number + 1 :], number) for number, one in enumerate(current)]


def _chip(one: Filter, others: tuple[Filter, ...], number: int) -> Component:
    about, value = words(one)
    away = html.Button(
        icon("x", 14),
        type="button",
        **aria(label=f"Remove the filter {about} {value}"),
        **data(change=filtered(others), keep=f"chip-{number}"),
    )
    text = html.Span([html.Span(about), " ", html.Bdi(html.B(value))], className="ff-trunc", title=f"{about} {value}")
    return html.Span([text, away], className="ff-chip ff-filter")


def words(one: Filter) -> tuple[str, str]:
    """A filter in words, in two parts: `Country is`, `Germany or France`."""
    match one:
        case Match():
            values = [
                read(one.dimension, "" if value == dimension(one.dimension).none else value) for value in one.values
            ]
            about = f"{dimension(one.dimension).label} {OPERATORS[one.operator]}"
            return about, (" or " if not one.operator.endswith("_not") else ", ").join(values)
        case HasDone():
            return "Has done", " ".join(words(one.part))
        case Not(HasDone(part)):
            return "Has not done", " ".join(words(part))
        case Not():
            return "Not", " ".join(words(one.part))
    joined = " and " if isinstance(one, Every) else " or "
    return ("All of" if isinstance(one, Every) else "One of"), joined.join(" ".join(words(part)) for part in one.parts)


def _further() -> Component:
    """The form that adds any filter; assets/pages/overview.js writes it into the address."""
    what = {name: one.label for name, one in DIMENSIONS.items() if one.of != "time"}
    fields = [
        _select("filter-by", "Filter by", what),
        _select("filter-how", "How", OPERATORS),
        _field("filter-value", "Value", "text", {"required": True, "maxlength": 300, "autocomplete": "off"}),
    ]
    note = html.P(
        "A country by its two letters; in a pattern * is any text without a slash, ** any text.",
        className="ff-field-note",
    )
    add = html.Button("Add filter", type="submit", className="ff-btn ff-btn-primary")
    form: Any = Tag("form", {"class": "ff-asked", "data-asks": "filter"}, [*fields, note, add])
    summary = html.Summary([icon("plus"), "Filter"], className="ff-btn ff-btn-plain", **data(keep="filter"))
    return html.Details([summary, html.Div(form, className="ff-pop")], className="ff-menu")


def _select(name: str, label: str, options: dict[str, str]) -> Tag:
    chosen = [Tag("option", {"value": value}, said) for value, said in options.items()]
    select: Any = Tag("select", {"class": "ff-input", "name": name}, chosen)
    field = html.Span([select, icon("updown", 14)], className="ff-input-wrap")
    return Tag("label", {"class": "ff-field"}, [html.Span(label), field])


def _field(name: str, label: str, kind: str, rules: dict[str, object]) -> Tag:
    field = Tag("input", {"class": "ff-input", "name": name, "type": kind, **rules})
    return Tag("label", {"class": "ff-field"}, [html.Span(label), field])


# ── what it is compared with ─────────────────────────────────────────────────────────────────────────────────────────


def _comparison(query: Query, earlier: Span | None) -> Component:
    zone = ZoneInfo(query.clock.zone)
    current = str(query.comparison) if query.comparison else OFF
    links = [
        _choice(label, change(compare="" if name == USUAL_COMPARISON else name), name == current)
        for name, label in COMPARISONS
    ]
    said = f"Compared with {figures.dates(*days_of(earlier, zone))}" if earlier else "Compared with nothing"
    short, rest = said.split(" ", 1)
    summary = html.Summary(
        [html.Span(short), html.Span(f" {rest}", className="ff-soft ff-hide-sm"), icon("down", 14)],
        className="ff-btn ff-btn-plain",
        **aria(label=said),
        **data(keep="compare"),
    )
    custom = query.comparison.period if query.comparison else None
    inner: list[Any] = [html.Ul(links), _dates_form("compare", "Compare", custom.dates if custom else None)]
    return html.Details([summary, html.Div(inner, className="ff-pop ff-pop-end ff-range")], className="ff-menu")


# ── the period ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _period(query: Query, shown: Span, now: int) -> list[Component]:
    before, after = (_turn(query, shown, now, way) for way in (-1, 1))
    return [before, _periods(query, shown, now), after]


def _periods(query: Query, shown: Span, now: int) -> Component:
    zone, period = ZoneInfo(query.clock.zone), query.period
    links = [_preset(name, query, now) for name in PRESETS]
    dates = days_of(shown, zone)
    covered = figures.dates(*dates)
    label = covered if period.dates else period.label
    more = [] if period.dates or period.is_all else [html.Span(covered, className="ff-soft ff-hide-sm")]
    summary = html.Summary(
        [html.Span(label), *more, icon("down", 14)],
        className="ff-btn",
        **aria(label=f"Period: {label}" + (f", {covered}" if more else "")),
        **data(keep="period"),
    )
    known = query.period.dates or (dates if shown.begin else None)
    inner: list[Any] = [html.Ul(links), _dates_form("period", "Show", known)]
    return html.Details([summary, html.Div(inner, className="ff-pop ff-pop-end ff-range")], className="ff-menu")


def _preset(name: str, query: Query, now: int) -> Component:
    """A preset with the dates that it covers, and its twin that includes today where it has one."""
    links = [_period_link([html.Span(PRESETS[name].label), _covered(name, query, now)], name, query)]
    twin = with_today(name, wanted=True)
    if twin != name:
        said = f"{Period(twin).label}: {_dates(twin, query, now)}"
        links.append(_period_link("+ today", twin, query, className="ff-twin", title=said, **aria(label=said)))
    return html.Li(links)


def _period_link(inner: Any, name: str, query: Query, **attributes: Any) -> Component:
    is_current = not query.period.dates and query.period.preset == name
    marked: dict[str, Any] = {"aria-current": "true"} if is_current else {}
    return html.A(inner, href="#", **data(change=change(period=name, interval="")), **marked, **attributes)


def _covered(name: str, query: Query, now: int) -> Component:
    """The dates of a preset; nothing where it is made of hours, or begins with the first visit."""
    is_of_days = PRESETS[name].dates is not None
    return html.Span(_dates(name, query, now) if is_of_days else "", className="ff-soft")


def _dates(name: str, query: Query, now: int) -> str:
    return figures.dates(*days_of(span(Period(name), query.clock, now), ZoneInfo(query.clock.zone)))


def _choice(label: str, changed: str, is_current: bool) -> Component:
    marked: dict[str, Any] = {"aria-current": "true"} if is_current else {}
    return html.Li(html.A(label, href="#", **data(change=changed), **marked))


def _dates_form(name: str, verb: str, known: tuple[date, date] | None) -> Tag:
    first, last = (one.isoformat() for one in known) if known else ("", "")
    limits = {"required": True, "min": "1971-01-01", "max": "2099-12-31"}
    fields = [
        _field(f"{name}-first", "From", "date", {"value": first, **limits}),
        _field(f"{name}-last", "To", "date", {"value": last, **limits}),
    ]
    button = html.Button(verb, type="submit", className="ff-btn ff-btn-primary")
    return Tag("form", {"class": "ff-asked", "data-asks": name}, [*fields, button])


def _turn(query: Query, shown: Span, now: int, way: int) -> Component:
    """The button to the period before (-1) or after (1). Disabled where `neighbour` finds none."""
    found = neighbour(query, shown, now, way)
    label = "Previous period" if way < 0 else "Next period"
    attributes: dict[str, Any] = {"data-change": change(period=f"{found[0]},{found[1]}", interval="")} if found else {}
    sign = icon("left" if way < 0 else "right")
    fixed: dict[str, Any] = {"data-keep": f"turn{way}", "aria-label": label, "title": label}
    return html.Button(sign, type="button", className="ff-btn ff-hide-sm", disabled=not found, **attributes, **fixed)


def neighbour(query: Query, shown: Span, now: int, way: int) -> tuple[date, date] | None:
    """The dates of the period before (-1) or after (1); None for periods that move with the clock, and in future."""
    period, zone = query.period, ZoneInfo(query.clock.zone)
    if not period.dates and period.chosen.dates is None:
        return None
    first, last = days_of(shown, zone)
    after = last + timedelta(days=1)
    if not period.dates and (months := period.chosen.months):
        found = moved(first, way * months), moved(after, way * months) - timedelta(days=1)
    else:
        days = way * (after - first)
        found = first + days, last + days
    return None if found[0] > datetime.fromtimestamp(now, zone).date() or found[0].year < 1972 else found

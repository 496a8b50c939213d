"""The bar above the numbers: filters, comparison and period; or what is wrong with the address."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from analytics.base import countries
from analytics.calendar.period import PRESETS, Period, Span, days_of, moved, span, with_today
from analytics.query.dimensions import DIMENSIONS, dimension
from analytics.query.filters import Every, Filter, HasDone, Match, Not
from analytics.query.query import Query
from analytics.query.result import Answer
from analytics.reports.lists import read, written
from analytics.reports.view import OFF, USUAL_COMPARISON, change, filtered
from layouts.components import figures
from layouts.components.address import at
from layouts.components.markup import aria, data, icon
from layouts.footfall_components.address_link import AddressLink
from layouts.footfall_components.chips import Chip, Chips
from layouts.footfall_components.filter_form import FilterForm, Suggestion, Suggestions
from layouts.footfall_components.period_menu import PeriodChoice, PeriodMenu, Periods
from layouts.overview import segments

NOW, NOW_MS = "overview-now", 10_000
FILTER, WRONG, CHIPS, COMPARISON, PERIOD, BEFORE, AFTER = (
    f"overview-{name}" for name in ("filter", "wrong", "chips", "comparison", "period", "before", "after")
)
COMPARISONS = (
    (USUAL_COMPARISON, "Previous, same weekdays"),
    ("previous", "Previous period"),
    ("year:weekdays", "Year before, same weekdays"),
    ("year", "Year before"),
    (OFF, "Nothing"),
)
FILTERED_BY = {name: one.label for name, one in DIMENSIONS.items() if one.of != "time"}
OPERATORS = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "contains_not": "does not contain",
    "matches": "matches",
    "matches_not": "does not match",
}


def bar(domain: str) -> list[Component]:
    """The bar before the first answer."""
    turns = [
        _turn(BEFORE, "Previous period", "left"),
        PeriodMenu(id=PERIOD, name="period", verb="Show", clears=["interval"]),
        _turn(AFTER, "Next period", "right"),
    ]
    comparison = PeriodMenu(id=COMPARISON, name="compare", verb="Compare", look="ff-btn ff-btn-plain")
    return [
        html.H1("Overview"),
        html.A(id=NOW, href=at(f"/live/{quote(domain)}"), className="ff-now-link"),
        Chips(id=CHIPS),
        _further(),
        segments.menu(),
        html.Div([comparison, html.Span(turns, className="ff-turns")], className="ff-end"),
        html.Div(id=WRONG, className="ff-wrong-address"),
    ]


def now(active: int, window_s: int) -> list[Component]:
    """How many people are active, as a link to the Live page."""
    window = html.Span(f"last {figures.window(window_s)}", className="ff-window")
    pulse = html.Span(className="ff-pulse", **aria(hidden="true"))
    return [pulse, html.B(figures.count(active)), html.Span("now"), window]


def wrong(message: str) -> Component:
    """What is wrong in the address, and a link to start over."""
    out = AddressLink("Start over", change="*", look="ff-link")
    words = html.Span([f"This address cannot be shown. {message[:1].upper()}{message[1:]}. ", out])
    return html.Div([icon("alert"), words], className="ff-alert is-warn", role="alert")


def _turn(name: str, label: str, sign: str) -> Component:
    return AddressLink(
        icon(sign), id=name, button=True, disabled=True, look="ff-btn ff-hide-sm", title=label, label=label
    )


# ── filters ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def chips(current: tuple[Filter, ...]) -> list[Chip]:
    """The filters in words."""
    return [_chip(one, current[:number] + current[number + 1 :]) for number, one in enumerate(current)]


def _chip(one: Filter, others: tuple[Filter, ...]) -> Chip:
    about, value = words(one)
    return {"about": about, "value": value, "change": filtered(others)}


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
    """The menu with the form that adds any filter."""
    form = FilterForm(
        id=FILTER,
        dimensions=FILTERED_BY,
        operators=OPERATORS,
        note="The most frequent values are suggested. In a pattern * is any text without a slash, ** any text.",
    )
    summary = html.Summary([icon("plus"), "Filter"], className="ff-btn ff-btn-plain", **data(key="filter"))
    return html.Details([summary, html.Div(form, className="ff-pop")], className="ff-menu")


def suggestions(name: str, found: Answer) -> Suggestions:
    """The values of a dimension, the most frequent first; all countries, so that each is found by its name."""
    counted = {str(row.dimensions[0]): figures.count(int(row.metrics[0] or 0)) for row in found.rows}
    rest = countries.CODES if name == "country" else ()
    values: list[Suggestion] = [
        {"value": written(name, value), "label": read(name, value), "number": number}
        for value, number in (counted | {code: "" for code in rest if code not in counted}).items()
    ]
    return {"by": name, "values": values}


# ── what it is compared with ─────────────────────────────────────────────────────────────────────────────────────────


def comparison(query: Query, earlier: Span | None) -> Periods:
    """The menu of comparisons; `earlier` is the period that is compared."""
    current = str(query.comparison) if query.comparison else OFF
    said = f"Compared with {figures.dates(*days_of(earlier, ZoneInfo(query.clock.zone)))}" if earlier else ""
    label, rest = (said or "Compared with nothing").split(" ", 1)
    choices = [
        _choice(words, change(compare="" if name == USUAL_COMPARISON else name), name == current)
        for name, words in COMPARISONS
    ]
    custom = query.comparison.period if query.comparison else None
    return _menu(label, rest, f"{label} {rest}", choices, custom.dates if custom else None)


# ── the period ───────────────────────────────────────────────────────────────────────────────────────────────────────


def periods(query: Query, shown: Span, now: int) -> Periods:
    """The menu of periods; `shown` are the seconds of the one on show."""
    period, dates = query.period, days_of(shown, ZoneInfo(query.clock.zone))
    covered = figures.dates(*dates)
    label = covered if period.dates else period.label
    rest = "" if period.dates or period.is_all else covered
    said = f"Period: {label}" + (f", {rest}" if rest else "")
    choices = [_preset(name, query, now) for name in PRESETS]
    return _menu(label, rest, said, choices, period.dates or (dates if shown.begin else None))


def _preset(name: str, query: Query, now: int) -> PeriodChoice:
    """A preset with the dates that it covers, and its twin that includes today where it has one."""
    is_of_days = PRESETS[name].dates is not None  # others are made of hours, or begin with the first visit
    choice = _period(PRESETS[name].label, name, query) | {"covers": _dates(name, query, now) if is_of_days else ""}
    twin = with_today(name, wanted=True)
    if twin == name:
        return choice
    said = f"{Period(twin).label}: {_dates(twin, query, now)}"
    return choice | {"twin": _period("+ today", twin, query) | {"said": said}}


def _period(label: str, name: str, query: Query) -> PeriodChoice:
    is_current = not query.period.dates and query.period.preset == name
    return _choice(label, change(period=name, interval=""), is_current)


def _dates(name: str, query: Query, now: int) -> str:
    return figures.dates(*days_of(span(Period(name), query.clock, now), ZoneInfo(query.clock.zone)))


def _menu(label: str, rest: str, said: str, choices: list[PeriodChoice], known: tuple[date, date] | None) -> Periods:
    first, last = (one.isoformat() for one in known) if known else ("", "")
    return {"label": label, "rest": rest, "said": said, "choices": choices, "first": first, "last": last}


def _choice(label: str, changed: str, is_current: bool) -> PeriodChoice:
    return {"label": label, "change": changed, "chosen": is_current}


def turn(query: Query, shown: Span, now: int, way: int) -> str:
    """The change to the period before (-1) or after (1); "" where `neighbour` finds none."""
    found = neighbour(query, shown, now, way)
    return change(period=f"{found[0]},{found[1]}", interval="") if found else ""


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

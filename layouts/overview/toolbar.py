"""The bar above the numbers: filters, comparison and period; or what is wrong with the address."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _, translated
from analytics.calendar.period import PRESETS, Period, Span, days_of, moved, span, with_today
from analytics.query.query import Query
from analytics.reports.view import OFF, USUAL_COMPARISON, change
from layouts import wrong_address
from layouts.components import figures
from layouts.components.address import at
from layouts.components.markup import aria, data, icon
from layouts.footfall_components.address_link import AddressLink
from layouts.footfall_components.period_menu import PeriodChoice, PeriodMenu, Periods
from layouts.overview import filters, segments
from layouts.overview.segments import May

NOW, NOW_MS = "overview-now", 10_000
FILTER, WRONG, CHIPS, COMPARISON, PERIOD, BEFORE, AFTER = (
    f"overview-{name}" for name in ("filter", "wrong", "chips", "comparison", "period", "before", "after")
)
COMPARISONS = (
    (USUAL_COMPARISON, N_("Previous, same weekdays")),
    ("previous", N_("Previous period")),
    ("year:weekdays", N_("Year before, same weekdays")),
    ("year", N_("Year before")),
    (OFF, N_("Nothing")),
)


def bar(domain: str, may: May) -> list[Component]:
    """The bar before the first answer."""
    turns = [
        _turn(BEFORE, _("Previous period"), "left"),
        PeriodMenu(id=PERIOD, name="period", verb=_("Show"), clears=["interval"]),
        _turn(AFTER, _("Next period"), "right"),
    ]
    comparison = PeriodMenu(id=COMPARISON, name="compare", verb=_("Compare"), look="ff-btn ff-btn-plain")
    return [
        html.H1(_("Overview")),
        html.A(id=NOW, href=at(f"/live/{quote(domain)}"), className="ff-now-link", **data(answered="")),
        *filters.bar(CHIPS, FILTER, filters.DIMENSIONS),
        segments.menu(may),
        html.Div([comparison, html.Span(turns, className="ff-turns")], className="ff-end"),
        wrong_address.place(WRONG),
    ]


def now(active: int, window_s: int) -> list[Component]:
    """How many people are active, as a link to the Live page."""
    window = html.Span(_("last {window}", window=figures.window(window_s)), className="ff-window")
    pulse = html.Span(className="ff-pulse", **aria(hidden="true"))
    age = html.Span(className="ff-window ff-age")  # assets/pages/answered.js writes it
    return [pulse, html.B(figures.count(active)), html.Span(_("now")), window, age]


def wrong(message: str) -> Component:
    """What is wrong in the address, and a link to start over."""
    return wrong_address.line(**wrong_address.start_over(message))


def _turn(name: str, label: str, sign: str) -> Component:
    return AddressLink(
        icon(sign), id=name, button=True, disabled=True, look="ff-btn ff-hide-sm", title=label, label=label
    )


# ── what it is compared with ─────────────────────────────────────────────────────────────────────────────────────────


def comparison(query: Query, earlier: Span | None) -> Periods:
    """The menu of comparisons; `earlier` is the period that is compared."""
    current = str(query.comparison) if query.comparison else OFF
    said, rest = _("Compared with nothing"), _("with nothing")
    if earlier:
        dates = figures.dates(*days_of(earlier, ZoneInfo(query.clock.zone)))
        said, rest = _("Compared with {dates}", dates=dates), _("with {dates}", dates=dates)
    choices = [
        _choice(_(words), change(compare="" if name == USUAL_COMPARISON else name), name == current)
        for name, words in COMPARISONS
    ]
    custom = query.comparison.period if query.comparison else None
    return _menu(_("Compared"), rest, said, choices, custom.dates if custom else None)


# ── the period ───────────────────────────────────────────────────────────────────────────────────────────────────────


def periods(query: Query, shown: Span, now: int) -> Periods:
    """The menu of periods; `shown` are the seconds of the one on show."""
    period, dates = query.period, days_of(shown, ZoneInfo(query.clock.zone))
    covered = figures.dates(*dates)
    label = covered if period.dates else translated(period.label)
    rest = "" if period.dates or period.is_all else covered
    said = _("Period: {period}", period=f"{label}, {rest}" if rest else label)
    choices = [_preset(name, query, now) for name in PRESETS]
    return _menu(label, rest, said, choices, period.dates or (dates if shown.begin else None))


def _preset(name: str, query: Query, now: int) -> PeriodChoice:
    """A preset with the dates that it covers, and its twin that includes today where it has one."""
    is_of_days = PRESETS[name].dates is not None  # others are made of hours, or begin with the first visit
    choice = _period(translated(PRESETS[name].label), name, query) | {
        "covers": _dates(name, query, now) if is_of_days else ""
    }
    twin = with_today(name, wanted=True)
    if twin == name:
        return choice
    said = f"{translated(Period(twin).label)}: {_dates(twin, query, now)}"
    return choice | {"twin": _period(_("+ today"), twin, query) | {"said": said}}


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

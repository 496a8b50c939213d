"""Concurrents: how many people were there at each minute of a day, compared with the same day a week before."""

from __future__ import annotations

from array import array
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.calendar.minute_series import MINUTE, UNKNOWN, DayOfConcurrents, Series, average, peak
from analytics.sites.site import Site
from layouts.components import figures, states
from layouts.components.address import at
from layouts.components.markup import aria, data, icon
from layouts.components.site import demo_badge
from layouts.figures.frame import figure

HOUR = 3600
TICK_MS, COUNTING_MS = 30_000, 1_000


def page(site: Site) -> html.Main:
    """The page without its day, which a callback draws from the address (`?day=2026-11-20`)."""
    title = [html.H1(_("Concurrents")), *([demo_badge()] if site.demo else [])]
    zone = html.Span(site.timezone, className="ff-sub")
    back = html.A([icon("activity"), _("Live")], href=at(f"/live/{site.domain}"), className="ff-btn")
    return html.Main(
        [
            html.Div([*title, zone, html.Div(back, className="ff-end")], className="ff-toolbar"),
            html.Section(
                [
                    html.Div(states.skeleton(10), id="concurrents-day"),
                    html.Div(
                        [_chart(site.domain), html.Div(id="day-range", role="status")], id="day-chart", hidden=True
                    ),
                ],
                className="ff-card ff-list",
            ),
            dcc.Store(id="day-figure"),
            dcc.Store(id="concurrents-drawn"),
            dcc.Interval(id="concurrents-tick", interval=TICK_MS),
        ],
        id="concurrents",
        className="ff-main",
        **data(site=site.domain, timezone=site.timezone, ticks="concurrents-tick"),
    )


def day(found: DayOfConcurrents, domain: str, day: date, today: date, zone: tzinfo) -> list[Component]:
    """Above the chart: which day it is, peak and average; without them why there are none."""
    named = html.H2(figures.day_text(found.begin, zone))
    head = html.Header([named, _state(found, day == today), _ways(domain, day, today)], className="ff-card-head")
    if found.peak is None:
        return [head, _nothing(found, day, today)]
    return [head, _figures(found, zone), _legend(found, day, zone)]


def compared(found: DayOfConcurrents, minutes: tuple[int, int], zone: tzinfo) -> list[Component]:
    """A chosen range of minutes, [first, end), against the same minutes a week before."""
    first, end = minutes
    begin, last = (figures.time_of_day(found.begin + minute * MINUTE, zone) for minute in (first, end - 1))
    title = html.H3([f"{begin} – {last} ", html.Span(_("chosen"), className="ff-window")])
    whole = html.Button(_("Whole day"), type="button", className="ff-link", **data(resets="day"))
    people, before = found.people[first:end], found.before[first:end]
    most = peak(people)
    if most is None:
        return [html.Header([title, whole]), html.P(_("Nothing is known of these minutes."), className="ff-window")]
    when = figures.time_of_day(found.begin + (first + people.index(most)) * MINUTE, zone)
    return [html.Header([title, whole]), _two(people, before, (most, _("at {time}", time=when)))]


def wrong_day(message: str) -> list[Component]:
    """Replaces the day for an address whose day is invalid."""
    way = dcc.Link(_("Show today"), href="?", className="ff-btn ff-btn-primary")
    void = html.Div([icon("alert"), html.B(_("No such day")), html.P(message), way], className="ff-void", role="alert")
    return [void]


def tick_ms(found: DayOfConcurrents) -> int:
    """How many ms until the next refresh."""
    return TICK_MS if found.complete else COUNTING_MS


# ── above the line ───────────────────────────────────────────────────────────────────────────────────────────────────


def _state(found: DayOfConcurrents, is_today: bool) -> Component:
    if not found.complete:
        return html.Span(_("counting earlier minutes"), className="ff-badge", role="status")
    said = _("active, each minute, so far") if is_today else _("active, each minute")
    return html.Span(said, className="ff-window")


def _ways(domain: str, day: date, today: date) -> Component:
    """Links to the days before and after; assets/pages/concurrents.js adds a date field."""
    earlier, later = day - timedelta(days=1), day + timedelta(days=1)
    ways = [
        _way("left", earlier, _("Day before")),
        html.Span(id="day-field", **data(day=day.isoformat(), last=today.isoformat())),
    ]
    if day < today:
        ways += [_way("right", later, _("Day after")), dcc.Link(_("Today"), href="?", className="ff-btn")]
    label = _("Minutes as CSV")
    address = at(f"/concurrents/{domain}/minutes.csv?day={day}")
    ways.append(html.A(icon("download"), href=address, className="ff-icon", title=label, **aria(label=label)))
    return html.Div(ways, className="ff-end")


def _way(sign: str, day: date, label: str) -> Component:
    named = [icon(sign), html.Span(label, className="ff-vh")]
    return dcc.Link(named, href=f"?day={day}", className="ff-icon ff-day-way", title=label)


def _nothing(found: DayOfConcurrents, day: date, today: date) -> Component:
    if day > today:
        return states.nothing(_("Still to come"), _("Choose a day that has begun."), "activity")
    if not found.complete:
        return states.skeleton(10)
    return states.nothing(
        _("Nothing known of this day"), _("Days are kept from the first visitor on, and for good."), "activity"
    )


def _figures(found: DayOfConcurrents, zone: tzinfo) -> Component:
    people, at = found.peak or (0, found.begin)
    return _two(found.people, found.before, (people, _("at {time}", time=figures.time_of_day(at, zone))))


def _two(people: Series, before: Series, most: tuple[int, str]) -> Component:
    """Peak and average, each compared with the same minutes of the week before."""
    earlier = array("i", (then for now, then in zip(people, before, strict=True) if now != UNKNOWN))
    mean = average(people)
    return html.Dl(
        [
            _figure(_("Peak"), figures.count(most[0]), most[1], most[0], peak(earlier)),
            _figure(_("Average"), figures.UNKNOWN if mean is None else figures.mean(mean), "", mean, average(earlier)),
        ],
        className="ff-day-figures",
    )


def _figure(label: str, value: str, more: str, now: float | None, before: float | None) -> Component:
    said: list[Any] = [" ", html.Small(more)] if more else []
    compared: list[Any] = [_("nothing known of the week before")]
    if before is not None:
        is_nothing = now is None or figures.mean(before) == figures.mean(0)  # what is written as 0 has no change
        hundredths, few = (round(100 * (now or 0)), round(100 * before)), before < figures.FEW
        change = None if is_nothing else figures.change(*hundredths, is_few=few)
        than = _("vs {n} a week before", n=figures.mean(before))
        compared = [*([change, " "] if change else []), than]
    return html.Div([html.Dt(label), html.Dd([html.B(value), *said]), html.Dd(compared, className="ff-window")])


# ── the line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chart(domain: str) -> Component:
    file = at(f"/concurrents/{domain}/minutes.csv")
    return figure("day", _("People at each minute of the day"), height=340, table_name=_("By hour"), csv=file)


def _legend(found: DayOfConcurrents, day: date, zone: tzinfo) -> Component:
    then = day - timedelta(days=7)
    at = int(datetime(then.year, then.month, then.day, 12, tzinfo=zone).timestamp())
    keys = [
        html.Span([html.I(className="ff-key"), _("this day")], className="ff-day-key"),
        html.Span([html.I(className="ff-key is-before"), figures.day_text(at, zone)], className="ff-day-key"),
        html.Span([html.I(className="ff-key-dot is-band"), _("within half an hour of it")], className="ff-day-key"),
    ]
    if UNKNOWN in _passed(found.people):
        keys.append(html.Span([html.I(className="ff-key-dot is-unknown"), _("not known")], className="ff-day-key"))
    return html.Div(keys, className="ff-day-legend", **aria(hidden="true"))


def _passed(people: Series) -> Series:
    """The minutes up to the last known one."""
    return people[: max((nth for nth, number in enumerate(people) if number != UNKNOWN), default=0)]


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def hours(found: DayOfConcurrents, zone: tzinfo) -> Component:
    """The same numbers as a table, one row per hour."""
    heads = (_("Hour"), _("Peak"), _("Average"), _("A week before"))
    head = html.Tr([html.Th(one, scope="col", className="ff-num" if nth else "") for nth, one in enumerate(heads)])
    rows = [_hour(found, begin, zone) for begin in range(found.begin, found.end, HOUR)]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="ff-table")


def _hour(found: DayOfConcurrents, begin: int, zone: tzinfo) -> Component:
    first = (begin - found.begin) // MINUTE
    people, before = ([n for n in side[first : first + 60] if n != UNKNOWN] for side in (found.people, found.before))
    cells = [
        figures.count(max(people)) if people else figures.UNKNOWN,
        figures.mean(sum(people) / len(people)) if people else figures.UNKNOWN,
        figures.mean(sum(before) / len(before)) if before else figures.UNKNOWN,
    ]
    hour = html.Th(figures.time_of_day(begin, zone), scope="row")
    return html.Tr([hour, *(html.Td(cell, className="ff-num") for cell in cells)])

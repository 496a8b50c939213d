"""The alerts of a site: those that are open, with what can be done about them, and those that are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from analytics.notify.alert import Alert, AlertStep
from analytics.notify.difference import Difference
from analytics.notify.event_fields import as_text
from analytics.notify.snooze import WAKE
from layouts import alerts as strip
from layouts.components import figures, form, states
from layouts.components.markup import aria, data
from layouts.components.table import labelled, table
from layouts.settings.rule_words import metric_name

ACKNOWLEDGE, SNOOZE = "alert-acknowledge", "alert-snooze"
PAGE, OPEN, OVER = "alerts", "alerts-open", "alerts-over"
ROWS, MORE, LAST, FOCUS = "alerts-rows", "alerts-more", "alerts-last", "alerts-focus"
TICK, DRAWN, FACTS = "alerts-tick", "alerts-drawn", "alert-facts"
HOURS = (("1", N_("For 1 hour")), ("4", N_("For 4 hours")), ("24", N_("For a day")), ("168", N_("For a week")))
STEPS = {
    "firing": N_("fired"),
    "recovering": N_("began to recover"),
    "recovered": N_("recovered"),
    "data_ended": N_("ended: no data for an hour"),
    "rule_changed": N_("ended: the rule was changed"),
    "rule_off": N_("ended: the rule was switched off"),
    "no_data": N_("had no data"),
    "error": N_("could not be read"),
    "repeated": N_("was repeated"),
    "acknowledged": N_("was acknowledged"),
    "snoozed": N_("was snoozed"),
    "snooze_ended": N_("was woken"),
}


class SeenAlert(NamedTuple):
    """An alert with its newest steps, the oldest first."""

    alert: Alert
    steps: Sequence[AlertStep]


class SeenAlerts(NamedTuple):
    """The open alerts of a site, and the newest of those that are over, down to that with the id `last`; 0: all."""

    open: Sequence[SeenAlert]
    over: Sequence[SeenAlert]
    last: int


def page(
    domain: str, found: SeenAlerts, now: int, zone: tzinfo, drawn: Mapping[str, int], *, may_act: bool
) -> Component:
    """The page. `drawn` has the digests of its parts; `may_act`: whether its reader may acknowledge and snooze."""
    head = html.Div([html.H1(_("Alerts")), form.state(ACKNOWLEDGE), form.state(SNOOZE)], className="ff-toolbar")
    ways = [form.connection(name, domain) for name in (ACKNOWLEDGE, SNOOZE)]
    opened = html.Section(
        [
            html.Header(html.H2(_("Open")), className="ff-card-head"),
            html.Div(open_ones(domain, found.open, now, zone, may_act=may_act), id=OPEN),
        ],
        className="ff-card",
    )
    more = html.Button(_("Show more"), id=MORE, type="button", className="ff-btn", hidden=not found.last)
    over = html.Section(
        [
            html.Header(html.H2(_("Over")), className="ff-card-head"),
            html.Div(past(domain, found.over, zone), id=OVER),
            html.P(more, className="ff-alerts-more"),
        ],
        className="ff-card",
    )
    stores = [dcc.Store(id=DRAWN, data=dict(drawn)), dcc.Store(id=LAST, data=found.last), dcc.Store(id=FOCUS)]
    inner = [head, opened, over, *ways, strip.tick(TICK), *stores]
    return html.Main(inner, id=PAGE, className="ff-main", **data(site=domain, ticks=TICK))


def open_ones(domain: str, found: Sequence[SeenAlert], now: int, zone: tzinfo, *, may_act: bool) -> list[Component]:
    """The open alerts, or words where there is none."""
    if not found:
        return [states.nothing(_("All is calm"), _("No alert is open."), "check")]
    return [_opened(domain, one, now, zone, may_act=may_act) for one in found]


def _opened(domain: str, one: SeenAlert, now: int, zone: tzinfo, *, may_act: bool) -> Component:
    alert = one.alert
    title = html.A(html.Bdi(alert.title), href=strip.address_of(domain, alert.id), className="ff-link")
    parts: list[Any] = [
        html.Div([strip.badge(alert.severity), html.B(title)], className="ff-alert-title"),
        *about(alert, now, zone, facts_id={FACTS: str(alert.id)}),
        *([_ways(alert, now)] if may_act else []),
        history(one.steps, zone),
    ]
    return html.Article(parts, className="ff-alert-card")


def about(alert: Alert, now: int, zone: tzinfo, *, facts_id: Any = "alert-facts-now") -> list[Component]:
    """What is known of an alert besides its title: what was seen, for how long, why, and what people say of it.

    `facts_id` is the id of what was seen: on a page of several, that by which the page's callback draws it again.
    """
    parts = [
        html.P(html.Bdi(alert.message)) if alert.message else None,
        html.P(facts(alert, now), id=facts_id, className="ff-soft"),
        *_why(alert.why),
        _said(alert, now, zone),
    ]
    return [part for part in parts if part is not None]


def unchanging(found: Sequence[SeenAlert], now: int) -> str:
    """What of the open alerts makes another page of it, which closes what is open there: all but `facts`."""
    return repr([(replace(one.alert, value=None), one.steps, is_snoozed(one.alert, now)) for one in found])


def facts(alert: Alert, now: int) -> str:
    """What changes again and again: the value, and for how long it has been so. Of an alert that is over the value is
    of no use any more: it is the last one beyond the line.
    """
    for_s = _("for {time}", time=figures.duration((alert.resolved_at or now) - alert.fired_at, is_short=True))
    seen = metric_name(alert.metric) if alert.resolved_at is not None else _seen(alert)
    return " · ".join([seen, for_s, *([figures.people(alert.affected)] if alert.affected else [])])


def _seen(alert: Alert) -> str:
    metric, value, line = metric_name(alert.metric), _number(alert.value), _number(alert.threshold)
    if alert.value is None or alert.threshold is None:
        return f"{metric} {value}"
    if alert.value > alert.threshold:
        return _("{metric} {value} (above {line})", metric=metric, value=value, line=line)
    if alert.value < alert.threshold:
        return _("{metric} {value} (below {line})", metric=metric, value=value, line=line)
    return _("{metric} {value} (at the limit)", metric=metric, value=value)


def is_snoozed(alert: Alert, now: int) -> bool:
    """Whether nothing is said of the alert because it is snoozed."""
    return alert.resolved_at is None and alert.snoozed_until is not None and alert.snoozed_until > now


def _said(alert: Alert, now: int, zone: tzinfo) -> Component | None:
    said = []
    if alert.acknowledged_at is not None:
        said.append(_("Acknowledged by {name}", name=alert.acknowledged_by))
    if is_snoozed(alert, now):
        said.append(_("Snoozed until {time}", time=figures.moment(alert.snoozed_until or 0, zone)))
    return html.P(" · ".join(said), className="ff-soft") if said else None


def _ways(alert: Alert, now: int) -> Component:
    key = str(alert.id)
    wake = html.Button(_("End the snooze"), type="submit", className="ff-btn", **data(value=WAKE))
    acknowledge = html.Button(_("Acknowledge"), type="submit", className="ff-btn ff-btn-primary")
    ways = [
        *([form.form(ACKNOWLEDGE, [acknowledge], key=key)] if alert.acknowledged_at is None else []),
        form.form(
            SNOOZE,
            [
                html.Select(
                    [html.Option(_(label), value=value) for value, label in HOURS],
                    name="hours",
                    className="form-select",
                    **aria(label=_("Snooze for")),
                ),
                html.Button(_("Snooze"), type="submit", className="ff-btn"),
                *([wake] if is_snoozed(alert, now) else []),
            ],
            key=key,
            className="ff-snooze",
        ),
    ]
    return html.Div(ways, className="ff-row-ways")


def _why(found: Sequence[Difference]) -> list[Component]:
    if not found:
        return []
    changed = [html.Li(strip.difference(one)) for one in found[:5]]
    return [html.Details([html.Summary(_("What makes the difference")), html.Ul(changed)])]


def history(steps: Sequence[AlertStep], zone: tzinfo, *, is_open: bool = False) -> Component:
    """What has happened to an alert, the oldest first; folded unless `is_open`."""
    lines = [html.Li(_step(one, zone)) for one in steps]
    return html.Details([html.Summary(_("History")), html.Ol(lines)], open=is_open)


def _step(one: AlertStep, zone: tzinfo) -> str:
    said = _(STEPS[one.step]) if one.step in STEPS else one.step
    value = f" ({_number(one.value)})" if one.value is not None else ""
    who = f", {one.who}" if one.who else ""
    return f"{figures.moment(one.at, zone)}: {said}{value}{who}"


def past(domain: str, found: Sequence[SeenAlert], zone: tzinfo) -> list[Component]:
    """The table of the alerts that are over, or words where there is none."""
    if not found:
        return [states.nothing(_("No alert is over yet"), _("Alerts that are over stand here."), "activity")]
    return [table(_heads(), [_past(domain, one, zone) for one in found], body=ROWS)]


def past_rows(domain: str, found: Sequence[SeenAlert], zone: tzinfo) -> list[html.Tr]:
    """Further rows of that table."""
    return labelled(_heads(), [_past(domain, one, zone) for one in found])


def _heads() -> tuple[str, ...]:
    return _("Alert"), _("Severity"), _("From"), _("Until"), _("History")


def _past(domain: str, one: SeenAlert, zone: tzinfo) -> html.Tr:
    alert = one.alert
    href = strip.address_of(domain, alert.id)
    way = html.A(html.Bdi(alert.title), href=href, id=link_id(alert.id), className="ff-link")
    why = [html.Small(strip.difference(one), className="ff-soft") for one in alert.why[:1]]
    cells: list[Any] = [
        html.Div([way, *why], className="ff-stack"),
        strip.badge(alert.severity),
        figures.moment(alert.fired_at, zone),
        figures.moment(alert.resolved_at or alert.fired_at, zone),
        history(one.steps, zone),
    ]
    return html.Tr([html.Td(cell) for cell in cells])


def link_id(alert_id: int) -> str:
    """The id of the link to an alert that is over, for the focus after further ones are shown."""
    return f"alert-{alert_id}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return figures.count(int(value)) if value.is_integer() else as_text(value)

"""One alert, where messages lead: it is snoozed or acknowledged with one click, and here is what has happened to it."""

from __future__ import annotations

from datetime import tzinfo

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.notify.alert import Alert
from layouts import alerts as strip
from layouts.components import figures, form, states
from layouts.components.markup import aria, data
from layouts.components.snooze import buttons
from layouts.pages.alerts import SeenAlert, about, history, is_snoozed, unchanging

ACKNOWLEDGE, SNOOZE = "one-acknowledge", "one-snooze"
PLACE, GROUP = "one-alert", "snooze"
TICK, FACTS = "one-alert-tick", "alert-facts-now"
TICK_MS = 10_000


def page(
    domain: str, href: str, one: SeenAlert, now: int, zone: tzinfo, *, may_act: bool, has_focus: bool
) -> html.Main:
    """The page. `href` is the address of all alerts of the site, `may_act`: whether its reader may acknowledge and
    snooze. `has_focus`: whether the first of the buttons gets the focus.
    """
    alert = one.alert
    said = [form.state(name) for name in (SNOOZE, ACKNOWLEDGE)]
    head = html.Div([html.H1(html.Bdi(alert.title)), strip.badge(alert.severity), *said], className="ff-toolbar")
    parts = shown(one, now, zone, may_act=may_act, has_focus=has_focus)
    ways = [form.connection(name, domain) for name in (SNOOZE, ACKNOWLEDGE)]
    every = html.P(html.A(_("All alerts of this site"), href=href, className="ff-link"))
    named = data(site=domain, alert=str(alert.id), drawn=drawn_of(one, now))
    place = html.Div(parts, id=PLACE, className="ff-cards ff-narrow", **named)
    inner = [head, place, every, *ways, strip.tick(TICK, TICK_MS)]
    return html.Main(inner, className="ff-main ff-one-alert", **data(ticks=TICK))


def drawn_of(one: SeenAlert, now: int) -> str:
    """What makes other cards of `shown`: all but its facts."""
    return unchanging([one], now)


def gone(href: str) -> html.Main:
    """The page for an alert that there is not, or not any more."""
    hint = _("Alerts that were over a year ago are deleted.")
    way = html.A(_("All alerts of this site"), href=href, className="ff-btn ff-btn-primary")
    head = html.Div(html.H1(_("Alert")), className="ff-toolbar")
    empty = html.Section(states.nothing(_("That alert is not here any more"), hint, "bell"), className="ff-card")
    return html.Main([head, empty, html.P(way)], className="ff-main ff-one-alert")


def shown(one: SeenAlert, now: int, zone: tzinfo, *, may_act: bool, has_focus: bool = False) -> list[Component]:
    """The cards: how it stands, what can be done about it while it is open, and its history."""
    alert = one.alert
    first = html.Section([html.P(_standing(alert, zone)), *about(alert, now, zone)], className="ff-card ff-alert-card")
    ways = [_ways(alert, now, zone, has_focus=has_focus)] if may_act and alert.resolved_at is None else []
    asked = [] if may_act else [html.P(_("An admin of this site can snooze and acknowledge it."), className="ff-soft")]
    last = html.Section(history(one.steps, zone, is_open=True), className="ff-card ff-alert-card")
    return [first, *ways, *asked, last]


def _standing(alert: Alert, zone: tzinfo) -> Component:
    if alert.resolved_at is None:
        since = figures.moment(alert.fired_at, zone)
        return html.Span(_("Open since {time}", time=since), className="ff-badge is-warn")
    since = figures.moment(alert.resolved_at, zone)
    return html.Span(_("Over since {time}", time=since), className="ff-badge is-ok")


def _ways(alert: Alert, now: int, zone: tzinfo, *, has_focus: bool) -> Component:
    head = html.H2(_("Snooze"), id=GROUP)
    about_it = _("Until then you hear of it only when it is over, and nothing of the rule's next alerts.")
    choices = buttons(now, zone, is_snoozed=is_snoozed(alert, now), has_focus=has_focus)
    row = html.Div(choices, role="group", **aria(labelledby=GROUP))
    snooze = form.form(SNOOZE, [row], key=str(alert.id))
    inner = [html.Header([head, html.P(about_it, className="ff-soft")]), snooze, *_acknowledging(alert)]
    return html.Section(html.Div(inner, className="ff-form"), className="ff-card")


def _acknowledging(alert: Alert) -> list[Component]:
    if alert.acknowledged_at is not None:
        return []
    button = html.Button(_("Acknowledge"), type="submit", className="ff-btn ff-btn-primary")
    hint = html.Span(_("It is not repeated then."), className="ff-soft")
    return [form.form(ACKNOWLEDGE, [html.Div([button, hint], className="ff-form-end")], key=str(alert.id))]

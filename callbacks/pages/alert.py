"""One alert: the page to which messages lead, where it is snoozed and acknowledged. Opening it changes nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.errors import InvalidInput
from analytics.base.words import _
from analytics.notify import alerts
from analytics.notify.snooze import WAKE
from analytics.notify.snooze import chosen as snooze_until
from analytics.notify.who import alert_for, steps_for
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext, parameters
from collector.service import Service
from layouts import alerts as strip
from layouts import notices
from layouts.components.snooze import button_id
from layouts.pages import alert as layout
from layouts.pages.alerts import SeenAlert, facts

ID, FOCUS = "id", "snooze"  # parameters of the address


def page(context: PageContext) -> Component:
    """The alert that the address names."""
    site, now = context.site, int(time.time())
    asked, href = parameters(context.search), strip.address(site.domain)
    seen = _seen(context.service, site, asked.get(ID, ""))
    if seen is None:
        return layout.gone(href)
    may_act = current_person().may(ADMIN, site.id)
    zone = ZoneInfo(site.timezone)
    return layout.page(site.domain, href, seen, now, zone, may_act=may_act, has_focus=FOCUS in asked)


def register(app: Dash, service: Service) -> None:
    """Snoozes, acknowledges and draws again."""

    def drawn(site: Site, alert_id: int, said: str, focus: str) -> FormResult:
        seen, now = _seen(service, site, str(alert_id)), int(time.time())
        parts = layout.shown(seen, now, ZoneInfo(site.timezone), may_act=True) if seen else []
        now_drawn = layout.drawn_of(seen, now) if seen else ""
        return FormResult({"message": said, "focus": [button_id(focus)]}, (parts, now_drawn))

    def snooze(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        alert_id, chosen = number(fields, "key"), fields.get("value", "")
        now, by = int(time.time()), current_person().email
        until = snooze_until(chosen, now, ZoneInfo(site.timezone))
        alerts.snooze_until(service.database, site.id, alert_id, until, by, now)
        is_over = chosen == WAKE
        said, focus = (_("The snooze is ended"), "1") if is_over else (_("Snoozed"), WAKE)
        return drawn(site, alert_id, said, focus)

    def acknowledge(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        alert_id = number(fields, "key")
        alerts.acknowledge(service.database, site.id, alert_id, current_person().email, int(time.time()))
        return drawn(site, alert_id, _("Acknowledged"), "1")

    for name, do in ((layout.SNOOZE, snooze), (layout.ACKNOWLEDGE, acknowledge)):
        outputs = [Output(layout.PLACE, name, allow_duplicate=True) for name in ("children", "data-drawn")]
        on_send(app, name, do, *outputs)
    _register_drawing(app, service)


def _register_drawing(app: Dash, service: Service) -> None:
    """Draws the alert again when a notification comes, and every 10 s: what is said by none is seen so too."""

    @app.callback(
        Output(layout.PLACE, "children"),
        Output(layout.PLACE, "data-drawn"),
        Output(layout.FACTS, "children"),
        Input(notices.BELL, "answered"),
        Input(layout.TICK, "n_intervals"),
        State(layout.PLACE, "data-site"),
        State(layout.PLACE, "data-alert"),
        State(layout.PLACE, "data-drawn"),
        running=[(Output(layout.TICK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def draw(_answered: object, _tick: object, domain: object, alert_id: object, had: object) -> Sequence[Any]:
        site, now = authorized(service, domain), int(time.time())
        seen = _seen(service, site, str(alert_id))
        if seen is None:
            return [no_update] * 3
        drawn = layout.drawn_of(seen, now)
        if drawn == had:
            return [no_update, no_update, facts(seen.alert, now)]
        may_act = current_person().may(ADMIN, site.id)
        return [layout.shown(seen, now, ZoneInfo(site.timezone), may_act=may_act), drawn, no_update]


def _seen(service: Service, site: Site, alert_id: str) -> SeenAlert | None:
    """The site's alert; None where there is none."""
    if not re.fullmatch("[0-9]{1,9}", alert_id):
        return None
    try:
        found = alerts.get(service.database, site.id, int(alert_id))
    except InvalidInput:
        return None
    person = current_person()
    return SeenAlert(alert_for(person, found.alert), steps_for(person, site.id, found.steps))

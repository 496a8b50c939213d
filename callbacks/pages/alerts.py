"""Alerts: the page of a site, with acknowledging and snoozing, and its history."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import ALL, Dash, Input, Output, Patch, State, no_update
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.ids import MAX_ID
from analytics.base.words import _
from analytics.notify import alerts
from analytics.notify.alert import Alert
from analytics.notify.alerts import OverVersion
from analytics.notify.snooze import WAKE
from analytics.notify.who import alert_for, steps_for
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext
from callbacks.pages import alert_strip
from callbacks.pages.changed import changed, each
from collector.service import Service
from layouts import notices
from layouts.pages import alerts as layout

MAX_REDRAWN = 200  # of a longer history nothing is drawn again: it is shown as it was


def page(context: PageContext) -> Component:
    """The alerts of the page's site."""
    site, now = context.site, int(time.time())
    may_act, zone = current_person().may(ADMIN, site.id), ZoneInfo(site.timezone)
    over, last = _history(context.service, site)
    found = layout.SeenAlerts(_open(context.service, site), over, last)
    _parts, drawn = changed(_versions(found.open, OverVersion.of([one.alert for one in over])), None)
    return layout.page(site.domain, found, now, zone, drawn, may_act=may_act)


def register(app: Dash, service: Service) -> None:
    """The forms of open alerts, more of the history, what draws the page again, and the strip of other pages."""
    _register_forms(app, service)
    _register_history(app, service)
    _register_drawing(app, service)
    alert_strip.register(app, service)


def _register_forms(app: Dash, service: Service) -> None:
    def redrawn(site: Site, said: str) -> FormResult:
        opened, now = _open(service, site), int(time.time())
        return FormResult(
            {"message": said}, (layout.open_ones(site.domain, opened, now, ZoneInfo(site.timezone), may_act=True),)
        )

    def acknowledge(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        by = current_person().email
        alerts.acknowledge(service.database, site.id, number(fields, "key"), by, int(time.time()))
        return redrawn(site, _("Acknowledged"))

    def snooze(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        is_over, by = fields.get("value") == WAKE, current_person().email
        text = WAKE if is_over else fields.get("hours", "")
        hours = int(text) if text.isdecimal() and len(text) < 5 else None
        alerts.snooze(service.database, site.id, number(fields, "key"), hours, by, int(time.time()))
        return redrawn(site, _("The snooze is ended") if is_over else _("Snoozed"))

    for name, do in ((layout.ACKNOWLEDGE, acknowledge), (layout.SNOOZE, snooze)):
        on_send(app, name, do, Output(layout.OPEN, "children", allow_duplicate=True))


def _register_history(app: Dash, service: Service) -> None:
    @app.callback(
        Output(layout.ROWS, "children"),
        Output(layout.MORE, "hidden"),
        Output(layout.LAST, "data"),
        Output(layout.FOCUS, "data"),
        Input(layout.MORE, "n_clicks"),
        State(layout.PAGE, "data-site"),
        State(layout.LAST, "data"),
        running=[(Output(layout.MORE, "aria-busy"), "true", "false")],
        prevent_initial_call=True,
    )
    def show_more(_clicks: object, domain: object, had: object) -> Any:
        """Adds the alerts that were over before the last one of the list; the first of them gets the focus."""
        site = authorized(service, domain)
        over, last = _history(service, site, before=_id(had))
        rows = Patch()
        rows.extend(layout.past_rows(site.domain, over, ZoneInfo(site.timezone)))
        return rows, not last, last, layout.link_id(over[0].alert.id) if over else no_update

    app.clientside_callback("function(id) { if (id) window.footfall.moveFocus([id]); }", Input(layout.FOCUS, "data"))


def _register_drawing(app: Dash, service: Service) -> None:
    @app.callback(
        Output(layout.OPEN, "children"),
        Output(layout.OVER, "children"),
        Output({layout.FACTS: ALL}, "children"),
        Output(layout.DRAWN, "data"),
        Input(notices.BELL, "answered"),
        Input(layout.TICK, "n_intervals"),
        State(layout.PAGE, "data-site"),
        State(layout.DRAWN, "data"),
        State(layout.LAST, "data"),
        State({layout.FACTS: ALL}, "id"),
        running=[(Output(layout.TICK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def draw(
        _answered: object, _tick: object, domain: object, had: object, last: object, ids: Sequence[Any]
    ) -> Sequence[Any]:
        """Draws what has changed, as far back as the list is shown."""
        site, now = authorized(service, domain), int(time.time())
        opened, may_act = _open(service, site), current_person().may(ADMIN, site.id)
        version = alerts.over_version(service.database, site.id, _id(last))
        parts, drawn = changed(_versions(opened, version), had)
        if parts["open"] is not no_update:
            parts["open"] = layout.open_ones(site.domain, opened, now, ZoneInfo(site.timezone), may_act=may_act)
        if parts["over"] is not no_update:
            parts["over"] = _over(service, site, last) if version.length <= MAX_REDRAWN else no_update
        facts = {str(one.alert.id): layout.facts(one.alert, now) for one in opened}
        return [parts["open"], parts["over"], each(facts, layout.FACTS, ids, parts["open"]), drawn]


def _over(service: Service, site: Site, last: object) -> list[Component]:
    found = alerts.over_ones(service.database, site.id, down_to=_id(last), limit=MAX_REDRAWN)
    return layout.past(site.domain, _seen(service, found), ZoneInfo(site.timezone))


def _versions(opened: Sequence[layout.SeenAlert], over: OverVersion) -> dict[str, Any]:
    """What is compared in place of the parts of the page, which are built only where it has changed."""
    return {"open": layout.unchanging(opened, int(time.time())), "over": over}


def _open(service: Service, site: Site) -> list[layout.SeenAlert]:
    return _seen(service, alerts.open_ones(service.database, [site.id]))


def _history(service: Service, site: Site, before: int | None = None) -> tuple[list[layout.SeenAlert], int]:
    """The newest alerts that are over, or those before one; and the id of the last, 0 where there are no further."""
    found = alerts.over_ones(service.database, site.id, before=before, limit=alerts.MAX_LISTED + 1)
    shown = found[: alerts.MAX_LISTED]
    return _seen(service, shown), shown[-1].id if len(found) > len(shown) else 0


def _seen(service: Service, found: Sequence[Alert]) -> list[layout.SeenAlert]:
    steps, person = alerts.steps_of(service.database, [one.id for one in found]), current_person()
    return [
        layout.SeenAlert(alert_for(person, one), steps_for(person, one.site_id, steps.get(one.id, ()))) for one in found
    ]


def _id(given: object) -> int:
    """The id that the page keeps; 0 for anything else."""
    return given if type(given) is int and 0 <= given <= MAX_ID else 0

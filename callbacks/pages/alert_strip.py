"""The strip of open alerts on other pages: drawn when a notification comes, and every 30 s."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, no_update

from analytics.notify import alerts
from analytics.notify.who import alert_for
from analytics.sites.site import Site
from callbacks.gate.guard import current_person, visible
from callbacks.pages.changed import each
from collector.service import Service
from layouts import alerts as strip
from layouts import notices


def register(app: Dash, service: Service) -> None:
    """Draws the strip where something else is to be said, else the ages of its alerts."""

    @app.callback(
        Output(strip.STRIP, "children"),
        Output(strip.STRIP, "data-drawn"),
        Output({strip.AGE: ALL}, "children"),
        Input(notices.BELL, "answered"),
        Input(strip.TICK, "n_intervals"),
        State(strip.STRIP, "data-site"),
        State(strip.STRIP, "data-drawn"),
        State({strip.AGE: ALL}, "id"),
        running=[(Output(strip.TICK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def draw(_answered: object, _tick: object, domain: object, had: object, ids: Sequence[Any]) -> Sequence[Any]:
        found = _shown(service, [one for one in visible(service) if domain in ("", one.domain)])
        drawn = strip.unchanging(found)
        lines = no_update if drawn == had else strip.lines(found)
        ages = {str(one.alert.id): strip.age_of(one) for one in found}
        return [lines, drawn, each(ages, strip.AGE, ids, lines)]


def _shown(service: Service, sites: Sequence[Site]) -> list[strip.ShownAlert]:
    """The open alerts of these sites, as the strip shows them."""
    known, now = {site.id: site for site in sites}, int(time.time())
    found, person = alerts.open_ones(service.database, known), current_person()
    return [strip.ShownAlert(alert_for(person, one), known[one.site_id], now - one.fired_at) for one in found]

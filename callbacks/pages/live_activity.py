"""The cards of the Live page: every 10 s their figures, to which the browser adds what happens in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, no_update

from analytics.access.roles import ADMIN
from analytics.activity import cards
from analytics.activity.card import GAUGE, Card
from analytics.activity.figures import figures_at, gauge_hours, read_figures
from analytics.activity.readings import GaugeReading, readings
from analytics.activity.suggested import suggested
from analytics.base.error_log import describe
from analytics.base.words import _
from analytics.sites.site import Site
from callbacks.gate.guard import authorized, current_person
from collector.service import Service
from layouts import activity
from layouts.components import states
from layouts.footfall_components.event_cards import EventFigures
from layouts.pages import live

log = logging.getLogger("footfall.live")


def register(app: Dash, service: Service) -> None:
    """Open to viewers of the site."""

    @app.callback(
        Output(live.ACTIVITY, "figures"),
        Output(live.ACTIVITY, "empty"),
        Output(live.ACTIVITY_PLACE, "hidden"),
        Output(live.ACTIVITY_FAILED, "children"),
        Input(live.ACTIVITY_TICK, "n_intervals"),
        State("live", "data-site"),
        running=[(Output(live.ACTIVITY_TICK, "disabled"), True, False)],
    )
    def draw_activity(_tick: object, domain: object) -> tuple[Any, Any, bool, Any]:
        site, now = authorized(service, domain), int(time.time())
        try:
            found, is_own = _cards(service, site, now)
            if not found:
                may_set = not is_own and current_person().may(ADMIN, site.id)
                return no_update, live.no_activity(site.domain), not may_set, None
            return figures_of(service, site, found, now), None, False, None
        except Exception as failed:
            log.error("activity failed: %s", describe(failed))
            words = _("The rest of the page is not affected.")
            return no_update, None, False, states.failed(_("Activity could not be read"), words, again=False)


def figures_of(service: Service, site: Site, found: list[Card], now: int) -> EventFigures:
    """The props of the cards as they are now."""
    gauges = _gauges(service, site, found, now)
    return activity.cells(read_figures(site, found, service.backend, now, gauges), site.timezone)


def _gauges(service: Service, site: Site, found: list[Card], at: int) -> Mapping[int, GaugeReading]:
    has_some = any(card.kind == GAUGE for card in found)
    return readings(service.database, site.id, gauge_hours(site, at)) if has_some else {}


def figures_then(service: Service, site: Site, at: int) -> EventFigures | None:
    """The props of today's choice of cards as they were at the end of a past second; None for a site without cards."""
    try:
        found, _is_own = _cards(service, site, int(time.time()))
        shown = figures_at(site, found, service.backend, at, _gauges(service, site, found, at))
        return activity.cells(shown, site.timezone, is_past=True) if found else None
    except Exception as failed:
        log.error("activity failed: %s", describe(failed))
        return activity.unread(at, site.timezone)


def _cards(service: Service, site: Site, now: int) -> tuple[list[Card], bool]:
    """The cards of the site, and whether it has chosen them."""
    own = cards.of_site(service.database, site.id)
    return (suggested(service.backend, site, now), False) if own is None else (own, True)

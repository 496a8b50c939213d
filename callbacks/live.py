"""The Live page's one callback: it owns the tick, and redraws every part from memory and stored heartbeats."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from analytics.commands import snippet as line_of
from analytics.faults import told
from analytics.feed import recent
from analytics.live import Concurrency, LiveState
from analytics.sites import Site
from callbacks import snippet
from callbacks.asked import Asked
from callbacks.guard import authorized
from collector.routes import live_state
from collector.service import Service
from layouts import first, live, states

log = logging.getLogger("footfall.live")

SHOWN = 31  # points of the sparkline: the last 30 minutes

OUTPUTS = (
    Output("active-now", "children"),
    Output("split", "children"),
    Output("user-types", "children"),
    Output("facts", "children"),
    Output("spark", "data-points"),
    Output("map", "children"),
    Output("pages", "children"),
    Output("sources", "children"),
    Output("fallback", "data"),
)


def page(asked: Asked) -> Component:
    """The Live page, or how to begin where nobody has been yet; to the demo site they come by themselves."""
    service, site = asked.service, asked.site
    if not site.demo and not service.hub.active(site.id) and not recent(service.database, site.id, 1):
        return first.page(site, line_of(asked.address, site.domain), snippet.doubts(service, site))
    return live.page(site, service.config.active_window_s)


def register(app: Dash, service: Service) -> None:
    """Redraws every 10 s, on a nudge of the stream and on Refresh; `assets/live.js` lets one in at a time."""

    @app.callback(
        *OUTPUTS,
        Input("nudge", "data"),
        State("live", "data-site"),
        running=[(Output("drawing", "data"), True, False), (Output("refresh", "aria-busy"), "true", "false")],
    )
    def redraw(_nudge: object, domain: object) -> tuple[Any, ...]:
        site = authorized(service, domain)
        state = service.hub.state(site.id)
        concurrency = _part("Concurrency", lambda: service.history.read(site, int(time.time())))
        return (*drawn(site, state, concurrency), live_state(service.hub, site))

    app.clientside_callback(
        "function(ticks, clicks) { return window.footfallLive.ask(ticks, clicks); }",
        Output("nudge", "data"),
        Input("tick", "n_intervals"),
        Input("refresh", "n_clicks"),
    )
    app.clientside_callback("function(isAtWork) { window.footfallLive.drawing(isAtWork); }", Input("drawing", "data"))
    app.clientside_callback("function(data) { window.footfallLive.polled(data); }", Input("fallback", "data"))


def drawn(site: Site, state: LiveState, concurrency: Concurrency | None) -> tuple[Any, ...]:
    """The parts of the page; one that fails says so in its own frame, the others live on."""
    zone = ZoneInfo(site.timezone)
    points = json.dumps(concurrency.points[-SHOWN:], separators=(",", ":")) if concurrency else no_update
    return (
        live.active_now(state),
        live.split(state),
        live.user_types(state),
        _part("Facts", lambda: live.facts(state, concurrency, zone)) if concurrency else no_update,
        points,
        _part("The map", lambda: live.places(state)) or states.failed("The map could not be drawn", AGAIN),
        _part("Pages", lambda: live.pages(state)) or states.failed("Pages could not be read", AGAIN),
        _part("Sources", lambda: live.sources(state)) or states.failed("Sources could not be read", AGAIN),
    )


AGAIN = "The rest of the page is not affected."


def _part(name: str, draw: Callable[[], Any]) -> Any:
    """What `draw` gives, None where it fails; the failure is in the log."""
    try:
        return draw()
    except Exception as failed:
        log.error("%s failed: %s", name, told(failed))
        return None

"""The Live page's callbacks: they redraw every part from memory and stored heartbeats, and draw the rewind bar."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base import language
from analytics.base.error_log import describe
from analytics.calendar.minute_series import MINUTE
from analytics.calendar.period import Span
from analytics.commands import snippet as line_of
from analytics.live import rewind
from analytics.live.feed import recent
from analytics.live.state import Concurrency, LiveState
from analytics.query.answer import page_titles
from analytics.reports.overview import read_overview
from analytics.reports.view import USUAL_COMPARISON
from analytics.sites.site import Site
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext
from callbacks.settings import snippet
from collector.api.live import live_state
from collector.service import Service
from layouts.components import figures, states
from layouts.components import rewind as bar
from layouts.components.ranking import NO_TITLES
from layouts.pages import first, live

log = logging.getLogger("footfall.live")

DAY_S = 86_400

OUTPUTS = (
    Output("active-now", "children"),
    Output("split", "children"),
    Output("user-types", "children"),
    Output("facts", "children"),
    Output("trend-words", "children"),
    Output("world-words", "children"),
    Output("figures", "data"),
    Output("map", "children"),
    Output("pages", "children"),
    Output("sources", "children"),
    Output("fallback", "data"),
    Output("rewind", "data-at"),
)


def page(context: PageContext) -> Component:
    """The Live page; before the first visit of a site other than the demo, the page with the first steps."""
    service, site = context.service, context.site
    if not site.demo and not service.hub.active(site.id) and not recent(service.database, site.id, 1):
        return first.page(site, line_of(context.address, site.domain), snippet.doubts(service, site))
    may_embed = current_person().may(ADMIN, site.id)
    return live.page(site, service.config.active_window_s, may_embed=may_embed)


def register(app: Dash, service: Service) -> None:
    """Redraws every 10 s, on a nudge of the stream and on Refresh; `assets/pages/live.js` sends one at a time."""

    @app.callback(
        *OUTPUTS,
        Input("nudge", "data"),
        State("live", "data-site"),
        State(live.TITLES, "value"),
        running=[(Output("drawing", "data"), True, False), (Output("refresh", "aria-busy"), "true", "false")],
    )
    def redraw(nudge: object, domain: object, by_title: object) -> tuple[Any, ...]:
        site, now = authorized(service, domain), int(time.time())
        requested = moment(nudge)
        state, concurrency, words = shown(service, site, requested, now)
        at = state.at if words is live.THEN else 0
        more = _past(service, site, state) if at else live_state(service.hub, site, state)
        titles = titles_of(service, site, state) if by_title is True else {}
        return (*render(site, state, concurrency, words, titles), more | {"asked": requested}, str(at or ""))

    @app.callback(
        Output("trend-table", "children"),
        Input("trend-open", "n_clicks"),
        State("live", "data-site"),
        State("nudge", "data"),
        prevent_initial_call=True,
    )
    def list_minutes(_presses: object, domain: object, nudge: object) -> Component:
        site = authorized(service, domain)
        state, concurrency, _ = shown(service, site, moment(nudge), int(time.time()))
        return live.minutes_table(state, concurrency, ZoneInfo(site.timezone))

    @app.callback(
        Output("world-table", "children"),
        Input("world-open", "n_clicks"),
        State("live", "data-site"),
        State("nudge", "data"),
        prevent_initial_call=True,
    )
    def list_places(_presses: object, domain: object, nudge: object) -> Component:
        site = authorized(service, domain)
        return live.places_table(shown(service, site, moment(nudge), int(time.time()))[0])

    @app.callback(Output("today", "children"), Input("today-tick", "n_intervals"), State("live", "data-site"))
    def draw_today(_tick: object, domain: object) -> Any:
        site, now = authorized(service, domain), int(time.time())
        return _part("Today", lambda: today(service, site, now)) or states.failed("Today could not be read", AGAIN)

    @app.callback(
        Output("rewind-track", "data-line"),
        Output("rewind-tick", "interval"),
        Input("rewind-tick", "n_intervals"),
        State("live", "data-site"),
    )
    def draw_line(_tick: object, domain: object) -> tuple[str, int]:
        return day_before(service, authorized(service, domain), int(time.time()))

    app.clientside_callback(
        "function() { return window.footfall.live.ask(); }",
        Output("nudge", "data"),
        Input("tick", "n_intervals"),
        Input("refresh", "n_clicks"),
        Input(live.TITLES, "value"),
    )
    app.clientside_callback(
        "function(drawn) { return [drawn.trend, drawn.world]; }",
        Output("trend", "figure"),
        Output("world", "figure"),
        Input("figures", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback("function(isAtWork) { window.footfall.live.drawing(isAtWork); }", Input("drawing", "data"))
    app.clientside_callback("function(data) { window.footfall.live.polled(data); }", Input("fallback", "data"))


def today(service: Service, site: Site, now: int) -> list[Component]:
    """Today's numbers, compared with as much of the same weekday a week ago."""
    question = f"period=today&compare={quote(USUAL_COMPARISON)}"
    found = read_overview(site, question, service.backend, service.database, now, tag=language.written_in())
    weekday = figures.weekday(datetime.fromtimestamp(now, found.zone).weekday())
    since = f"last {weekday} to {figures.time_of_day(now, found.zone)}"
    return live.today(site.domain, found.numbers, found.before, since)


def moment(nudge: object) -> int:
    """The second (epoch) that the page requests, 0 for now."""
    at = nudge.get("at") if isinstance(nudge, dict) else 0
    return at if isinstance(at, int) else 0


def shown(service: Service, site: Site, requested: int, now: int) -> tuple[LiveState, Concurrency | None, live.Words]:
    """What the page shows of a requested second, at most a day back; 0 or a second to come is now."""
    if not 0 < requested < now:
        return service.hub.state(site.id), _part("Concurrency", lambda: service.history.read(site, now)), live.NOW
    at = max(requested, now - rewind.FAR_S)
    state = rewind.state_at(service.database, site.id, at, service.config.active_window_s)
    return state, _part("Concurrency", lambda: service.history.then(site, at, now)), live.THEN


def titles_of(service: Service, site: Site, state: LiveState) -> dict[str, str]:
    """The titles that the listed pages had last within a day, by path; {} where they cannot be read."""
    span = Span(state.at - DAY_S, state.at + 1)
    paths = [entry.label for entry in state.pages[: live.ROWS]]
    return _part("Titles", lambda: page_titles(site.id, span, paths, service.backend)) or {}


def _past(service: Service, site: Site, state: LiveState) -> dict[str, Any]:
    """A moment of the past as data for the page's scripts."""
    events = msgspec.to_builtins(rewind.feed_at(service.database, site.id, state.at))
    return {"at": state.at, "active": state.active, "events": events}


def day_before(service: Service, site: Site, now: int) -> tuple[str, int]:
    """The line of the last 24 hours behind the slider, as JSON, and how many ms until the next refresh."""
    end = now // MINUTE * MINUTE
    people, complete = service.history.people(site.id, end - rewind.FAR_S, end, now)
    since = rewind.earliest(service.database, site.id, now)
    line = {"begin": end - rewind.FAR_S, "since": since, "people": bar.line(people)}
    return json.dumps(line, separators=(",", ":")), bar.TICK_MS if complete else bar.COUNTING_MS


def render(
    site: Site,
    state: LiveState,
    concurrency: Concurrency | None,
    words: live.Words = live.NOW,
    titles: Mapping[str, str] = NO_TITLES,
) -> tuple[Any, ...]:
    """The parts of the page; a part that fails shows that in its own frame and leaves the others alone."""
    zone = ZoneInfo(site.timezone)
    return (
        live.active_now(state),
        live.split(state),
        live.user_types(state),
        _part("Facts", lambda: live.facts(state, concurrency, zone, words)) if concurrency else no_update,
        live.line_in_words(state, concurrency),
        live.map_in_words(state),
        _part("The figures", lambda: live.drawn(state, concurrency, zone)) or no_update,
        _part("The map", lambda: live.places(state, words)) or states.failed("The map could not be drawn", AGAIN),
        _part("Pages", lambda: live.pages(state, words, titles)) or states.failed("Pages could not be read", AGAIN),
        _part("Sources", lambda: live.sources(state, words)) or states.failed("Sources could not be read", AGAIN),
    )


AGAIN = "The rest of the page is not affected."


def _part(name: str, draw: Callable[[], Any]) -> Any:
    """The result of `draw`; None where it fails, which is logged."""
    try:
        return draw()
    except Exception as failed:
        log.error("%s failed: %s", name, describe(failed))
        return None

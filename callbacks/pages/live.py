"""The Live page's callbacks: they redraw every part from memory and stored heartbeats, and draw the rewind bar."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import flask
from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from analytics.access.roles import ADMIN
from analytics.base import language
from analytics.base.error_log import describe
from analytics.base.words import N_, _
from analytics.calendar.minute_series import MINUTE
from analytics.calendar.period import Span
from analytics.commands.site import snippet as line_of
from analytics.live import rewind
from analytics.live.feed import recent
from analytics.live.state import FACTS, Concurrency, LiveState
from analytics.query.answer import page_titles
from analytics.query.filters import Filter
from analytics.query.query import Query
from analytics.reports.formats import spreadsheet
from analytics.reports.live import minutes as minutes_of_file
from analytics.reports.live import places as places_of_file
from analytics.reports.overview import MAX_SUGGESTED, read_overview
from analytics.reports.view import USUAL_COMPARISON
from analytics.sites.site import Site
from callbacks.download import csv_file
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext
from callbacks.pages import live_activity
from callbacks.pages.changed import Digests, changed
from callbacks.pages.live_question import LiveQuestion, counted, events, read_moment, read_people
from callbacks.pages.suggestion_wanted import suggestion_wanted
from callbacks.settings import snippet
from collector.api.live import stats_of
from collector.service import Service
from layouts.components import figures, states
from layouts.components import rewind as bar
from layouts.components.label_counts import NO_TITLES
from layouts.figures import places_map
from layouts.figures.template import Figure
from layouts.footfall_components.stats import Stat
from layouts.overview import filters
from layouts.pages import first, live, live_parts

log = logging.getLogger("footfall.live")

DAY_S = 86_400
ONLY_THIS = N_("The rest of the page is not affected.")

PARTS = {  # what `render` makes, by name
    "active": Output("active-now", "children"),
    "split": Output("split", "children"),
    "user_types": Output("user-types", "children"),
    "facts": Output("facts", "children"),
    "line_words": Output("trend-words", "children"),
    "map_words": Output("world-words", "children"),
    "line": Output(live.LINE_FIGURE, "figure"),
    "map": Output(live.MAP_FIGURE, "figure"),
    "on_map": Output("map", "children"),
    "pages": Output("pages", "children"),
    "sources": Output("sources", "children"),
    "line_of": Output("trend-of", "children"),
}
OUTPUTS = PARTS | {
    "activity": Output(live.ACTIVITY, "past"),
    "answer": Output("fallback", "data"),
    "at": Output("rewind", "data-at"),
    "filters": Output("live", "data-filters"),
}


def page(context: PageContext) -> Component:
    """The Live page; before the first visit of a site other than the demo, the page with the first steps."""
    service, site = context.service, context.site
    if not site.demo and not service.hub.active(site.id) and not recent(service.database, site.id, 1):
        return first.page(site, line_of(context.address, site.domain), snippet.doubts(service, site))
    may_embed = current_person().may(ADMIN, site.id)
    return live.page(site, service.config.active_window_s, may_embed=may_embed)


def register(app: Dash, service: Service) -> None:
    """The callbacks and the files of the page, open to viewers of the site."""
    _register_redraw(app, service)
    _register_filters(app, service)
    _register_tables(app, service)
    _register_repeats(app, service)
    live_activity.register(app, service)
    _register_scripts(app)
    server: flask.Flask = app.server

    @server.get("/live/<domain>/places.csv")
    def places_file(domain: str) -> flask.Response:
        return _places_file(service, domain)

    @server.get("/live/<domain>/minutes.csv")
    def minutes_file(domain: str) -> flask.Response:
        return _minutes_file(service, domain)


def _register_redraw(app: Dash, service: Service) -> None:
    """Redraws every 10 s, on a nudge of the stream and on Refresh; `assets/pages/live.js` sends one at a time."""

    @app.callback(
        list(OUTPUTS.values()),
        Input("nudge", "data"),
        State("live", "data-site"),
        State(live.TITLES, "value"),
        running=[(Output("drawing", "data"), True, False), (Output("refresh", "aria-busy"), "true", "false")],
    )
    def redraw(nudge: object, domain: object, by_title: object) -> list[Any]:
        site, now = authorized(service, domain), int(time.time())
        asked = LiveQuestion.parse(nudge, site)
        at, state, everybody, concurrency = read_moment(service, site, asked, now)
        words = live_parts.words(is_past=bool(at), is_filtered=bool(asked.filters))
        titles = titles_of(service, site, state) if by_title is True else {}
        parts = render(site, state, concurrency, words, everybody, titles)
        parts["activity"] = live_activity.figures_then(service, site, at) if at else None
        found, digests = news(parts | {"events": events(service, site, asked, at)}, asked.had)
        answer = {"active": state.active, "asked": asked.at, "filters": asked.text, "parts": digests}
        stats = service.hub.stats(site.id) if asked.filters else stats_of(state)  # of all, as the stream sends them
        answer |= {"at": at} if at else {"stats": stats}
        if found["events"] is not no_update:
            answer["events"] = found["events"]
        found |= {"answer": answer, "at": str(at or ""), "filters": asked.text}
        return [found[name] for name in OUTPUTS]


def _register_filters(app: Dash, service: Service) -> None:
    @app.callback(
        Output(live.CHIPS, "chips"),
        Output(live.WRONG, "children"),
        Input("url", "search"),
        State("live", "data-site"),
    )
    def draw_filters(search: object, domain: object) -> tuple[list[Any], list[Component]]:
        asked = LiveQuestion.parse({"search": search}, authorized(service, domain))
        return filters.chips(asked.filters, FACTS), live.wrong(asked.wrong, asked.wrong_second)

    @app.callback(
        Output(live.FILTER, "suggestions"),
        Input(live.FILTER, "asked"),
        State("live", "data-site"),
        State("nudge", "data"),
        prevent_initial_call=True,
    )
    def suggest(wanted: object, domain: object, nudge: object) -> Any:
        site = authorized(service, domain)
        name, text, search = suggestion_wanted(wanted, FACTS)
        moment = LiveQuestion.parse(nudge, site).at
        asked = LiveQuestion.parse({"at": moment, "search": search}, site)
        people, _everybody = read_people(service, site, asked, int(time.time()))
        found = counted(name, text, filter(asked.wants, people))
        return filters.suggestions(name, text, found, MAX_SUGGESTED)


def _register_tables(app: Dash, service: Service) -> None:
    """The figures as tables, when they are opened."""

    @app.callback(
        Output("trend-table", "children"),
        Input("trend-open", "n_clicks"),
        State("live", "data-site"),
        State("nudge", "data"),
        prevent_initial_call=True,
    )
    def list_minutes(_presses: object, domain: object, nudge: object) -> Component:
        site = authorized(service, domain)
        asked = LiveQuestion(LiveQuestion.parse(nudge, site).at)  # the line is of all
        shown = read_moment(service, site, asked, int(time.time()))
        return live_parts.minutes_table(shown.state, shown.concurrency, ZoneInfo(site.timezone))

    @app.callback(
        Output("world-table", "children"),
        Input("world-open", "n_clicks"),
        State("live", "data-site"),
        State("nudge", "data"),
        prevent_initial_call=True,
    )
    def list_places(_presses: object, domain: object, nudge: object) -> Component:
        site = authorized(service, domain)
        return live_parts.places_table(
            read_moment(service, site, LiveQuestion.parse(nudge, site), int(time.time())).state
        )


def _register_repeats(app: Dash, service: Service) -> None:
    """Today's row and the line behind the slider, which have their own pace."""

    @app.callback(
        Output(live.TODAY, "stats"),
        Output(live.TODAY_FAILED, "children"),
        Input("tick", "n_intervals"),
        Input("today-filters", "data"),
        State("live", "data-site"),
        running=[(Output("tick", "disabled"), True, False)],
    )
    def draw_today(_tick: object, text: object, domain: object) -> tuple[list[Stat], Component | None]:
        site, now = authorized(service, domain), int(time.time())
        asked = LiveQuestion.parse({"search": urlencode({"filters": text or ""})}, site)
        found = _part("today", lambda: today(service, site, now, asked.filters))
        return (found, None) if found else ([], states.failed(_("Today could not be read"), _(ONLY_THIS)))

    @app.callback(
        Output("rewind-track", "data-line"),
        Output("rewind-tick", "interval"),
        Input("rewind-tick", "n_intervals"),
        State("live", "data-site"),
        running=[(Output("rewind-tick", "disabled"), True, False)],
    )
    def draw_line(_tick: object, domain: object) -> tuple[str, int]:
        return day_before(service, authorized(service, domain), int(time.time()))


def _register_scripts(app: Dash) -> None:
    """What `assets/pages/live.js` does in the browser."""
    app.clientside_callback(
        "function() { return window.footfall.live.ask(); }",
        Output("nudge", "data"),
        Input("tick", "n_intervals"),
        Input("refresh", "n_clicks"),
        Input("url", "search"),
        Input(live.TITLES, "value"),
    )
    app.clientside_callback(  # another second in the address is no other question to today's row
        """function(_search, had) {
            const wanted = window.footfall.live.filters();
            return wanted === had ? window.dash_clientside.no_update : wanted;
        }""",
        Output("today-filters", "data"),
        Input("url", "search"),
        State("today-filters", "data"),
    )
    app.clientside_callback("function(isAtWork) { window.footfall.live.drawing(isAtWork); }", Input("drawing", "data"))
    app.clientside_callback("function(data) { window.footfall.live.polled(data); }", Input("fallback", "data"))


def _places_file(service: Service, domain: str) -> flask.Response:
    site, search = authorized(service, domain), flask.request.query_string.decode("ascii", "replace")
    asked, now = LiveQuestion.parse({"search": search}, site), int(time.time())
    if wrong := asked.wrong or asked.wrong_second:
        raise BadRequest(wrong)
    found = read_moment(service, site, asked, now).state.places
    return _file(site, "places", asked.at or now, places_of_file(found, places_map.name))


def _minutes_file(service: Service, domain: str) -> flask.Response:
    """The line as it is now: of all people, whatever the filters."""
    site, now = authorized(service, domain), int(time.time())
    line = live_parts.points(service.hub.state(site.id), service.history.read(site, now))
    return _file(site, "minutes", now, minutes_of_file(line, ZoneInfo(site.timezone)))


def _file(site: Site, name: str, at: int, rows: Iterable[Sequence[str | int]]) -> flask.Response:
    moment = datetime.fromtimestamp(at, ZoneInfo(site.timezone)).strftime("%Y-%m-%d %H%M")
    return csv_file(spreadsheet(rows), f"{site.shown_domain} {name} {moment}.csv")


def today(service: Service, site: Site, now: int, chosen: tuple[Filter, ...] = ()) -> list[Stat]:
    """Today's numbers, compared with as much of the same weekday a week ago."""
    filtered = Query(site.id, filters=chosen).to_url()
    question = "&".join(part for part in (f"period=today&compare={quote(USUAL_COMPARISON)}", filtered) if part)
    found = read_overview(site, question, service.backend, service.database, now, tag=language.written_in())
    weekday = figures.weekday(datetime.fromtimestamp(now, found.zone).weekday())
    than = _("vs last {weekday} to {time}", weekday=weekday, time=figures.time_of_day(now, found.zone))
    return live_parts.today(site.domain, found.numbers, found.before, than, filtered)


def titles_of(service: Service, site: Site, state: LiveState) -> dict[str, str]:
    """The titles that the listed pages had last within a day, by path; {} where they cannot be read."""
    span = Span(state.at - DAY_S, state.at + 1)
    paths = [entry.label for entry in state.pages[: live_parts.ROWS]]
    return _part("titles", lambda: page_titles(site.id, span, paths, service.backend)) or {}


def day_before(service: Service, site: Site, now: int) -> tuple[str, int]:
    """The line of the last 24 hours behind the slider, as JSON, and how many ms until the next refresh."""
    end = now // MINUTE * MINUTE
    people, complete = service.history.people(site.id, end - rewind.FAR_S, end, now)
    since = rewind.earliest(service.database, site.id, now)
    line = {"begin": end - rewind.FAR_S, "since": since, "people": bar.line(people), "isComplete": complete}
    return json.dumps(line, separators=(",", ":")), bar.TICK_MS if complete else bar.COUNTING_MS


def render(
    site: Site,
    state: LiveState,
    concurrency: Concurrency | None,
    words: live_parts.Words = live_parts.NOW,
    everybody: int | None = None,
    titles: Mapping[str, str] = NO_TITLES,
) -> dict[str, Any]:
    """The values of `PARTS`; a part that fails shows that in its own frame and leaves the others alone.

    With filters `state` is of those who match, and `everybody` the number of all: the line is always of all.
    """
    zone = ZoneInfo(site.timezone)
    whole = state if everybody is None else replace(state, active=everybody)
    return {
        "active": live_parts.active_now(state),
        "split": live_parts.split(state),
        "user_types": live_parts.user_types(state),
        "facts": _drawn_facts(state, concurrency, words, everybody, zone),
        "line_words": live_parts.line_in_words(whole, concurrency),
        "map_words": live_parts.map_in_words(state),
        "line": _part("line", lambda: live_parts.line(whole, concurrency, zone)) or no_update,
        "map": _part("map", lambda: live_parts.map_of_places(state)) or no_update,
        "on_map": _part("places", lambda: live_parts.places(state, words))
        or states.failed(_("The map could not be drawn"), _(ONLY_THIS)),
        "pages": _part("pages", lambda: live_parts.pages(state, words, titles))
        or states.failed(_("Pages could not be read"), _(ONLY_THIS)),
        "sources": _part("sources", lambda: live_parts.sources(state, words))
        or states.failed(_("Sources could not be read"), _(ONLY_THIS)),
        "line_of": live_parts.line_of(is_filtered=everybody is not None),
    }


def news(parts: Mapping[str, Any], had: Mapping[str, Any]) -> tuple[dict[str, Any], Digests]:
    """The parts, no update for those that `had` has (by name: digest), and the digests of all.

    The line counts as the same until its people or its minute change: it ends at the moment of the page.
    """
    line = parts["line"]
    return changed(parts, had, {} if line is no_update else {"line": _by_minute(line)})


def _by_minute(line: Figure) -> Any:
    """What tells the line of one minute from that of another."""
    xs, numbers = line["data"][0]["x"], line["data"][0]["y"]
    return [xs[:-1], numbers, xs[-1][: len("2026-11-30 12:34")]]


def _drawn_facts(
    state: LiveState, concurrency: Concurrency | None, words: live_parts.Words, everybody: int | None, zone: ZoneInfo
) -> Any:
    if everybody is not None:
        return live_parts.facts_of_some(state, everybody)
    return _part("facts", lambda: live_parts.facts(state, concurrency, zone, words)) if concurrency else no_update


def _part(name: str, draw: Callable[[], Any]) -> Any:
    """The result of `draw`; None where it fails, which is logged."""
    try:
        return draw()
    except Exception as failed:
        log.error("%s failed: %s", name, describe(failed))
        return None

"""Concurrents: draws the day that the address names."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import flask
from dash import Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest, ServiceUnavailable

from analytics.base.errors import InvalidInput, message
from analytics.base.words import _, translated
from analytics.calendar.period import EARLIEST, LATEST
from analytics.reports.concurrents import minutes as minutes_of_file
from analytics.reports.formats import spreadsheet
from analytics.sites.site import Site
from callbacks.download import csv_file
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext, parameters
from callbacks.pages.changed import changed
from collector.service import Service
from layouts.components import states
from layouts.figures import day_minutes
from layouts.pages import concurrents

log = logging.getLogger("footfall.concurrents")

OUTPUTS = {
    "day": Output("concurrents-day", "children"),
    "head": Output("concurrents-head", "children"),
    "tick_ms": Output("concurrents-tick", "interval"),
    "no_chart": Output("day-chart", "hidden"),
    "figure": Output(concurrents.FIGURE, "figure"),
    "words": Output("day-words", "children"),
    "table": Output("day-table", "children"),
}
NO_CHART = {"no_chart": True, "figure": no_update, "words": no_update, "table": no_update}


def page(context: PageContext) -> Component:
    """The page without its day."""
    return concurrents.page(context.site)


def register(app: Dash, service: Service) -> None:
    """The day as a card, read every 30 s until it is over, each second while minutes are counted; and as a file."""

    @app.callback(
        [*OUTPUTS.values(), Output("concurrents-drawn", "data")],
        Input("url", "search"),
        Input("concurrents-tick", "n_intervals"),
        State("concurrents", "data-site"),
        State("concurrents-drawn", "data"),
        running=[(Output("concurrents-tick", "disabled"), True, False)],
    )
    def draw(search: object, _tick: object, domain: object, drawn: object) -> list[Any]:
        site, now = authorized(service, domain), int(time.time())
        before: dict[str, Any] = drawn if isinstance(drawn, dict) else {}
        today = datetime.fromtimestamp(now, ZoneInfo(site.timezone)).date()
        known = {"search": search, "over": today.isoformat()}
        if ctx.triggered_id == "concurrents-tick" and known.items() <= before.items():
            raise PreventUpdate
        parts, is_over = _render(service, site, search, now)
        shown, digests = changed(parts, before.get("parts"))
        return [*(shown[name] for name in OUTPUTS), {**known, "parts": digests} if is_over else {"parts": digests}]

    @app.callback(
        Output("day-range", "children"),
        Input("day", "relayoutData"),
        Input("url", "search"),
        State("concurrents", "data-site"),
        prevent_initial_call=True,
    )
    def compare(relayout: object, search: object, domain: object) -> Any:
        site = authorized(service, domain)
        is_other_day = ctx.triggered_id == "url"
        return [] if is_other_day else compared(service, site, search, relayout, int(time.time()))

    server: flask.Flask = app.server

    @server.get("/concurrents/<domain>/minutes.csv")
    def concurrents_file(domain: str) -> flask.Response:
        query = flask.request.query_string.decode("ascii", "replace")
        return _file(service, authorized(service, domain), query, int(time.time()))


def _file(service: Service, site: Site, search: str, now: int) -> flask.Response:
    zone = ZoneInfo(site.timezone)
    try:
        day = requested_day(search, datetime.fromtimestamp(now, zone).date())
    except InvalidInput as wrong:
        raise BadRequest(str(wrong)) from None
    found = service.history.day(site, day, now)
    if not found.complete:
        raise ServiceUnavailable(_("minutes of this day are still being counted; ask again in a moment"), retry_after=1)
    return csv_file(spreadsheet(minutes_of_file(found, zone)), f"{site.shown_domain} concurrents {day}.csv")


def compared(service: Service, site: Site, search: object, relayout: object, now: int) -> Any:
    """The range of the day to which the reader zoomed, [] for the whole day; no update for what is no range of it."""
    zone = ZoneInfo(site.timezone)
    try:
        day = service.history.day(site, requested_day(search, datetime.fromtimestamp(now, zone).date()), now)
    except InvalidInput:
        return no_update
    minutes = day_minutes.chosen(relayout, day, zone)
    if minutes is None:
        return no_update
    return [] if minutes == (0, len(day.people)) else concurrents.compared(day, minutes, zone)


def _render(service: Service, site: Site, search: object, now: int) -> tuple[dict[str, Any], bool]:
    """The values of `OUTPUTS`, and whether the day is over and all of it counted."""
    zone = ZoneInfo(site.timezone)
    today = datetime.fromtimestamp(now, zone).date()
    try:
        day = requested_day(search, today)
        found = service.history.day(site, day, now)
    except InvalidInput as wrong:
        return _without_chart(concurrents.wrong_day(translated(str(wrong))))
    except SQLAlchemyError as away:
        log.error("concurrents cannot be read: %s", type(away).__name__)
        said = _("The database does not answer. It is asked again soon.")
        return _without_chart(states.failed(_("The day could not be read"), said, again=False))
    head = concurrents.head(found, site.domain, day, today, zone)
    above = concurrents.day(found, day, today, zone)
    is_over = found.complete and found.end <= now
    if found.peak is None:
        return _without_chart(above, head, concurrents.tick_ms(found), is_over=is_over)
    return {
        "day": above,
        "head": head,
        "tick_ms": concurrents.tick_ms(found),
        "no_chart": False,
        "figure": day_minutes.figure(found, zone),
        "words": day_minutes.words(found, zone),
        "table": concurrents.hours(found, zone),
    }, is_over


def _without_chart(
    said: Any, head: Sequence[Component] = (), tick_ms: int = concurrents.TICK_MS, *, is_over: bool = False
) -> tuple[dict[str, Any], bool]:
    return {"day": said, "head": head, "tick_ms": tick_ms, **NO_CHART}, is_over


def requested_day(search: object, today: date) -> date:
    """The day in the query of an address, today where it names none; raises `InvalidInput` for an invalid day."""
    text = parameters(search).get("day", "")
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            message("{day} is no day; give one like {example}.", day=repr(text[:40]), example=today)
        ) from None
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput(message("Give a day from {first} to {last}.", first=EARLIEST, last=LATEST))
    return day

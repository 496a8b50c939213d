"""Concurrents: draws the day that the address names."""

from __future__ import annotations

import logging
import time
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import flask
from dash import Dash, Input, Output, State
from dash.development.base_component import Component
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest, ServiceUnavailable

from analytics.base.errors import InvalidInput
from analytics.calendar.period import EARLIEST, LATEST
from analytics.reports.formats import spreadsheet
from analytics.sites.site import Site
from callbacks.download import csv_file
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext
from collector.service import Service
from layouts.components import states
from layouts.pages import concurrents

log = logging.getLogger("footfall.concurrents")


def page(context: PageContext) -> Component:
    """The page without its day."""
    return concurrents.page(context.site)


def register(app: Dash, service: Service) -> None:
    """The day as a card, drawn again every 30 s, each second while minutes are still being counted; and as a file."""

    @app.callback(
        Output("concurrents-day", "children"),
        Output("concurrents-tick", "interval"),
        Input("url", "search"),
        Input("concurrents-tick", "n_intervals"),
        State("concurrents", "data-site"),
    )
    def draw(search: object, _tick: object, domain: object) -> tuple[Any, int]:
        return _render(service, authorized(service, domain), search, int(time.time()))

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
        raise ServiceUnavailable("minutes of this day are still being counted; ask again in a moment", retry_after=1)
    return csv_file(spreadsheet(concurrents.minutes(found, zone)), f"{site.shown_domain} concurrents {day}.csv")


def _render(service: Service, site: Site, search: object, now: int) -> tuple[Any, int]:
    zone = ZoneInfo(site.timezone)
    today = datetime.fromtimestamp(now, zone).date()
    try:
        day = requested_day(search, today)
        found = service.history.day(site, day, now)
    except InvalidInput as wrong:
        return concurrents.wrong_day(str(wrong)), concurrents.TICK_MS
    except SQLAlchemyError as away:
        log.error("concurrents cannot be read: %s", type(away).__name__)
        said = "The database does not answer. It is asked again soon."
        return states.failed("The day could not be read", said, again=False), concurrents.TICK_MS
    return concurrents.day(found, site.domain, day, today, zone), concurrents.tick_ms(found)


def requested_day(search: object, today: date) -> date:
    """The day in the query of an address, today where it names none; raises `InvalidInput` for an invalid day."""
    text = parse_qs(search.removeprefix("?")).get("day", [""])[0] if isinstance(search, str) else ""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no day; give one like {today}.") from None
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput(f"Give a day from {EARLIEST} to {LATEST}.")
    return day

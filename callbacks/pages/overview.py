"""The Overview: its page, the parts that `assets/pages/overview.js` requests, and its files. Authorises, asks, renders.

Parts are HTML text rather than Dash components: React would need half a second to redraw what one click changes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import flask
from dash import Dash
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from analytics.access.roles import ADMIN, ANYBODY
from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput
from analytics.calendar.period import days_of
from analytics.reports.files import file
from analytics.reports.lists import EVENT_PANEL, EVENTS, HOURS, PANELS, USAGE, Panel
from analytics.reports.overview import Overview, first_period, read_overview
from analytics.sites.site import Site
from callbacks.download import csv_file
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext
from callbacks.pages import notes, segments
from collector.service import Service
from layouts.components import figures, states
from layouts.components.markup import markup
from layouts.overview import details, heat, numbers, page, panels, toolbar, usage
from layouts.overview.notes import menu as notes_menu
from layouts.overview.segments import May
from layouts.overview.segments import menu as segments_menu

log = logging.getLogger("footfall.overview")

UNAFFECTED = "The rest of the page is not affected."
MAX_PARTS = 20  # in one request


def page_of(context: PageContext) -> Component:
    """The page without its parts."""
    return page.page(context.site, _opens(context.service, context.site))


def _opens(service: Service, site: Site) -> str:
    try:
        return first_period(site, service.backend, int(time.time()))
    except Exception as failed:
        log.error("when %s began could not be read: %s", site.domain, describe(failed))
        return ""


def register(app: Dash, service: Service) -> None:
    """The routes of the page, open to viewers of the site, and the forms of its menus."""

    server: flask.Flask = app.server

    @server.get("/overview/<domain>/parts")
    def overview_parts(domain: str) -> flask.Response:
        site = authorized(service, domain)
        wanted = flask.request.args.getlist("part")
        if not 0 < len(wanted) <= MAX_PARTS or not PARTS.keys() >= set(wanted):
            raise BadRequest(f"part: {', '.join(PARTS)}")
        may = _may(service, site)
        try:
            overview = _read(service, site, may.person_id)
        except InvalidInput as wrong:
            return flask.jsonify(_wrong(str(wrong), wanted))
        return flask.jsonify({name: _part(name, overview, may) for name in wanted})

    @server.get("/overview/<domain>/<name>.csv")
    def overview_file(domain: str, name: str) -> flask.Response:
        site = authorized(service, domain)
        try:
            overview = _read(service, site)
            text = file(overview, name)
        except InvalidInput as wrong:
            raise BadRequest(str(wrong)) from None
        first, last = days_of(overview.span, overview.zone)
        return csv_file(text, f"{site.shown_domain} {name} {first} {last}.csv")

    segments.register(app, service)
    notes.register(app, service)


def _may(service: Service, site: Site) -> May:
    """What this person may save and share on the site."""
    person = current_person(service)
    return May(person.id, person is not ANYBODY and person.may(ADMIN, site.id))


def _read(service: Service, site: Site, person_id: int = 0) -> Overview:
    address, now = flask.request.query_string.decode("ascii", "replace"), int(time.time())
    person: dict[str, Any] = {"person_id": person_id, "tag": figures.written_in()}
    return read_overview(site, address, service.backend, service.database, now, **person)


def _wrong(message: str, wanted: Sequence[str]) -> dict[str, str]:
    """The parts of an address that cannot be shown: the toolbar says what is wrong, the others are empty."""
    return dict.fromkeys(wanted, "") | ({"toolbar": markup(toolbar.wrong(message))} if "toolbar" in wanted else {})


def _part(name: str, overview: Overview, may: May) -> str:
    """The HTML of a part, or a text that says that it failed."""
    try:
        return markup(PARTS[name](overview, may))
    except Exception as failed:
        log.error("%s failed: %s", name, describe(failed))
        return markup(states.failed(f"{NAMES.get(name, 'This part')} could not be read", UNAFFECTED))


# ── the parts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _toolbar(overview: Overview, may: May) -> list[Any]:
    menu = segments_menu(overview.segments(), overview.query.filters, may)
    return toolbar.bar(overview.query, overview.span, overview.earlier, overview.now, menu)


def _top(overview: Overview, may: May) -> list[Any]:
    if not overview.numbers["visits"]:
        return numbers.nothing(overview.period, bool(overview.query.filters), overview.first_day)
    menu = [notes_menu(overview.notes, overview.today)] if may.share else []
    windows = numbers.windows(overview.span, overview.earlier, overview.zone)
    return numbers.card(overview.numbers, overview.before, overview.chart(), overview.intervals, windows, menu)


def _panel(one: Panel, overview: Overview, _: May) -> list[Any]:
    shown = overview.view.open_list(one)
    filters = overview.query.filters
    return panels.panel(one, shown, overview.rows(shown), overview.everybody, filters, overview.period)


def _events(overview: Overview, _: May) -> list[Any]:
    below = _properties(overview) if overview.view.event else []
    filters = overview.query.filters
    return panels.events(overview.rows(EVENTS), overview.everybody, filters, overview.period, below)


def _properties(overview: Overview) -> list[Any]:
    names, shown = overview.properties, overview.open_property
    if not names:
        return panels.no_properties()
    return panels.properties(names, shown, overview.values(shown), overview.everybody, overview.query.filters)


def _hours(overview: Overview, _: May) -> list[Any]:
    return heat.card(overview.week(), overview.site.timezone, overview.week_period)


def _usage(overview: Overview, _: May) -> list[Any]:
    return usage.card(overview.usage(), overview.days)


def _details(overview: Overview, _: May) -> list[Any]:
    return details.head(overview.view.details) if overview.view.details else []


def _rows(overview: Overview, _: May) -> list[Any]:
    one = overview.view.details
    return details.rows(one, overview.listing(one), overview.query.filters, overview.period) if one else []


PARTS: Mapping[str, Callable[[Overview, May], list[Any]]] = {
    "toolbar": _toolbar,
    "top": _top,
    **{one.id: partial(_panel, one) for one in PANELS},
    EVENT_PANEL: _events,
    HOURS: _hours,
    USAGE: _usage,
    "details": _details,
    "rows": _rows,
}
NAMES = {
    "top": "The numbers",
    **{one.id: one.label for one in PANELS},
    EVENT_PANEL: "Events",
    HOURS: "The hours",
    USAGE: "Daily usage",
}

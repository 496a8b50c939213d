"""The Overview: its page, the parts that `assets/pages/overview.js` asks for, and every list and chart as a file.

Parts are HTML text rather than Dash components: what one click draws anew would cost React half a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import flask
from dash import Dash, html
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput
from analytics.sites.site import Site
from callbacks.download import csv_file
from callbacks.gate.guard import authorized
from callbacks.page_context import Asked
from callbacks.pages import segments
from callbacks.pages.overview_answers import Answers, first_period
from callbacks.pages.overview_sheets import sheet
from collector.service import Service
from layouts.components import figures, states
from layouts.components.markup import markup
from layouts.overview import details, heat, notes, numbers, page, panels, toolbar, usage, view
from layouts.overview import segments as saved_segments
from layouts.overview.chart import days_of
from layouts.overview.lists import EVENTS, PANELS, Panel
from layouts.overview.numbers import Windows

log = logging.getLogger("footfall.overview")

AGAIN = "The rest of the page is not affected."
MOST_PARTS = 20


def page_of(asked: Asked) -> Component:
    """The page without its parts."""
    assert asked.site
    return page.page(asked.site, _opens(asked.service, asked.site))


def _opens(service: Service, site: Site) -> str:
    try:
        return first_period(site, service.ask, int(time.time()))
    except Exception as failed:
        log.error("when %s began could not be read: %s", site.domain, describe(failed))
        return ""


def register(app: Dash, service: Service) -> None:
    """The routes beside the page; whoever may see the site may see them."""

    @app.server.get("/overview/<domain>/parts")
    def overview_parts(domain: str) -> flask.Response:
        site = authorized(service, domain)
        wanted = flask.request.args.getlist("part")
        if not 0 < len(wanted) <= MOST_PARTS or not PARTS.keys() >= set(wanted):
            raise BadRequest(f"part: {', '.join(PARTS)}")
        return flask.jsonify(drawn(service, site, _query(), wanted))

    @app.server.get("/overview/<domain>/<name>.csv")
    def overview_sheet(domain: str, name: str) -> flask.Response:
        site = authorized(service, domain)
        try:
            answers = _asked(service, site, _query())
            text = sheet(answers, name)
        except InvalidInput as wrong:
            raise BadRequest(str(wrong)) from None
        first, last = days_of(answers.span, answers.zone)
        return csv_file(text, f"{site.shown_domain} {name} {first} {last}.csv")


def _query() -> str:
    return flask.request.query_string.decode("ascii", "replace")


def _asked(service: Service, site: Site, text: str) -> Answers:
    """The answers to the view in that query string; `InvalidInput` says what is wrong with it."""
    shown = view.parse(text, site)
    may = segments.may(service, site)
    answers = Answers(site, shown, service.ask, service.database, may, int(time.time()))
    if shown.interval:
        view.interval_of(shown, answers.span)
    return answers


def drawn(service: Service, site: Site, text: str, wanted: Sequence[str]) -> dict[str, str]:
    """Each wanted part of the view in that query string as HTML.

    One that fails says so itself. Where the view is wrong the toolbar says what is, and the others are empty.
    """
    try:
        answers = _asked(service, site, text)
    except InvalidInput as wrong:
        said = markup(toolbar.wrong(str(wrong)))
        return {name: said if name == "toolbar" else "" for name in wanted}
    return {name: _part(name, answers) for name in wanted}


def _part(name: str, answers: Answers) -> str:
    try:
        return markup(PARTS[name](answers))
    except Exception as failed:
        log.error("%s failed: %s", name, describe(failed))
        return markup(states.failed(f"{NAMES.get(name, 'This part')} could not be read", AGAIN))


# ── the parts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _toolbar(answers: Answers) -> list[Any]:
    menu = saved_segments.menu(answers.segments(), answers.query.filters, answers.may)
    return toolbar.bar(answers.query, answers.span, answers.earlier, answers.now, menu)


def _top(answers: Answers) -> list[Any]:
    if not answers.numbers["visits"]:
        return numbers.nothing(answers.period, *_next_step(answers))
    drawing = answers.chart()
    windows = Windows(_dates(answers, answers.span), _dates(answers, answers.earlier))
    menu = [notes.menu(answers.notes, answers.today)] if answers.may.share else []
    return numbers.card(answers.numbers, answers.before, drawing, view.intervals(answers.span), windows, menu)


def _dates(answers: Answers, span: Any) -> str:
    return figures.dates(*days_of(span, answers.zone)) if span else ""


def _next_step(answers: Answers) -> tuple[str, Component | None]:
    """What helps where nobody came."""
    if answers.query.filters:
        return "No visit suits all of the filters.", _way("Remove the filters", view.filtered(()))
    if not answers.first:
        return "Nothing has been recorded of this site yet.", None
    since: date = days_of(answers.span._replace(begin=answers.first, end=answers.first + 1), answers.zone)[0]
    hint = f"The first visit was on {figures.dates(since, since)}."
    return hint, _way("Show all time", view.change(period="all", interval=""))


def _way(label: str, changed: str) -> Component:
    return html.A(label, href="#", className="ff-link", **{"data-change": changed})


def _panel(one: Panel) -> Callable[[Answers], list[Any]]:
    def draw(answers: Answers) -> list[Any]:
        shown = answers.view.open_list(one)
        given = answers.query.filters
        return panels.panel(one, shown, answers.rows(shown), answers.everybody, given, answers.period)

    return draw


def _events(answers: Answers) -> list[Any]:
    below = _properties(answers) if answers.view.event else []
    return panels.events(answers.rows(EVENTS), answers.everybody, answers.query.filters, answers.period, below)


def _properties(answers: Answers) -> list[Any]:
    names = answers.properties
    if not names:
        return panels.no_properties()
    shown = answers.open_property
    return panels.properties(names, shown, answers.values(shown), answers.everybody, answers.query.filters)


def _hours(answers: Answers) -> list[Any]:
    return heat.card(answers.week(), answers.site.timezone, answers.week_period)


def _usage(answers: Answers) -> list[Any]:
    return usage.card(answers.usage(), answers.days)


def _details(answers: Answers) -> list[Any]:
    return details.head(answers.view.details) if answers.view.details else []


def _rows(answers: Answers) -> list[Any]:
    one = answers.view.details
    return details.rows(one, answers.listing(one), answers.query.filters, answers.period) if one else []


PARTS: dict[str, Callable[[Answers], list[Any]]] = {
    "toolbar": _toolbar,
    "top": _top,
    **{one.id: _panel(one) for one in PANELS},
    page.EVENT_PANEL: _events,
    page.HOURS: _hours,
    usage.USAGE: _usage,
    "details": _details,
    "rows": _rows,
}
NAMES = {
    "top": "The numbers",
    **{one.id: one.label for one in PANELS},
    page.EVENT_PANEL: "Events",
    page.HOURS: "The hours",
    usage.USAGE: "Daily usage",
}

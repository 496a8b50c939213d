"""The Overview: its page, the callbacks that answer its address, and its files. Authorises, asks, renders.

The query string of the address is the state: `url.search` is an input of every callback, and each answers the parts
whose question has changed since they were answered. Lists, figures and slow parts have callbacks of their own, so that
none waits for a slower one; the details are asked for while their dialog is open. No callback of the server has a graph
as its output, since Dash waits with those for plotly.js: a `Part` passes its figure on.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import flask
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from werkzeug.exceptions import BadRequest

from analytics.access.roles import ADMIN, ANYBODY
from analytics.base import language
from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput
from analytics.calendar.period import days_of
from analytics.reports.files import file
from analytics.reports.lists import HOURS, USAGE
from analytics.reports.overview import FIRST_DAY, MAX_SUGGESTED, Overview, first_period, read_overview
from analytics.reports.view import parse
from analytics.sites.site import Site
from callbacks.download import csv_file
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext
from callbacks.pages import notes, overview_parts, segments
from callbacks.pages.suggestion_wanted import suggestion_wanted
from collector.service import Service
from layouts.overview import details, filters, page, panels, toolbar, usage
from layouts.overview import notes as notes_menu
from layouts.overview import segments as segments_menu
from layouts.overview.segments import May

log = logging.getLogger("footfall.overview")

SEARCH, AGAIN = Input("url", "search"), Input(page.AGAIN, "data")
SITE, OPENS = State(page.PAGE, "data-site"), State(page.PAGE, "data-opens")
FORMS = (segments_menu.SAVE, segments_menu.REMOVE, notes_menu.ADD, notes_menu.REMOVE)

TOP = {
    "wrong": Output(toolbar.WRONG, "children"),
    "body": Output(page.BODY, "hidden"),
    "panels": Output(page.PANELS_BOX, "hidden"),
    "chips": Output(toolbar.CHIPS, "chips"),
    "comparison": Output(toolbar.COMPARISON, "shown"),
    "period": Output(toolbar.PERIOD, "shown"),
    "before": Output(toolbar.BEFORE, "change"),
    "no_before": Output(toolbar.BEFORE, "disabled"),
    "after": Output(toolbar.AFTER, "change"),
    "no_after": Output(toolbar.AFTER, "disabled"),
    "segments": Output(segments_menu.LIST, "children"),
    "no_segments": Output(segments_menu.MENU, "hidden"),
    "saves": Output(segments_menu.FILTERS, "value"),
    "no_saves": Output(segments_menu.SAVE, "hidden"),
    "stats": Output(page.STATS, "stats"),
    "empty": Output(page.STATS, "empty"),
    "no_chart": Output(page.CHART_BOX, "hidden"),
    "title": Output(page.TITLE, "children"),
    "legend": Output(page.LEGEND, "children"),
    "intervals": Output(page.INTERVALS, "choices"),
    "shapes": Output(page.SHAPES, "choices"),
    "notes": Output(notes_menu.LIST, "children"),
    "said": Output(page.SAID, "children"),
    "answered": Output({"part": "top"}, "answered"),
}
CHART = {
    "figure": Output({"part": "chart"}, "figure"),
    "words": Output(f"{page.CHART}-words", "children"),
    "answered": Output({"part": "chart"}, "answered"),
}
SLOW: Mapping[str, Mapping[str, Output]] = {
    "map": {
        "figure": Output({"part": "map"}, "figure"),
        "words": Output(f"{page.MAP}-words", "children"),
        "note": Output(page.MAP_NOTE, "children"),
        "answered": Output({"part": "map"}, "answered"),
    },
    HOURS: {
        "figure": Output({"part": HOURS}, "figure"),
        "words": Output(f"{page.WEEK}-words", "children"),
        "box": Output(page.WEEK_BOX, "hidden"),
        "foot": Output(page.WEEK_FOOT, "children"),
        "columns": Output(page.WEEK_ROWS, "columns"),
        "rows": Output(page.WEEK_ROWS, "rows"),
        "answered": Output({"part": HOURS}, "answered"),
    },
    USAGE: {
        **{name: Output(page.DAYS, name) for name in usage.PROPS},
        "answered": Output({"part": USAGE}, "answered"),
    },
}
ROWS = {
    **{name: Output(page.DETAILS, name) for name in details.PROPS},
    "answered": Output({"part": "rows"}, "answered"),
}
# In place of the skeletons of parts that were never answered, since an address that makes no sense hides them.
BLANK: Mapping[str, Mapping[str, Any]] = {**{name: {"rows": []} for name in page.LISTS}, USAGE: {"days": []}}
Found = Mapping[str, Any]  # the values of outputs by name; others stay as they are


def page_of(context: PageContext) -> Component:
    """The page without its answers."""
    today = datetime.now(ZoneInfo(context.site.timezone)).date().isoformat()
    return page.page(context.site, _may(context.site), today, _opens(context.service, context.site))


def _may(site: Site) -> May:
    person = current_person()
    return May(person.id, person is not ANYBODY and person.may(ADMIN, site.id))


def _opens(service: Service, site: Site) -> str:
    try:
        return first_period(site, service.backend, int(time.time()))
    except Exception as failed:
        log.error("when %s began could not be read: %s", site.domain, describe(failed))
        return ""


def register(app: Dash, service: Service) -> None:
    """The callbacks and files of the page, open to viewers of the site, and the forms of its menus."""
    _register_answers(app, service)
    _register_suggestions(app, service)

    @app.callback(
        Output(toolbar.NOW, "children"),
        Output(toolbar.NOW, "data-answered"),
        Input(page.TICK, "n_intervals"),
        SITE,
        running=[(Output(page.TICK, "disabled"), True, False)],
    )
    def count_now(_tick: object, domain: object) -> tuple[list[Component], str]:
        active = service.hub.active(authorized(service, domain).id)
        return toolbar.now(active, service.config.active_window_s), str(time.time_ns())

    for name, event, function in ((page.CHART, "relayoutData", "choose"), (page.MAP, "clickData", "filter")):
        app.clientside_callback(
            ClientsideFunction("overview", function),
            Output(name, event),
            Input(name, event),
            State(name, "figure"),
            prevent_initial_call=True,
        )
    server: flask.Flask = app.server

    @server.get("/overview/<domain>/<name>.csv")
    def overview_file(domain: str, name: str) -> flask.Response:
        site = authorized(service, domain)
        try:
            overview = _read(service, site, flask.request.query_string.decode("ascii", "replace"))
            text = file(overview, name)
        except InvalidInput as wrong:
            raise BadRequest(str(wrong)) from None
        first, last = days_of(overview.span, overview.zone)
        return csv_file(text, f"{site.shown_domain} {name} {first} {last}.csv")

    segments.register(app, service)
    notes.register(app, service)


def _register_answers(app: Dash, service: Service) -> None:
    @app.callback(
        list(TOP.values()),
        SEARCH,
        AGAIN,
        *[Input(f"{name}-answer", "data-answer") for name in FORMS],
        SITE,
        OPENS,
        State({"part": "top"}, "answered"),
    )
    def answer_top(search: object, _: object, *given: object) -> Sequence[Any]:
        *answers, domain, opens, answered = given
        asked = _Asked(service, domain, search, opens)
        message = _message(dict(zip(FORMS, answers, strict=True)))
        if not message and asked.is_answered("top", answered):
            raise PreventUpdate
        try:
            overview = asked.overview()
        except InvalidInput as wrong:
            nothing = {} if asked.is_sound(answered) else {"body": True, "stats": []}
            return _values(TOP, {"wrong": toolbar.wrong(str(wrong)), "answered": search, **nothing})
        found = asked.safely("top", lambda: overview_parts.top(overview, asked.may), message)
        return _values(TOP, {"wrong": None, "body": False, **found})

    @app.callback(
        list(CHART.values()),
        SEARCH,
        AGAIN,
        *[Input(f"{name}-answer", "data-answer") for name in (notes_menu.ADD, notes_menu.REMOVE)],
        SITE,
        OPENS,
        State({"part": "chart"}, "answered"),
    )
    def answer_chart(search: object, _: object, *given: object) -> Sequence[Any]:
        *answers, domain, opens, answered = given
        asked = _Asked(service, domain, search, opens)
        message = _message(dict(zip((notes_menu.ADD, notes_menu.REMOVE), answers, strict=True)))
        return _values(CHART, asked.found("chart", None if message else answered, overview_parts.chart))

    @app.callback(
        [
            *(Output({"ranking": ALL}, name) for name in panels.PROPS),
            Output({"lists": ALL}, "answered"),
        ],
        SEARCH,
        AGAIN,
        SITE,
        OPENS,
        State({"lists": ALL}, "answered"),
    )
    def answer_lists(search: object, _: object, domain: object, opens: object, answered: list[object]) -> list[Any]:
        names = _posted(page.LISTS, answered)
        asked = _Asked(service, domain, search, opens)
        found = [
            asked.found(name, before, partial(overview_parts.ranking, name))
            for name, before in zip(names, answered, strict=True)
        ]
        return [[each.get(prop, no_update) for each in found] for prop in (*panels.PROPS, "answered")]

    @app.callback(
        [output for outputs in SLOW.values() for output in outputs.values()],
        SEARCH,
        AGAIN,
        SITE,
        OPENS,
        *[State({"part": name}, "answered") for name in SLOW],
    )
    def answer_slow(search: object, _: object, domain: object, opens: object, *answered: object) -> list[Any]:
        asked = _Asked(service, domain, search, opens)
        return [
            value
            for (name, outputs), before in zip(SLOW.items(), answered, strict=True)
            for value in _values(outputs, asked.found(name, before, overview_parts.SLOW[name]))
        ]

    @app.callback(
        list(ROWS.values()),
        Input(page.DIALOG, "asked"),
        AGAIN,
        SITE,
        OPENS,
        State({"part": "rows"}, "answered"),
        prevent_initial_call=True,
    )
    def answer_rows(search: object, _: object, domain: object, opens: object, answered: object) -> Sequence[Any]:
        if search is None:  # another part is asked again, and the dialog was never open
            raise PreventUpdate
        asked = _Asked(service, domain, search, opens)
        try:
            asked.overview()
        except InvalidInput as wrong:
            return _values(ROWS, {"wrong": details.wrong(str(wrong), str(search)), "answered": search})
        return _values(ROWS, asked.found("rows", answered, overview_parts.rows))


def _register_suggestions(app: Dash, service: Service) -> None:
    @app.callback(
        Output(toolbar.FILTER, "suggestions"),
        Input(toolbar.FILTER, "asked"),
        SITE,
        OPENS,
        prevent_initial_call=True,
    )
    def suggest(wanted: object, domain: object, opens: object) -> Any:
        authorized(service, domain)
        name, text, search = suggestion_wanted(wanted, filters.DIMENSIONS)
        asked = _Asked(service, domain, search, opens)
        try:
            rows = asked.overview().values_of(name, text).rows
        except InvalidInput as wrong:  # the bar says it
            raise PreventUpdate from wrong
        counted = [(str(row.dimensions[0]), int(row.metrics[0] or 0)) for row in rows]
        return filters.suggestions(name, text, counted, MAX_SUGGESTED)


class _Asked:
    """One call of a callback: the site, if this person may see it, and what the address asks of it."""

    def __init__(self, service: Service, domain: object, search: object, opens: object) -> None:
        self.site = authorized(service, domain)
        if not isinstance(search, str):
            raise BadRequest("No page sends that.")
        self._service, self._search, self._opens = service, search, opens
        self._overview: Overview | InvalidInput | None = None
        self.may = _may(self.site)

    def overview(self) -> Overview:
        """The report of the address; raises `InvalidInput` with the reason."""
        if self._overview is None:
            try:
                self._overview = _read(self._service, self.site, self._whole(self._search), self.may.person_id)
            except InvalidInput as wrong:
                self._overview = wrong
        if isinstance(self._overview, InvalidInput):
            raise self._overview
        return self._overview

    def found(self, name: str, answered: object, part: Callable[[Overview], Found]) -> Found:
        """What a part shows now; nothing where it shows that already, or the address makes no sense.

        `answered` is written with its answer or not at all, so that an older answer that arrives late is known by it.
        """
        if self.is_answered(name, answered):
            return {}
        try:
            overview = self.overview()
        except InvalidInput:  # the bar says it
            blank = {} if self.is_sound(answered) else BLANK.get(name, {})
            return {**blank, "answered": self._search}
        return self.safely(name, lambda: part(overview))

    def safely(self, name: str, read: Callable[[], Found], message: str = "") -> dict[str, Any]:
        """What `read` finds; where it fails, the part says so. A `message` is said in place of the numbers."""
        try:
            said = {"said": message} if message else {}
            return {**read(), **said, "answered": self._search}
        except Exception as failed:
            log.error("%s failed: %s", name, describe(failed))
            return {"answered": f"{page.FAILED}{time.time_ns()}"}

    def is_answered(self, name: str, answered: object) -> bool:
        """Whether the part shows the answer to the address, if it shows that to the query string `answered`."""
        wanted = page.depends(name)
        return self.is_sound(answered) and _question(str(answered), wanted) == _question(self._search, wanted)

    def is_sound(self, search: object) -> bool:
        """Whether the query string is a question."""
        if not isinstance(search, str) or search.startswith(page.FAILED):
            return False
        try:
            parse(self._whole(search), self.site)
        except InvalidInput:
            return False
        return True

    def _whole(self, search: str) -> str:
        """The query string without its question mark, with the period of a site's first day where it has none."""
        query = search.removeprefix("?")
        if self._opens != FIRST_DAY or any(name == "period" for name, _ in parse_qsl(query)):
            return query
        return "&".join(part for part in (query, f"period={FIRST_DAY}") if part)


def _question(search: str, names: Sequence[str]) -> list[tuple[str, str]]:
    query = search.removeprefix("?")
    return [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] in names]


def _read(service: Service, site: Site, address: str, person_id: int = 0) -> Overview:
    person: dict[str, Any] = {"person_id": person_id, "tag": language.written_in()}
    return read_overview(site, address, service.backend, service.database, int(time.time()), **person)


def _values(outputs: Mapping[str, Output], found: Found) -> list[Any]:
    return [found.get(name, no_update) for name in outputs]


def _message(answers: Mapping[str, object]) -> str:
    """What a form has done; "" where none was sent. Raises `PreventUpdate` where it was refused."""
    sent = [answer for name, answer in answers.items() if f"{name}-answer.data-answer" in ctx.triggered_prop_ids]
    if not sent or not sent[0]:
        return ""
    try:
        answer = json.loads(str(sent[0]))
        wrong, message = answer.get("wrong"), str(answer.get("message", ""))
    except (ValueError, AttributeError, RecursionError):
        raise BadRequest("No form answers that.") from None
    if wrong is not None:
        raise PreventUpdate
    return message


def _posted(known: Sequence[str], answered: Sequence[object]) -> list[str]:
    """The names of the posted outputs. Raises 400 unless each property is asked of the same known names."""
    names = [[next(iter(one["id"].values())) for one in group] for group in ctx.outputs_list]
    first: list[str] = names[0]
    is_whole = all(group == first for group in names) and len(answered) == len(first) == len(set(first))
    if not is_whole or not set(first) <= set(known):
        raise BadRequest("No page sends that.")
    return first

"""Settings, Activity: adds, moves and removes the cards that the Live page shows."""

from __future__ import annotations

import time

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.activity import cards as stored
from analytics.activity.card import Card
from analytics.activity.figures import gauge_hours, read_figures
from analytics.activity.readings import readings
from analytics.activity.seen import seen
from analytics.activity.suggested import suggested
from analytics.base.event_name import spelled
from analytics.base.words import _
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext
from collector.service import Service
from layouts import activity
from layouts.components import figures
from layouts.settings import activity as layout


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    service, site = context.service, context.site
    own = stored.of_site(service.database, site.id)
    found = _suggested(service, site) if own is None else own
    return layout.cards(
        site.domain, found, is_suggested=own is None, preview=_preview(service, site, found), seen=_seen(service, site)
    )


def register(app: Dash, service: Service) -> None:
    """Changes the cards of the page's site."""

    def add(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        names = seen(service.backend, site, int(time.time())).names
        named = {**fields, "event": spelled(fields.get("event", ""), names)}
        added = stored.add(service.database, site.id, named, _suggested(service, site))
        label, is_known = activity.label(added), not added.event or added.event in names
        said = (
            _("{card} is on the Live page", card=label)
            if is_known
            else _("{card} is on the Live page. No such event has come in 90 days.", card=label)
        )
        return _result(service, site, {"message": said, "clear": True})

    def move(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        card, way = number(fields, "key"), fields.get("value", "")
        place = stored.move(service.database, site.id, card, way)
        many = len(stored.of_site(service.database, site.id) or ())
        said = _("Now {place} of {many}", place=figures.count(place + 1), many=figures.count(many))
        return _result(service, site, {"message": said, "focus": layout.buttons(card, way)})

    def remove(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        gone = stored.remove(service.database, site.id, number(fields, "key"))
        said = _("{card} is removed", card=activity.label(gone))
        return _result(service, site, {"message": said, "focus": [layout.TITLE]})

    def choose(domain: object, fields: Fields) -> FormResult:
        """Makes the suggested cards the site's own, or forgets its own."""
        site = authorized(service, domain, ADMIN)
        if fields.get("value") == layout.KEEP:
            stored.adopt(service.database, site.id, _suggested(service, site))
        else:
            stored.reset(service.database, site.id)
        return _result(service, site, {"focus": [layout.TITLE]})

    for name, do in ((layout.ADD, add), (layout.MOVE, move), (layout.REMOVE, remove), (layout.CHOOSE, choose)):
        listed = Output(layout.LIST, "children", allow_duplicate=True)
        on_send(app, name, do, listed, Output(layout.PREVIEW, "children", allow_duplicate=True))


def _result(service: Service, site: Site, answer: dict[str, object]) -> FormResult:
    own = stored.of_site(service.database, site.id)
    found = _suggested(service, site) if own is None else own
    drawn = layout.lists(found, is_suggested=own is None), _preview(service, site, found)
    return FormResult(answer, drawn)


def _suggested(service: Service, site: Site) -> list[Card]:
    return suggested(service.backend, site, int(time.time()))


def _preview(service: Service, site: Site, found: list[Card]) -> Component:
    """The cards as they are now; the stream does not change them here."""
    now = int(time.time())
    gauges = readings(service.database, site.id, gauge_hours(site, now))
    shown = read_figures(site, found, service.backend, now, gauges)
    return layout.preview(activity.cells(shown, site.timezone) if found else None)


def _seen(service: Service, site: Site) -> layout.Offered:
    names, currencies = seen(service.backend, site, int(time.time()))
    gauges = readings(service.database, site.id)
    return layout.Offered(names, currencies, {number: one.name for number, one in gauges.items()})

"""Settings, Cards: makes and revokes them."""

from __future__ import annotations

import time

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access import embed as access_embed
from analytics.access import embeds
from analytics.access.roles import ADMIN
from analytics.base.idn import to_letters
from analytics.base.words import _
from analytics.commands.command import seconds
from analytics.commands.embed import iframe
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, lines, number, on_send
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext, address
from collector.service import Service
from layouts.settings import cards as layout


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    return layout.cards(context.site.domain, _listed(context.service, context.site))


def register(app: Dash, service: Service) -> None:
    """Makes and revokes cards of the page's site."""

    def make(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        hosts, life_s = lines(fields.get("hosts", "")), seconds(fields.get("expires", ""))
        _embed, token = embeds.add(service.database, site.id, hosts, life_s, now=int(time.time()))
        shape = {"small": fields.get("shape") == "small", "link": fields.get("link") == "1"}
        line = iframe(address(service), site.domain, token, **shape)
        answer = {"once": {layout.LINE: line}, "message": _("The line is below"), "clear": True}
        return FormResult(answer, (layout.lists(_listed(service, site)),))

    def revoke(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        embed = embeds.revoke(service.database, number(fields, "key"), site.id, now=int(time.time()))
        answer = {"message": _("The card on {hosts} is off", hosts=", ".join(map(to_letters, embed.hosts)))}
        return FormResult(answer, (layout.lists(_listed(service, site)),))

    for name, do in ((layout.ADD, make), (layout.REVOKE, revoke)):
        listed = Output(layout.LIST, "children", allow_duplicate=True)
        on_send(app, name, do, listed, refresh=service.embeds.refresh)


def _listed(service: Service, site: Site) -> list[layout.CardRow]:
    """The site's cards: those that are on first, then the newest."""
    now = int(time.time())
    rows = [
        layout.CardRow(one.id, one.hosts, one.created_at, one.expires_at, one.state(now))
        for one in embeds.of_site(service.database, site.id)
    ]
    return sorted(rows, key=lambda row: (row.state != access_embed.ON, -row.id))

"""Settings, Snippet: the line to paste with its options, and the check whether it works."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.commands.site import snippet as line_of
from analytics.sites import unlisted_hosts
from analytics.sites.site import Site
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext, address, client
from collector.service import Service
from layouts.components.address import at
from layouts.settings import snippet


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    script, picture = (
        line_of(context.address, context.site.domain),
        snippet.picture_of(context.address, context.site.domain),
    )
    return snippet.cards(
        context.site,
        script,
        picture,
        doubts(context.service, context.site),
        address=context.address,
        window_s=context.service.config.active_window_s,
    )


def doubts(service: Service, site: Site) -> snippet.Doubts:
    """Reasons why no visit of the site may come; viewers get none that only admins may see."""
    policy = f"script-src {address(service)}; connect-src {address(service)}"
    if not current_person().may(ADMIN, site.id):
        return snippet.Doubts(policy)
    return snippet.Doubts(
        policy=policy,
        filters=at(f"/settings/{site.domain}/filters"),
        traffic=at(f"/traffic/{site.domain}"),
        hosts=[one.host for one in unlisted_hosts.unlisted(service.database, site)[: snippet.MAX_HOSTS]],
        excluded=site.excludes_address(client(service)),
    )


def register(app: Dash, service: Service) -> None:
    """Writes the chosen options into the line."""

    @app.callback(
        Output(snippet.LINE, "children"),
        *(Input(f"snippet-{name}", "value") for name, *_ in snippet.OPTIONS),
        State("snippet", "data-site"),
        prevent_initial_call=True,
    )
    def write(*values: Any) -> Component:
        *chosen, domain = values
        site = authorized(service, domain, ADMIN)
        added = [adds for (_name, _label, adds, _hint), on in zip(snippet.OPTIONS, chosen, strict=True) if on is True]
        return snippet.line(line_of(address(service), site.domain).replace("></script>", f"{''.join(added)}></script>"))

"""Demo traffic: starts and stops it, and removes it with its site. For admins of every site."""

from __future__ import annotations

import time

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.words import _
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate.guard import authorized_everywhere
from callbacks.page_context import PageContext
from collector.service import Service
from collector.simulate.people import DEMO_DOMAIN
from layouts.components.address import at
from layouts.pages import demo_traffic


def page(context: PageContext) -> Component:
    """The page in its current state."""
    return demo_traffic.page(DEMO_DOMAIN, _state(context.service))


def register(app: Dash, service: Service) -> None:
    """The callback of each button, which redraws the state."""

    def start(_domain: object, _fields: Fields) -> FormResult:
        authorized_everywhere(ADMIN)
        service.demo_traffic.start(now=int(time.time()))
        return FormResult({"message": _("They are coming")}, (_state(service),))

    def stop(_domain: object, _fields: Fields) -> FormResult:
        authorized_everywhere(ADMIN)
        service.demo_traffic.stop()
        return FormResult({"message": _("They have left")}, (_state(service),))

    def remove(_domain: object, _fields: Fields) -> FormResult:
        authorized_everywhere(ADMIN)
        service.demo_traffic.remove()
        return FormResult({"message": _("Nothing of it is left")}, (_state(service),))

    for name, do in ((demo_traffic.START, start), (demo_traffic.STOP, stop), (demo_traffic.REMOVE, remove)):
        on_send(app, name, do, Output(demo_traffic.STATE, "children", allow_duplicate=True))


def _state(service: Service) -> list[Component]:
    site = service.sites.get(DEMO_DOMAIN)
    live = at(f"/live/{DEMO_DOMAIN}") if site and site.demo else ""
    return demo_traffic.state(is_here=service.demo_traffic.is_running, live=live)

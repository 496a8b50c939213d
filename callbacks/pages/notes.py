"""Notes of the Overview: an admin writes and removes them."""

from __future__ import annotations

import time

from dash import Dash

from analytics.access.roles import ADMIN
from analytics.base.words import _
from analytics.sites import notes
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized, authorized_account
from collector.service import Service
from layouts.overview.notes import ADD, REMOVE


def register(app: Dash, service: Service) -> None:
    """Adds notes to the page's site, and removes them."""

    def add(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        authorized_account()
        day, text = fields.get("day", ""), fields.get("text", "")
        notes.add(service.database, site.id, day, text, now=int(time.time()))
        return FormResult({"message": _("The note is in the chart"), "clear": True})

    def remove(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        notes.remove(service.database, site.id, number(fields, "key"))
        return FormResult({"message": _("The note is removed")})

    on_send(app, ADD, add)
    on_send(app, REMOVE, remove)

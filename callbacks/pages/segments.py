"""Saved segments of the Overview: saves and removes them."""

from __future__ import annotations

import json
import time

from dash import Dash

from analytics.access.roles import ADMIN, Person
from analytics.base.errors import InvalidInput, message
from analytics.base.words import _
from analytics.query import filters, segments
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import NotEnough, authorized, authorized_account
from collector.service import Service
from layouts.overview.segments import REMOVE, SAVE


def register(app: Dash, service: Service) -> None:
    """Viewers of a site save their own segments there; an admin may save one for everybody."""

    def save(domain: object, fields: Fields) -> FormResult:
        site, person = _authorized(service, domain)
        shared = bool(fields.get("shared"))
        if shared and not person.may(ADMIN, site.id):
            raise NotEnough(ADMIN)
        whose = None if shared else person.id
        now = int(time.time())
        kept = segments.save(service.database, site.id, whose, fields.get("name", ""), _filters(fields), now=now)
        return FormResult({"message": _("{name} is saved", name=kept.name), "clear": True})

    def remove(domain: object, fields: Fields) -> FormResult:
        site, person = _authorized(service, domain)
        shared = person.may(ADMIN, site.id)
        name = segments.remove(service.database, site.id, number(fields, "key"), person.id, shared=shared)
        return FormResult({"message": _("{name} is removed", name=name)})

    on_send(app, SAVE, save)
    on_send(app, REMOVE, remove)


def _authorized(service: Service, domain: object) -> tuple[Site, Person]:
    return authorized(service, domain), authorized_account()


def _filters(fields: Fields) -> tuple[filters.Filter, ...]:
    try:
        return filters.parse(json.loads(fields.get("filters", "[]")))
    except (ValueError, RecursionError):
        raise InvalidInput(message("the filters are none; reload the page")) from None

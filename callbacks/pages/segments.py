"""Saved segments of the Overview: saves and removes them."""

from __future__ import annotations

import json
import time

from dash import Dash

from analytics.access.roles import ADMIN, PUBLIC_VIEWER, Person
from analytics.base.errors import InvalidInput
from analytics.query import filters, segments
from analytics.sites.site import Site
from callbacks.forms import Done, Fields, number, on_send
from callbacks.gate.guard import NotEnough, asker, authorized, authorized_somebody
from collector.service import Service
from layouts.overview.segments import REMOVE, SAVE, May


def register(app: Dash, service: Service) -> None:
    """Whoever sees a site saves segments of their own there; an admin's may be everybody's."""

    def save(domain: object, fields: Fields) -> Done:
        site, person = _somebody(service, domain)
        shared = bool(fields.get("shared"))
        if shared and not person.may(ADMIN, site.id):
            raise NotEnough(ADMIN)
        whose = None if shared else person.id
        now = int(time.time())
        kept = segments.save(service.database, site.id, whose, fields.get("name", ""), _filters(fields), now=now)
        return Done({"message": f"{kept.name} is saved"})

    def remove(domain: object, fields: Fields) -> Done:
        site, person = _somebody(service, domain)
        shared = person.may(ADMIN, site.id)
        name = segments.remove(service.database, site.id, number(fields, "key"), person.id, shared=shared)
        return Done({"message": f"{name} is removed"})

    on_send(app, service, SAVE, save)
    on_send(app, service, REMOVE, remove)


def may(service: Service, site: Site) -> May:
    """Who asks, and what they may do with what is saved there."""
    person = asker(service)
    return May(person.id, person is not PUBLIC_VIEWER and person.may(ADMIN, site.id))


def _somebody(service: Service, domain: object) -> tuple[Site, Person]:
    return authorized(service, domain), authorized_somebody(service)


def _filters(fields: Fields) -> tuple[filters.Filter, ...]:
    try:
        return filters.parse(json.loads(fields.get("filters", "[]")))
    except (ValueError, RecursionError):
        raise InvalidInput("the filters are none; reload the page") from None

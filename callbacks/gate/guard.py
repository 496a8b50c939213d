"""The only way from browser input to a site: who the person is, and what they may do."""

from __future__ import annotations

import flask
from werkzeug.exceptions import Forbidden, NotFound

from analytics.access.roles import ANYBODY, MEMBER, ROLE_NAMES, VIEWER, Person, reaches
from analytics.base.errors import message
from analytics.sites.site import Site
from collector.service import Service


class NotYours(NotFound):
    """This person sees no such thing: the same answer whether it exists or not."""


class NotEnough(Forbidden):
    """This person sees the site, but may not do that."""

    def __init__(self, needed: str) -> None:
        words = message("This takes the role {role}. An owner can give it to you.", role=ROLE_NAMES[needed])
        super().__init__(words)


def current_person() -> Person:
    """The person of the request, whose login the gate has checked; on a public dashboard `ANYBODY`."""
    person: Person | None = flask.g.get("person")
    if person is None:
        raise NotYours
    return person


def authorized(service: Service, domain: object, at_least: str = VIEWER) -> Site:
    """The site of a domain. Raises `NotYours` where this person sees none, `NotEnough` where their role is too low."""
    site = service.sites.get(domain) if isinstance(domain, str) else None
    person = current_person()
    if site is None or (role := person.role_on(site.id)) == MEMBER:
        raise NotYours
    if not reaches(role, at_least):
        raise NotEnough(at_least)
    return site


def authorized_everywhere(at_least: str) -> Person:
    """The person; raises `NotYours` unless their role on every site is `at_least` that."""
    person = current_person()
    if not person.may_everywhere(at_least):
        raise NotYours
    return person


def authorized_account() -> Person:
    """The person; raises `NotYours` where they have no account, as on a public dashboard."""
    person = current_person()
    if person is ANYBODY:
        raise NotYours
    return person


def visible(service: Service) -> list[Site]:
    """The sites that this person may see, by domain."""
    person = current_person()
    return [site for site in service.sites.all() if person.role_on(site.id) != MEMBER]

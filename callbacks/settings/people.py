"""Settings, People, and the page of everybody: the same callbacks, for one site or for all of them."""

from __future__ import annotations

import time

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access import accounts, invitations, members
from analytics.access.roles import MEMBER, OWNER, Person
from analytics.base.errors import InvalidInput, message
from analytics.base.words import _
from analytics.commands.command import seconds
from analytics.commands.user import invitation_link
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized, authorized_everywhere, current_person
from callbacks.page_context import PageContext, address
from collector.service import Service
from layouts.settings import people

GONE = message("that person is not here any more; reload the page")


def cards(context: PageContext) -> list[Component]:
    """The cards of a site's section."""
    return people.cards(context.site.domain, *_listed(context.service, context.site))


def everybody(context: PageContext) -> Component:
    """The page of everybody."""
    return people.page(*_listed(context.service, None))


def register(app: Dash, service: Service) -> None:
    """Changes roles, removes people, invites and revokes."""

    def change(domain: object, fields: Fields) -> FormResult:
        site = _site(service, domain)
        email = _email(service, site, number(fields, "key"))
        on = [site.id] if site else []
        changed = members.change(service.database, email, fields.get("role", ""), on, now=_now())
        return FormResult({"message": _("{name} is changed", name=changed.email)}, (_redrawn(service, site),))

    def remove(domain: object, fields: Fields) -> FormResult:
        site = _site(service, domain)
        email = _email(service, site, number(fields, "key"))
        if site:
            members.change(service.database, email, MEMBER, [site.id], now=_now())
        else:
            members.remove(service.database, email)
        return FormResult({"message": _("{name} is removed", name=email)}, (_redrawn(service, site),))

    def invite(domain: object, fields: Fields) -> FormResult:
        site = _site(service, domain)
        token = invitations.invite(
            service.database,
            fields.get("role", ""),
            site.id if site else None,
            email=fields.get("email", ""),
            life_s=seconds(fields.get("expires", "")),
            by=current_person().id,
            now=_now(),
        )[1]
        answer = {
            "once": {people.LINK: invitation_link(address(service), token)},
            "message": _("Send this link yourself"),
            "clear": True,
        }
        return FormResult(answer, (_redrawn(service, site),))

    def revoke(domain: object, fields: Fields) -> FormResult:
        site = _site(service, domain)
        invitations.revoke(service.database, number(fields, "key"), site.id if site else None)
        return FormResult({"message": _("The invitation is revoked")}, (_redrawn(service, site),))

    for name, do in ((people.ROLE, change), (people.REMOVE, remove), (people.INVITE, invite), (people.REVOKE, revoke)):
        on_send(app, name, do, Output(people.LIST, "children", allow_duplicate=True))


def _site(service: Service, domain: object) -> Site | None:
    """The site of a form's domain; None for "", the page of everybody. Raises what the guard raises."""
    if domain == "":
        authorized_everywhere(OWNER)
        return None
    return authorized(service, domain, OWNER)


def _redrawn(service: Service, site: Site | None) -> list[Component]:
    return people.lists(*_listed(service, site), everybody=site is None)


def _listed(service: Service, site: Site | None) -> tuple[list[people.PersonRow], list[people.InvitationRow]]:
    own = current_person().id
    if site:
        rows = [_member(one, own) for one in members.of_site(service.database, site.id)]
    else:
        domains = {one.id: one.shown_domain for one in service.sites.all()}
        rows = [_anybody(one, own, domains) for one in accounts.people(service.database)]
    found = invitations.pending(service.database, site.id if site else None, now=_now())
    return rows, [people.InvitationRow(one.id, one.email, one.role, one.expires_at) for one in found]


def _member(member: members.Member, own: int) -> people.PersonRow:
    """A row of a site. People with the role on every site, and the person themselves, are changed elsewhere."""
    person, role, since, everywhere = member
    fixed = people.role_words(role, everywhere) if everywhere or person.id == own else ""
    return people.PersonRow(person.id, person.email, role, since, fixed, _("You") if person.id == own else "")


def _anybody(person: Person, own: int, domains: dict[int, str]) -> people.PersonRow:
    single = {domains[site_id]: role for site_id, role in person.memberships.items() if site_id in domains}
    if person.id == own:
        return people.PersonRow(
            person.id, person.email, person.role, person.created_at, people.role_words(person.role, True), _("You")
        )
    return people.PersonRow(
        person.id, person.email, person.role, person.created_at, more=people.memberships_words(single)
    )


def _email(service: Service, site: Site | None, person_id: int) -> str:
    """The e-mail of a listed person."""
    if site:
        known = [one.person for one in members.of_site(service.database, site.id)]
    else:
        known = accounts.people(service.database)
    for person in known:
        if person.id == person_id:
            return person.email
    raise InvalidInput(GONE)


def _now() -> int:
    return int(time.time())

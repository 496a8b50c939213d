"""Settings, People, and the page of everybody: who sees what, who is invited, and the form that invites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.access.roles import ADMIN, MEMBER, OWNER, VIEWER
from analytics.base.idn import to_letters
from layouts.components import figures, form
from layouts.components.table import table

ROLE, REMOVE, INVITE, REVOKE = "person-role", "person-remove", "invite", "invitation-revoke"
LIST, LINK = "people", "invite-link"

MEANINGS = {VIEWER: "Viewer", ADMIN: "Admin", OWNER: "Owner"}
ROLES_HINT = "A viewer reads. An admin also changes settings, cards and keys. An owner also says who is here."
LIVES = (("1d", "1 day"), ("7d", "7 days"), ("30d", "30 days"))


class PersonRow(NamedTuple):
    """One person; `since` in epoch seconds.

    `fixed` is the role in words where it cannot be changed here; `more` says what else they are.
    """

    id: int
    email: str
    role: str
    since: int
    fixed: str = ""
    more: str = ""


class InvitationRow(NamedTuple):
    """An invitation that is still open: `until` in epoch seconds."""

    id: int
    email: str
    role: str
    until: int


def cards(domain: str, rows: Sequence[PersonRow], guests: Sequence[InvitationRow]) -> list[Component]:
    """The list of people with its channels, and the form that invites. `domain` is "" for everybody."""
    heads = [html.H2("People" if domain else "Everybody"), form.state(ROLE), form.state(REMOVE), form.state(REVOKE)]
    channels = [form.channel(name, domain) for name in (ROLE, REMOVE, REVOKE)]
    listed = html.Div(lists(rows, guests, everybody=not domain), id=LIST)
    card = html.Section([html.Header(heads, className="ff-card-head"), listed, *channels], className="ff-card")
    return [card, _invite(domain)]


def page(rows: Sequence[PersonRow], guests: Sequence[InvitationRow]) -> html.Main:
    """The page of everybody, for owners of every site."""
    about = html.Span("on every site", className="ff-sub")
    head = html.Div([html.H1("People"), about], className="ff-toolbar")
    return html.Main([head, html.Div(cards("", rows, guests), className="ff-cards ff-narrow")], className="ff-main")


def lists(rows: Sequence[PersonRow], guests: Sequence[InvitationRow], *, everybody: bool) -> list[Component]:
    """The table of people, and that of open invitations where there are some."""
    roles = [*MEANINGS.items(), *([(MEMBER, "Some sites")] if everybody else [])]
    shown: list[Component] = [table(("Person", "Role", "Since", ""), [_person(row, roles) for row in rows])]
    if guests:
        title = html.H3("Invited", className="ff-table-title")
        shown += [title, table(("For", "Role", "Good until", ""), [_guest(guest) for guest in guests])]
    return shown


def _invite(domain: str) -> Component:
    fields = [
        form.select(INVITE, "role", "Role", VIEWER, list(MEANINGS.items()), hint=ROLES_HINT),
        form.text(
            INVITE, "email", "For whom", hint="An e-mail address, if you like. Anybody who has the link can use it."
        ),
        form.select(INVITE, "expires", "Good for", "7d", LIVES),
    ]
    where = html.Bdi(to_letters(domain)) if domain else "every site"
    intro = ["Makes a link. Whoever opens it first gets an account that sees ", where, "."]
    return form.card(INVITE, "Invite somebody", fields, domain=domain, intro=intro, save="Make link", once=LINK)


def _person(row: PersonRow, roles: Sequence[tuple[str, str]]) -> html.Tr:
    who: list[Component] = [html.Bdi(row.email, className="ff-trunc", title=row.email)]
    if row.more:
        who.append(html.Span(row.more, className="ff-window ff-trunc"))
    if row.fixed:
        role: Component = html.Span(row.fixed, className="ff-soft")
        remove = None
    else:
        key, label = str(row.id), f"Role of {row.email}"
        role = form.form(ROLE, [form.small_select(ROLE, "role", key, label, row.role, roles)], key=key)
        remove = _button(
            REMOVE, key, "Remove", f"Remove {row.email}? They are not told, and see nothing here any more."
        )
    cells = [html.Td(who), html.Td(role), html.Td(figures.day(row.since)), html.Td(remove)]
    return html.Tr(cells, id=f"person-{row.id}")


def _guest(guest: InvitationRow) -> html.Tr:
    lost = f"Revoke the invitation{f' of {guest.email}' if guest.email else ''}? Its link is good for nothing then."
    button = _button(REVOKE, str(guest.id), "Revoke", lost)
    who = html.Bdi(guest.email, className="ff-trunc") if guest.email else html.Span("Anybody", className="ff-soft")
    cells = [html.Td(who), html.Td(MEANINGS[guest.role]), html.Td(figures.day(guest.until)), html.Td(button)]
    return html.Tr(cells, id=f"guest-{guest.id}")


def _button(name: str, key: str, label: str, lost: str) -> html.Form:
    return form.form(name, [form.confirm_button(label, lost)], key=key)


def role_words(role: str, everywhere: bool) -> str:
    """A role in words, with where it holds."""
    return f"{MEANINGS[role]}, every site" if everywhere else MEANINGS[role]


def memberships_words(memberships: Mapping[str, str]) -> str:
    """Roles on single sites, by domain: `admin on shop.example, viewer on blog.example`."""
    return ", ".join(f"{role} on {domain}" for domain, role in sorted(memberships.items()))

"""Settings, People, and the page of everybody: who sees what, who is invited, and the form that invites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.access.roles import ADMIN, MEMBER, OWNER, ROLE_NAMES, VIEWER
from analytics.base.idn import to_letters
from analytics.base.words import N_, _
from layouts.components import figures, form
from layouts.components.markup import sentence
from layouts.components.table import table

ROLE, REMOVE, INVITE, REVOKE = "person-role", "person-remove", "invite", "invitation-revoke"
LIST, LINK = "people", "invite-link"

MEANINGS = {VIEWER: N_("Viewer"), ADMIN: N_("Admin"), OWNER: N_("Owner")}
ROLES_HINT = N_("A viewer reads. An admin also changes settings, cards and keys. An owner also says who is here.")
LIVES = (("1d", N_("1 day")), ("7d", N_("7 days")), ("30d", N_("30 days")))


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
    """The people and open invitations in a list, and the form that invites. `domain` is "" for everybody."""
    heads = [
        html.H2(_("People") if domain else _("Everybody")),
        form.state(ROLE),
        form.state(REMOVE),
        form.state(REVOKE),
    ]
    connections = [form.connection(name, domain) for name in (ROLE, REMOVE, REVOKE)]
    listed = html.Div(lists(rows, guests, everybody=not domain), id=LIST)
    inner = [html.Header(heads, className="ff-card-head"), listed, *connections]
    card = html.Section(inner, className="ff-card", hidden=not rows and not guests)  # the demo has no accounts
    return [card, _invite(domain)]


def page(rows: Sequence[PersonRow], guests: Sequence[InvitationRow]) -> html.Main:
    """The page of everybody, for owners of every site."""
    about = html.Span(_("on every site"), className="ff-sub")
    head = html.Div([html.H1(_("People")), about], className="ff-toolbar")
    return html.Main([head, html.Div(cards("", rows, guests), className="ff-cards ff-narrow")], className="ff-main")


def lists(rows: Sequence[PersonRow], guests: Sequence[InvitationRow], *, everybody: bool) -> list[Component]:
    """The table of people, and that of open invitations where there are some."""
    roles = [*form.translated(tuple(MEANINGS.items())), *([(MEMBER, _("Some sites"))] if everybody else [])]
    shown: list[Component] = [table((_("Person"), _("Role"), _("Since"), ""), [_person(row, roles) for row in rows])]
    if guests:
        title = html.H3(_("Invited"), className="ff-table-title")
        heads = (_("For"), _("Role"), _("Good until"), "")
        shown += [title, table(heads, [_guest(guest) for guest in guests])]
    return shown


def _invite(domain: str) -> Component:
    fields = [
        form.select(INVITE, "role", _("Role"), VIEWER, form.translated(tuple(MEANINGS.items())), hint=_(ROLES_HINT)),
        form.text(
            INVITE,
            "email",
            _("For whom"),
            hint=_("An e-mail address, if you like. Anybody who has the link can use it."),
        ),
        form.select(INVITE, "expires", _("Good for"), "7d", form.translated(LIVES)),
    ]
    if domain:
        intro = sentence(
            _("Makes a link. Whoever opens it first gets an account that sees {site}."),
            site=html.Bdi(to_letters(domain)),
        )
    else:
        intro = [_("Makes a link. Whoever opens it first gets an account that sees every site.")]
    return form.card(INVITE, _("Invite somebody"), fields, domain=domain, intro=intro, save=_("Make link"), once=LINK)


def _person(row: PersonRow, roles: Sequence[tuple[str, str]]) -> html.Tr:
    who: list[Component] = [html.Bdi(row.email, className="ff-trunc", title=row.email)]
    if row.more:
        who.append(html.Span(row.more, className="ff-window ff-trunc"))
    if row.fixed:
        role: Component = html.Span(row.fixed, className="ff-soft")
        remove = None
    else:
        key, label = str(row.id), _("Role of {email}", email=row.email)
        role = form.form(ROLE, [form.small_select(ROLE, "role", key, label, row.role, roles)], key=key)
        lost = _("Remove {email}? They are not told, and see nothing here any more.", email=row.email)
        remove = _button(REMOVE, key, _("Remove"), lost)
    cells = [html.Td(who), html.Td(role), html.Td(figures.day(row.since)), html.Td(remove)]
    return html.Tr(cells, id=f"person-{row.id}")


def _guest(guest: InvitationRow) -> html.Tr:
    if guest.email:
        lost = _("Revoke the invitation of {email}? Its link is good for nothing then.", email=guest.email)
        who: Component = html.Bdi(guest.email, className="ff-trunc")
    else:
        lost = _("Revoke the invitation? Its link is good for nothing then.")
        who = html.Span(_("Anybody"), className="ff-soft")
    button = _button(REVOKE, str(guest.id), _("Revoke"), lost)
    cells = [html.Td(who), html.Td(_(MEANINGS[guest.role])), html.Td(figures.day(guest.until)), html.Td(button)]
    return html.Tr(cells, id=f"guest-{guest.id}")


def _button(name: str, key: str, label: str, lost: str) -> html.Form:
    return form.form(name, [form.confirm_button(label, lost)], key=key)


def role_words(role: str, everywhere: bool) -> str:
    """A role in words, with where it holds."""
    return _("{role}, every site", role=_(MEANINGS[role])) if everywhere else _(MEANINGS[role])


def memberships_words(memberships: Mapping[str, str]) -> str:
    """Roles on single sites, by domain: `admin on shop.example, viewer on blog.example`."""
    named = sorted((domain, _(ROLE_NAMES[role])) for domain, role in memberships.items())
    return ", ".join(_("{role} on {site}", role=role, site=domain) for domain, role in named)

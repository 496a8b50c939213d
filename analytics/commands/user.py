"""People who may sign in, and the links with which they begin."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence

import click

from analytics.access import accounts, first_owner, invitations, logins, members, roles
from analytics.base.errors import InvalidInput
from analytics.base.program import command
from analytics.commands.command import Command, CommandContext, argument, domains, option, seconds
from analytics.reports.formats import columns
from analytics.sites import store

NO_ROLE = "none"


def invitation_link(address: str, token: str) -> str:
    """The link that accepts the invitation of the token."""
    return f"{address}/invitation?token={token}"


def setup_link(context: CommandContext) -> str:
    """The link by which the first person makes an account; `InvalidInput` if there is an account already."""
    if accounts.has_people(context.database):
        raise InvalidInput(
            f"somebody has an account already, so the set-up link has done its work; "
            f"{command('user list')} shows who, {command('user reset EMAIL')} gives a new password"
        )
    return first_owner.setup_link(context.address, context.secret)


def user_add(context: CommandContext, email: str, role: str, password: str | None, on: Sequence[str] = ()) -> str:
    """Adds a person, with the role on the sites in `on`, else on every site. A generated password is shown once."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    person = accounts.add_person(context.database, email, role, chosen, now=context.now, sites=_site_ids(context, on))
    note = "" if password is not None else f" The password, shown this once: {chosen}"
    return f"{person.email} is added as {role}{_where(on)}.{note}"


def user_set(context: CommandContext, email: str, role: str, on: Sequence[str] = ()) -> str:
    """Sets a person's role on the sites in `on`, else on every site; "none" removes it."""
    new = roles.MEMBER if role == NO_ROLE else role
    person = members.change(context.database, email, new, _site_ids(context, on), now=context.now)
    return f"{person.email} is {'nothing' if role == NO_ROLE else role}{_where(on) or ' on every site'} now."


def user_invite(context: CommandContext, role: str, email: str, on: str | None, expires: str) -> str:
    """Invites a person, with the role on the site `on`, else on every site, and returns the link."""
    site_id = store.find(context.database, on).id if on else None
    _, token = invitations.invite(
        context.database,
        role,
        site_id,
        email=email,
        life_s=seconds(expires),
        by=invitations.COMMAND_LINE,
        now=context.now,
    )
    return invitation_link(context.address, token)


def user_remove(context: CommandContext, email: str) -> str:
    """Removes a person with their logins."""
    return f"{members.remove(context.database, email).email} is removed."


def user_list(context: CommandContext) -> str:
    """Every person, one a line."""
    by_id = domains(context)
    rows = [(person.email, _roles(person, by_id)) for person in accounts.people(context.database)]
    first, more = command("setup-link"), command("user add EMAIL --role owner")
    nobody = f"Nobody yet. {first} prints the link with which the first person begins, {more} adds somebody."
    return columns(("E-MAIL", "ROLE"), rows) or nobody


def user_reset(context: CommandContext, email: str, password: str | None) -> str:
    """Sets a person's password, or generates one that is shown once, and ends their logins."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    logins.reset_password(context.database, email, chosen, now=context.now)
    note = "" if password is not None else f" The new password, shown this once: {chosen}"
    return f"{email} has to sign in again.{note}"


def _site_ids(context: CommandContext, domains: Sequence[str]) -> list[int]:
    return [store.find(context.database, domain).id for domain in domains]


def _where(domains: Sequence[str]) -> str:
    return f" on {', '.join(domains)}" if domains else ""


def _roles(person: roles.Person, by_id: dict[int, str]) -> str:
    everywhere = [person.role] if person.role != roles.MEMBER else []
    single = [f"{role} on {by_id[site_id]}" for site_id, role in person.memberships.items() if site_id in by_id]
    return ", ".join([*everywhere, *single]) or "nothing"


def _from_stdin(context: click.Context, _: click.Parameter, given: bool) -> str | None:
    """The password, None where none is given."""
    return sys.stdin.readline().rstrip("\r\n") if given else None


_EMAIL = argument("email")
_ROLE = option("--role", required=True, type=click.Choice(roles.ROLES))
_ON_SITES = option(
    "--site", "on", multiple=True, metavar="DOMAIN", help="Only on this site; may be repeated. [default: every site]"
)
_PASSWORD = option(
    "--password-stdin", "password", is_flag=True, callback=_from_stdin, help="Read the password from standard input."
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "setup-link",
        setup_link,
        help="Print the link with which the first person makes their account and the first site; while nobody has one.",
    ),
    Command(
        "user add",
        user_add,
        (_EMAIL, _ROLE, _ON_SITES, _PASSWORD),
        "Add a person, on every site unless some are named. Without --password-stdin a password is made and printed "
        "once.",
    ),
    Command(
        "user set",
        user_set,
        (_EMAIL, option("--role", required=True, type=click.Choice([*roles.ROLES, NO_ROLE])), _ON_SITES),
        'Give a person another role, on every site or on those named; "none" takes it away.',
    ),
    Command(
        "user invite",
        user_invite,
        (
            argument("email", default=""),
            _ROLE,
            option("--site", "on", metavar="DOMAIN", help="Only on this site. [default: every site]"),
            option("--expires", default="7d", show_default=True, metavar="DURATION"),
        ),
        "Print a link with which somebody makes their account, once.",
    ),
    Command("user remove", user_remove, (_EMAIL,), "Remove a person and end their logins."),
    Command("user list", user_list, help="List the people."),
    Command(
        "user reset",
        user_reset,
        (_EMAIL, _PASSWORD),
        "Give a person a new password and end their logins.",
    ),
)

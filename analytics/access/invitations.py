"""Invitations: links that each give one person a role."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from analytics.access import accounts, logins
from analytics.access.roles import MEMBER, OWNER, Person, checked_role, higher
from analytics.base.errors import InvalidInput, checked, message
from analytics.storage import schema
from analytics.storage.database import Database

DAY_S = 86_400
MAX_LIFE_S = 90 * DAY_S
MAX_PENDING = 200  # of one site, or of every site
COMMAND_LINE = 0  # `created_by` of an invitation from the command line


class InvalidInvitation(LookupError):
    """The token is wrong, used, expired or revoked, or the inviter is not allowed to invite any more."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The right to a role on one site (`site_id` None: on every site). `email` is that of the invited person, or ""."""

    id: int
    site_id: int | None
    role: str
    email: str
    created_by: int
    created_at: int
    expires_at: int


def invite(
    database: Database, role: str, site_id: int | None, *, email: str = "", life_s: int = 7 * DAY_S, by: int, now: int
) -> tuple[Invitation, str]:
    """The new invitation and its token in plain. Only the token's hash is stored, so show it now.

    `by` is the inviter's id. `InvalidInput` for a wrong role or e-mail address, a life over 90 days, and if too many
    invitations are pending.
    """
    if not 1 <= life_s <= MAX_LIFE_S:
        raise InvalidInput(f"an invitation is good for at most {MAX_LIFE_S // DAY_S} days")
    values = checked({"role": checked_role, "email": _checked_email}, {"role": role, "email": email}) | {
        "site_id": site_id,
        "created_by": by,
        "created_at": now,
        "expires_at": now + life_s,
    }
    token, table = secrets.token_urlsafe(32), schema.invitations
    with database.transaction() as connection:
        connection.execute(delete(table).where((table.c.expires_at <= now) | table.c.used_at.is_not(None)))
        if len(_pending(connection, site_id, now)) >= MAX_PENDING:
            raise InvalidInput(message("{n} invitations are open; revoke some first", n=MAX_PENDING))
        adding = insert(table).values(values | {"token_hash": _hash(token)}).returning(table)
        return _invitation(connection.execute(adding).one()), token


def _checked_email(text: str) -> str:
    return accounts.normal_email(text) if text.strip() else ""


def pending(database: Database, site_id: int | None, *, now: int) -> list[Invitation]:
    """The usable invitations to the site (None: to every site), oldest first."""
    with database.read() as connection:
        return _pending(connection, site_id, now)


def revoke(database: Database, invitation_id: int, site_id: int | None) -> None:
    """Removes an invitation to the site (None: to every site); an unknown one is ignored."""
    table = schema.invitations
    with database.transaction() as connection:
        connection.execute(
            delete(table).where(table.c.id == invitation_id, table.c.site_id.is_not_distinct_from(site_id))
        )


def find(database: Database, token: str, *, now: int) -> Invitation:
    """The usable invitation of the token; else `InvalidInvitation`."""
    with database.read() as connection:
        return _usable(connection, token, now)


def accept(database: Database, token: str, person: Person, *, now: int) -> None:
    """Uses the invitation up: an account gets its role, or keeps a higher one. `InvalidInvitation` as `find`."""
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        invitation = _use(connection, token, now)
        known = accounts.persons(connection, schema.people.c.id == person.id)
        if not known:
            raise InvalidInvitation
        if invitation.site_id is None:
            role = higher(known[0].role, invitation.role)
            connection.execute(update(schema.people).where(schema.people.c.id == person.id).values(role=role))
        else:  # the role on every site is left as it is, not copied into this membership
            role = higher(known[0].memberships.get(invitation.site_id, MEMBER), invitation.role)
            accounts.set_membership(connection, person.id, invitation.site_id, role, now)
    logins.forget_cached(database)


def join(database: Database, token: str, email: str, password: str, *, now: int) -> str:
    """Uses the invitation up: makes an account with its role and a login, and returns the login's token.

    `InvalidInvitation` as `find`. `InvalidInput` for a wrong e-mail address or password, and if the account exists
    already: then that person signs in and calls `accept`.
    """
    find(database, token, now=now)  # first, so that no password is hashed for an invalid token
    new = accounts.credentials(email, password)
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        if accounts.persons(connection, schema.people.c.email == new.email):
            taken = message("there is an account with this e-mail; sign in, then open the link again")
            raise InvalidInput(taken, {"email": taken})
        invitation = _use(connection, token, now)
        sites = () if invitation.site_id is None else (invitation.site_id,)
        person = accounts.insert_person(connection, new.email, invitation.role, new.hashed, now, sites)
        return logins.insert_login(connection, person.id, now)


def _use(connection: Connection, token: str, now: int) -> Invitation:
    """Marks the invitation as used and returns it. The second of two concurrent calls gets `InvalidInvitation`."""
    invitation = _usable(connection, token, now)
    table = schema.invitations
    once = update(table).where(table.c.id == invitation.id, table.c.used_at.is_(None)).values(used_at=now)
    if connection.execute(once).rowcount != 1:
        raise InvalidInvitation
    return invitation


def _usable(connection: Connection, token: str, now: int) -> Invitation:
    table = schema.invitations
    usable = select(table).where(
        table.c.token_hash == _hash(token), table.c.used_at.is_(None), table.c.expires_at > now
    )
    row = connection.execute(usable).first()
    if row is None or not _may_still_invite(connection, row):
        raise InvalidInvitation
    return _invitation(row)


def _may_still_invite(connection: Connection, row: Row[Any]) -> bool:
    """Whether the inviter is still an owner: a removed owner cannot come back by their own link."""
    if row.created_by == COMMAND_LINE:
        return True
    found = accounts.persons(connection, schema.people.c.id == row.created_by)
    if not found:
        return False
    return found[0].may_everywhere(OWNER) if row.site_id is None else found[0].may(OWNER, row.site_id)


def _pending(connection: Connection, site_id: int | None, now: int) -> list[Invitation]:
    table = schema.invitations
    open_ones = (table.c.used_at.is_(None), table.c.expires_at > now, table.c.site_id.is_not_distinct_from(site_id))
    return [_invitation(row) for row in connection.execute(select(table).where(*open_ones).order_by(table.c.id))]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(row.id, row.site_id, row.role, row.email, row.created_by, row.created_at, row.expires_at)

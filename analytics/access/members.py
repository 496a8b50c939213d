"""Members: who has which role, on every site or on one."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from analytics.access import accounts
from analytics.access.roles import MEMBER, OWNER, Person, checked_role
from analytics.base.errors import InvalidInput
from analytics.base.program import command
from analytics.storage import schema
from analytics.storage.database import Database

LAST_OWNER = "is the last owner of every site; make somebody else one first"


class Member(NamedTuple):
    """Somebody who sees a site. `since` is in epoch seconds; `everywhere`: their role holds on every site."""

    person: Person
    role: str
    since: int
    everywhere: bool


def of_site(database: Database, site_id: int) -> list[Member]:
    """Whoever sees the site, by e-mail; with the higher role where somebody has two."""
    table = schema.memberships
    with database.read() as connection:
        rows = connection.execute(select(table.c.person_id, table.c.created_at).where(table.c.site_id == site_id))
        since = {row.person_id: row.created_at for row in rows}
        everybody = accounts.persons(connection)
    found = []
    for person in everybody:
        role = person.role_on(site_id)
        if role != MEMBER:
            everywhere = role == person.role
            found.append(Member(person, role, person.created_at if everywhere else since[person.id], everywhere))
    return found


def find(database: Database, email: str) -> Person:
    """The person of that e-mail address; `InvalidInput` where there is none."""
    with database.read() as connection:
        return _found(connection, email)


def change(database: Database, email: str, role: str, sites: Collection[int] = (), *, now: int) -> Person:
    """The person with `role` on these sites (ids), on every site where none is given; `MEMBER` takes the role away.

    `InvalidInput` for an unknown e-mail or role, and where nobody would own every site any more.
    """
    kept = role if role == MEMBER else checked_role(role)
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        person = _found(connection, email)
        for site_id in sites:
            accounts.set_membership(connection, person.id, site_id, kept, now)
        if not sites:
            if kept != OWNER:
                _keep_an_owner(connection, person)
            connection.execute(update(schema.people).where(schema.people.c.id == person.id).values(role=kept))
        changed = _found(connection, email)
    accounts.forget_logins(database)
    return changed


def remove(database: Database, email: str) -> Person:
    """The person who is gone now, with their logins, their own segments and the invitations that they made.

    `InvalidInput` for an unknown one and for the last owner.
    """
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        person = _found(connection, email)
        _keep_an_owner(connection, person)
        for table in (schema.logins, schema.memberships, schema.segments):
            connection.execute(delete(table).where(table.c.person_id == person.id))
        sent = schema.invitations.c.created_by == person.id  # the number may be another person's one day
        connection.execute(delete(schema.invitations).where(sent))
        connection.execute(delete(schema.people).where(schema.people.c.id == person.id))
    accounts.forget_logins(database)
    return person


def _found(connection: Connection, email: str) -> Person:
    address = accounts.normal_email(email)
    if found := accounts.persons(connection, schema.people.c.email == address):
        return found[0]
    raise InvalidInput(f"there is nobody with the e-mail {address}; {command('user list')} shows who is")


def _keep_an_owner(connection: Connection, person: Person) -> None:
    others = accounts.persons(connection, schema.people.c.role == OWNER, schema.people.c.id != person.id)
    if person.role == OWNER and not others:
        raise InvalidInput(f"{person.email} {LAST_OWNER}")

"""Members: the people who see a site, and changes of their roles and languages."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from analytics.access import accounts, logins
from analytics.access.roles import MEMBER, OWNER, Person, checked_role
from analytics.base import language
from analytics.base.errors import InvalidInput, message
from analytics.base.program import command
from analytics.storage import schema
from analytics.storage.database import Database

OF_A_PERSON = (
    schema.logins,
    schema.memberships,
    schema.segments,
    schema.quiet_hours,
    schema.notification_marks,
    schema.notification_reads,
)
"""The tables whose rows go with their person."""


class Member(NamedTuple):
    """A person who sees a site. `since` is in epoch seconds; `everywhere`: the role is that on every site."""

    person: Person
    role: str
    since: int
    everywhere: bool


def of_site(database: Database, site_id: int) -> list[Member]:
    """The people who see the site, ordered by e-mail; of two roles, the higher one counts."""
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
    """The person with that e-mail address; `InvalidInput` if there is none."""
    with database.read() as connection:
        return _found(connection, email)


def change(database: Database, email: str, role: str, sites: Collection[int] = (), *, now: int) -> Person:
    """Sets the person's role on these sites (ids), or on every site without any; `MEMBER` removes the role.

    Returns the person as changed. `InvalidInput` for an unknown e-mail or role, and if no owner of every site would be
    left.
    """
    new = role if role == MEMBER else checked_role(role)
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        person = _found(connection, email)
        for site_id in sites:
            accounts.set_membership(connection, person.id, site_id, new, now)
        if not sites:
            if new != OWNER:
                _check_not_last_owner(connection, person)
            connection.execute(update(schema.people).where(schema.people.c.id == person.id).values(role=new))
        changed = _found(connection, email)
    logins.forget_cached(database)
    return changed


def set_language(database: Database, person: Person, tag: str) -> None:
    """Sets the language of the person's dates and numbers; `InvalidInput` if it is not supported."""
    changing = update(schema.people).where(schema.people.c.id == person.id).values(language=language.checked(tag))
    with database.transaction() as connection:
        connection.execute(changing)
    logins.forget_cached(database)


def remove(database: Database, email: str) -> Person:
    """Removes a person with all that is theirs and the invitations that they made; returns them.

    `InvalidInput` for an unknown person and for the last owner.
    """
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        person = _found(connection, email)
        _check_not_last_owner(connection, person)
        for table in OF_A_PERSON:  # ids may be reused
            connection.execute(delete(table).where(table.c.person_id == person.id))
        sent = schema.invitations.c.created_by == person.id
        connection.execute(delete(schema.invitations).where(sent))
        connection.execute(delete(schema.people).where(schema.people.c.id == person.id))
    logins.forget_cached(database)
    return person


def _found(connection: Connection, email: str) -> Person:
    address = accounts.normal_email(email)
    if found := accounts.persons(connection, schema.people.c.email == address):
        return found[0]
    raise InvalidInput(f"there is nobody with the e-mail {address}; {command('user list')} shows who is")


def _check_not_last_owner(connection: Connection, person: Person) -> None:
    others = accounts.persons(connection, schema.people.c.role == OWNER, schema.people.c.id != person.id)
    if person.role == OWNER and not others:
        wrong = message("{email} is the last owner of every site; make somebody else one first", email=person.email)
        raise InvalidInput(wrong)

"""Accounts: the people who may see the numbers."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from analytics.access import passwords
from analytics.access.roles import MEMBER, Person, checked_role
from analytics.base.errors import InvalidInput, checked, message
from analytics.base.program import command
from analytics.storage import schema
from analytics.storage.database import Database

MAX_EMAIL = 254
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def normal_email(text: str) -> str:
    """The e-mail address as it is stored: trimmed, in lower case. `InvalidInput` if it cannot be an address."""
    email = unicodedata.normalize("NFC", text.strip().lower())
    if not EMAIL.fullmatch(email) or not email.isprintable() or len(email) > MAX_EMAIL:
        given = repr(text[:MAX_EMAIL])
        raise InvalidInput(message("{email} is no e-mail address; give one like you@example.com", email=given))
    return email


class Credentials(NamedTuple):
    """A checked e-mail address and the hash of a password."""

    email: str
    hashed: str


def credentials(email: str, password: str) -> Credentials:
    """Checks both and hashes the password. `InvalidInput` names each wrong field. Raises `passwords.Busy`."""
    checks = {"email": normal_email, "password": passwords.checked_password}
    values = checked(checks, {"email": email, "password": password})
    return Credentials(values["email"], passwords.hash_password(values["password"]))


def add_person(
    database: Database, email: str, role: str, password: str, *, now: int, sites: Iterable[int] = ()
) -> Person:
    """The new person, with `role` on these sites (ids), or on every site without any.

    `InvalidInput` for a wrong address, role or password, and if the person exists already.
    """
    role, new = checked_role(role), credentials(email, password)
    try:
        with database.transaction() as connection:
            return insert_person(connection, new.email, role, new.hashed, now, sites)
    except IntegrityError:
        raise InvalidInput(
            f"{new.email} is there already; {command('user reset EMAIL')} gives a new password"
        ) from None


def people(database: Database) -> list[Person]:
    """Every person, ordered by e-mail."""
    with database.read() as connection:
        return persons(connection)


def has_people(database: Database) -> bool:
    """Whether anybody has an account."""
    with database.read() as connection:
        return connection.execute(select(schema.people.c.id).limit(1)).first() is not None


def password_hash(database: Database, person_id: int) -> str:
    """The stored hash of the person's password; `passwords.UNKNOWN_HASH` for an unknown person."""
    with database.read() as connection:
        stored = select(schema.people.c.password_hash).where(schema.people.c.id == person_id)
        return connection.execute(stored).scalar() or passwords.UNKNOWN_HASH


def password_mark(database: Database, email: str) -> str:
    """A short text that changes with the person's password; "" for an unknown person."""
    row = find(database, email)
    return hashlib.sha256(row.password_hash.encode()).hexdigest()[:16] if row else ""


def lock_people(database: Database, connection: Connection) -> None:
    """Makes other transactions that change people wait until this one ends. (SQLite has one writer anyway.)"""
    if not database.embedded:
        connection.execute(text("LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE"))


def insert_person(
    connection: Connection, email: str, role: str, hashed: str, now: int, sites: Iterable[int] = ()
) -> Person:
    """Adds a person with `role` on every site, or on these `sites` (ids) only.

    What was notified before is read: only what comes from now on is news for them.
    """
    memberships = dict.fromkeys(sites, role)
    everywhere = MEMBER if memberships else role
    values = {"email": email, "role": everywhere, "password_hash": hashed, "created_at": now}
    person_id = connection.execute(insert(schema.people).values(values).returning(schema.people.c.id)).scalar_one()
    for site_id in memberships:
        set_membership(connection, person_id, site_id, role, now)
    last = connection.execute(select(func.max(schema.notifications.c.id))).scalar() or 0
    connection.execute(insert(schema.notification_marks).values(person_id=person_id, read_up_to=last))
    return Person(person_id, email, everywhere, now, memberships)


def set_membership(connection: Connection, person_id: int, site_id: int, role: str, now: int) -> None:
    """Sets the person's role on the site; `MEMBER` removes it."""
    table = schema.memberships
    mine = (table.c.person_id == person_id) & (table.c.site_id == site_id)
    if role == MEMBER:
        connection.execute(delete(table).where(mine))
    elif not connection.execute(update(table).where(mine).values(role=role)).rowcount:
        values = {"person_id": person_id, "site_id": site_id, "role": role, "created_at": now}
        connection.execute(insert(table).values(values))


def persons(connection: Connection, *conditions: ColumnElement[bool]) -> list[Person]:
    """The people who meet the conditions, with their roles on single sites, ordered by e-mail; one query."""
    people, theirs = schema.people, schema.memberships
    wanted = (
        select(people, theirs.c.site_id, theirs.c.role.label("site_role"))
        .outerjoin(theirs, theirs.c.person_id == people.c.id)
        .where(*conditions)
        .order_by(people.c.email, theirs.c.site_id)
    )
    found: dict[int, Person] = {}
    for row in connection.execute(wanted):
        memberships = dict(found[row.id].memberships) if row.id in found else {}
        if row.site_id is not None:
            memberships[row.site_id] = row.site_role
        found[row.id] = Person(row.id, row.email, row.role, row.created_at, memberships, row.language)
    return list(found.values())


def find(database: Database, email: str) -> Row[Any] | None:
    """The row of `schema.people` with that e-mail address; None if there is none, or if it is no address."""
    try:
        address = normal_email(email)
    except InvalidInput:
        return None
    with database.read() as connection:
        return connection.execute(select(schema.people).where(schema.people.c.email == address)).first()

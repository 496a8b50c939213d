"""Logins: in how many browsers somebody is signed in, ending the others, and the password that opens them."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from analytics.access import accounts
from analytics.access.roles import Person
from analytics.base.errors import InvalidInput
from analytics.storage import schema
from analytics.storage.database import Database


def since(database: Database, person: Person, *, now: int) -> list[int]:
    """When each of somebody's logins that still hold began, newest first, in epoch seconds."""
    table = schema.logins
    asking = select(table.c.created_at).where(table.c.person_id == person.id, table.c.expires_at > now)
    with database.read() as connection:
        return list(connection.execute(asking.order_by(table.c.created_at.desc())).scalars())


def end(database: Database, person: Person, *, keep: str = "") -> None:
    """Signs somebody out in every browser, but for the login whose token is `keep`."""
    table = schema.logins
    ending = delete(table).where(table.c.person_id == person.id, table.c.token_hash != accounts.token_hash(keep))
    with database.transaction() as connection:
        connection.execute(ending)
    accounts.forget_logins(database)


def change_password(database: Database, person: Person, old: str, new: str, *, keep: str) -> None:
    """A new password for who knows the old one; every login but the one whose token is `keep` ends.

    `InvalidInput` names the field that is wrong. Raises `accounts.Busy` as signing in does.
    """
    known = accounts.password_hash(database, person.id)
    if not accounts.matches(known, old):
        raise InvalidInput("that is not your password", {"old": "that is not your password"})
    try:
        hashed = accounts.credentials(person.email, new).hashed
    except InvalidInput as wrong:
        raise InvalidInput(str(wrong), {"new": str(wrong)}) from None
    people = schema.people
    same = (people.c.id == person.id) & (people.c.password_hash == known)  # a reset in between wins
    with database.transaction() as connection:
        if connection.execute(update(people).where(same).values(password_hash=hashed)).rowcount != 1:
            raise InvalidInput("your password was changed meanwhile; sign in again")
    end(database, person, keep=keep)

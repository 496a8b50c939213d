"""Logins: signing in and out, who is signed in, and changes of the password, which end logins."""

from __future__ import annotations

import hashlib
import secrets
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, delete, insert, select, update

from analytics.access import accounts, passwords
from analytics.access.roles import Person
from analytics.base.errors import InvalidInput, message
from analytics.base.program import command
from analytics.storage import schema
from analytics.storage.database import Database

LOGIN_S = 30 * 86_400
MAX_CACHED = 4_096

# By database and token hash: the person, and the second in which they were read. No other request of that second
# queries again.
_cached: WeakKeyDictionary[Database, dict[str, tuple[int, Person]]] = WeakKeyDictionary()


def sign_in(database: Database, email: str, password: str, *, now: int) -> str | None:
    """The token of a new login, valid for 30 days; None if the e-mail or the password is wrong.

    Both answers take the same time. Raises `passwords.Busy` while a dozen others sign in.
    """
    row = accounts.find(database, email)
    is_right = passwords.matches(row.password_hash if row else passwords.UNKNOWN_HASH, password)
    if row is None or not is_right:
        return None
    hashed = row.password_hash
    if passwords.HASHER.check_needs_rehash(hashed):
        hashed = passwords.hash_password(password)
    with database.transaction() as connection:
        # A reset in between wins: then the stored hash is not the one that was checked.
        same = (schema.people.c.id == row.id) & (schema.people.c.password_hash == row.password_hash)
        if connection.execute(update(schema.people).where(same).values(password_hash=hashed)).rowcount != 1:
            return None
        return insert_login(connection, row.id, now)


def signed_in(database: Database, token: str, *, now: int) -> Person | None:
    """The person of a login's token; None if it is unknown, has expired, or was ended at least a second ago."""
    if len(token) != 43:
        return None
    hashed = token_hash(token)
    cache = _cached.setdefault(database, {})
    read_at, person = cache.get(hashed, (None, None))
    if read_at == now:
        return person
    person = _person_of_login(database, hashed, now)
    if person is not None:
        if len(cache) >= MAX_CACHED:
            cache.clear()
        cache[hashed] = (now, person)
    return person


def forget_cached(database: Database) -> None:
    """Makes the next request of every login query again; call it when a password, a role or a person was changed."""
    _cached.pop(database, None)


def _person_of_login(database: Database, hashed: str, now: int) -> Person | None:
    logins = schema.logins
    theirs = select(logins.c.person_id).where(logins.c.token_hash == hashed, logins.c.expires_at > now)
    with database.read() as connection:
        found = accounts.persons(connection, schema.people.c.id == theirs.scalar_subquery())
    return found[0] if found else None


def sign_out(database: Database, token: str) -> None:
    """Ends the login; an unknown token is ignored."""
    hashed = token_hash(token)
    with database.transaction() as connection:
        connection.execute(delete(schema.logins).where(schema.logins.c.token_hash == hashed))
    _cached.setdefault(database, {}).pop(hashed, None)


def insert_login(connection: Connection, person_id: int, now: int) -> str:
    """Adds a login of the person, deletes their expired ones, and returns the token."""
    table, token = schema.logins, secrets.token_urlsafe(32)
    connection.execute(delete(table).where(table.c.person_id == person_id, table.c.expires_at <= now))
    values = {"person_id": person_id, "created_at": now, "expires_at": now + LOGIN_S}
    connection.execute(insert(table).values(values | {"token_hash": token_hash(token)}))
    return token


def since(database: Database, person: Person, *, now: int) -> list[int]:
    """When each of the person's valid logins began (epoch s), newest first."""
    table = schema.logins
    valid = select(table.c.created_at).where(table.c.person_id == person.id, table.c.expires_at > now)
    with database.read() as connection:
        return list(connection.execute(valid.order_by(table.c.created_at.desc())).scalars())


def end(database: Database, person: Person, *, keep: str = "") -> None:
    """Ends every login of the person except the one whose token is `keep`."""
    table = schema.logins
    ending = delete(table).where(table.c.person_id == person.id, table.c.token_hash != token_hash(keep))
    with database.transaction() as connection:
        connection.execute(ending)
    forget_cached(database)


def change_password(database: Database, person: Person, old: str, new: str, *, keep: str) -> None:
    """Changes the password, if `old` is right, and ends every login except the one whose token is `keep`.

    `InvalidInput` names the wrong field. Raises `passwords.Busy` as `sign_in`.
    """
    known = accounts.password_hash(database, person.id)
    if not passwords.matches(known, old):
        wrong = message("that is not your password")
        raise InvalidInput(wrong, {"old": wrong})
    try:
        hashed = accounts.credentials(person.email, new).hashed
    except InvalidInput as wrong:
        raise InvalidInput(str(wrong), {"new": wrong.fields["password"]}) from None
    people = schema.people
    same = (people.c.id == person.id) & (people.c.password_hash == known)  # a reset in between wins
    with database.transaction() as connection:
        if connection.execute(update(people).where(same).values(password_hash=hashed)).rowcount != 1:
            raise InvalidInput(message("your password was changed meanwhile; sign in again"))
    end(database, person, keep=keep)


def reset_password(database: Database, email: str, password: str, *, now: int) -> Person:
    """Sets the person's password, ends their logins and returns the person. `InvalidInput` for an unknown e-mail."""
    address = accounts.normal_email(email)
    hashed = passwords.hash_password(passwords.checked_password(password))
    changing = update(schema.people).where(schema.people.c.email == address).values(password_hash=hashed)
    with database.transaction() as connection:
        row = connection.execute(changing.returning(schema.people)).first()
        if row is None:
            raise InvalidInput(f"there is nobody with the e-mail {address}; {command('user list')} shows who is")
        connection.execute(delete(schema.logins).where(schema.logins.c.person_id == row.id))
        (person,) = accounts.persons(connection, schema.people.c.id == row.id)
    forget_cached(database)
    return person


def token_hash(token: str) -> str:
    """What is stored of a login's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

"""Accounts: the people who may see the numbers, their passwords and their logins."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from analytics.access.roles import MEMBER, OWNER, Person, checked_role
from analytics.base import language
from analytics.base.errors import InvalidInput, checked
from analytics.base.idn import to_letters
from analytics.base.program import command
from analytics.base.zones import checked_zone
from analytics.sites.site import normal_domain
from analytics.storage import schema
from analytics.storage.database import Database

LOGIN_S = 30 * 86_400
MIN_PASSWORD, MAX_PASSWORD = 10, 1_000
MAX_EMAIL = 254
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
MAX_CACHED_LOGINS = 4_096

HASHER = PasswordHasher()  # argon2id: 64 MiB, 3 passes, 4 lanes (RFC 9106, the second choice)
# What an unknown e-mail is checked against, so that it takes as long as a known one.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Ok7Cg0kJaXEAaBp/vBiuJw$NxQYCsm8kLUJ+TcjQpoT/2JH2gvcrbN/UkH+auLxZGw"

_hashing = threading.BoundedSemaphore(2)  # 64 MiB each
_queue = threading.BoundedSemaphore(12)  # those hashing and those waiting for it: threads that are held up


class Busy(RuntimeError):
    """Too many passwords are being checked at this moment; ask again in a second or two."""


class AlreadySetUp(RuntimeError):
    """Somebody has an account already: there is nothing left to set up."""


def normal_email(text: str) -> str:
    """The e-mail address as it is stored: trimmed, in lower case. `InvalidInput` where it cannot be one."""
    email = unicodedata.normalize("NFC", text.strip().lower())
    if not EMAIL.fullmatch(email) or not email.isprintable() or len(email) > MAX_EMAIL:
        raise InvalidInput(f"{text[:MAX_EMAIL]!r} is no e-mail address; give one like you@example.com")
    return email


def checked_password(password: str) -> str:
    """The password itself when it is long enough."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return password


class Credentials(NamedTuple):
    """A checked e-mail address and a password that is hashed already."""

    email: str
    hashed: str


def credentials(email: str, password: str) -> Credentials:
    """What an account starts with; `InvalidInput` names each field that is wrong. Raises `Busy` as `sign_in`."""
    given = checked({"email": normal_email, "password": checked_password}, {"email": email, "password": password})
    return Credentials(given["email"], _hashed(given["password"]))


def add_person(
    database: Database, email: str, role: str, password: str, *, now: int, sites: Iterable[int] = ()
) -> Person:
    """The new person, with `role` on the sites of these ids, or on every site where none is given.

    `InvalidInput` for a wrong address, role or password, or one who is there already.
    """
    kept, given = checked_role(role), credentials(email, password)
    try:
        with database.transaction() as connection:
            return insert_person(connection, given.email, kept, given.hashed, now, sites)
    except IntegrityError:
        raise InvalidInput(
            f"{given.email} is there already; {command('user reset EMAIL')} gives a new password"
        ) from None


def people(database: Database) -> list[Person]:
    """Everybody, by e-mail."""
    with database.read() as connection:
        return persons(connection)


def has_people(database: Database) -> bool:
    """Whether anybody has an account."""
    with database.read() as connection:
        return connection.execute(select(schema.people.c.id).limit(1)).first() is not None


def reset_password(database: Database, email: str, password: str, *, now: int) -> Person:
    """The person, with this password and signed out everywhere; `InvalidInput` for an unknown e-mail."""
    address, hashed = normal_email(email), _hashed(checked_password(password))
    changing = update(schema.people).where(schema.people.c.email == address).values(password_hash=hashed)
    with database.transaction() as connection:
        row = connection.execute(changing.returning(schema.people)).first()
        if row is None:
            raise InvalidInput(f"there is nobody with the e-mail {address}; {command('user list')} shows who is")
        connection.execute(delete(schema.logins).where(schema.logins.c.person_id == row.id))
        (person,) = persons(connection, schema.people.c.id == row.id)
    forget_logins(database)
    return person


def set_language(database: Database, person: Person, tag: str) -> None:
    """Writes dates and numbers in that language for the person; `InvalidInput` where it is none that is here."""
    changing = update(schema.people).where(schema.people.c.id == person.id).values(language=language.checked(tag))
    with database.transaction() as connection:
        connection.execute(changing)
    forget_logins(database)


def sign_in(database: Database, email: str, password: str, *, now: int) -> str | None:
    """The token of a new login, good for 30 days; None where e-mail or password is wrong.

    Both answers take the same time. Raises `Busy` while a dozen others wait for theirs.
    """
    row = _found(database, email)
    is_right = matches(row.password_hash if row else NOBODY, password)
    if row is None or not is_right:
        return None
    kept = _hashed(password) if HASHER.check_needs_rehash(row.password_hash) else row.password_hash
    with database.transaction() as connection:
        # A reset in between wins: the hash is no longer the one that was checked.
        same = (schema.people.c.id == row.id) & (schema.people.c.password_hash == row.password_hash)
        if connection.execute(update(schema.people).where(same).values(password_hash=kept)).rowcount != 1:
            return None
        return insert_login(connection, row.id, now)


def signed_in(database: Database, token: str, *, now: int) -> Person | None:
    """Whose login that is; None where it never was one, has expired or was revoked at least a second ago."""
    if len(token) != 43:
        return None
    hashed, cache = token_hash(token), _cache_of(database)
    read_at, person = cache.get(hashed, (None, None))
    if read_at == now:
        return person
    person = _person_of_login(database, hashed, now)
    if person is not None:
        if len(cache) >= MAX_CACHED_LOGINS:
            cache.clear()
        cache[hashed] = (now, person)
    return person


def sign_out(database: Database, token: str) -> None:
    """Ends that login; nothing happens where there is none."""
    hashed = token_hash(token)
    with database.transaction() as connection:
        connection.execute(delete(schema.logins).where(schema.logins.c.token_hash == hashed))
    _cache_of(database).pop(hashed, None)


def password_hash(database: Database, person_id: int) -> str:
    """What is kept of the person's password; that of nobody for nobody."""
    with database.read() as connection:
        asking = select(schema.people.c.password_hash).where(schema.people.c.id == person_id)
        return connection.execute(asking).scalar() or NOBODY


def password_mark(database: Database, email: str) -> str:
    """A short text that changes when the person's password does; empty for nobody."""
    row = _found(database, email)
    return hashlib.sha256(row.password_hash.encode()).hexdigest()[:16] if row else ""


def setup_token(secret: bytes) -> str:
    """What the one-time set-up link of this installation carries."""
    return hmac.new(secret, b"footfall set-up", hashlib.sha256).hexdigest()


def setup_link(address: str, secret: bytes) -> str:
    """The one-time link of the server at `address` (`http://host:port`); it ends with the first person."""
    return f"{address}/setup?token={setup_token(secret)}"


def is_setup_token(secret: bytes, token: str) -> bool:
    """Whether the token is the installation's."""
    return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), setup_token(secret).encode())


def set_up(database: Database, email: str, password: str, domain: str, timezone: str, *, now: int) -> str:
    """Makes the owner, the first site and a login, all or nothing; the login's token.

    `InvalidInput` as `add_person` and `sites.add` raise it; `AlreadySetUp` where somebody was faster.
    """
    address, hashed = normal_email(email), _hashed(checked_password(password))
    domain = normal_domain(domain)
    site = {"domain": domain, "timezone": checked_zone(timezone), "created_at": now}
    with database.transaction() as connection:
        lock_people(database, connection)
        if connection.execute(select(schema.people.c.id).limit(1)).first():
            raise AlreadySetUp
        owner = insert_person(connection, address, OWNER, hashed, now)
        there = select(schema.sites.c.id).where(schema.sites.c.domain == site["domain"])
        if not connection.execute(there).first():  # the command line may have added it before
            connection.execute(insert(schema.sites).values(site | {"name": to_letters(domain)}))
        return insert_login(connection, owner.id, now)


def lock_people(database: Database, connection: Connection) -> None:
    """Whoever else is about to change people waits until this transaction ends, then sees what it did."""
    if not database.embedded:
        connection.execute(text("LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE"))


def insert_person(
    connection: Connection, email: str, role: str, hashed: str, now: int, sites: Iterable[int] = ()
) -> Person:
    """Adds the row, and where there are `sites` (ids) the role on each instead of on every site."""
    memberships = dict.fromkeys(sites, role)
    kept = MEMBER if memberships else role
    values = {"email": email, "role": kept, "password_hash": hashed, "created_at": now}
    person_id = connection.execute(insert(schema.people).values(values).returning(schema.people.c.id)).scalar_one()
    for site_id in memberships:
        set_membership(connection, person_id, site_id, role, now)
    return Person(person_id, email, kept, now, memberships)


def set_membership(connection: Connection, person_id: int, site_id: int, role: str, now: int) -> None:
    """The person's role on that site from now on; `MEMBER` for none."""
    table = schema.memberships
    mine = (table.c.person_id == person_id) & (table.c.site_id == site_id)
    if role == MEMBER:
        connection.execute(delete(table).where(mine))
    elif not connection.execute(update(table).where(mine).values(role=role)).rowcount:
        values = {"person_id": person_id, "site_id": site_id, "role": role, "created_at": now}
        connection.execute(insert(table).values(values))


def insert_login(connection: Connection, person_id: int, now: int) -> str:
    """A new login of that person; its token. Their expired ones go."""
    table, token = schema.logins, secrets.token_urlsafe(32)
    connection.execute(delete(table).where(table.c.person_id == person_id, table.c.expires_at <= now))
    values = {"person_id": person_id, "created_at": now, "expires_at": now + LOGIN_S}
    connection.execute(insert(table).values(values | {"token_hash": token_hash(token)}))
    return token


def _person_of_login(database: Database, hashed: str, now: int) -> Person | None:
    logins = schema.logins
    theirs = select(logins.c.person_id).where(logins.c.token_hash == hashed, logins.c.expires_at > now)
    with database.read() as connection:
        found = persons(connection, schema.people.c.id == theirs.scalar_subquery())
    return found[0] if found else None


def persons(connection: Connection, *conditions: ColumnElement[bool]) -> list[Person]:
    """The people of whom that is true, with their roles on single sites, by e-mail; one question."""
    people, theirs = schema.people, schema.memberships
    asking = (
        select(people, theirs.c.site_id, theirs.c.role.label("site_role"))
        .outerjoin(theirs, theirs.c.person_id == people.c.id)
        .where(*conditions)
        .order_by(people.c.email, theirs.c.site_id)
    )
    found: dict[int, Person] = {}
    for row in connection.execute(asking):
        memberships = dict(found[row.id].memberships) if row.id in found else {}
        if row.site_id is not None:
            memberships[row.site_id] = row.site_role
        found[row.id] = Person(row.id, row.email, row.role, row.created_at, memberships, row.language)
    return list(found.values())


def _found(database: Database, email: str) -> Row[Any] | None:
    try:
        address = normal_email(email)
    except InvalidInput:
        return None
    with database.read() as connection:
        return connection.execute(select(schema.people).where(schema.people.c.email == address)).first()


def token_hash(token: str) -> str:
    """What is kept of a login's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def _turn() -> Iterator[None]:
    """Two passwords are hashed at once, ten more wait."""
    if not _queue.acquire(blocking=False):
        raise Busy("too many passwords are being checked at this moment")
    try:
        with _hashing:
            yield
    finally:
        _queue.release()


def _bytes(password: str) -> bytes:
    """The same for the same letters, whichever way a keyboard composes them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _hashed(password: str) -> str:
    with _turn():
        return HASHER.hash(_bytes(password))


def matches(hashed: str, password: str) -> bool:
    """Whether that is the password of the hash. Raises `Busy` as `sign_in`."""
    with _turn():
        try:
            return HASHER.verify(hashed, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def forget_logins(database: Database) -> None:
    """Whoever asks next is looked up: somebody's password or role was changed."""
    _cache_of(database).clear()


_Cache = dict[str, tuple[int, Person]]
_caches: WeakKeyDictionary[Database, _Cache] = WeakKeyDictionary()


def _cache_of(database: Database) -> _Cache:
    """Logins by token hash, each with the second of its reading: no request of that second asks again."""
    return _caches.setdefault(database, {})

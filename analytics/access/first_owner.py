"""The set-up of an installation: its one-time link makes the first account, that of the owner."""

from __future__ import annotations

import hashlib
import hmac
from uuid import uuid4

from sqlalchemy import insert, select

from analytics.access import accounts, logins, passwords
from analytics.access.roles import OWNER
from analytics.base.idn import to_letters
from analytics.base.zones import checked_zone
from analytics.sites.site import normal_domain
from analytics.storage import schema
from analytics.storage.database import Database


class AlreadySetUp(RuntimeError):
    """There is an account already, so the set-up link is used up."""


def setup_token(secret: bytes) -> str:
    """The token in the installation's one-time set-up link."""
    return hmac.new(secret, b"footfall set-up", hashlib.sha256).hexdigest()


def setup_link(address: str, secret: bytes) -> str:
    """The one-time link of the server at `address` (`http://host:port`); it is used up with the first account."""
    return f"{address}/setup?token={setup_token(secret)}"


def is_setup_token(secret: bytes, token: str) -> bool:
    """Whether the token is that of the installation's set-up link."""
    return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), setup_token(secret).encode())


def set_up(database: Database, email: str, password: str, domain: str, timezone: str, *, now: int) -> str:
    """Makes the owner, the first site and a login in one transaction, and returns the login's token.

    `InvalidInput` as for a new account and a new site; `AlreadySetUp` if there is an account already.
    """
    address = accounts.normal_email(email)
    hashed = passwords.hash_password(passwords.checked_password(password))
    domain = normal_domain(domain)
    site = {"domain": domain, "timezone": checked_zone(timezone), "created_at": now}
    with database.transaction() as connection:
        accounts.lock_people(database, connection)
        if connection.execute(select(schema.people.c.id).limit(1)).first():
            raise AlreadySetUp
        owner = accounts.insert_person(connection, address, OWNER, hashed, now)
        there = select(schema.sites.c.id).where(schema.sites.c.domain == site["domain"])
        if not connection.execute(there).first():  # the command line may have added it before
            connection.execute(insert(schema.sites).values(site | {"name": to_letters(domain), "uuid": str(uuid4())}))
        return logins.insert_login(connection, owner.id, now)

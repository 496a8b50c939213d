"""Passwords: their limits, hashing and checking, with argon2id."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from analytics.base.errors import InvalidInput, message

MIN_PASSWORD, MAX_PASSWORD = 10, 1_000
HASHER = PasswordHasher()  # argon2id: 64 MiB, 3 passes, 4 lanes (RFC 9106, the second choice)

# Checked for an unknown e-mail, so that it takes as long as a known one.
UNKNOWN_HASH = "$argon2id$v=19$m=65536,t=3,p=4$Ok7Cg0kJaXEAaBp/vBiuJw$NxQYCsm8kLUJ+TcjQpoT/2JH2gvcrbN/UkH+auLxZGw"

_hashing = threading.BoundedSemaphore(2)  # 64 MiB each
_queue = threading.BoundedSemaphore(12)  # threads that hash or wait to hash


class Busy(RuntimeError):
    """Too many passwords are being checked at this moment; try again in a second or two."""


def checked_password(password: str) -> str:
    """The password, if its length is allowed; else `InvalidInput`."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(
            message("a password has {least} to {most} characters", least=MIN_PASSWORD, most=MAX_PASSWORD)
        )
    return password


def _bytes(password: str) -> bytes:
    """The password's bytes, equal for equal letters however a keyboard composes them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@contextmanager
def _turn() -> Iterator[None]:
    """Allows two threads to hash at once and ten more to wait; else `Busy`."""
    if not _queue.acquire(blocking=False):
        raise Busy("too many passwords are being checked at this moment")
    try:
        with _hashing:
            yield
    finally:
        _queue.release()


def hash_password(password: str) -> str:
    """The hash to store. Raises `Busy` while a dozen others are hashed or wait."""
    with _turn():
        return HASHER.hash(_bytes(password))


def matches(hashed: str, password: str) -> bool:
    """Whether the hash is that of the password. Raises `Busy` as `hash_password`."""
    with _turn():
        try:
            return HASHER.verify(hashed, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

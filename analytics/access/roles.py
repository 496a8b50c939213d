"""The roles, what each may do, and the person who has them.

A viewer reads. An admin also changes a site's settings, cards, keys and demo traffic. An owner also removes the site
and manages its people. Only an admin of every site adds sites; only an owner of every site manages the people of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analytics.base.errors import InvalidInput, message

VIEWER, ADMIN, OWNER = "viewer", "admin", "owner"
ROLES = (OWNER, ADMIN, VIEWER)
MEMBER = "member"  # no role on every site: only the memberships count
ROLE_NAMES = {VIEWER: message("viewer"), ADMIN: message("admin"), OWNER: message("owner")}  # within a sentence
_RANKS = {MEMBER: 0, VIEWER: 1, ADMIN: 2, OWNER: 3}


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an account.

    `role` is valid on every site: one of `ROLES`, or `MEMBER` for none. `memberships` are the roles on single sites,
    by the site's id. `created_at` is in seconds since the epoch. `language` is that of dates and numbers: one of
    `language.LANGUAGES`, or "" for the browser's.
    """

    id: int
    email: str
    role: str
    created_at: int
    memberships: Mapping[int, str] = field(default_factory=dict)
    language: str = ""

    def role_on(self, site_id: int) -> str:
        """The higher of the role on every site and the role on this one; `MEMBER` without either."""
        return higher(self.role, self.memberships.get(site_id, MEMBER))

    def may(self, at_least: str, site_id: int) -> bool:
        """Whether the role on the site is `at_least` or a higher one."""
        return reaches(self.role_on(site_id), at_least)

    def administers(self, site_id: int) -> bool:
        """Whether the role on the site is that of an admin or higher. On a public dashboard nobody has such a role."""
        return self.id != ANYBODY.id and self.may(ADMIN, site_id)

    def may_everywhere(self, at_least: str) -> bool:
        """Whether the role on every site is `at_least` or a higher one."""
        return reaches(self.role, at_least)


ANYBODY = Person(0, "", OWNER, 0)
"""Everybody who opens a public dashboard: sees every page, and changes nothing (`callbacks/forms.py`)."""


def reaches(role: str, at_least: str) -> bool:
    """Whether `role` is `at_least` or a higher one."""
    return _RANKS[role] >= _RANKS[at_least]


def higher(one: str, other: str) -> str:
    """The higher of two roles."""
    return max(one, other, key=_RANKS.__getitem__)


def checked_role(text: str) -> str:
    """The role, if it is one of `ROLES`; else `InvalidInput`."""
    if text not in ROLES:
        raise InvalidInput(f"role {text!r}: {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    return text

"""Access: the roles, and which of them reaches how far.

A viewer reads. An admin also changes a site's settings, cards, keys and demo traffic. An owner also removes the site
and says who is there. Adding a site takes an admin of every site; who is on every site, an owner of every site says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analytics.base.errors import InvalidInput

VIEWER, ADMIN, OWNER = "viewer", "admin", "owner"
ROLES = (OWNER, ADMIN, VIEWER)
MEMBER = "member"  # no role of its own: only what memberships say
_RANKS = {MEMBER: 0, VIEWER: 1, ADMIN: 2, OWNER: 3}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account.

    `role` holds on every site: one of `ROLES`, or `MEMBER` for none. `memberships` are the roles on single sites, by
    the site's id. `created_at` is in seconds since the epoch. `language` is that of dates and numbers, one of
    `language.LANGUAGES` or "" for the browser's.
    """

    id: int
    email: str
    role: str
    created_at: int
    memberships: Mapping[int, str] = field(default_factory=dict)
    language: str = ""

    def role_on(self, site_id: int) -> str:
        """The higher of the role on every site and the one on this; `MEMBER` for neither."""
        return higher(self.role, self.memberships.get(site_id, MEMBER))

    def may(self, at_least: str, site_id: int) -> bool:
        """Whether the role on that site is `at_least` that one."""
        return reaches(self.role_on(site_id), at_least)

    def may_everywhere(self, at_least: str) -> bool:
        """Whether the role on every site is `at_least` that one."""
        return reaches(self.role, at_least)


PUBLIC_VIEWER = Person(0, "", VIEWER, 0)  # who looks at a public dashboard


def reaches(role: str, at_least: str) -> bool:
    """Whether `role` may all that `at_least` may."""
    return _RANKS[role] >= _RANKS[at_least]


def higher(one: str, other: str) -> str:
    """The role of the two that may more."""
    return max(one, other, key=_RANKS.__getitem__)


def checked_role(text: str) -> str:
    """The role itself when it is one that can be given."""
    if text not in ROLES:
        raise InvalidInput(f"role {text!r}: {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    return text

"""The audience of a rule: whom it notifies in the app."""

from __future__ import annotations

from enum import StrEnum


class Audience(StrEnum):
    """Who sees the notifications of a rule: everybody who sees the site, or those who are admins or owners of it.

    Programs with a key see all. Channels outside get them whatever the audience is.
    """

    EVERYBODY = "everybody"
    ADMINS = "admins"


def stricter(one: Audience, other: Audience) -> Audience:
    """The audience that fewer people belong to."""
    return Audience.ADMINS if Audience.ADMINS in (one, other) else Audience.EVERYBODY

"""A host that sends events for a site without being on its list."""

from __future__ import annotations

from typing import NamedTuple

OTHER = "(other)"
"""What stands for the hosts beyond the first hundred of a site; it can be neither included nor ignored."""


NO_SITE = 0
"""The number in the place of a site's for what names none."""


class UnlistedHost(NamedTuple):
    """One host: how many of its events were left out so far, and when the last one came (to the minute)."""

    host: str
    events: int
    last_at: int

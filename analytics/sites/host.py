"""An unlisted host: it sends events for a site without being on the site's list."""

from __future__ import annotations

from typing import NamedTuple

OTHER = "(other)"
"""Stands for all hosts beyond the first hundred of a site; it can be neither included nor ignored."""

NO_SITE = 0
"""Used as the site id of events that name no known site."""


class UnlistedHost(NamedTuple):
    """One host, how many of its events were left out, and when the last one came (epoch s, to the minute)."""

    host: str
    events: int
    last_at: int

"""The values of a recount: what it works with, and what it finds wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from analytics.base.background import Pause, Report
from analytics.storage.database import Database


class RecountContext(NamedTuple):
    """What a recount works with.

    `window_s` is how long after a beat a person is active; `kept` is, by site, the first second (epoch) whose
    heartbeats are not purged, `samples_since` that of samples.
    """

    database: Database
    window_s: int
    kept: Mapping[int, int]
    pause: Pause
    report: Report
    samples_since: int = 0


class WrongRow(NamedTuple):
    """A wrong row of a table of counts. `right` has the right columns; None: there should be no row."""

    site_id: int
    key: str | int  # the day or the hour
    description: str
    right: dict[str, Any] | None


def domain_name(domains: dict[int, str], site_id: int) -> str:
    """The site's domain, or words for a removed site and for no site."""
    return domains.get(site_id, f"the removed site {site_id}" if site_id else "no site")

"""The context from which doors answer, and the types of their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from analytics.access.api_keys import KeyRing
from analytics.access.embeds import EmbedRing
from analytics.live.minutes import MinuteHistory
from analytics.sites.directory import Directory
from analytics.sites.site import Site
from analytics.storage.database import Database
from collector.api.statistics import Statistics
from collector.cache.answers import AnswerCache
from collector.http.counts import Counts
from collector.http.messages import Headers, Response, error
from collector.live.hub import Hub, Subscription
from collector.store.writer import Writer

NO_STORE = ("Cache-Control", "no-store")
NO_SNIFF = ("X-Content-Type-Options", "nosniff")
DATABASE_AWAY = error(503, "database_away", "the database does not answer", (NO_STORE, ("Retry-After", "5")))
NOTHING_HERE = error(404, "not_found", "there is nothing here for you", (NO_STORE,))

IsAllowed = Callable[[], bool]
SiteAccess = Callable[[Mapping[str, str]], Callable[[Site], bool] | None]
"""By the headers of a request: whether the signed-in person may read a site; None without a valid login."""


class Stream(NamedTuple):
    """An answer without an end. `allowed` is checked repeatedly while it lasts."""

    headers: Headers
    subscribe: Callable[[Callable[[], None]], Subscription]
    unsubscribe: Callable[[Subscription], None]
    allowed: IsAllowed


Answer = Response | Stream


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one process from which doors answer.

    `clock` returns epoch seconds; `behind_s` returns how many seconds the replica is behind; `beat_s` is the heartbeat
    interval of the served script; `base_path` is the path of the installation's address; `ending` says whether the
    server is shutting down.
    """

    writer: Writer
    hub: Hub
    history: MinuteHistory
    sites: Directory
    keys: KeyRing
    embeds: EmbedRing
    database: Database
    statistics: Statistics
    site_access: SiteAccess
    clock: Callable[[], float]
    behind_s: Callable[[], float]
    answers: AnswerCache
    counts: Counts = field(default_factory=Counts)
    beat_s: int = 30
    base_path: str = ""
    ending: Callable[[], bool] = lambda: False

    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock())

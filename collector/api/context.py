"""What doors answer from, and what they may answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from analytics.access.api_keys import KeyRing
from analytics.access.embeds import EmbedRing
from analytics.live.minutes import MinuteHistory
from analytics.sites.directory import Directory
from analytics.sites.site import Site
from analytics.storage.database import Database
from collector.api.statistics import Statistics
from collector.http.messages import Headers, Response, error
from collector.live.hub import Hub, Subscription
from collector.store.writer import Writer

NO_STORE = ("Cache-Control", "no-store")
NO_SNIFF = ("X-Content-Type-Options", "nosniff")
DATABASE_AWAY = error(503, "database_away", "the database does not answer", (NO_STORE, ("Retry-After", "5")))
NOTHING_HERE = error(404, "not_found", "there is nothing here for you", (NO_STORE,))

May = Callable[[], bool]
WhoReads = Callable[[Mapping[str, str]], Callable[[Site], bool] | None]


class Stream(NamedTuple):
    """An answer without an end; `allowed` is asked again while it lasts."""

    headers: Headers
    subscribe: Callable[[Callable[[], None]], Subscription]
    unsubscribe: Callable[[Subscription], None]
    allowed: May


Answered = Response | Stream


@dataclass(frozen=True, slots=True)
class Context:
    """The open parts of one process that doors answer from.

    `who_reads` says by the headers which sites somebody signed in may read, None for a stranger; `clock` gives epoch
    seconds, `behind_s` the age of the replica's answers in seconds; the script that is served beats every `beat_s`
    seconds; `base_path` is where people find us; `ending` says whether the server ends.
    """

    writer: Writer
    hub: Hub
    history: MinuteHistory
    sites: Directory
    keys: KeyRing
    embeds: EmbedRing
    database: Database
    statistics: Statistics
    who_reads: WhoReads
    clock: Callable[[], float]
    behind_s: Callable[[], float]
    beat_s: int = 30
    base_path: str = ""
    ending: Callable[[], bool] = lambda: False

    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock())

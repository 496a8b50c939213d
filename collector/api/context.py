"""The context from which doors answer, and the types of their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from analytics.access.api_keys import KeyRing
from analytics.access.embeds import EmbedRing
from analytics.access.roles import Person
from analytics.activity.watch import Watch
from analytics.live.minutes import MinuteHistory
from analytics.notify.outbound.outside import Outside
from analytics.notify.totals import NotifyTotals
from analytics.sites.directory import Directory
from analytics.storage.database import Database
from collector.api.statistics import Statistics
from collector.api.system_load import SystemLoad
from collector.cache.answers import AnswerCache
from collector.http.counts import Counts
from collector.http.messages import Headers, Response, error
from collector.live.bells import Bells
from collector.live.changing import ChangingList
from collector.live.hub import Hub, Subscription
from collector.store.sample_writer import SampleWriter
from collector.store.writer import Writer

NO_STORE = ("Cache-Control", "no-store")
NO_SNIFF = ("X-Content-Type-Options", "nosniff")
DATABASE_AWAY = error(503, "database_away", "the database does not answer", (NO_STORE, ("Retry-After", "5")))
NOTHING_HERE = error(404, "not_found", "there is nothing here for you", (NO_STORE,))

IsAllowed = Callable[[], bool]
PersonOf = Callable[[Mapping[str, str]], Person | None]
"""The signed-in person by the headers of a request; `ANYBODY` on a public dashboard, None without a valid login."""


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
    server is shutting down; `refresh` makes changes of what is kept in memory take effect; `outside` is what channels
    need; `watches` returns the followed tables with their state of a second ago.
    """

    writer: Writer
    hub: Hub
    bells: Bells
    changing: Sequence[ChangingList]
    history: MinuteHistory
    sites: Directory
    keys: KeyRing
    embeds: EmbedRing
    database: Database
    statistics: Statistics
    person_of: PersonOf
    clock: Callable[[], float]
    behind_s: Callable[[], float]
    answers: AnswerCache
    outside: Outside
    notify_totals: Callable[[], NotifyTotals]
    refresh: Callable[[], None]
    watches: Callable[[], Sequence[Watch]]
    samples: SampleWriter
    counts: Counts = field(default_factory=Counts)
    load: SystemLoad = field(default_factory=SystemLoad)
    beat_s: int = 30
    base_path: str = ""
    ending: Callable[[], bool] = lambda: False

    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock())

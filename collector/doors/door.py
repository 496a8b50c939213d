"""A door: a path with methods, and the functions that read and answer its requests. `table` lists all doors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

from analytics.sites.site import Site
from collector.api.context import Answer, Context
from collector.api.docs import Docs
from collector.http.messages import Request, Response
from collector.ingest.event import Body
from collector.ingest.outcomes import Outcome, Rejected


class Credential(StrEnum):
    """A kind of credential, by its name in the OpenAPI document."""

    INGEST = "ingest"
    STATS = "stats"
    ADMIN = "admin"
    LOGIN = "login"
    TOKEN = "token"  # noqa: S105 - the name of a kind


Credentials = tuple[Credential, ...]  # any one of them is sufficient
ANYBODY: Credentials = ()
READERS: Credentials = (Credential.STATS, Credential.LOGIN, Credential.TOKEN)
PROGRAMS: Credentials = (Credential.STATS,)
MANAGERS: Credentials = (Credential.ADMIN,)
SENDERS: Credentials = (Credential.INGEST,)
PEOPLE: Credentials = (Credential.LOGIN,)
CARD_READERS: Credentials = (Credential.TOKEN, Credential.LOGIN)


class Threads(Enum):
    """Where a door answers under `serve`."""

    LOOP = "on the event loop: for answers that never block"
    LIVE = "in the threads for live state: for answers that may query the database"
    SAMPLES = "in the threads for samples, with a limit for each key: for answers that wait for a commit"
    STATISTICS = "in the threads for programs, with a limit for each key: for queries that may take seconds"


SiteOf = Callable[[str], Site | None]
"""The site of a domain or a UUID, None if there is none."""

SiteWithId = Callable[[int], Site | None]
"""The site with an id, None if there is none."""


class Collects(NamedTuple):
    """A door that collects events from pages of any origin. It translates a wire format.

    `read` turns a request into our events, or returns why the whole request is refused; it never raises. `answer` turns
    the outcomes, in the order sent, into the response; its second argument is `Body.batch`, its third finds the site of
    an outcome. An invalid request, a full queue and an unavailable database are outcomes too.
    """

    methods: tuple[str, ...]
    path: str
    read: Callable[[Request, SiteOf], Body | Rejected]
    answer: Callable[[Sequence[Outcome], bool, SiteWithId], Response]
    docs: Docs | None

    @property
    def credentials(self) -> Credentials:
        """None needed: an `ingest` key only allows a server to send for its visitors."""
        return ANYBODY

    @property
    def cross_origin(self) -> bool:
        """Whether pages of any origin may use the door."""
        return True


class Answers(NamedTuple):
    """A door that answers questions. `path` may have places in braces, each for one segment.

    `answer` itself checks the credentials; `credentials` only limits the size of a body, and is documented. `docs` is
    None if another row documents the path.
    """

    methods: tuple[str, ...]
    path: str
    credentials: Credentials
    answer: Callable[[Context, Request], Answer]
    threads: Threads
    docs: Docs | None
    cross_origin: bool = False


Door = Collects | Answers

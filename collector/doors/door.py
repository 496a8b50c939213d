"""What a door is: an address with a method, and what reads and answers there. `table` lists all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

from analytics.sites.site import Site
from collector.api.context import Answered, Context
from collector.api.docs import Docs
from collector.http.messages import Request, Response
from collector.ingest.event import Body
from collector.ingest.outcomes import Outcome, Rejected


class Credential(StrEnum):
    """What somebody shows to be let in, by its name in the OpenAPI document."""

    INGEST = "ingest"
    STATS = "stats"
    LOGIN = "login"
    TOKEN = "token"  # noqa: S105 - the name of a kind


Who = tuple[Credential, ...]  # any one of them opens
ANYBODY: Who = ()
READERS: Who = (Credential.STATS, Credential.LOGIN, Credential.TOKEN)
PROGRAMS: Who = (Credential.STATS,)
CARD_READERS: Who = (Credential.TOKEN, Credential.LOGIN)


class Threads(Enum):
    """Where a door answers under `serve`."""

    LOOP = "on the event loop: for what waits for nothing"
    LIVE = "in the threads of live questions: for what may ask the database"
    STATISTICS = "in the threads of programs, a share for each key: for what may count for seconds"


SiteOf = Callable[[str], Site | None]
"""The site of a domain or a UUID, None where there is none."""


class Collects(NamedTuple):
    """A door that collects, for pages of any origin: it translates a wire format.

    `read` gives the events of a request as our own, or why the whole request is refused; it never raises. `answer`
    gives the response to their outcomes, in the order sent; its second argument is `Body.batch`. A wrong request, a
    full queue and a database that is away are outcomes too.
    """

    methods: tuple[str, ...]
    path: str
    read: Callable[[Request, SiteOf], Body | Rejected]
    answer: Callable[[Sequence[Outcome], bool], Response]
    docs: Docs | None

    @property
    def who(self) -> Who:
        """Anybody: a key only adds what a server may say of others."""
        return ANYBODY

    @property
    def cross_origin(self) -> bool:
        """Whether pages of any origin may use it."""
        return True


class Answers(NamedTuple):
    """A door that answers. `who` is checked by `answer` itself; here it says how much a body may weigh, and to the
    documents who is let in. Docs are None where another row describes the address.
    """

    methods: tuple[str, ...]
    path: str
    who: Who
    answer: Callable[[Context, Request], Answered]
    threads: Threads
    docs: Docs | None
    cross_origin: bool = False


Door = Collects | Answers

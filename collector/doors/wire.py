"""What a door needs to speak a wire format: where it is, how it reads, how it answers, and how it is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from analytics.sites.site import Site
from collector.http.messages import Request, Response
from collector.ingest.accepted import Outcome
from collector.ingest.event import Body, Rejected

SiteOf = Callable[[str], Site | None]
"""The site of a domain or a UUID, None where there is none."""


class Docs(NamedTuple):
    """What the OpenAPI document says of a wire format: `answers` by status, an example of what is sent and answered."""

    summary: str
    said: str
    answers: Mapping[str, str]
    sent: Any
    answered: Any
    kind: str = "application/json"


class Wire(NamedTuple):
    """A wire format of `POST path`.

    `read` gives the events of a request in our own form, or why the whole body is refused; it never raises. `answer`
    gives the response to their outcomes, in the order sent; the second argument is `Body.batch`.
    """

    path: str
    read: Callable[[Request, SiteOf], Body | Rejected]
    answer: Callable[[Sequence[Outcome], bool], Response]
    docs: Docs | None = None  # None: `openapi` describes it itself

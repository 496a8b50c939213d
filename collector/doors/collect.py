"""`POST /api/collect`, and the collector behind every door that collects. Contract §3.1 defines the answers."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy.exc import SQLAlchemyError

from analytics.access.api_keys import Key
from analytics.base.error_log import describe
from analytics.live.outcomes import DROPPED
from analytics.live.reasons import RejectedReason
from analytics.sites.site import readable_domain
from collector.doors.cors import CORS
from collector.doors.door import Collects, SiteOf, SiteWithId
from collector.http.messages import Request, Response, bearer_token, json_response
from collector.http.proxies import PROXY_HEADERS, Proxies
from collector.ingest import pipeline
from collector.ingest.accepted import Accepted
from collector.ingest.event import Body, Event, EventNote, read_body
from collector.ingest.outcomes import (
    Duplicate,
    Filtered,
    Outcome,
    Refusal,
    Rejected,
    Shed,
    Stored,
    TotalsRaised,
    name_and_reason,
)
from collector.ingest.pipeline import Kit
from collector.store.writer import AWAY, MAX_COMMIT_S, QueuedRequest, Writer

log = logging.getLogger("footfall.collect")

NO_NOTE = EventNote()
FORWARDED = ("x-forwarded-for", *PROXY_HEADERS)
PATH = "/api/collect"
STORED_ONE = json_response(202, {"stored": 1, "duplicate": 0}, CORS)


class Pending(NamedTuple):
    """A request with accepted events that have to be committed. In the order sent."""

    accepted: list[Accepted]
    outcomes: list[Outcome | None]  # of all events; None for an accepted one
    batch: bool
    door: Collects
    site_with_id: SiteWithId

    def answer(self, committed: Sequence[Outcome]) -> Response:
        """The answer, from the outcomes of the accepted events; empty: the database did not answer in time."""
        if not committed:
            committed = [AWAY] * len(self.accepted)
        if not self.batch:
            return self.door.answer(committed, False, self.site_with_id)
        rest = iter(committed)
        return self.door.answer([outcome or next(rest) for outcome in self.outcomes], True, self.site_with_id)


class Keys(Protocol):
    """Finds API keys by their plain text."""

    def find(self, plain: str) -> Key | None: ...


class Collector:
    """Turns requests into accepted events and has them committed. Stateless, apart from the parts that it uses."""

    def __init__(
        self,
        kit: Kit,
        keys: Keys,
        writer: Writer,
        proxies: Proxies,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kit = kit
        self._keys = keys
        self._writer = writer
        self._proxies = proxies
        self._clock = clock

    def client(self, request: Request) -> str:
        """The visitor's address: that in front of the trusted proxies."""
        return self._proxies.client(request)

    def trusts(self, address: str) -> bool:
        """Whether the address, in its plain form, is that of a trusted proxy."""
        return self._proxies.trusts(address)

    def begin(self, request: Request, door: Collects) -> Response | Pending:
        """The door's answer, or the events that have to be committed before it. Never raises."""
        try:
            return self._begin(request, door)
        except SQLAlchemyError as away:
            log.error("the database does not answer: %s", describe(away))
        except Exception as failed:
            log.error("an event could not be taken apart: %s", describe(failed))
        self._writer.count(0, int(time.time()), *name_and_reason(AWAY))
        return door.answer([AWAY], False, self._kit.sites.numbered)

    def collect(self, request: Request, door: Collects, patience_s: float) -> Response:
        """The answer, after the commit. Blocks the thread, for at most `patience_s` seconds."""
        pending = self.begin(request, door)
        if not isinstance(pending, Pending):
            return pending
        done = threading.Event()
        committed: list[Outcome] = []

        def deliver(outcomes: list[Outcome]) -> None:
            committed.extend(outcomes)
            done.set()

        self._writer.submit([QueuedRequest(pending.accepted, deliver)])
        return pending.answer(committed if self._wait(done, patience_s) else [])

    def _wait(self, done: threading.Event, patience_s: float) -> bool:
        """Waits for the commit; stops early if the database is slow. Whether it was committed."""
        until = time.monotonic() + patience_s
        while not done.wait(MAX_COMMIT_S):
            if self._writer.slow or time.monotonic() > until:
                return done.is_set()
        return True

    def _begin(self, request: Request, door: Collects) -> Response | Pending:
        sites = self._kit.sites
        body = door.read(request, sites.named)
        if isinstance(body, Rejected):
            self._writer.count(0, int(self._clock()), *name_and_reason(body))
            return door.answer([body], False, sites.numbered)
        accepted: list[Accepted] = []
        outcomes: list[Outcome | None] = []
        for one in self._run(request, body):
            if isinstance(one, Accepted):
                accepted.append(one)
                outcomes.append(None)
            else:
                outcomes.append(one)
        if not accepted:
            return door.answer([outcome for outcome in outcomes if outcome], body.batch, sites.numbered)
        pending = Pending(accepted, outcomes, body.batch, door, sites.numbered)
        return self._shed(pending) if self._writer.stuck else pending

    def _shed(self, pending: Pending) -> Response:
        """The answer while the database hangs: the request does not wait for it."""
        for one in pending.accepted:
            self._writer.count(one.site_id, one.at, *name_and_reason(AWAY))
        return pending.answer([])

    def _run(self, request: Request, body: Body) -> list[Accepted | Refusal]:
        """The pipeline's result for each event. Counts refusals."""
        address, headers = request.peer, request.headers
        if headers.keys().isdisjoint(FORWARDED) and ":" not in address:  # a plain IPv4 address without a proxy
            self._proxies.untrusted.recent.extend(("",) * len(body.events))
        else:
            address, headers = self._proxies.client(request), self._proxies.trusted_headers(request)
            self._proxies.watch(request, address, len(body.events))
        now_ms = int(self._clock() * 1000)
        results: list[Accepted | Refusal] = []
        for index, event in enumerate(body.events):
            if isinstance(event, Rejected):
                result: Accepted | Refusal = event
                domain = body.notes.get(index, NO_NOTE).site
            else:
                trusted = self._may_speak_for(headers, event)
                hit = pipeline.read_hit(event, self._kit, address, headers, now_ms, trusted=trusted)
                result = hit if isinstance(hit, Rejected) else pipeline.run(hit, self._kit)
                domain = event.site
            if not isinstance(result, Accepted):
                self._count(result, domain, now_ms // 1000)
            results.append(result)
        if body.notes:
            self._count_dropped(body.notes.values(), now_ms // 1000)
        return results

    def _count(self, refusal: Refusal, domain: str, at: int) -> None:
        """Counts a refusal for the site of that domain; for an unknown site under id 0, with the domain."""
        site_id, name = self._site_id(domain), ""
        if isinstance(refusal, Filtered):
            name = refusal.name
        elif not site_id and name_and_reason(refusal)[1] is RejectedReason.UNKNOWN_SITE:
            name = readable_domain(domain)
        self._writer.count(site_id, at, *name_and_reason(refusal), name)

    def _count_dropped(self, notes: Iterable[EventNote], at: int) -> None:
        """Counts the optional fields that were dropped from events of known sites, for every outcome of the event."""
        for note in notes:
            site_id = self._site_id(note.site) if note.dropped else 0
            for field in note.dropped if site_id else ():
                self._writer.count(site_id, at, DROPPED, field)

    def _site_id(self, domain: str) -> int:
        """The id of the site with that domain, 0 if there is none."""
        site = self._kit.sites.get(domain)
        return site.id if site else 0

    def _may_speak_for(self, headers: Mapping[str, str], event: Event) -> bool:
        """Whether the request carries an `ingest` key for the event's site."""
        if "authorization" not in headers:
            return False
        key = self._keys.find(bearer_token(headers))
        site = self._kit.sites.get(event.site)
        return key is not None and site is not None and key.opens("ingest", site.id)


def read(request: Request, _: SiteOf) -> Body | Rejected:
    """The events in the format of the site script."""
    return refused_unread(request.headers) or read_body(request.body)


def refused_unread(headers: Mapping[str, str]) -> Rejected | None:
    """Why a body is refused before it is read: for its type or encoding; None if it is not."""
    if headers.get("content-encoding", "identity") != "identity":
        return Rejected(415, RejectedReason.ENCODED_BODY, "the body may not be compressed")
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("application/json", "text/plain"):
        return Rejected(415, RejectedReason.WRONG_CONTENT_TYPE, "the body is application/json or text/plain")
    return None


def answer(outcomes: Sequence[Outcome], batch: bool, _: SiteWithId) -> Response:
    """The answer to a request whose events have these outcomes."""
    return _answer_many(outcomes) if batch else _answer_one(outcomes[0])


def _answer_one(outcome: Outcome) -> Response:
    match outcome:
        case Stored() | TotalsRaised():
            return STORED_ONE
        case Duplicate():
            return json_response(202, {"stored": 0, "duplicate": 1}, CORS)
        case Filtered(reason):
            return json_response(200, {"stored": 0, "filtered": reason}, (*CORS, _outcome_header(reason)))
        case Rejected():
            return json_response(outcome.status, {"error": outcome.error}, CORS)
        case Shed():
            body = {"error": {"code": outcome.code, "message": outcome.message}}
            return json_response(outcome.status, body, (*CORS, ("Retry-After", str(outcome.retry_after))))


def _answer_many(outcomes: Sequence[Outcome]) -> Response:
    shed = [outcome for outcome in outcomes if isinstance(outcome, Shed)]
    kinds = (Stored | TotalsRaised, Duplicate)
    stored, duplicate = (sum(isinstance(outcome, kind) for outcome in outcomes) for kind in kinds)
    reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Filtered))
    body: dict[str, Any] = {"stored": stored, "duplicate": duplicate}
    headers = [*CORS]
    if reasons:
        body |= {"filtered": reasons.total(), "reasons": dict(reasons)}
        headers.append(_outcome_header(next(iter(reasons))))
    if refused := [_refused(index, outcome) for index, outcome in enumerate(outcomes) if _is_refused(outcome)]:
        body["rejected"] = refused
    if shed:
        headers.append(("Retry-After", str(max(one.retry_after for one in shed))))
    if stored or duplicate:
        return json_response(202, body, tuple(headers))
    if shed:  # before 200 and 422: if the sender retries, these events may be stored
        first = {"code": shed[0].code, "message": shed[0].message}
        return json_response(shed[0].status, body | {"error": first}, tuple(headers))
    if reasons:
        return json_response(200, body, tuple(headers))
    return json_response(422, body | {"error": refused[0]["error"]}, tuple(headers))


def _is_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected | Shed)


def _refused(index: int, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Rejected):
        return {"index": index, "error": outcome.error}
    assert isinstance(outcome, Shed)
    return {"index": index, "error": {"code": outcome.code, "message": outcome.message}}


def _outcome_header(reason: str) -> tuple[str, str]:
    return "X-Footfall-Outcome", f"filtered; reason={reason}"

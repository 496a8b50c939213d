"""`POST /api/collect`: the core behind every door. Contract §3.1 says what each answer means."""

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
from collector.doors.door import Collects, SiteOf
from collector.http.messages import Request, Response, json_response
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
    """A request whose accepted events have to be committed; the other outcomes are known. Order as sent."""

    accepted: list[Accepted]
    known: list[Outcome | None]  # None: the next of the accepted ones
    batch: bool
    door: Collects

    def answer(self, outcomes: Sequence[Outcome]) -> Response:
        """The answer, once the missing outcomes are known; none at all: the database did not say in time."""
        if not outcomes:
            outcomes = [AWAY] * len(self.accepted)
        if not self.batch:
            return self.door.answer(outcomes, False)
        rest = iter(outcomes)
        return self.door.answer([outcome or next(rest) for outcome in self.known], True)


class Keys(Protocol):
    """Whoever knows the API keys."""

    def find(self, plain: str) -> Key | None: ...


class Collector:
    """Takes requests apart into accepted events; holds no state of its own but what it works with."""

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
        """The visitor's address, past the trusted proxies."""
        return self._proxies.client(request)

    def trusts(self, address: str) -> bool:
        """Whether that address, in its plain form, is a trusted proxy's."""
        return self._proxies.trusts(address)

    def begin(self, request: Request, door: Collects) -> Response | Pending:
        """The door's answer, or what has to be committed before there is one. Never raises."""
        try:
            return self._begin(request, door)
        except SQLAlchemyError as away:
            log.error("the database does not answer: %s", describe(away))
        except Exception as failed:
            log.error("an event could not be taken apart: %s", describe(failed))
        self._writer.count(0, int(time.time()), *name_and_reason(AWAY))
        return door.answer([AWAY], False)

    def collect(self, request: Request, door: Collects, patience_s: float) -> Response:
        """The answer, after the commit: waits so many seconds for it at most. For callers with a thread to spare."""
        begun = self.begin(request, door)
        if not isinstance(begun, Pending):
            return begun
        done = threading.Event()
        got: list[Outcome] = []

        def deliver(outcomes: list[Outcome]) -> None:
            got.extend(outcomes)
            done.set()

        self._writer.submit([QueuedRequest(begun.accepted, deliver)])
        return begun.answer(got if self._waited(done, patience_s) else [])

    def _waited(self, done: threading.Event, patience_s: float) -> bool:
        """Waits for a commit, as long as it is not the database that makes one wait; whether it came."""
        until = time.monotonic() + patience_s
        while not done.wait(MAX_COMMIT_S):
            if self._writer.slow or time.monotonic() > until:
                return done.is_set()
        return True

    def _begin(self, request: Request, door: Collects) -> Response | Pending:
        body = door.read(request, self._kit.sites.named)
        if isinstance(body, Rejected):
            self._writer.count(0, int(self._clock()), *name_and_reason(body))
            return door.answer([body], False)
        accepted: list[Accepted] = []
        known: list[Outcome | None] = []
        for one in self._run(request, body):
            if isinstance(one, Accepted):
                accepted.append(one)
                known.append(None)
            else:
                known.append(one)
        if not accepted:
            return door.answer([outcome for outcome in known if outcome], body.batch)
        pending = Pending(accepted, known, body.batch, door)
        return self._turn_away(pending) if self._writer.stuck else pending

    def _turn_away(self, pending: Pending) -> Response:
        """The answer while the database hangs: nobody is kept waiting for it."""
        for one in pending.accepted:
            self._writer.count(one.site_id, one.at, *name_and_reason(AWAY))
        return pending.answer([])

    def _run(self, request: Request, body: Body) -> list[Accepted | Refusal]:
        """What the pipeline makes of each event. Refusals are counted here."""
        address, headers = request.peer, request.headers
        if headers.keys().isdisjoint(FORWARDED) and ":" not in address:  # it speaks for nobody else
            self._proxies.untrusted.recent.extend(("",) * len(body.events))
        else:
            address, headers = self._proxies.client(request), self._proxies.trusted_headers(request)
            self._proxies.watch(request, address, len(body.events))
        now_ms = int(self._clock() * 1000)
        results: list[Accepted | Refusal] = []
        for place, event in enumerate(body.events):
            if isinstance(event, Rejected):
                result: Accepted | Refusal = event
                domain = body.notes.get(place, NO_NOTE).site
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
        """Counts what is not stored, under the site of that name; under 0 with the name where there is none."""
        site_id, name = self._number_of(domain), ""
        if isinstance(refusal, Filtered):
            name = refusal.name
        elif not site_id and name_and_reason(refusal)[1] is RejectedReason.UNKNOWN_SITE:
            name = readable_domain(domain)
        self._writer.count(site_id, at, *name_and_reason(refusal), name)

    def _count_dropped(self, notes: Iterable[EventNote], at: int) -> None:
        """Counts the decorating fields that events of known sites lost, whatever became of the events themselves."""
        for note in notes:
            site_id = self._number_of(note.site) if note.dropped else 0
            for field in note.dropped if site_id else ():
                self._writer.count(site_id, at, DROPPED, field)

    def _number_of(self, domain: str) -> int:
        """The number of the site with that name, 0 where there is none."""
        site = self._kit.sites.get(domain)
        return site.id if site else 0

    def _may_speak_for(self, headers: Mapping[str, str], event: Event) -> bool:
        """Whether the request carries an `ingest` key for the event's site."""
        authorization = headers.get("authorization")
        if authorization is None or not authorization.startswith("Bearer "):
            return False
        key = self._keys.find(authorization.removeprefix("Bearer ").strip())
        site = self._kit.sites.get(event.site)
        return key is not None and site is not None and key.opens("ingest", site.id)


def read(request: Request, _: SiteOf) -> Body | Rejected:
    """The events of the site script, or of anybody who sends the same."""
    return refused_unread(request.headers) or read_body(request.body)


def refused_unread(headers: Mapping[str, str]) -> Rejected | None:
    """Why a body is not even read: its type or its encoding."""
    if headers.get("content-encoding", "identity") != "identity":
        return Rejected(415, RejectedReason.ENCODED_BODY, "the body may not be compressed")
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("application/json", "text/plain"):
        return Rejected(415, RejectedReason.WRONG_CONTENT_TYPE, "the body is application/json or text/plain")
    return None


def answer(outcomes: Sequence[Outcome], batch: bool) -> Response:
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
            describe = {"error": {"code": outcome.code, "message": outcome.message}}
            return json_response(outcome.status, describe, (*CORS, ("Retry-After", str(outcome.retry_after))))


def _answer_many(outcomes: Sequence[Outcome]) -> Response:
    shed = [outcome for outcome in outcomes if isinstance(outcome, Shed)]
    kinds = (Stored | TotalsRaised, Duplicate)
    stored, duplicate = (sum(isinstance(outcome, kind) for outcome in outcomes) for kind in kinds)
    reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Filtered))
    describe: dict[str, Any] = {"stored": stored, "duplicate": duplicate}
    headers = [*CORS]
    if reasons:
        describe |= {"filtered": reasons.total(), "reasons": dict(reasons)}
        headers.append(_outcome_header(next(iter(reasons))))
    if refused := [_refused(index, outcome) for index, outcome in enumerate(outcomes) if _is_refused(outcome)]:
        describe["rejected"] = refused
    if shed:
        headers.append(("Retry-After", str(max(one.retry_after for one in shed))))
    if stored or duplicate:
        return json_response(202, describe, tuple(headers))
    if shed:  # before 200 and 422: whoever sends it again may have all of it stored
        first = {"code": shed[0].code, "message": shed[0].message}
        return json_response(shed[0].status, describe | {"error": first}, tuple(headers))
    if reasons:
        return json_response(200, describe, tuple(headers))
    return json_response(422, describe | {"error": refused[0]["error"]}, tuple(headers))


def _is_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected | Shed)


def _refused(index: int, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Rejected):
        return {"index": index, "error": outcome.error}
    assert isinstance(outcome, Shed)
    return {"index": index, "error": {"code": outcome.code, "message": outcome.message}}


def _outcome_header(reason: str) -> tuple[str, str]:
    return "X-Footfall-Outcome", f"filtered; reason={reason}"

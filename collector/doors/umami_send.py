"""`POST /api/send` and `POST /api/batch`: what Umami's script and clients send, answered as Umami's server does.

An event without a name is a pageview. `identify`, `performance` and `engagement` are beats of the page that they name:
who is signed in and the time on the page are kept, other data of the visitor and web vitals are not. Nothing is read
of `x-umami-cache`, which the script sends back: a visit is known by its visitor.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import msgspec

from analytics.live.reasons import FilteredReason, RejectedReason
from collector.api.docs import Docs, Sent
from collector.doors.door import SiteOf
from collector.http.messages import Headers, Request, Response, json_response
from collector.ingest import page_url
from collector.ingest.currency import money
from collector.ingest.event import (
    MAX_BATCH,
    MAX_TITLE,
    Body,
    Engagement,
    Event,
    EventNote,
    read_json,
    without_placeholders,
)
from collector.ingest.outcomes import (
    Duplicate,
    Filtered,
    Outcome,
    Rejected,
    Shed,
    Stored,
    TotalsRaised,
    name_and_reason,
)

PATH = "/api/send"
BATCH_PATH = "/api/batch"
TYPES = ("event", "identify", "performance", "engagement")
MAX_NAME = 50
MAX_HOST = 100
MAX_URL = 4_096
MAX_REFERRER = 2_000
MAX_PROPS = 30
MAX_PROP_NAME = 300
MAX_PROP_TEXT = 2_000
MAX_PROP_DEPTH = 4  # levels of objects within the data
MAX_ENGAGED_MS = 86_400_000
MAX_MOMENT = 2**53
SCREEN = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")

HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Retry-After, X-Footfall-Outcome"),
    ("Cache-Control", "no-store"),
)
NO_OBJECT = Rejected(400, RejectedReason.NOT_AN_OBJECT, "expected an object")
NO_LIST = Rejected(400, RejectedReason.NOT_AN_OBJECT, "expected an array")
WRONG_TYPE = Rejected(422, RejectedReason.WRONG_FIELD, f"Invalid option: expected one of {'|'.join(TYPES)}", "type")
NO_PAYLOAD = Rejected(422, RejectedReason.MISSING_FIELD, "expected an object", "payload")
NO_WEBSITE = Rejected(
    422, RejectedReason.MISSING_FIELD, "Exactly one of website, link, or pixel must be provided", "payload.website"
)
NO_LINKS = Rejected(404, RejectedReason.UNKNOWN_SITE, "there are no links and pixels of Umami here", "payload.website")
WRONG_URL = Rejected(422, RejectedReason.WRONG_FIELD, "Invalid URL", "payload.url")

Told = Mapping[str, Any]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(request: Request, site_of: SiteOf) -> Body | Rejected:
    """The one event of a request."""
    told = read_json(request.body)
    return told if isinstance(told, Rejected) else _body([told], site_of, batch=False)


def read_batch(request: Request, site_of: SiteOf) -> Body | Rejected:
    """The events of an array of what `read` takes."""
    told = read_json(request.body)
    if isinstance(told, Rejected):
        return told
    if not isinstance(told, list):
        return NO_LIST
    if len(told) > MAX_BATCH:
        return Rejected(413, RejectedReason.TOO_MANY, f"{len(told)} events; at most {MAX_BATCH} go into one request")
    return _body(told, site_of, batch=True)


def _body(told: Sequence[Any], site_of: SiteOf, *, batch: bool) -> Body:
    events: list[Event | Rejected] = [_event(one, site_of) for one in told]
    refused = [at for at, event in enumerate(events) if isinstance(event, Rejected)]
    return Body(events, batch, {at: EventNote(_website(told[at])) for at in refused})


def _website(told: Any) -> str:
    """The site that it names, "" for none."""
    payload = told.get("payload") if isinstance(told, dict) else None
    website = payload.get("website") if isinstance(payload, dict) else None
    return website if isinstance(website, str) else ""


def _event(told: Any, site_of: SiteOf) -> Event | Rejected:
    if not isinstance(told, dict):
        return NO_OBJECT
    kind, payload = told.get("type"), told.get("payload")
    if kind not in TYPES:
        return WRONG_TYPE
    if not isinstance(payload, dict):
        return NO_PAYLOAD
    sources = [name for name in ("website", "link", "pixel") if payload.get(name)]
    if len(sources) != 1:
        return NO_WEBSITE
    if sources != ["website"]:
        return NO_LINKS
    website = _website(told)
    if not website:
        return NO_WEBSITE
    site = site_of(website)
    domain = site.domain if site else website
    url = _url(payload, domain)
    if url is None:
        return WRONG_URL
    return without_placeholders(_of_kind(kind, payload, {"site": domain, "url": url} | _common(payload, url)))


def _of_kind(kind: str, payload: Told, common: dict[str, Any]) -> Event:
    """The event; what is no pageview and no event is a beat."""
    if kind == "engagement":
        engaged = payload.get("engagement")
        is_time = type(engaged) is int and 0 < engaged <= MAX_ENGAGED_MS
        return Engagement(type="heartbeat", engaged_ms=engaged if is_time else None, **common)
    if kind != "event":
        return Event(type="heartbeat", **common)
    name = _text(payload, "name", MAX_NAME)
    if not name:
        return Event(type="pageview", **common)
    data = payload.get("data")
    data = data if isinstance(data, dict) else {}
    value, currency = money(data.get("revenue"), data.get("currency"))  # where Umami's report of revenue looks
    return Event(type="event", name=name, props=_props(payload, data), value=value, currency=currency, **common)


def _url(payload: Told, domain: str) -> str | None:
    """The address of the page, from an address or a path; the site's first page without one, None for a wrong one."""
    hostname, told = payload.get("hostname"), payload.get("url")
    if told is not None and not isinstance(told, str):
        return None
    host = hostname if isinstance(hostname, str) and 0 < len(hostname) <= MAX_HOST else domain
    url = _joined(f"https://{host}/", "" if told in (None, "undefined", "/undefined") else told)
    return url if url and page_url.read(url) else None


def _joined(base: str, url: str) -> str:
    """The address, "" where that is none."""
    try:
        return urljoin(base, url) if len(url) <= MAX_URL else ""
    except ValueError:
        return ""


def _common(payload: Told, url: str) -> dict[str, Any]:
    """What every kind says of its visitor and page."""
    referrer = _text(payload, "referrer", MAX_REFERRER)
    screen = SCREEN.fullmatch(_text(payload, "screen", 11) or "")
    moment: Any = payload.get("timestamp")
    language = payload.get("language")
    return {
        "referrer": (_joined(url, referrer) or None) if referrer else None,
        "title": _text(payload, "title", MAX_TITLE),
        "language": language if isinstance(language, str) and len(language) <= 35 else None,
        "screen": (int(screen[1]), int(screen[2])) if screen else None,
        "user_id": _text(payload, "id", 128),
        "visitor_id": _text(payload, "vid", 64),
        "ip": _text(payload, "ip", 64),
        "user_agent": _text(payload, "userAgent", 2_048),
        "time": moment if type(moment) in (int, float) and abs(moment) < MAX_MOMENT else None,
    }


def _text(payload: Told, name: str, longest: int) -> str | None:
    """The field cut to its length; None where it is no text, or empty."""
    value = payload.get(name)
    return value[:longest] if isinstance(value, str) and value else None


def _props(payload: Told, data: Told) -> dict[str, Any] | None:
    """The data as flat properties, the first 30; `tag` beside them."""
    tag = _text(payload, "tag", 50)
    flat = dict(_flat(data, "", MAX_PROP_DEPTH))
    kept = dict(list(flat.items())[:MAX_PROPS])
    if tag and len(kept) < MAX_PROPS:
        kept.setdefault("tag", tag)
    return kept or None


def _flat(data: Told, prefix: str, levels: int) -> Iterator[tuple[str, Any]]:
    """Names with dots for objects within objects; a list is its JSON."""
    for key, value in data.items():
        name = prefix + key
        if isinstance(value, dict) and levels > 1:
            yield from _flat(value, name + ".", levels - 1)
        elif value is not None and len(name) <= MAX_PROP_NAME:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    """A value that a property may have."""
    if isinstance(value, list | dict):
        value = msgspec.json.encode(value).decode()
    elif type(value) is int and abs(value) >= 2**63:
        value = str(value)
    return value[:MAX_PROP_TEXT] if isinstance(value, str) else value


# ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(outcomes: Sequence[Outcome], _: bool) -> Response:
    """200 with UUIDs of visitor and visit and a token for `x-umami-cache`; 200 and `beep` for what is left out."""
    return _answer_one(outcomes[0])


def answer_batch(outcomes: Sequence[Outcome], batch: bool) -> Response:
    """200 with how many were taken, and the answers to the others; 400 for what is no array."""
    if not batch:
        return _answer_one(outcomes[0])
    answers = [_answer_one(outcome) for outcome in outcomes]
    failed = [
        {"index": at, "response": msgspec.json.decode(one.body)} for at, one in enumerate(answers) if one.status != 200
    ]
    if failed and len(failed) == len(answers) and all(one.status == 503 for one in answers):
        return answers[0]  # so that it is sent again
    tokens = [msgspec.json.decode(one.body).get("cache") for one in answers if one.status == 200]
    counts = {"size": len(answers), "processed": len(answers) - len(failed), "errors": len(failed)}
    cache = next(filter(None, reversed(tokens)), None)
    return json_response(200, counts | {"details": failed} | ({"cache": cache} if cache else {}), HEADERS)


def _answer_one(outcome: Outcome) -> Response:
    match outcome:
        case Stored(beat):
            return json_response(200, _session(beat.site_id, beat.visitor, beat.visit_id), HEADERS)
        case TotalsRaised() | Duplicate():
            return json_response(200, {"beep": "boop"}, HEADERS)
        case Filtered(reason):
            told = ("X-Footfall-Outcome", "; reason=".join(name_and_reason(outcome)))
            if reason == FilteredReason.EXCLUDED_ADDRESS:
                return _error(403, "forbidden", "Forbidden", (told,))
            return json_response(200, {"beep": "boop"}, (*HEADERS, told))
        case Rejected():
            return _refused(outcome)
        case Shed(_, message, retry_after, status):
            code = "too-many-requests" if status == 429 else "service-unavailable"
            return _error(status, code, message, (("Retry-After", str(retry_after)),))


def _refused(outcome: Rejected) -> Response:
    """400, with the field in the shape of a tree."""
    if outcome.code == RejectedReason.UNKNOWN_SITE:
        return _error(400, "bad-request", "Website not found.")
    tree: dict[str, Any] = {"errors": [outcome.message]}
    for name in reversed(outcome.field.split(".") if outcome.field else []):
        tree = {"errors": [], "properties": {name: tree}}
    return _error(400, "bad-request", "Bad request", (), tree)


def _error(status: int, code: str, message: str, headers: Headers = (), tree: Told | None = None) -> Response:
    told = {"message": message, "code": code, "status": status} | dict(tree or {})
    return json_response(status, {"error": told}, (*HEADERS, *headers))


_key = secrets.token_bytes(32)  # of this process alone: nobody checks what it signs


def _session(site_id: int, visitor: int, visit_id: int) -> dict[str, str]:
    session, visit = _uuid(f"session {site_id} {visitor}"), _uuid(f"visit {site_id} {visit_id}")
    claims = {"sessionId": session, "visitId": visit, "iat": int(time.time())}
    return {"cache": _token(claims), "sessionId": session, "visitId": visit}


def _uuid(text: str) -> str:
    return str(UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=4))


def _token(claims: Told) -> str:
    """A JSON Web Token (HS256) as Umami's is; the script sends it back, and nothing of it is read."""
    parts = [_base64(msgspec.json.encode(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(parts)
    return b".".join((signed, _base64(hmac.digest(_key, signed, "sha256")))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


# ── in words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


SENT = {
    "type": "event",
    "payload": {"website": "example.com", "hostname": "example.com", "url": "/pricing", "screen": "1920x1080"},
}
DOCS = Docs(
    "Collecting",
    "Umami's script and clients",
    "What Umami's script and packages send, unchanged. website is the site's UUID or its domain; an event without "
    "a name is a pageview; identify says who is signed in. Web vitals are not kept.",
    {
        "200": "Stored, with a token for the header x-umami-cache; or left out on purpose: beep.",
        "400": "Something is wrong, or there is no such website.",
        "403": "The address is excluded.",
    },
    refusals=("413", "429", "503"),
    sent=Sent({}, SENT),
    example={"cache": "eyJhbGciOi…", "sessionId": "8f0e…", "visitId": "41c7…"},
)
BATCH_DOCS = Docs(
    "Collecting",
    "Umami's clients, several events",
    "Up to 100 of what /api/send takes, of which a wrong one does not sink the others.",
    {"200": "How many were taken, and the answers to the others.", "400": "It is no array."},
    refusals=("413", "429", "503"),
    sent=Sent({}, [SENT]),
    example={"size": 1, "processed": 1, "errors": 0, "details": [], "cache": "eyJhbGciOi…"},
)

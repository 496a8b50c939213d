"""`POST /api/send` and `POST /api/batch`: collect from Umami's script and clients, and answer as Umami's server does.

An event without a name is a pageview. `identify`, `performance` and `engagement` are beats of the page that they name:
the user id and the time on the page are stored, other data of the visitor and web vitals are not. The header
`x-umami-cache`, which the script sends back, is not read: the visitor identifies the visit.
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

from analytics.live.beat import Beat
from analytics.live.reasons import FilteredReason, RejectedReason
from collector.api.docs import INTEGER, NUMBER, STRING, Docs, Field, Object, RequestBody, object_schema, reference
from collector.doors.door import SiteOf, SiteWithId
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
MAX_TAG = 50
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

Fields = Mapping[str, Any]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(request: Request, site_of: SiteOf) -> Body | Rejected:
    """The one event of a request."""
    item = read_json(request.body)
    return item if isinstance(item, Rejected) else _body([item], site_of, batch=False)


def read_batch(request: Request, site_of: SiteOf) -> Body | Rejected:
    """The events of an array; each element has the format of `read`."""
    items = read_json(request.body)
    if isinstance(items, Rejected):
        return items
    if not isinstance(items, list):
        return NO_LIST
    if len(items) > MAX_BATCH:
        return Rejected(413, RejectedReason.TOO_MANY, f"{len(items)} events; at most {MAX_BATCH} go into one request")
    return _body(items, site_of, batch=True)


def _body(items: Sequence[Any], site_of: SiteOf, *, batch: bool) -> Body:
    events: list[Event | Rejected] = [_event(item, site_of) for item in items]
    refused = [index for index, event in enumerate(events) if isinstance(event, Rejected)]
    return Body(events, batch, {index: EventNote(_website(items[index])) for index in refused})


def _website(item: Any) -> str:
    """The site that the item names, "" for none."""
    payload = item.get("payload") if isinstance(item, dict) else None
    website = payload.get("website") if isinstance(payload, dict) else None
    return website if isinstance(website, str) else ""


def _event(item: Any, site_of: SiteOf) -> Event | Rejected:
    if not isinstance(item, dict):
        return NO_OBJECT
    kind, payload = item.get("type"), item.get("payload")
    if kind not in TYPES:
        return WRONG_TYPE
    if not isinstance(payload, dict):
        return NO_PAYLOAD
    sources = [name for name in ("website", "link", "pixel") if payload.get(name)]
    if len(sources) != 1:
        return NO_WEBSITE
    if sources != ["website"]:
        return NO_LINKS
    website = _website(item)
    if not website:
        return NO_WEBSITE
    site = site_of(website)
    domain = site.domain if site else website
    url = _url(payload, domain)
    if url is None:
        return WRONG_URL
    return without_placeholders(_of_kind(kind, payload, {"site": domain, "url": url} | _common(payload, url)))


def _of_kind(kind: str, payload: Fields, common: dict[str, Any]) -> Event:
    """The event; a beat if it is neither a pageview nor a custom event."""
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
    value, currency = money(data.get("revenue"), data.get("currency"))  # the fields of Umami's revenue report
    return Event(type="event", name=name, props=_props(payload, data), value=value, currency=currency, **common)


def _url(payload: Fields, domain: str) -> str | None:
    """The URL of the page, from a URL or a path; the site's front page if there is none, None for an invalid one."""
    hostname, sent = payload.get("hostname"), payload.get("url")
    if sent is not None and not isinstance(sent, str):
        return None
    host = hostname if isinstance(hostname, str) and 0 < len(hostname) <= MAX_HOST else domain
    url = _resolve(f"https://{host}/", "" if sent in (None, "undefined", "/undefined") else sent)
    return url if url and page_url.read(url) else None


def _resolve(base: str, url: str) -> str:
    """The absolute URL, "" for an invalid one."""
    try:
        return urljoin(base, url) if len(url) <= MAX_URL else ""
    except ValueError:
        return ""


def _common(payload: Fields, url: str) -> dict[str, Any]:
    """The fields that all types have, about the visitor and the page."""
    referrer = _text(payload, "referrer", MAX_REFERRER)
    screen = SCREEN.fullmatch(_text(payload, "screen", 11) or "")
    moment: Any = payload.get("timestamp")
    language = payload.get("language")
    return {
        "referrer": (_resolve(url, referrer) or None) if referrer else None,
        "title": _text(payload, "title", MAX_TITLE),
        "language": language if isinstance(language, str) and len(language) <= 35 else None,
        "screen": (int(screen[1]), int(screen[2])) if screen else None,
        "user_id": _text(payload, "id", 128),
        "visitor_id": _text(payload, "vid", 64),
        "ip": _text(payload, "ip", 64),
        "user_agent": _text(payload, "userAgent", 2_048),
        "time": moment if type(moment) in (int, float) and abs(moment) < MAX_MOMENT else None,
    }


def _text(payload: Fields, name: str, max_length: int) -> str | None:
    """The field, cut to the maximum length; None if it is empty or no text."""
    value = payload.get(name)
    return value[:max_length] if isinstance(value, str) and value else None


def _props(payload: Fields, data: Fields) -> dict[str, Any] | None:
    """The data as flat properties, the first 30, and the field `tag` as one of them."""
    tag = _text(payload, "tag", MAX_TAG)
    flat = dict(_flatten(data, "", MAX_PROP_DEPTH))
    props = dict(list(flat.items())[:MAX_PROPS])
    if tag and len(props) < MAX_PROPS:
        props.setdefault("tag", tag)
    return props or None


def _flatten(data: Fields, prefix: str, levels: int) -> Iterator[tuple[str, Any]]:
    """Properties whose names have dots for nested objects; a list becomes its JSON."""
    for key, value in data.items():
        name = prefix + key
        if isinstance(value, dict) and levels > 1:
            yield from _flatten(value, name + ".", levels - 1)
        elif value is not None and len(name) <= MAX_PROP_NAME:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    """The value in a type that a property may have."""
    if isinstance(value, list | dict):
        value = msgspec.json.encode(value).decode()
    elif type(value) is int and abs(value) >= 2**63:
        value = str(value)
    return value[:MAX_PROP_TEXT] if isinstance(value, str) else value


# ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(outcomes: Sequence[Outcome], _: bool, site_with_id: SiteWithId) -> Response:
    """200 with UUIDs of visitor and visit and a token for `x-umami-cache`; 200 and `beep` for a filtered event."""
    return _answer_one(outcomes[0], site_with_id)


def answer_batch(outcomes: Sequence[Outcome], batch: bool, site_with_id: SiteWithId) -> Response:
    """200 with the number of processed events, and the answers to the others; 400 if the body is no array."""
    if not batch:
        return _answer_one(outcomes[0], site_with_id)
    answers = [_answer_one(outcome, site_with_id) for outcome in outcomes]
    failed = [
        {"index": index, "response": msgspec.json.decode(one.body)}
        for index, one in enumerate(answers)
        if one.status != 200
    ]
    if failed and len(failed) == len(answers) and all(one.status == 503 for one in answers):
        return answers[0]  # so that the client sends them again
    tokens = [msgspec.json.decode(one.body).get("cache") for one in answers if one.status == 200]
    counts = {"size": len(answers), "processed": len(answers) - len(failed), "errors": len(failed)}
    cache = next(filter(None, reversed(tokens)), None)
    return json_response(200, counts | {"details": failed} | ({"cache": cache} if cache else {}), HEADERS)


def _answer_one(outcome: Outcome, site_with_id: SiteWithId) -> Response:
    match outcome:
        case Stored(beat):
            site = site_with_id(beat.site_id)  # None if it was removed after the commit
            return json_response(200, _session(beat, site.uuid if site else ""), HEADERS)
        case TotalsRaised() | Duplicate():
            return json_response(200, {"beep": "boop"}, HEADERS)
        case Filtered(reason):
            header = ("X-Footfall-Outcome", "; reason=".join(name_and_reason(outcome)))
            if reason == FilteredReason.EXCLUDED_ADDRESS:
                return _error(403, "forbidden", "Forbidden", (header,))
            return json_response(200, {"beep": "boop"}, (*HEADERS, header))
        case Rejected():
            return _refused(outcome)
        case Shed(_, message, retry_after, status):
            code = "too-many-requests" if status == 429 else "service-unavailable"
            return _error(status, code, message, (("Retry-After", str(retry_after)),))


def _refused(outcome: Rejected) -> Response:
    """400, with the field as a tree of objects."""
    if outcome.code == RejectedReason.UNKNOWN_SITE:
        return _error(400, "bad-request", "Website not found.")
    tree: dict[str, Any] = {"errors": [outcome.message]}
    for name in reversed(outcome.field.split(".") if outcome.field else []):
        tree = {"errors": [], "properties": {name: tree}}
    return _error(400, "bad-request", "Bad request", (), tree)


def _error(status: int, code: str, message: str, headers: Headers = (), tree: Fields | None = None) -> Response:
    error = {"message": message, "code": code, "status": status} | dict(tree or {})
    return json_response(status, {"error": error}, (*HEADERS, *headers))


_key = secrets.token_bytes(32)  # new in each process, because no signature is ever checked


def _session(beat: Beat, website: str) -> dict[str, str]:
    session = _uuid(f"session {beat.site_id} {beat.visitor}")
    visit = _uuid(f"visit {beat.site_id} {beat.visit_id}")
    claims = {"websiteId": website, "sessionId": session, "visitId": visit, "iat": int(time.time())}
    return {"cache": _token(claims), "sessionId": session, "visitId": visit}


def _uuid(text: str) -> str:
    return str(UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=4))


def _token(claims: Fields) -> str:
    """A JSON Web Token (HS256), as from Umami. The script sends it back, but it is not read."""
    parts = [_base64(msgspec.json.encode(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(parts)
    return b".".join((signed, _base64(hmac.digest(_key, signed, "sha256")))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


# ── documentation ────────────────────────────────────────────────────────────────────────────────────────────────────


PAYLOAD = (
    Field("website", STRING, "The site's UUID or its domain.", required=True),
    Field("hostname", STRING, "The host of a url that is a path; without it the site's domain."),
    Field("url", STRING, "The page: an address or a path; of its query the campaign tags are kept."),
    Field("referrer", STRING, "Where the visitor came from: an address or a path."),
    Field("title", STRING, f"The page's title; cut after {MAX_TITLE} characters."),
    Field("language", STRING, "The browser's language."),
    Field("screen", STRING, "Width and height in CSS pixels, like 1920x1080."),
    Field("name", STRING, f"The name of an event; cut after {MAX_NAME} characters. Without it: a pageview."),
    Field(
        "data",
        {"type": "object"},
        f"An event's properties, the first {MAX_PROPS}; revenue and currency (ISO 4217) are what it was worth.",
    ),
    Field("tag", STRING, f"A property of an event, by the name tag; cut after {MAX_TAG} characters."),
    Field("id", STRING, "Your application's id of a person who is signed in."),
    Field("vid", STRING, "The browser's own id; it counts where the site's identity is browser."),
    Field("engagement", INTEGER, "With the type engagement: milliseconds on the page since the last engagement."),
    Field("ip", STRING, "The visitor's address, with an ingest key."),
    Field("userAgent", STRING, "The visitor's browser, with an ingest key."),
    Field("timestamp", NUMBER, "When it happened, in epoch seconds, at most 7 days back, with an ingest key."),
)
FIELDS = (
    Field(
        "type",
        {"enum": list(TYPES)},
        "event: a pageview or an event. The others belong to a page; identify says who is signed in.",
        required=True,
    ),
    Field("payload", object_schema(PAYLOAD), "The visitor and the page.", required=True),
)
SCHEMAS: dict[str, Object] = {"UmamiEvent": object_schema(FIELDS)}
EXAMPLE = {
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
    body=RequestBody(reference("UmamiEvent"), EXAMPLE, SCHEMAS),
    example={"cache": "eyJhbGciOi…", "sessionId": "8f0e…", "visitId": "41c7…"},
)
BATCH_DOCS = Docs(
    "Collecting",
    "Umami's clients, several events",
    "Up to 100 of what /api/send takes, of which a wrong one does not sink the others.",
    {"200": "How many were taken, and the answers to the others.", "400": "It is no array."},
    refusals=("413", "429", "503"),
    body=RequestBody(
        {"type": "array", "items": reference("UmamiEvent"), "maxItems": MAX_BATCH},
        [EXAMPLE],
        SCHEMAS,
    ),
    example={"size": 1, "processed": 1, "errors": 0, "details": [], "cache": "eyJhbGciOi…"},
)

"""`POST /api/event`: collects from Plausible's trackers, and answers as Plausible's server does.

Each field has a short and a long name. The pageviews have no ids, so an `engagement` belongs to the latest pageview of
its visitor on its page (`collector.ingest.event.Engagement`). Properties of pageviews are not stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from analytics.live.reasons import RejectedReason
from collector.api.docs import BOOLEAN, INTEGER, STRING, Docs, Field, RequestBody, either, object_schema, reference
from collector.doors.door import SiteOf, SiteWithId
from collector.http.messages import Request, Response, json_response
from collector.ingest import page_url
from collector.ingest.currency import money
from collector.ingest.event import MAX_BATCH, Body, Engagement, Event, EventNote, read_json, storable
from collector.ingest.outcomes import Duplicate, Outcome, Rejected, Shed, Stored, TotalsRaised, name_and_reason

PATH = "/api/event"
MAX_NAME = 120
MAX_DOMAIN = 253
MAX_URL = 2_000  # bytes
MAX_REFERRER = 2_000
MAX_PROPS = 30
MAX_PROP_NAME = 300  # bytes, as the next
MAX_PROP_TEXT = 2_000
MAX_ENGAGED_MS = 30 * 86_400_000 - 1
WHOLE = re.compile(r"-?[0-9]{1,19}")

HEADERS = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Retry-After, X-Footfall-Outcome, X-Plausible-Dropped"),
    ("Cache-Control", "no-store"),
)
OK = Response(202, HEADERS, b"ok")
NOT_JSON = "Unable to parse request body as json"
NO_URL = Rejected(422, RejectedReason.MISSING_FIELD, "is required", "url")
WRONG_URL = Rejected(422, RejectedReason.WRONG_FIELD, "must be a valid url", "url")
DATA_URL = Rejected(422, RejectedReason.WRONG_FIELD, "scheme is not allowed", "url")
NO_NAME = Rejected(422, RejectedReason.MISSING_FIELD, "can't be blank", "event_name")
WRONG_NAME = Rejected(422, RejectedReason.WRONG_FIELD, "is invalid", "event_name")
LONG_NAME = Rejected(422, RejectedReason.WRONG_FIELD, f"should be at most {MAX_NAME} character(s)", "event_name")
NO_DOMAIN = Rejected(422, RejectedReason.MISSING_FIELD, "can't be blank", "domain")
MANY_DOMAINS = Rejected(413, RejectedReason.TOO_MANY, f"should be at most {MAX_BATCH} domain(s)", "domain")
WRONG_PROPS = Rejected(
    422,
    RejectedReason.WRONG_FIELD,
    f"keys should have at most {MAX_PROP_NAME} bytes and values {MAX_PROP_TEXT} bytes",
    "props",
)
NO_ENGAGEMENT = Rejected(
    422,
    RejectedReason.MISSING_FIELD,
    "engagement event requires a valid integer value for at least one of 'sd' or 'e' fields",
    "event_name",
)

Fields = Mapping[str, Any]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Refused(Exception):
    def __init__(self, rejected: Rejected) -> None:
        self.rejected = rejected


def read(request: Request, _: SiteOf) -> Body | Rejected:
    """The event of a request, once for each site that it names. The body is JSON, whatever its type says, or a form."""
    fields = _read_fields(request)
    if isinstance(fields, Rejected):
        return fields
    domain = ""
    try:
        url = _url(fields)
        domain, *others = _domains(fields, url)
        event = _event(fields, url, domain, _speaks_for(request.headers))
    except _Refused as refused:
        return Body([refused.rejected], batch=False, notes={0: EventNote(domain)})
    return Body([event, *(replace(event, site=other) for other in others)], batch=bool(others))


def _read_fields(request: Request) -> Fields | Rejected:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if (
        kind == "application/x-www-form-urlencoded" and request.body.lstrip()[:1] != b"{"
    ):  # curl sends this type by default
        form = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {storable(name): storable(value) for name, value in form}
    fields = read_json(request.body)
    if isinstance(fields, Rejected):
        return fields
    return fields if isinstance(fields, dict) else Rejected(400, RejectedReason.NOT_AN_OBJECT, NOT_JSON)


def _one_of(fields: Fields, *names: str) -> Any:
    """The first value that is neither absent, null nor false."""
    return next((value for name in names if (value := fields.get(name)) is not None and value is not False), None)


def _domains(fields: Fields, url: str) -> list[str]:
    """The sites that the event names, by default the host of its page."""
    named_sites = _one_of(fields, "d", "domain")
    if not isinstance(named_sites, str):
        found = page_url.read(url)
        return [page_url.bare_host(found.host)] if found else []
    named = (one.strip().removeprefix("www.")[:MAX_DOMAIN] for one in named_sites.split(",") if one.strip())
    domains = list(dict.fromkeys(named))
    if not domains:
        raise _Refused(NO_DOMAIN)
    if len(domains) > MAX_BATCH:
        raise _Refused(MANY_DOMAINS)
    return domains


def _event(fields: Fields, url: str, site: str, speaks_for: Mapping[str, str]) -> Event:
    name, ip = _name(fields), speaks_for.get("ip")
    if name == "engagement":
        scroll, engaged_ms = _engagement(fields)
        return Engagement(site=site, type="heartbeat", url=url, scroll=scroll, engaged_ms=engaged_ms, ip=ip)
    referrer = _one_of(fields, "r", "referrer")
    referrer = referrer[:MAX_REFERRER] if isinstance(referrer, str) else None
    if name == "pageview":
        return Event(site=site, type="pageview", url=url, referrer=referrer, ip=ip)
    revenue = _object(_one_of(fields, "$", "revenue"))
    value, currency = money(revenue.get("amount"), revenue.get("currency"))
    return Event(
        site=site,
        type="event",
        name=name,
        url=url,
        referrer=referrer,
        props={**_props(fields)} or None,
        value=value,
        currency=currency,
        interactive=fields.get("i", fields.get("interactive")) is not False,
        ip=ip,
    )


def _engagement(fields: Fields) -> tuple[int | None, int | None]:
    """Scroll depth in percent and engaged time in milliseconds; None for an invalid one."""
    scroll, engaged = _whole(fields.get("sd")), _whole(fields.get("e"))
    scroll = min(scroll, 100) if scroll is not None and scroll >= 0 else None
    engaged = engaged if engaged is not None and 0 <= engaged <= MAX_ENGAGED_MS else None
    if scroll is None and engaged is None:
        raise _Refused(NO_ENGAGEMENT)
    return scroll, engaged


def _url(fields: Fields) -> str:
    """The URL of the page; with its fragment only in hash mode, in which the fragment identifies the page."""
    url = _one_of(fields, "u", "url")
    if url is None or url == "":
        raise _Refused(NO_URL)
    if not isinstance(url, str) or len(url.encode("utf-8", "replace")) > MAX_URL:
        raise _Refused(WRONG_URL)
    if url[:5].lower() == "data:":
        raise _Refused(DATA_URL)
    by_hash = _one_of(fields, "h", "hashMode")
    if not (type(by_hash) is int and by_hash == 1):
        url = url.partition("#")[0]
    if page_url.read(url, keep_hash=True) is None:
        raise _Refused(WRONG_URL)
    return url


def _name(fields: Fields) -> str:
    name = _one_of(fields, "n", "name")
    if type(name) is int:
        name = str(name)
    if name is not None and not isinstance(name, str):
        raise _Refused(WRONG_NAME)
    if name is None or not name.strip():
        raise _Refused(NO_NAME)
    if len(name) > MAX_NAME:
        raise _Refused(LONG_NAME)
    return name


def _props(fields: Fields) -> dict[str, str]:
    """The properties as texts: the first 30 whose values are neither empty nor lists or objects."""
    received = _object(_one_of(fields, "m", "meta", "p", "props"))
    props = dict([(name, _text(value)) for name, value in received.items() if _is_plain(value)][:MAX_PROPS])
    for name, text in props.items():
        if len(name.encode()) > MAX_PROP_NAME or len(text.encode()) > MAX_PROP_TEXT:
            raise _Refused(WRONG_PROPS)
    return props


def _is_plain(value: Any) -> bool:
    return value is not None and value != "" and not isinstance(value, list | dict)


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _object(value: Any) -> Fields:
    """The object, which may also be JSON in a text; empty for other values."""
    if isinstance(value, str):
        value = read_json(value.encode("utf-8", "replace"))
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        return int(value)
    return value if type(value) is int else None


def _speaks_for(headers: Mapping[str, str]) -> dict[str, str]:
    """The visitor's address that a server sends; it is only used with an `ingest` key."""
    address = (headers.get("x-plausible-ip") or headers.get("x-forwarded-for", "").partition(",")[0]).strip()
    return {"ip": address[:64]} if "authorization" in headers and address else {}


# ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(outcomes: Sequence[Outcome], _: bool, __: SiteWithId) -> Response:
    """202 and `ok` for stored and for dropped events, with the number of the latter in `X-Plausible-Dropped`.

    400 for an invalid event. 503 if no event is stored, but may be if it is sent again.
    """
    for outcome in outcomes:
        if isinstance(outcome, Rejected) and not _is_dropped(outcome):
            return _wrong(outcome)
    dropped = [outcome for outcome in outcomes if not isinstance(outcome, Stored | TotalsRaised | Duplicate)]
    if not dropped:
        return OK
    away = [outcome for outcome in dropped if isinstance(outcome, Shed) and outcome.status == 503]
    if away and len(dropped) == len(outcomes):
        headers = (*HEADERS, ("Retry-After", str(away[0].retry_after)))
        return Response(503, headers, away[0].message.encode())
    shown = "; reason=".join(filter(None, name_and_reason(dropped[0])))
    return OK._replace(headers=(*HEADERS, ("X-Plausible-Dropped", str(len(dropped))), ("X-Footfall-Outcome", shown)))


def _is_dropped(outcome: Rejected) -> bool:
    """Whether Plausible's server would drop the event silently, because it does not know the site."""
    return outcome.code == RejectedReason.UNKNOWN_SITE


def _wrong(outcome: Rejected) -> Response:
    message = outcome.message if outcome.field else NOT_JSON
    return json_response(400, {"errors": {outcome.field or "request": [message]}}, HEADERS[2:])


# ── documentation ────────────────────────────────────────────────────────────────────────────────────────────────────


OBJECT_OR_JSON = either({"type": "object"}, STRING)
INTEGER_OR_STRING = either(INTEGER, STRING)
FIELDS = (
    Field(
        "n",
        either(STRING, INTEGER),
        f"pageview, engagement, or the name of an event, at most {MAX_NAME} characters.",
        ("name",),
        required=True,
    ),
    Field(
        "u",
        STRING,
        f"The page's whole address, at most {MAX_URL:,} bytes; of its query the campaign tags are kept.",
        ("url",),
        required=True,
    ),
    Field(
        "d",
        STRING,
        f"The site's domain, or up to {MAX_BATCH} with commas between them. Without it: the host of the page.",
        ("domain",),
    ),
    Field("r", STRING, "Where the visitor came from.", ("referrer",)),
    Field(
        "p",
        OBJECT_OR_JSON,
        f"An event's properties, an object or its JSON in a text; the first {MAX_PROPS}. Not kept of a pageview.",
        ("props", "m", "meta"),
    ),
    Field("$", OBJECT_OR_JSON, "What an event was worth: an object with amount and currency (ISO 4217).", ("revenue",)),
    Field("h", INTEGER, "1: the part of the address after # belongs to the page.", ("hashMode",)),
    Field("i", BOOLEAN, "false: an event that by itself ends no bounce.", ("interactive",)),
    Field("sd", INTEGER_OR_STRING, "With an engagement: how far down the page was scrolled, in percent."),
    Field(
        "e",
        INTEGER_OR_STRING,
        "With an engagement: milliseconds with the page visible and in focus since the last engagement.",
    ),
    Field("v", INTEGER, "The script's version. It is not used."),
)
DOCS = Docs(
    "Collecting",
    "Plausible's trackers",
    "What Plausible's script and packages send, unchanged: pageviews, events with properties and revenue, "
    "engagement with time and scroll depth, for one site or several. Properties of pageviews are not kept.",
    {
        "202": "Stored, or left out on purpose; X-Plausible-Dropped says how many were left out.",
        "400": "Something is wrong; errors says what, by field.",
    },
    refusals=("413", "429", "503"),
    body=RequestBody(
        reference("PlausibleEvent"),
        {"n": "pageview", "u": "https://example.com/pricing", "d": "example.com", "r": "https://www.google.com/"},
        {"PlausibleEvent": object_schema(FIELDS)},
    ),
    example="ok",
    kind="text/plain",
)

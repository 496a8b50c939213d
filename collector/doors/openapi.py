"""The public routes in words: an OpenAPI document, which programs read and the page of the API shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from analytics.calendar.period import MAX_DAYS
from analytics.query.dimensions import DIMENSIONS
from analytics.query.filters import GROUPS, OPERATORS
from analytics.query.metrics import METRICS
from analytics.query.query import MOST_ROWS
from collector.api import plausible_query, statistics
from collector.card import card
from collector.doors import pixel
from collector.http.messages import Request, Response, json_response
from collector.ingest.event import LARGEST_BATCH, Event

PATH = "/api/openapi.json"
DOCUMENT = "application/json"
AT_ONCE = [one.id for one in METRICS.values() if one.of_minutes]
Object = dict[str, Any]

INGEST, STATS = "ingest", "stats"
WHO = {
    INGEST: "A key of the scope ingest.",
    STATS: "A key of the scope stats.",
    "login": "The cookie of somebody who is signed in.",
    "token": "The token of a card.",
}
REFUSALS = {
    "400": "Something of it cannot be read.",
    "401": "No key, or a wrong one.",
    "404": "There is no such site, or it is not yours to read.",
    "413": "The body is larger than 64 KiB.",
    "415": "The body is neither application/json nor text/plain, or it is compressed.",
    "422": "A field is wrong or missing; field names it.",
    "429": "Too many. Retry-After says in how many seconds to come back.",
    "503": "Not now: the database is away, too much waits, or minutes are still being counted. Retry-After as above.",
}
FIELDS = {
    "site": "The site's domain, as added.",
    "type": "What it tells of.",
    "id": "Made by the sender, unique in the site. Sent again, it is counted once. For pageviews and events.",
    "pageview": "The id of the pageview that a heartbeat, a leave or an event belongs to.",
    "url": "The page's whole address; of its query the campaign tags are kept.",
    "referrer": "Where the visitor came from.",
    "title": "The page's title; with a heartbeat or a leave: the one that it has by now.",
    "visitor_id": "The browser's own id; it counts where the site's identity is browser.",
    "user_id": "Your application's id of somebody who is signed in.",
    "user_type": "What kind of user that is.",
    "engaged_ms": "Time with the page visible and in focus, in all so far.",
    "scroll": "How far down the page was scrolled, in percent.",
    "state": "Whether somebody uses the page.",
    "name": "An event's name.",
    "props": "An event's properties, a flat object.",
    "value": "What an event was worth.",
    "currency": "Of that value, ISO 4217.",
    "description": "What the feed shows of an event.",
    "user_name": "Whom the feed names.",
    "screen": "Width and height in CSS pixels.",
    "timezone": "The browser's time zone; the country where the address tells none.",
    "language": "The browser's language.",
    "ip": "The visitor's address, with an ingest key.",
    "user_agent": "The visitor's browser, with an ingest key.",
    "time": "When it happened, in epoch seconds, at most 7 days back, with an ingest key.",
}


@cache
def document(base_path: str = "") -> Object:
    """The whole document, OpenAPI 3.1. Its server is the host that it was fetched from, below `base_path`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footfall",
            "version": "1",
            "description": "Live traffic analytics, hosted by you. Times are epoch seconds unless said otherwise.",
        },
        "servers": [{"url": base_path or "/"}],
        "paths": _collecting() | _live() | _statistics() | _cards() | _health(),
        "components": {"schemas": {"Event": _event(), "Query": _query()}, "securitySchemes": _schemes()},
    }


def answer(base_path: str, _: Request) -> Response:
    """What `GET /api/openapi.json` answers."""
    return json_response(
        200, document(base_path), (("Cache-Control", "no-cache"), ("Access-Control-Allow-Origin", "*"))
    )


def _schemes() -> Object:
    key = {"type": "http", "scheme": "bearer"}
    return {
        INGEST: key | {"description": WHO[INGEST]},
        STATS: key | {"description": WHO[STATS]},
        "login": {"type": "apiKey", "in": "cookie", "name": "footfall_login", "description": WHO["login"]},
        "token": {"type": "apiKey", "in": "query", "name": "token", "description": WHO["token"]},
    }


# ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _route(
    tag: str,
    summary: str,
    said: str,
    answers: Mapping[str, str],
    *,
    refusals: Iterable[str] = (),
    parameters: Sequence[Object] = (),
    body: Object | None = None,
    who: Sequence[str] = (),
    kind: str = DOCUMENT,
    example: Any = None,
) -> Object:
    """An operation. `answers` by status; `example` is a whole answer of the first; `who` may ask, empty: everybody."""
    known: Object = {status: {"description": text} for status, text in answers.items()}
    first = next(iter(known.values()))
    first["content"] = {kind: {} if example is None else {"example": example}}
    operation: Object = {
        "tags": [tag],
        "summary": summary,
        "description": said,
        "responses": known | {status: {"description": REFUSALS[status]} for status in refusals},
    }
    if parameters:
        operation["parameters"] = list(parameters)
    if body:
        operation["requestBody"] = body
    if who:
        operation["security"] = [{one: []} for one in who]
    return operation


def _parameter(name: str, said: str, *, required: bool = False) -> Object:
    return {"name": name, "in": "query", "required": required, "description": said, "schema": {"type": "string"}}


SITE = _parameter("site", "The site's domain, as added.", required=True)
READERS = (STATS, "login", "token")


def _collecting() -> Object:
    one = {"$ref": "#/components/schemas/Event"}
    schema = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": LARGEST_BATCH}]}
    example = {
        "site": "example.com",
        "type": "pageview",
        "id": "b0a7c9d2e4f6",
        "url": "https://example.com/pricing",
        "referrer": "https://www.google.com/",
    }
    post = _route(
        "Collecting",
        "Send visits",
        "One event, or up to 100, of which a bad one does not sink the others. An ingest key may speak for visitors.",
        {
            "202": "Committed and synced, or known from before.",
            "200": "Understood and deliberately not stored: a robot, somebody who opted out, what you exclude.",
        },
        refusals=("400", "404", "413", "415", "422", "429", "503"),
        body={"required": True, "content": {DOCUMENT: {"schema": schema, "example": example}}},
        example={"stored": 1, "duplicate": 0},
    )
    script = _route("Collecting", "The site script", "Cacheable.", {"200": "The script."}, kind="text/javascript")
    picture = _route(
        "Collecting",
        "Count by a picture",
        "For pages without scripts and for e-mail. Always a picture; X-Footfall-Outcome says what became of it.",
        {"200": "43 bytes."},
        parameters=[
            SITE,
            _parameter("url", "The page; without it the Referer header."),
            _parameter("referrer", "Where the visitor came from."),
            _parameter("title", "The page's title."),
        ],
        kind="image/gif",
    )
    return {"/api/collect": {"post": post}, "/js/footfall.js": {"get": script}, pixel.PATH: {"get": picture}}


def _live() -> Object:
    figures = {"active_sessions": 2, "authenticated_users": 1, "anonymous_sessions": 1, "top_pages": []}
    now = _route(
        "Live",
        "Who is there now",
        "People with a beat in the last window_s seconds, and the pages that they are on.",
        {"200": "The figures."},
        refusals=("401", "404", "503"),
        parameters=[SITE],
        who=READERS,
        example=figures | {"top_pages": [{"path": "/pricing", "count": 2}], "window_s": 60, "as_of": 1_795_237_131},
    )
    stream = _route(
        "Live",
        "Who is there, as it changes",
        "Server-Sent Events: connected first, then new_event and stats. At most five frames a second; resumable.",
        {"200": "A stream without an end."},
        refusals=("401", "404", "503"),
        parameters=[SITE, _parameter("last_event_id", "As the header Last-Event-ID.")],
        who=READERS,
        kind="text/event-stream",
    )
    return {"/api/live": {"get": now}, "/api/live/stream": {"get": stream}}


def _statistics() -> Object:
    asked = {
        "site_id": "example.com",
        "metrics": ["visitors", "pageviews"],
        "date_range": "7d",
        "dimensions": ["visit:source"],
        "filters": [["is", "visit:country", ["DE", "AT"]]],
    }
    query = _route(
        "Statistics",
        "Ask about the past",
        "Plausible's query API. What is unknown is named with what is known. A key has 600 a minute, 10 at once.",
        {"200": "Rows, and the question as it was understood."},
        refusals=("400", "401", "413", "429", "503"),
        body={
            "required": True,
            "content": {DOCUMENT: {"schema": {"$ref": "#/components/schemas/Query"}, "example": asked}},
        },
        who=(STATS,),
        example={
            "results": [{"metrics": [120, 340], "dimensions": ["Google"]}],
            "meta": {},
            "query": asked | {"date_range": ["2026-11-19T00:00:00+00:00", "2026-11-25T23:59:59+00:00"]},
        },
    )
    visitors = _route(
        "Statistics",
        "People of the last five minutes",
        "A bare number.",
        {"200": "The number."},
        refusals=("400", "401", "429", "503"),
        parameters=[_parameter("site_id", "The site's domain, as added.", required=True)],
        who=(STATS,),
        example=2,
    )
    return {statistics.QUERY: {"post": query}, statistics.REALTIME: {"get": visitors}}


def _cards() -> Object:
    shown = _route(
        "Card",
        "The card",
        "For an iframe on the hosts that it was made for.",
        {"200": "A page of at most 40 kB."},
        refusals=("404",),
        parameters=[
            _parameter("token", "The card's token.", required=True),
            _parameter("theme", "light or dark; without it the reader's system decides."),
        ],
        kind="text/html",
    )
    font = _route("Card", "The card's font", "Cacheable.", {"200": "The font."}, kind="font/woff2")
    return {"/embed/live": {"get": shown}, card.FONT_PATH: {"get": font}}


def _health() -> Object:
    up = _route("Health", "Whether it runs", "Asks nothing.", {"200": "Up."}, example={"status": "up"})
    ready = _route(
        "Health",
        "Whether it can store",
        "Asks the database.",
        {"200": "Ready."},
        refusals=("503",),
        example={"status": "ready"},
    )
    own = _route("Health", "This description", "OpenAPI 3.1.", {"200": "The document."})
    return {"/healthz": {"get": up}, "/readyz": {"get": ready}, PATH: {"get": own}}


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _event() -> Object:
    """What the collector itself decodes, with a word for each field."""
    _, components = msgspec.json.schema_components([Event])
    schema: Object = components["Event"]
    fields = {name: _present(field) | {"description": FIELDS[name]} for name, field in schema["properties"].items()}
    return schema | {"properties": fields}


def _present(field: Object) -> Object:
    """The field without what says that it may be null."""
    kinds = [kind for kind in field.get("anyOf", [field]) if kind != {"type": "null"}]
    return dict(kinds[0]) if len(kinds) == 1 else {"anyOf": kinds}


def _query() -> Object:
    dimensions = (plausible_query.TIME, plausible_query.COUNTRY_NAME, *(one.wire for one in DIMENSIONS.values()))
    words = ", ".join(OPERATORS), ", ".join(GROUPS)
    fields: Object = {
        "site_id": {"type": "string", "description": "The site's domain, as added."},
        "metrics": {
            "type": "array",
            "items": {"enum": list(METRICS)},
            "minItems": 1,
            "uniqueItems": True,
            "description": f"What is counted: {', '.join(METRICS)}. {' and '.join(AT_ONCE)} count everybody "
            "on the site: without filters, split by time or not at all.",
        },
        "date_range": {
            "anyOf": [
                {"enum": list(plausible_query.RANGES)},
                {"type": "string", "pattern": "^[1-9][0-9]{0,3}d$"},
                {"type": "array", "items": {"type": "string"}},
            ],
            "description": f"{', '.join(plausible_query.RANGES)}, any number of days (1d to {MAX_DAYS}d), two dates, "
            "or two moments with their offset, both in it.",
        },
        "dimensions": {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "description": f"By what: {', '.join(dimensions)}, event:props:NAME.",
        },
        "filters": {
            "type": "array",
            "description": f"Lists like [operator, dimension, [values]], which all hold. Operators: {words[0]}. Around "
            f"others: {words[1]}. In matches, * is any text without a slash, ** any text.",
        },
        "order_by": {"type": "array", "description": 'Like [["visitors", "desc"]].'},
        "include": {"type": "object", "description": "time_labels, total_rows: true adds them to meta."},
        "pagination": {"type": "object", "description": f"limit (1 to {MOST_ROWS}) and offset."},
        "timezone": {"type": "string", "description": "An IANA zone in place of the site's."},
    }
    required = ["site_id", "metrics", "date_range"]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Operation(NamedTuple):
    """A route as people read it. `fields` are those of its body: name, type, meaning; texts are empty for none."""

    tag: str
    method: str
    path: str
    summary: str
    said: str
    who: tuple[str, ...]
    parameters: tuple[tuple[str, str, str], ...]
    fields: tuple[tuple[str, str, str], ...]
    sent: str
    answers: tuple[tuple[str, str], ...]
    answered: str


@cache
def operations() -> tuple[Operation, ...]:
    """Every route of the document, in its order."""
    return tuple(
        _operation(path, method, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    )


def _operation(path: str, method: str, told: Object) -> Operation:
    body = told.get("requestBody", {}).get("content", {}).get(DOCUMENT, {})
    answer = next(iter(told["responses"].values()))["content"]
    return Operation(
        told["tags"][0],
        method.upper(),
        path,
        told["summary"],
        told["description"],
        tuple(WHO[name] for one in told.get("security", ()) for name in one),
        tuple((one["name"], _kind(one["schema"]), one["description"]) for one in told.get("parameters", ())),
        tuple(_fields(body.get("schema", {}))),
        _example(body),
        tuple((status, one["description"]) for status, one in told["responses"].items()),
        _example(next(iter(answer.values()))),
    )


def _fields(schema: Object) -> Iterator[tuple[str, str, str]]:
    reference = schema.get("$ref") or (schema["oneOf"][0]["$ref"] if "oneOf" in schema else "")
    known = document()["components"]["schemas"].get(reference.rpartition("/")[2], {})
    for name, field in known.get("properties", {}).items():
        yield name, _kind(field) + (", required" if name in known["required"] else ""), field["description"]


def _kind(schema: Object) -> str:
    """A type in a word or two."""
    for several in ("anyOf", "oneOf"):
        if several in schema:
            kinds = dict.fromkeys(map(_kind, schema[several]))
            return " or ".join(kind for kind in kinds if kind != "whole number" or "number" not in kinds)
    if "enum" in schema:
        return " | ".join(schema["enum"]) if len(schema["enum"]) < 6 else "name"
    kind = str(schema["type"])
    return {"integer": "whole number", "array": "list", "string": "text"}.get(kind, kind)


def _example(media: Object) -> str:
    return json.dumps(media["example"], indent=2, ensure_ascii=False) if "example" in media else ""

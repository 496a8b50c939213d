"""The documentation of `POST /api/collect`. Its schema is that of the decoder, with a description of each field."""

from __future__ import annotations

import msgspec

from collector.api.docs import Docs, Object, RequestBody, reference
from collector.ingest.event import MAX_BATCH, Event

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
    "interactive": "false: an event that by itself ends no bounce.",
}


def _schema() -> Object:
    _, components = msgspec.json.schema_components([Event])
    schema: Object = components["Event"]
    fields = {name: _present(field) | {"description": FIELDS[name]} for name, field in schema["properties"].items()}
    return schema | {"properties": fields}


def _present(field: Object) -> Object:
    """The schema of the field without `null`."""
    kinds = [kind for kind in field.get("anyOf", [field]) if kind != {"type": "null"}]
    return dict(kinds[0]) if len(kinds) == 1 else {"anyOf": kinds}


_ONE = reference("Event")
DOCS = Docs(
    "Collecting",
    "Send visits",
    "One event, or up to 100, of which a bad one does not sink the others. An ingest key may speak for visitors.",
    {
        "202": "Committed and synced, or known from before.",
        "200": "Understood and deliberately not stored: a robot, somebody who opted out, what you exclude.",
    },
    refusals=("400", "404", "413", "415", "422", "429", "503"),
    body=RequestBody(
        {"oneOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1, "maxItems": MAX_BATCH}]},
        {
            "site": "example.com",
            "type": "pageview",
            "id": "b0a7c9d2e4f6",
            "url": "https://example.com/pricing",
            "referrer": "https://www.google.com/",
        },
        {"Event": _schema()},
    ),
    example={"stored": 1, "duplicate": 0},
)

"""`POST /api/metrics`: samples of metrics of the host application, with an `ingest` key (contract §4)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec

from analytics.health import series
from analytics.health.sample import (
    MAX_AGE_S,
    MAX_TAG_VALUE,
    MAX_TAGS,
    UNITS,
    Sample,
    WrongSample,
    read,
)
from analytics.health.samples import SiteRemoved, SiteSamples
from analytics.live.reasons import RejectedReason
from collector.api.context import NO_STORE, NOTHING_HERE, Context
from collector.api.docs import NUMBER, STRING, Docs, Field, RequestBody, object_schema, parameter, reference
from collector.http.messages import Request, Response, bearer_token, error, json_response
from collector.ingest.event import BAD_JSON, read_json, storable
from collector.ingest.outcomes import SITE_REMOVED, Rejected, Shed

PATH = "/api/metrics"
MAX_SAMPLES = 1_000
PATIENCE_S = 5.0  # until the samples of a request begin to be stored
KEY_NEEDED = error(401, "unauthorized", "send an ingest key: Authorization: Bearer ff_…", (NO_STORE,))
WRONG_SCOPE = error(403, "forbidden", "this key is not of the scope ingest", (NO_STORE,))
EMPTY = error(400, "empty", "an empty array", (NO_STORE,))


def answer(context: Context, request: Request) -> Response:
    """Stores the samples of the body. The answer says how many, and which were refused and why."""
    site_id = _site_id(context, request)
    if isinstance(site_id, Response):
        return site_id
    given = _read_body(request.body)
    if isinstance(given, Rejected):
        return json_response(given.status, {"error": given.error}, (NO_STORE,))
    if not given:
        return EMPTY
    if len(given) > MAX_SAMPLES:
        too_many = f"{len(given)} samples; the limit samples is {MAX_SAMPLES:,} for one request"
        return error(413, "too_many", too_many, (NO_STORE,))
    now = context.now()
    return _store(context, site_id, [read(one, now) for one in given])


def _site_id(context: Context, request: Request) -> int | Response:
    """Whose samples they are: those of the key's site, else of the site in the query, else of the installation."""
    key = context.keys.find(bearer_token(request.headers))
    if key is None:
        return KEY_NEEDED
    if not key.opens("ingest", key.site_id):
        return WRONG_SCOPE
    domain = request.parameter("site")
    if not domain:
        return key.site_id or series.INSTALLATION
    site = context.sites.named(domain)
    return site.id if site and key.opens("ingest", site.id) else NOTHING_HERE


def _read_body(body: bytes) -> list[object] | Rejected:
    """The samples as they were sent; of a body that is no array, the one.

    NaN is no JSON, but programs send it, and 1e999 is no number: neither sinks the other samples.
    """
    found: object
    if b"\\u" not in body:  # most bodies: `read_json` would take twice the time
        with suppress(ValueError, RecursionError):
            found = msgspec.json.decode(body)
            return found if isinstance(found, list) else [found]
    found = read_json(body)
    if isinstance(found, Rejected) and found.code in (RejectedReason.BAD_JSON, RejectedReason.BAD_NUMBER):
        try:
            found = storable(json.loads(body))
        except (ValueError, RecursionError):
            found = BAD_JSON
    return found if isinstance(found, list | Rejected) else [found]


def _store(context: Context, site_id: int, found: list[Sample | WrongSample]) -> Response:
    refused = {index: one for index, one in enumerate(found) if isinstance(one, WrongSample)}
    places = [index for index in range(len(found)) if index not in refused]
    if places:
        group = SiteSamples(site_id, [one for one in found if isinstance(one, Sample)])
        result = context.samples.store(group, PATIENCE_S)
        if isinstance(result, SiteRemoved):
            return json_response(404, {"error": SITE_REMOVED.error}, (NO_STORE,))
        if isinstance(result, Shed):
            return error(
                result.status, result.code, result.message, (NO_STORE, ("Retry-After", str(result.retry_after)))
            )
        refused |= {places[place]: wrong for place, wrong in result.items()}
    stored = len(found) - len(refused)
    body: dict[str, Any] = {"stored": stored}
    if refused:
        body["rejected"] = [{"index": index, "error": _error(refused[index])} for index in sorted(refused)]
    if stored:
        return json_response(202, body, (NO_STORE,))
    return json_response(422, body | {"error": body["rejected"][0]["error"]}, (NO_STORE,))


def _error(wrong: WrongSample) -> dict[str, str]:
    found = {"code": str(wrong.code), "message": wrong.message}
    found |= {"field": wrong.field} if wrong.field else {}
    return found | ({"limit": wrong.limit} if wrong.limit else {})


_SAMPLE = object_schema(
    (
        Field(
            "name", STRING, "What was measured, like cpu_percent: 1 to 120 letters, digits and _.:/-.", required=True
        ),
        Field("value", NUMBER, "What it was.", required=True),
        Field(
            "timestamp",
            NUMBER,
            f"When, in epoch seconds, at most {MAX_AGE_S // 86_400} days back; without it now. A fraction is cut off.",
        ),
        Field(
            "tags",
            {"type": "object", "additionalProperties": STRING},
            f"Of what, like an instance: at most {MAX_TAGS} texts of up to {MAX_TAG_VALUE} characters, by name.",
        ),
        Field(
            "unit", {"type": "string", "enum": list(UNITS)}, "In what it is measured; the first one of a name stays."
        ),
    )
)
_SAMPLES = {"type": "array", "items": reference("Sample"), "minItems": 1, "maxItems": MAX_SAMPLES}
DOCS = Docs(
    "Collecting",
    "Send metrics",
    f"Samples of metrics of an application and its machine, up to {MAX_SAMPLES:,}, of which a wrong one does not sink "
    f"the others. A site has at most {series.MAX_NAMES} names and {series.MAX_SERIES:,} sets of tags a day. A sample "
    "has no id: one that is sent twice counts twice.",
    {"202": "Those that were not rejected are committed and synced."},
    refusals=("400", "401", "403", "404", "413", "422", "503"),
    parameters=(
        parameter("site", "The site's domain, for a key of every site; without it they are of the installation."),
    ),
    body=RequestBody(
        _SAMPLES,
        [
            {"name": "response_time_ms", "value": 12.5, "timestamp": 1_795_237_131, "tags": {"instance": "web-1"}},
            {"name": "cpu_percent", "value": 41},
        ],
        {"Sample": _SAMPLE},
    ),
    example={"stored": 2},
)

"""`/api/v1/sites/SITE/KIND[/ID[/ACTION]]`: what pages and commands manage, for programs with an `admin` key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analytics.access.api_keys import Key
from analytics.base.errors import InvalidInput
from analytics.base.ids import numbered_id
from analytics.notify.channels import UnknownChannel
from analytics.notify.rules import UnknownRule
from collector.api.context import NO_STORE, NOTHING_HERE, Context
from collector.api.managed import alerts, channels, deliveries, embeds, notifications, rules, segments
from collector.api.managed.call import Call, Handler, ManagedKind, UnknownItem
from collector.http.messages import Request, Response, bearer_token, error, json_response
from collector.ingest.event import read_json
from collector.ingest.outcomes import Rejected

PREFIX = "/api/v1/sites/"
KEY_NEEDED = error(401, "unauthorized", "send an admin key: Authorization: Bearer ff_…", (NO_STORE,))
WRONG_SCOPE = error(403, "forbidden", "this key is not of the scope admin", (NO_STORE,))
UNKNOWN = (UnknownItem, UnknownRule, UnknownChannel)
KINDS: Mapping[str, ManagedKind] = {
    "rules": rules.KIND,
    "channels": channels.KIND,
    "notifications": notifications.KIND,
    "alerts": alerts.KIND,
    "deliveries": deliveries.KIND,
    "embeds": embeds.KIND,
    "segments": segments.KIND,
}
"""By the word in the path."""


def answer(context: Context, request: Request) -> Response:
    """The answer to a call of one of `KINDS`, whose path and method the table of doors knows."""
    domain, name, number, action = (*request.path.removeprefix(PREFIX).split("/"), "", "")[:4]
    key = _key(context, request)
    if isinstance(key, Response):
        return key
    site = context.sites.named(domain)
    if site is None or not key.opens("admin", site.id):
        return NOTHING_HERE
    body = read_json(request.body) if request.body else None
    if isinstance(body, Rejected):
        return error(body.status, body.code, body.message, (NO_STORE,))
    call = Call(context, request, site, key, _id(number), body)
    try:
        return _answered(call, _handler(KINDS[name], request.method, number, action))
    except UNKNOWN as unknown:
        return error(404, "not_found", str(unknown).partition(";")[0], (NO_STORE,))
    except InvalidInput as wrong:
        return _refused(wrong)


def unknown(context: Context, request: Request) -> Response:
    """The answer for a path below `PREFIX` that no door has."""
    key = _key(context, request)
    kinds = ", ".join(KINDS)
    return key if isinstance(key, Response) else error(404, "unknown_kind", f"there are {kinds}", (NO_STORE,))


def _key(context: Context, request: Request) -> Key | Response:
    key = context.keys.find(bearer_token(request.headers))
    if key is None:
        return KEY_NEEDED
    return key if key.scope == "admin" else WRONG_SCOPE


def _id(text: str) -> int:
    """The id in a path; 0, which nothing has, for what is none."""
    return numbered_id(text) or 0


def _handler(kind: ManagedKind, method: str, number: str, action: str) -> Handler:
    if action:
        return kind.actions[action]
    ways = (kind.found, kind.changed, kind.removed) if number else (kind.listed, kind.added, None)
    found = dict(zip(("GET", "PUT" if number else "POST", "DELETE"), ways, strict=True))[
        "GET" if method == "HEAD" else method
    ]
    assert found, "the table of doors has the methods of each path"
    return found


def _answered(call: Call, handler: Handler) -> Response:
    found = handler(call)
    if call.request.method not in ("GET", "HEAD"):
        call.context.refresh()
    if found is None:
        return Response(204, (NO_STORE,), b"")
    is_new = call.request.method == "POST" and not call.number
    return json_response(201 if is_new else 200, found, (NO_STORE,))


def _refused(wrong: InvalidInput) -> Response:
    """422, with the first wrong field, and what is wrong with each."""
    found: dict[str, Any] = {"code": "wrong_field", "message": str(wrong)}
    if wrong.fields:
        found |= {"field": next(iter(wrong.fields)), "fields": wrong.fields}
    return json_response(422, {"error": found}, (NO_STORE,))

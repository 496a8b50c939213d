"""The routes of the management API with their documentation. The table of doors is made from `ROUTES`."""

from __future__ import annotations

from typing import Any, NamedTuple

from analytics.live.state import FACTS, ITEM_FACTS
from analytics.notify.audience import Audience
from analytics.notify.channel import ChannelKind
from analytics.notify.event_fields import FIELDS
from analytics.notify.kinds.event import Operator
from analytics.notify.live_metrics import EVENTS, LIVE_METRICS
from analytics.notify.rule import MAX_PER_MINUTE, Priority, Severity
from analytics.query.metrics import METRICS
from collector.api.docs import (
    BOOLEAN,
    INTEGER,
    STRING,
    Docs,
    Field,
    Object,
    RequestBody,
    object_schema,
    parameter,
    path_parameter,
    reference,
)
from collector.api.managed.call import MAX_LISTED, USUAL_LISTED
from collector.api.management import PREFIX

TAG = "Management"
REFUSALS = ("400", "401", "403", "404", "413", "422", "429", "503")
SITE = path_parameter("site", "The site's domain, as added, or its UUID.")
ID = path_parameter("id", "The id, as the list has it.")
PAGE = (
    parameter("before", "Only those with lower ids, to go on after a list."),
    parameter("limit", f"How many at most: 1 to {MAX_LISTED}, {USUAL_LISTED} without it."),
)
MANY = {"type": "array", "items": {"type": "string"}}


class Route(NamedTuple):
    """A path, its methods (the documented one first), and the documentation."""

    path: str
    methods: tuple[str, ...]
    docs: Docs


def _enum(values: Any) -> Object:
    return {"type": "string", "enum": [str(one) for one in values]}


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────────

_IN_PERCENT = "of a share in %, so 5 is the 0.05 of the query API"
_WHEN = object_schema(
    (
        Field("event", STRING, 'Notify when an event of this name arrives, compared by letters and digits; "" is any.'),
        Field(
            "where",
            {"type": "array"},
            f"With event: conditions [FIELD, OPERATOR, VALUE], which all hold. Fields: {', '.join(FIELDS)}, "
            f"props.NAME. Operators: {', '.join(Operator)}.",
        ),
        Field(
            "metric",
            STRING,
            f"Or when a metric crosses a line. Live: {', '.join(LIVE_METRICS)}, and what samples are sent of; else "
            f"{', '.join(METRICS)}.",
        ),
        Field(
            "filters",
            {"type": "array"},
            f"With metric: lists as in the query API. Live ones by {', '.join(FACTS)}; {EVENTS} by "
            f"{', '.join(ITEM_FACTS[len(FACTS) :])} too; those of the server and samples by none.",
        ),
        Field(
            "above",
            {"type": "number"},
            f"The line, {_IN_PERCENT}; one of above, below, change_above, change_below and no_data_s.",
        ),
        Field("below", {"type": "number"}, f"The line, {_IN_PERCENT}."),
        Field("change_above", {"type": "number"}, "In %, against the period before; live metrics against an hour ago."),
        Field("change_below", {"type": "number"}, "The same; a fall by a half is -50."),
        Field("for_s", INTEGER, "For so many seconds; 0 without it: at once."),
        Field("readings", INTEGER, "So many readings in a row; 1 without it."),
        Field("period", STRING, "Of a metric of the past: today, 7d and so on; today without it."),
        Field("no_data_s", INTEGER, "Or when the metric has been 0 for so many seconds."),
        Field("alert", _enum(Severity), "Or when an alert begins, of any rule, that is at least so severe."),
    )
)
_NOTIFY = object_schema(
    (
        Field("priority", _enum(Priority), "How urgent it is.", required=True),
        Field("severity", _enum(Severity), "How bad an alert is; warning without it."),
        Field("title", STRING, "A template with fields like {name}, {value}, {props.plan}, {metric}.", required=True),
        Field("message", STRING, "A template too."),
        Field("link", STRING, "A template of an http or https address, or of a path that begins with /."),
        Field("link_label", STRING, "What the link is called."),
        Field("channels", {"type": "array", "items": INTEGER}, "Ids of channels of the site, besides the dashboard."),
        Field(
            "group_s",
            INTEGER,
            "For so long events are one notification, and alerts one message; 0: each is one, of events at most "
            f"{MAX_PER_MINUTE} a minute.",
        ),
        Field("repeat_s", INTEGER, "How often an alert that fires is repeated; 0: never."),
        Field("audience", _enum(Audience), "Who sees it in the app; everybody without it. Keys see all."),
    )
)
_RULE = object_schema(
    (
        Field("name", STRING, "What the rule is called.", required=True),
        Field("when", _WHEN, "What it waits for.", required=True),
        Field("notify", _NOTIFY, "What it says, and to whom.", required=True),
        Field("enabled", BOOLEAN, "Whether it is on; true without it."),
    )
)
_CHANNEL = object_schema(
    (
        Field("kind", _enum(ChannelKind), "What it is.", required=True),
        Field("to", STRING, "A URL, an e-mail address, or what apprise takes.", required=True),
        Field(
            "secret", STRING, "whsec_ and 24 to 64 bytes in Base64, with which a webhook is signed; made if missing."
        ),
        Field("name", STRING, "How pages call it."),
    )
)
_SNOOZE = object_schema((Field("hours", INTEGER, "For so many hours; 0 ends it.", required=True),))
_EMBED = object_schema(
    (
        Field("hosts", MANY, "The hosts whose pages may show the card.", required=True),
        Field("expires_s", INTEGER, "After so many seconds it ends; a year without it."),
    )
)
_SEGMENT = object_schema(
    (
        Field("name", STRING, "A segment of the same name is replaced.", required=True),
        Field("filters", {"type": "array"}, "Lists as in the query API.", required=True),
    )
)

_A_RULE: Object = {
    "name": "Large payments",
    "when": {"event": "payment", "where": [["value", ">", 100]]},
    "notify": {"priority": "high", "title": "Payment of {value} {currency}", "channels": [1]},
}
_STORED_RULE: Object = {
    "id": 4,
    **_A_RULE,
    "notify": {"severity": "warning", **_A_RULE["notify"], "group_s": 300, "repeat_s": 14_400},
    "enabled": True,
    "shipped": "",
    "wrong": "",
    "created_at": 1_795_237_131,
    "changed_at": 1_795_237_131,
}
_A_CHANNEL: Object = {"kind": "webhook", "to": "https://hooks.example.com/footfall", "name": "The shop"}
_STORED_CHANNEL: Object = {"id": 1, **_A_CHANNEL, "secret": "whsec_…", "disabled_at": None, "disabled_why": ""}
_AN_EMBED: Object = {"hosts": ["panel.example.com"], "expires_s": 31_536_000}
_STORED_EMBED: Object = {
    "id": 2,
    "hosts": ["panel.example.com"],
    "state": "on",
    "created_at": 1_795_237_131,
    "expires_at": 1_826_773_131,
    "revoked_at": None,
}
_A_SEGMENT: Object = {"name": "Germany", "filters": [["is", "country", ["DE"]]]}


def _body(name: str, schema: Object, example: Object) -> RequestBody:
    return RequestBody(reference(name), example, {name: schema})


# ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _route(path: str, method: str, summary: str, description: str, said: str, **more: Any) -> Route:
    """A route below a site. `said` describes the usual answer."""
    path = f"{PREFIX}{{site}}/{path}"
    places = (SITE, ID) if "{id}" in path else (SITE,)
    status = more.pop("status", "200")
    parameters = (*places, *more.pop("parameters", ()))
    docs = Docs(TAG, summary, description, {status: said}, REFUSALS, parameters, **more)
    return Route(path, (method, "HEAD") if method == "GET" else (method,), docs)


def _list(kind: str, example: Any, note: str = "", *, pages: bool = False) -> Route:
    order = "Newest first." if pages else "Oldest first."
    parameters = PAGE if pages else ()
    return _route(kind, "GET", f"The {kind}", f"{order}{note}", "A list.", example=[example], parameters=parameters)


def _one(kind: str, one: str, example: Any, note: str = "") -> Route:
    return _route(f"{kind}/{{id}}", "GET", f"One {one}", note or "As in the list.", f"The {one}.", example=example)


def _add(kind: str, one: str, body: RequestBody, example: Any, note: str) -> Route:
    return _route(
        kind, "POST", f"Add one of the {kind}", note, f"The new {one}.", status="201", body=body, example=example
    )


def _change(kind: str, one: str, body: RequestBody, example: Any, note: str) -> Route:
    return _route(
        f"{kind}/{{id}}", "PUT", f"Change one {one}", note, f"The {one} as it is now.", body=body, example=example
    )


def _remove(kind: str, one: str, note: str) -> Route:
    return _route(f"{kind}/{{id}}", "DELETE", f"Remove one {one}", note, "It is gone.", status="204")


_NOTIFICATION: Object = {
    "id": 12,
    "site": "example.com",
    "rule": 4,
    "alert": None,
    "type": "notification.created",
    "priority": "high",
    "title": "Payment of 149 EUR",
    "currency": "EUR",
    "value": 149.0,
    "count": 1,
    "timestamp": 1_795_237_131,
    "last": 1_795_237_131,
    "read": False,
}
_ALERT: Object = {
    "id": 3,
    "rule": 5,
    "severity": "critical",
    "title": "Nobody on example.com for a day",
    "metric": "active_sessions",
    "value": 0.0,
    "fired_at": 1_795_237_131,
    "resolved_at": None,
}
_DELIVERY: Object = {
    "id": 9,
    "state": "sent",
    "attempts": 1,
    "status": 200,
    "answer": "ok",
    "more": 0,
    "channel": 1,
    "notification": 12,
}

ROUTES: tuple[Route, ...] = (
    _list("rules", _STORED_RULE),
    _add("rules", "rule", _body("Rule", _RULE, _A_RULE), _STORED_RULE, "Unknown and wrong fields are named."),
    _one("rules", "rule", _STORED_RULE),
    _change("rules", "rule", _body("Rule", _RULE, _A_RULE), _STORED_RULE, "Replaces it; its open alert is resolved."),
    _remove("rules", "rule", "Its notifications stay; its open alert is resolved."),
    _list("channels", _STORED_CHANNEL, " With their secrets."),
    _add(
        "channels",
        "channel",
        _body("Channel", _CHANNEL, _A_CHANNEL),
        _STORED_CHANNEL,
        "An address that leads into the server's own network is refused.",
    ),
    _one("channels", "channel", _STORED_CHANNEL),
    _change(
        "channels",
        "channel",
        _body("Channel", _CHANNEL, _A_CHANNEL),
        _STORED_CHANNEL,
        "Replaces it, and switches it on; without a secret it keeps its own.",
    ),
    _remove("channels", "channel", "Rules name it no longer."),
    _route(
        "channels/{id}/test",
        "POST",
        "Test one channel",
        "Sends a message at once. It may take half a minute.",
        "What came back.",
        example={"sent": True, "status": 200, "answer": "ok"},
    ),
    _list("notifications", _NOTIFICATION, pages=True),
    _one("notifications", "notification", _NOTIFICATION),
    _route(
        "notifications/{id}/read",
        "POST",
        "Mark one notification as read",
        "For programs; people have marks of their own.",
        "The notification.",
        example=_NOTIFICATION | {"read": True},
    ),
    _route(
        "rules/{id}/snooze",
        "POST",
        "Snooze one rule on events",
        "Nothing of it goes outside for so long; in the app it goes on.",
        "The rule.",
        body=_body("Snooze", _SNOOZE, {"hours": 4}),
        example=_STORED_RULE,
    ),
    _list("alerts", _ALERT, pages=True),
    _one(
        "alerts",
        "alert",
        _ALERT | {"steps": [{"at": 1_795_237_131, "step": "firing", "value": 0.0, "who": ""}]},
        "With its history.",
    ),
    _route(
        "alerts/{id}/acknowledge",
        "POST",
        "Acknowledge one alert",
        "It is not repeated any more.",
        "The alert.",
        example=_ALERT,
    ),
    _route(
        "alerts/{id}/snooze",
        "POST",
        "Snooze one alert",
        "Nothing is said of it for so long, except that it is over.",
        "The alert.",
        body=_body("Snooze", _SNOOZE, {"hours": 4}),
        example=_ALERT,
    ),
    _list("deliveries", _DELIVERY, pages=True),
    _list("embeds", _STORED_EMBED, " Also those that are off."),
    _add(
        "embeds",
        "embed",
        _body("Embed", _EMBED, _AN_EMBED),
        _STORED_EMBED | {"token": "fe_…"},
        "The token is shown this once.",
    ),
    _one("embeds", "embed", _STORED_EMBED),
    _remove("embeds", "embed", "The card ends within a second; it stays in the list."),
    _list("segments", {"id": 7, **_A_SEGMENT}, " By name; those of everybody."),
    _add("segments", "segment", _body("Segment", _SEGMENT, _A_SEGMENT), {"id": 7, **_A_SEGMENT}, "For everybody."),
    _one("segments", "segment", {"id": 7, **_A_SEGMENT}),
    _remove("segments", "segment", "Addresses that have its filters stay as they are."),
)

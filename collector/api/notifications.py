"""`GET /api/notifications/stream`: the notifications of all sites that the signed-in person may see, as they come."""

from __future__ import annotations

from analytics.notify import notifications
from analytics.notify.notification import as_json
from analytics.notify.sight import sight_of
from collector.api.context import NO_STORE, Answer, Context, Stream
from collector.api.docs import Docs, parameter
from collector.api.live import EVENT_STREAM, MAX_STREAMS, TOO_MANY_STREAMS
from collector.api.readers import SIGN_IN, Login
from collector.http.messages import Request, json_response
from collector.live.channel import is_row_id

MAX_MISSED = 50  # sent to a reader that comes back; the rest is in the list


def newest(context: Context, request: Request) -> Answer:
    """The newest of all sites that the signed-in person may see."""
    person = context.person_of(request.headers)
    if person is None:
        return SIGN_IN
    known = {site.id: site for site in context.sites.all()}
    found = notifications.newest(context.database, sight_of(person, known), MAX_MISSED)
    listed = [as_json(one, known[one.site_id].shown_domain) for one in found]
    return json_response(200, {"notifications": listed}, (NO_STORE,))


def stream(context: Context, request: Request) -> Answer:
    """Server-Sent Events."""
    person = context.person_of(request.headers)
    if person is None:
        return SIGN_IN
    if context.bells.streams >= MAX_STREAMS:
        return TOO_MANY_STREAMS
    given = request.headers.get("last-event-id") or request.parameter("last_event_id")
    last_id = int(given) if is_row_id(given) else notifications.last_id(context.database)
    sight = sight_of(person, [site.id for site in context.sites.all()])
    missed = notifications.after(context.database, sight, last_id, MAX_MISSED)
    login = Login(context, request.headers, person)
    return Stream(
        EVENT_STREAM,
        lambda wake: context.bells.subscribe(
            lambda one: sight_of(login.person, [one.site_id]).sees(one), wake, last_id, missed
        ),
        context.bells.unsubscribe,
        login.is_valid,
    )


NEWEST_DOCS = Docs(
    "Live",
    "The newest notifications",
    "Of all sites that you may see, the newest first, at most 50.",
    {"200": "The notifications."},
    refusals=("401", "503"),
    example={
        "notifications": [
            {
                "id": "17",
                "site": "example.com",
                "rule": 2,
                "alert": None,
                "type": "notification.created",
                "priority": "medium",
                "title": "Payment of 129.5 EUR",
                "value": 129.5,
                "count": 1,
                "timestamp": 1_795_237_131,
                "last": 1_795_237_131,
            }
        ]
    },
)
STREAM_DOCS = Docs(
    "Live",
    "Notifications, as they come",
    "Server-Sent Events: connected, then notification, of all sites that you may see. One that stands for many events "
    "is sent again with its new count; sent_at is the server's second as it was sent. At most five frames a second; "
    "resumable.",
    {"200": "A stream without an end."},
    refusals=("401", "503"),
    parameters=(parameter("last_event_id", "As the header Last-Event-ID."),),
    kind="text/event-stream",
)

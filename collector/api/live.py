"""`GET /api/live` and `GET /api/live/stream`: the people on a site now, once or as a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics.live.state import LiveState
from analytics.notify.notification import Notification
from collector.api.context import NO_SNIFF, NO_STORE, Answer, Context, Stream
from collector.api.docs import SITE, Docs, parameter
from collector.api.readers import find_reader
from collector.http.messages import Request, Response, error, json_response
from collector.live.hub import MAX_TOP_PAGES, Subscription

EVENT_STREAM = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store, no-transform"),  # a proxy that compresses buffers frames until a block is full
    NO_SNIFF,
    ("Content-Encoding", "identity"),  # Caddy 2.6 ignores no-transform, but does not compress an encoded answer
    ("X-Accel-Buffering", "no"),  # proxies pass each frame on at once
)
MAX_STREAMS = 2_000
TOO_MANY_STREAMS = error(503, "too_many_streams", "too many streams are open", (NO_STORE, ("Retry-After", "30")))


def now(context: Context, request: Request) -> Response:
    """The current figures."""
    reader = find_reader(context, request)
    if isinstance(reader, Response):
        return reader
    return json_response(200, context.hub.stats(reader.site.id), (NO_STORE,))


def stream(context: Context, request: Request) -> Answer:
    """Server-Sent Events."""
    reader = find_reader(context, request)
    if isinstance(reader, Response):
        return reader
    if context.hub.streams >= MAX_STREAMS:
        return TOO_MANY_STREAMS
    last_id = request.headers.get("last-event-id") or request.parameter("last_event_id")
    own = reader.site.id

    def sees(one: Notification) -> bool:
        return reader.sight().sees(one)

    def subscribe(wake: Callable[[], None]) -> Subscription:
        subscription = context.hub.subscribe(reader.site.id, wake, last_id, sees_rows=not reader.by_token)
        if not reader.by_token:  # the readers of a card are not those of its site
            context.bells.listen(subscription, sees, lambda _: context.hub.last_id(own))
            for one in context.changing:
                one.listen(subscription)
        return subscription

    def unsubscribe(subscription: Subscription) -> None:
        context.hub.unsubscribe(subscription)
        context.bells.unsubscribe(subscription)
        for one in context.changing:
            one.unsubscribe(subscription)

    return Stream(EVENT_STREAM, subscribe, unsubscribe, reader.allowed)


def stats_of(state: LiveState) -> dict[str, Any]:
    """The figures of a state as the stream sends them."""
    return {
        "active_sessions": state.active,
        "authenticated_users": state.signed_in,
        "anonymous_sessions": state.anonymous,
        "top_pages": [{"path": path, "count": people} for path, people in state.pages[:MAX_TOP_PAGES]],
        "window_s": state.window_s,
        "as_of": state.at,
    }


_FIGURES = {"active_sessions": 2, "authenticated_users": 1, "anonymous_sessions": 1}
NOW_DOCS = Docs(
    "Live",
    "Who is there now",
    "People with a beat in the last window_s seconds, and the pages that they are on.",
    {"200": "The figures."},
    refusals=("401", "404", "503"),
    parameters=(SITE,),
    example=_FIGURES | {"top_pages": [{"path": "/pricing", "count": 2}], "window_s": 60, "as_of": 1_795_237_131},
)
STREAM_DOCS = Docs(
    "Live",
    "Who is there, as it changes",
    "Server-Sent Events: connected first, then new_event, stats and, but for the readers of a card, notification, "
    "gauges (what those on the site's cards are) and alerts (the open ones as in /api/live/metrics): both within a "
    "second after connected, also without any, and after each change. Changes of rows in watched tables are not for "
    "the readers of a card. At most five frames a second; resumable.",
    {"200": "A stream without an end."},
    refusals=("401", "404", "503"),
    parameters=(SITE, parameter("last_event_id", "As the header Last-Event-ID.")),
    kind="text/event-stream",
)

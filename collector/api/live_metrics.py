"""`GET /api/live/metrics`: who is there, what they do, what the process has to do, and what is wrong (contract §4)."""

from __future__ import annotations

from typing import Any

from analytics.activity.card import GAUGE
from analytics.activity.newest import Done, by_name
from analytics.activity.readings import ShownGauge, shown
from analytics.live.state import Concurrency, LiveState
from analytics.notify import alerts
from collector.api.context import NO_STORE, Context
from collector.api.docs import SITE, Docs
from collector.api.readers import SiteReader, find_reader
from collector.http.messages import Request, Response, json_response

MAX_LOCATIONS = 100


def answer(context: Context, request: Request) -> Response:
    """The metrics of the site, for its readers."""
    reader = find_reader(context, request)
    if isinstance(reader, Response):
        return reader
    return json_response(200, metrics(context, reader), (NO_STORE,))


def metrics(context: Context, reader: SiteReader) -> dict[str, Any]:
    """The body of the answer."""
    site = reader.site
    state = context.hub.state(site.id)
    return {
        "activeUsers": _active_users(state, context.history.read(site, state.at)),
        "liveActivity": _activity(context, reader),
        "systemLoad": _system_load(context),
        "alerts": alerts.live_of_sites(context.database, [site.id]).get(site.id, []),
    }


def _activity(context: Context, reader: SiteReader) -> dict[str, list[Done]]:
    """The newest events by their name, and the gauges on the site's cards, each behind the events of its name.

    Readers of a card see what people do, and not what is in a table: neither changes of rows nor gauges.
    """
    site_id = reader.site.id
    found = by_name(context.database, site_id, with_rows=not reader.by_token)
    for one in [] if reader.by_token else shown(context.database, [site_id]).get(site_id, []):
        found.setdefault(one.name, []).append(_gauge(one))
    return found


def _gauge(one: ShownGauge) -> Done:
    return Done(
        id=f"{GAUGE}-{one.id}",
        type=GAUGE,
        userId=None,
        userName=None,
        description=None,
        value=one.value,
        timestamp=one.timestamp or 0,
        metadata={"currency": one.currency} if one.currency else {},
    )


def _active_users(state: LiveState, people: Concurrency) -> dict[str, Any]:
    locations = [
        {"country": one.country, "city": one.city, "lat": one.lat, "lon": one.lon, "count": one.people}
        for one in state.places[:MAX_LOCATIONS]
    ]
    return {
        "current": state.active,
        "byType": {entry.label: entry.people for entry in state.user_types},
        "locations": locations,
        "trend": trend(state.active, people.hour_ago),
        "history": [[at, many] for at, many in people.points],
    }


def trend(now: int, hour_ago: int | None) -> float | None:
    """The change against one hour ago in %, one decimal; None where that is unknown, or was nobody."""
    return round(100 * (now - hour_ago) / hour_ago, 1) if hour_ago else None


def _system_load(context: Context) -> dict[str, float]:
    load = context.load.read(context.counts, context.clock())
    return {
        "requestsPerSecond": round(load.requests_per_second, 2),
        "avgResponseTime": round(load.average_ms, 2),
        "errorRate": round(load.error_rate, 2),
        "queueDepth": context.writer.waiting,
    }


_EXAMPLE = {
    "activeUsers": {
        "current": 12,
        "byType": {"supplier": 3},
        "locations": [{"country": "DE", "city": "Berlin", "lat": 52.5, "lon": 13.4, "count": 2}],
        "trend": 9.1,
        "history": [[1_795_237_080, 11]],
    },
    "liveActivity": {
        "Payment": [
            {
                "id": "7529920463028224001",
                "type": "Payment",
                "userId": "u-17",
                "userName": "Ada",
                "description": "Team plan",
                "value": 49.0,
                "timestamp": 1_795_237_128,
                "metadata": {"path": "/checkout", "currency": "EUR", "props": {"plan": "Team"}},
            }
        ]
    },
    "systemLoad": {"requestsPerSecond": 4.1, "avgResponseTime": 2.3, "errorRate": 0.0, "queueDepth": 0},
    "alerts": [
        {
            "id": 3,
            "severity": "critical",
            "message": "Nobody on example.com for a day",
            "affectedUsers": 0,
            "autoResolve": True,
            "acknowledged": False,
            "snoozedUntil": None,
            "timestamp": 1_795_237_131,
        }
    ],
}
DOCS = Docs(
    "Live",
    "Who is there and what they do",
    "People who are active now, by user type and place, with the change against one hour ago in % (null where that is "
    "unknown) and the minutes of the last hour; the newest events by their name, at most 20 of each among the newest "
    "500, and the gauges on the site's cards, of the type gauge; requests a second, their average time in ms and the "
    "share of errors in %, over the last minute in which this was asked for, and the events that wait to be stored; "
    "the open alerts, with whether somebody has acknowledged them and until when (epoch s; null if it never was) they "
    "are snoozed. Readers of a card get neither gauges nor changes of rows in watched tables.",
    {"200": "The metrics."},
    refusals=("401", "404", "503"),
    parameters=(SITE,),
    example=_EXAMPLE,
)

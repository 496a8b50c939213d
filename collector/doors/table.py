"""All doors. `serve`, WSGI, ASGI, `collector.mount`, the OpenAPI document and its page are made from this list.

A new door is a file with its functions, and a row here.
"""

from __future__ import annotations

from collector.api import (
    health,
    live,
    live_metrics,
    management,
    management_docs,
    metrics,
    notifications,
    query_docs,
    samples,
    statistics,
)
from collector.api.context import Answer, Context
from collector.doors import card_page, collect, collect_docs, openapi, pixel, plausible_event, script, umami_send
from collector.doors.door import (
    ANYBODY,
    CARD_READERS,
    MANAGERS,
    PEOPLE,
    PROGRAMS,
    READERS,
    SENDERS,
    Answers,
    Collects,
    Door,
    Threads,
)
from collector.http.messages import Request

GET, POST, HEAD, GET_HEAD = ("GET",), ("POST",), ("HEAD",), ("GET", "HEAD")
LOOP, LIVE, SAMPLES, STATISTICS = Threads.LOOP, Threads.LIVE, Threads.SAMPLES, Threads.STATISTICS


def _query(context: Context, request: Request) -> Answer:
    return context.statistics.query(request)


def _realtime(context: Context, request: Request) -> Answer:
    return context.statistics.realtime(request)


def _openapi(context: Context, _: Request) -> Answer:
    return openapi.answer(DOORS, context.base_path)


COLLECT = Collects(POST, collect.PATH, collect.read, collect.answer, collect_docs.DOCS)
DOORS: tuple[Door, ...] = (
    COLLECT,
    Collects(POST, plausible_event.PATH, plausible_event.read, plausible_event.answer, plausible_event.DOCS),
    Collects(POST, umami_send.PATH, umami_send.read, umami_send.answer, umami_send.DOCS),
    Collects(POST, umami_send.BATCH_PATH, umami_send.read_batch, umami_send.answer_batch, umami_send.BATCH_DOCS),
    Answers(GET_HEAD, script.PATH, ANYBODY, script.answer, LOOP, script.DOCS, cross_origin=True),
    Collects(GET, pixel.PATH, pixel.read, pixel.answer, pixel.DOCS),
    Answers(HEAD, pixel.PATH, ANYBODY, pixel.blank, LOOP, None, cross_origin=True),  # HEAD is not counted
    Answers(POST, samples.PATH, SENDERS, samples.answer, SAMPLES, samples.DOCS),
    Answers(GET_HEAD, "/api/live", READERS, live.now, LIVE, live.NOW_DOCS),
    Answers(GET, "/api/live/stream", READERS, live.stream, LIVE, live.STREAM_DOCS),  # no HEAD: it has no length
    Answers(GET_HEAD, "/api/notifications", PEOPLE, notifications.newest, LIVE, notifications.NEWEST_DOCS),
    Answers(GET, "/api/notifications/stream", PEOPLE, notifications.stream, LIVE, notifications.STREAM_DOCS),
    Answers(GET_HEAD, "/api/live/metrics", READERS, live_metrics.answer, LIVE, live_metrics.DOCS),
    Answers(POST, statistics.QUERY, PROGRAMS, _query, STATISTICS, query_docs.QUERY_DOCS),
    Answers(GET_HEAD, statistics.REALTIME, PROGRAMS, _realtime, LIVE, query_docs.REALTIME_DOCS),
    *(
        Answers(one.methods, one.path, MANAGERS, management.answer, STATISTICS, one.docs)
        for one in management_docs.ROUTES
    ),
    Answers(GET_HEAD, "/embed/live", CARD_READERS, card_page.show, LIVE, card_page.DOCS),
    Answers(GET_HEAD, card_page.FONT_PATH, ANYBODY, card_page.font, LOOP, card_page.FONT_DOCS),
    Answers(GET_HEAD, "/healthz", ANYBODY, health.up, LOOP, health.UP_DOCS),
    Answers(GET_HEAD, "/readyz", ANYBODY, health.ready, LOOP, health.READY_DOCS),
    Answers(GET_HEAD, "/metrics", PROGRAMS, metrics.answer, LIVE, metrics.DOCS),
    Answers(GET_HEAD, openapi.PATH, ANYBODY, _openapi, LOOP, openapi.DOCS),
)
ELSEWHERE = Answers((), management.PREFIX, MANAGERS, management.unknown, LOOP, None)
"""Answers below its path what no door has."""
PATHS = frozenset(door.path for door in DOORS)

"""`GET /metrics`: totals of this process since its start, for Prometheus, and the state of watched tables.

Nothing about a visitor, and of sites only what their watches are called.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from analytics.activity.watch import Watch
from analytics.activity.watch_state import behind_s, state_of
from analytics.base.addresses import plain_address
from analytics.notify.totals import NotifyTotals
from analytics.notify.turns import GAP_BOUNDS_S
from collector.api.context import NO_STORE, Context
from collector.api.docs import Docs
from collector.http.counts import BOUNDS_S, Counts
from collector.http.messages import Request, Response, bearer_token, error

NO_ROUTE = "(none)"  # also of what was refused before its route was known
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
KEY_NEEDED = error(
    401, "unauthorized", "only from this machine, not through a proxy; or with a stats key for every site", (NO_STORE,)
)

WATCH_METRICS: tuple[tuple[str, str, Callable[[Watch, int], float]], ...] = (
    ("footfall_watch_behind_seconds", "Age of the oldest change of a watched table that was not read.", behind_s),
    ("footfall_watch_works", "1 if the table is followed.", lambda one, now: int(state_of(one, now).is_well)),
    ("footfall_watch_unread", "Its changes in the outbox that were not read.", lambda one, _: one.unread or 0),
    ("footfall_watch_outbox_bytes", "The outbox of its database.", lambda one, _: one.outbox_bytes or 0),
    ("footfall_watch_missed", "Changes that found the outbox full, since it was added.", lambda one, _: one.missed),
    ("footfall_watch_refused", "Changes that could not become events, since it was added.", lambda one, _: one.refused),
)


def answer(context: Context, request: Request) -> Response:
    """The metrics, for a program on this machine or with a key of the scope `stats` for every site."""
    key = context.keys.find(bearer_token(request.headers))
    if not (is_local(request) if key is None else key.opens("stats", None)):
        return KEY_NEEDED
    return Response(200, (("Content-Type", CONTENT_TYPE_PLAIN_0_0_4), NO_STORE), generate_latest(totals(context)))


def totals(context: Context) -> CollectorRegistry:
    """The metrics of this process, read when they are collected."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Totals(context))
    return registry


def is_local(request: Request) -> bool:
    """Whether a program on this machine asks for itself: no proxy speaks for another, no page of a browser asks.

    A page elsewhere can point a name at 127.0.0.1, so the name has to be this machine's.
    """
    if any(name in request.headers for name in FORWARDED):
        return False
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    return _is_loopback(request.peer) and (host == "localhost" or _is_loopback(host.strip("[]")))


def _is_loopback(address: str) -> bool:
    plain = plain_address(address)
    return bool(plain) and ipaddress.ip_address(plain).is_loopback


class _Totals(Collector):
    """Reads the totals when they are asked for: nothing else is counted for it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        context = self._context
        yield from _requests(context.counts)
        yield _by(
            "footfall_events", "Events received, by outcome.", ("outcome", "reason"), context.writer.outcomes.items()
        )
        yield _gauge("footfall_writer_waiting", "Events that wait to be committed.", context.writer.waiting)
        works = context.writer.alive and not (context.writer.failing or context.writer.stuck)
        yield _gauge("footfall_writer_works", "1 if the last commit succeeded and none hangs.", int(works))
        yield _gauge("footfall_streams", "Open live streams.", context.hub.streams)
        slow = sum(one.slow_readers.dropped for one in (context.hub, context.bells))
        text = "Streams that were ended because their readers were too slow."
        yield _by("footfall_streams_dropped", text, (), {(): slow}.items())
        text = "Open streams of notifications; a browser has one."
        yield _gauge("footfall_notification_streams", text, context.bells.streams)
        yield from _notify(context.notify_totals())
        yield _gauge("footfall_replica_behind_seconds", "How far the columnar replica is behind.", context.behind_s())
        counts = context.answers.counts
        kinds = {("hit",): counts.hits, ("shared",): counts.shared, ("miss",): counts.misses}
        text = "Answers to questions: kept before, shared with one who asked at the same time, or computed."
        yield _by("footfall_answers", text, ("cache",), kinds.items())
        if context.answers.size is not None:
            yield _gauge("footfall_answers_kept", "Answers in memory.", context.answers.size)
        yield from _watches(context)


def _watches(context: Context) -> Iterator[Metric]:
    """Of each watched table."""
    now, domains = context.now(), {site.id: site.domain for site in context.sites.all()}
    for name, text, value in WATCH_METRICS:
        family = GaugeMetricFamily(name, text, labels=("site", "table", "watch"))
        for one in context.watches():
            labels = (domains.get(one.site_id, ""), one.definition.table_name, str(one.id))
            family.add_metric(labels, value(one, now))
        yield family


def _notify(totals: NotifyTotals) -> Iterator[Metric]:
    """What goes outside, and the open alerts; what only the database knows is left out while it does not answer."""
    attempts = {(state,): many for state, many in totals.attempts.items()}
    text = "Attempts to send a message, by what became of it: sent, waiting for the next attempt, given up, or dropped."
    yield _by("footfall_deliveries", text, ("state",), attempts.items())
    gaps = HistogramMetricFamily("footfall_rule_gap_seconds", "From a reading of a rule to its next.", labels=("kind",))
    for kind, one in totals.gaps.items():
        gaps.add_metric((kind,), list(_buckets(GAP_BOUNDS_S, one.slots)), one.seconds)
    yield gaps
    if totals.stored is None:
        return
    backlog = totals.stored.backlog
    yield _gauge("footfall_deliveries_waiting", "Messages that wait for their next attempt.", backlog.waiting)
    yield _gauge("footfall_deliveries_oldest_seconds", "The age of the oldest message that waits.", backlog.oldest_s)
    found = GaugeMetricFamily("footfall_alerts_open", "Open alerts of all sites.", labels=("severity",))
    for severity, many in totals.stored.open_alerts.items():
        found.add_metric((severity,), many)
    yield found


def _requests(counts: Counts) -> Iterator[Metric]:
    answers = CounterMetricFamily("footfall_requests", "Answered requests.", labels=("route", "status"))
    times = HistogramMetricFamily("footfall_request_seconds", "From a request to its answer.", labels=("route",))
    for route, one in sorted(counts.routes.items()):
        for status, many in sorted(one.statuses.items()):
            answers.add_metric((route or NO_ROUTE, str(status)), many)
        times.add_metric((route or NO_ROUTE,), list(_buckets(BOUNDS_S, one.slots)), one.seconds)
    yield answers
    yield times
    yield _by("footfall_connections", "Accepted connections.", (), [((), counts.connections)])
    ended = {("displaced",): counts.displaced, ("timeout",): counts.timeouts}
    yield _by("footfall_connections_closed", "Connections that the server closed.", ("reason",), ended.items())


def _buckets(bounds_s: Sequence[float], slots: Iterable[int]) -> Iterator[tuple[str, float]]:
    yield from zip((*map(str, bounds_s), "+Inf"), accumulate(slots), strict=True)


def _by(name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], int]]) -> Metric:
    found = CounterMetricFamily(name, text, labels=labels)
    for key, value in sorted(values):
        found.add_metric(key, value)
    return found


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


DOCS = Docs(
    "Health",
    "Metrics for Prometheus",
    "Requests and their times by route, outcomes of events, the writer's queue, streams, deliveries, open alerts, the "
    "replica and kept answers, since the start; and how watched tables are followed. A program on the machine itself "
    "needs no key; through a proxy it does. The key is one for every site.",
    {"200": "The text format, version 0.0.4."},
    refusals=("401",),
    kind="text/plain",
    example='footfall_requests_total{route="/api/collect",status="202"} 31.0\n',
)

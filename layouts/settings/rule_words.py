"""Rules in words: their metrics, priorities and severities, and when they speak."""

from __future__ import annotations

from analytics.base.words import N_, _
from analytics.notify.kinds.kind import When, Wording
from analytics.notify.rule import Priority, Severity
from analytics.query import filters
from analytics.query.dimensions import dimension
from analytics.query.filters import Filter, Match
from analytics.query.metrics import METRICS
from layouts.components import figures

PRIORITIES = {
    Priority.LOW: N_("Low"),
    Priority.MEDIUM: N_("Medium"),
    Priority.HIGH: N_("High"),
    Priority.URGENT: N_("Urgent"),
}
SEVERITIES = {
    Severity.INFO: N_("Info"),
    Severity.WARNING: N_("Warning"),
    Severity.ERROR: N_("Error"),
    Severity.CRITICAL: N_("Critical"),
}
LIVE_NAMES = {
    "active_sessions": N_("Active now"),
    "authenticated_users": N_("Signed in now"),
    "anonymous_sessions": N_("Anonymous now"),
    "events_per_minute": N_("Events per minute"),
    "requests_per_second": N_("Requests per second, of the server"),
    "average_response_ms": N_("Response time in ms, of the server"),
    "error_rate": N_("Errors in %, of the server"),
    "queue_depth": N_("Events that wait to be stored"),
}


def sentence(when: When) -> str:
    """When the rule speaks, in a sentence that stands alone: it begins with a capital, but for the name of an event."""
    said = when.sentence(Wording(lambda name: f"“{name}”", metric_name, _filters, _duration))
    return said[:1].upper() + said[1:]  # not by `::first-letter`, which takes the letter behind the quote along


def metric_name(metric: str) -> str:
    """The metric as people read it; the name of one that there is not any more, as an old alert may have it."""
    if metric in LIVE_NAMES:
        return _(LIVE_NAMES[metric])
    return _(METRICS[metric].label) if metric in METRICS else metric


def _filters(found: tuple[Filter, ...]) -> str:
    return f" [{', '.join(map(_filter, found))}]" if found else ""


def _filter(one: Filter) -> str:
    if isinstance(one, Match) and one.operator == "is":
        return f"{dimension(one.dimension).shown}: {', '.join(one.values)}"
    return str(filters.plain(one))


def _duration(seconds: int) -> str:
    return figures.duration(seconds, is_short=True)

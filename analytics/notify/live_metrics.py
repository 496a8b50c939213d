"""The live metrics of a site, by the names that rules use."""

from __future__ import annotations

from collections.abc import Mapping

from analytics.health.sample import is_metric_name
from analytics.live.state import FACTS, ITEM_FACTS
from analytics.query.metrics import METRICS

EVENTS = "events_per_minute"
SYSTEM_METRICS = ("requests_per_second", "average_response_ms", "error_rate", "queue_depth")
"""What the process that evaluates has to do: over the last minute, errors in %, and how many events wait to be stored.
Of a site whose application sends samples of one of these names, it is the application's.
"""

LIVE_METRICS: Mapping[str, tuple[str, ...]] = {
    "active_sessions": FACTS,
    "authenticated_users": FACTS,
    "anonymous_sessions": FACTS,
    EVENTS: ITEM_FACTS,
    **dict.fromkeys(SYSTEM_METRICS, ()),
}
"""With the dimensions by which each can be filtered."""


def is_sample(metric: str) -> bool:
    """Whether the metric can only be one of which samples are sent. Whether any have come is not known here."""
    return metric not in LIVE_METRICS and metric not in METRICS and is_metric_name(metric)


def is_live(metric: str) -> bool:
    """Whether the metric is read from the live state, every few seconds; else it is one of `query.metrics`."""
    return metric in LIVE_METRICS or is_sample(metric)

"""A notification: what a rule had to say about an event, or about many, or about an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from analytics.notify.difference import Difference

MINUTE_S = 60
CREATED, FIRING, RESOLVED = TYPES = ("notification.created", "alert.firing", "alert.resolved")


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of a site. Times are epoch seconds; texts are filled templates, "" where there is none.

    It stands for `count` events from `at` to `last_at`; until `open_until` further events of its rule are added to it.
    `counted_at` is the second by which its first event was grouped: later than `at` for one that came late.
    `rule_id` is None for what Footfall itself has to say, `alert_id` for what is about no alert. `value` is in
    `currency`. `audience` is that of the rule. Of an alert `value` is the metric's, `threshold` the line that this has
    crossed (None for a rule without one), and `why` what makes the difference while it fires.
    """

    id: int
    site_id: int
    rule_id: int | None
    alert_id: int | None
    type: str
    priority: str
    severity: str
    title: str
    message: str
    link: str
    link_label: str
    value: float | None
    currency: str
    count: int
    at: int
    last_at: int
    open_until: int
    audience: str
    counted_at: int = 0
    threshold: float | None = None
    why: tuple[Difference, ...] = ()


class RecentNotification(NamedTuple):
    """The newest notification of a rule of a minute of the clock, by `counted_at`, and how many there are."""

    newest: Notification
    many: int


def as_json(one: Notification, domain: str) -> dict[str, Any]:
    """The notification as the stream and the API have it; `domain` is its site's. Empty texts are left out, and of what
    is about no alert the threshold and the explanation.
    """
    texts = {name: getattr(one, name) for name in ("severity", "message", "link", "link_label", "currency")}
    return {
        "id": str(one.id),
        "site": domain,
        "rule": one.rule_id,
        "alert": one.alert_id,
        "type": one.type,
        "priority": one.priority,
        "title": one.title,
        **{name: text for name, text in texts.items() if text},
        "value": one.value,
        **({} if one.threshold is None else {"threshold": one.threshold}),
        **({"why": [each._asdict() for each in one.why]} if one.why else {}),
        "count": one.count,
        "timestamp": one.at,
        "last": one.last_at,
    }

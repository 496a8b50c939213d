"""Rules on alerts: what they say when an alert begins, and when it is over, besides the rule that made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from analytics.notify.alert import Alert
from analytics.notify.audience import Audience, stricter
from analytics.notify.kinds.kind import AlertWhen
from analytics.notify.notification import FIRING, RESOLVED, Notification
from analytics.notify.rule import Priority, Rule
from analytics.notify.template import fill
from analytics.sites.site import Site

PRIORITIES = [str(one) for one in Priority]


class AlertNotification(NamedTuple):
    """The columns of a notification, and its rule with the channels that do not know of the alert yet."""

    rule: Rule
    columns: dict[str, Any]


def notifications_of(
    rules: Iterable[Rule], own: Rule | None, said: Notification, site: Site
) -> Iterator[AlertNotification]:
    """The notifications of these rules about an alert of the site that begins or is over.

    `own` is the rule that made the alert, None if it is not known any more, and `said` what it says. A rule without
    further channels says only that an alert begins, and only if it is more urgent: else one alert would be two
    notifications. What is said of the alert of a rule for admins is for admins too, whatever the rule on alerts says.
    No alert comes of them, so they cannot go in circles.
    """
    known = own.notify.channels if own else ()
    for rule in rules:
        if rule.site_id != site.id or not isinstance(rule.when, AlertWhen) or not rule.when.concerns(said.severity):
            continue
        others = tuple(one for one in rule.notify.channels if one not in known)
        if others or (said.type == FIRING and PRIORITIES.index(rule.notify.priority) > PRIORITIES.index(said.priority)):
            telling = rule._replace(notify=rule.notify._replace(channels=others))
            yield AlertNotification(telling, _columns(rule, said, site))


def alert_fields(about: Notification | Alert, rule_name: str, site: Site) -> dict[str, object]:
    """The fields that templates of rules on alerts may name."""
    values = {name: getattr(about, name) for name in ("title", "message", "severity", "value")}
    return values | {"rule": rule_name, "site": site.domain}


def _columns(rule: Rule, said: Notification, site: Site) -> dict[str, Any]:
    """That an alert is over is said in the words of its own rule: templates are about alerts that begin."""
    same = ("site_id", "alert_id", "type", "severity", "value", "at", "last_at", "open_until")
    text = fill(rule.notify, alert_fields(said, rule.name, site))
    if said.type == RESOLVED:
        text = text._replace(title=said.title, message=said.message)
    return {
        **{name: getattr(said, name) for name in same},
        **text._asdict(),
        "rule_id": rule.id,
        "priority": str(rule.notify.priority),
        "audience": stricter(rule.notify.audience, Audience(said.audience)).value,
        "count": 1,
    }

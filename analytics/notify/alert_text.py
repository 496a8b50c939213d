"""What notifications say of an alert, in English: the templates of its rule, filled, and how it stands."""

from __future__ import annotations

from typing import NamedTuple

from analytics.notify.alert import Ending
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.rule import Rule
from analytics.notify.rule_json import RuleInput
from analytics.sites.site import Site

ENDINGS = {
    Ending.RECOVERED: "The metric has recovered.",
    Ending.NO_DATA: "There has been no data for an hour.",
    Ending.CHANGED: "The rule was changed.",
    Ending.OFF: "The rule was switched off or removed.",
}


class AlertText(NamedTuple):
    """The title and the message of a notification."""

    title: str
    message: str


def metric_fields(rule: Rule | RuleInput, site: Site, value: float | None) -> dict[str, object]:
    """The fields that templates of metric rules may name."""
    when = rule.when
    metric, threshold = (when.metric, when.line) if isinstance(when, MetricWhen) else ("", None)
    return {"metric": metric, "value": value, "threshold": threshold, "site": site.domain, "rule": rule.name}


def resolved(title: str, ending: Ending, lasted_s: int) -> AlertText:
    """Of an alert that is over. `title` is that with which it began."""
    return AlertText(f"Resolved: {title}", f"{ENDINGS[ending]} It lasted {duration(lasted_s)}.")


def still_firing(text: AlertText, lasts_s: int) -> AlertText:
    """Of an alert that still fires, with the text of this moment."""
    return text._replace(title=f"Still firing after {duration(lasts_s)}: {text.title}")


def duration(seconds: int) -> str:
    """The duration in the largest units that fit: `45 s`, `12 min`, `4 h`, `4 h 30 min`, `2 d 3 h`."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86_400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"

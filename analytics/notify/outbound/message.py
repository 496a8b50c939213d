"""What is sent: one notification, or several in one message, with all that a channel's format may show."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.base.zones import UTC as UTC_NAME
from analytics.notify.difference import Difference, change, label
from analytics.notify.notification import CREATED

MAX_COVERED = 40
"""How many of several notifications a message lists; further ones are counted."""

MAX_RULES = 20
"""How many rules a message of several gives the counts of, those that matter most; further ones are counted."""

MAX_WHY = 3  # differences that a message names
MAX_LABEL = 60  # characters


def new_message_id() -> str:
    """The id of a message, by which a receiver knows one that it gets twice."""
    return "msg_" + secrets.token_urlsafe(18)


class Covered(NamedTuple):
    """One of the notifications of a message, for so many events, made by that `rule`. `type` says whether its alert
    fires at this moment; `outcome` says it in words, "" where there is no alert or the title has said it.
    """

    id: int
    title: str
    at: int
    value: float | None = None
    currency: str = ""
    outcome: str = ""
    events: int = 1
    rule: int | None = None
    type: str = CREATED


class RuleCount(NamedTuple):
    """How often a rule is in a message of several: for so many `events`, or with so many alerts, of which `firing` fire
    at this moment.
    """

    rule: int | None
    name: str
    events: int = 0
    alerts: int = 0
    firing: int = 0


class OutboundMessage(NamedTuple):
    """One message. `message_id` is the same at each attempt; texts are plain, "" where there is none.

    `id` is the notification's, None for a test and for several; `events` is how many it stands for at this moment. `at`
    is the epoch second of the newest, `timezone` that in which times are written. Of an alert `value` is the metric's,
    `threshold` the line that this has crossed, and `why` what makes the difference. `open_url` and `snooze_url` lead to
    the dashboard, "" where there is none. Of several notifications those that matter most are in `covered`, once for
    each alert, and there are `more` besides. Where a rule is in it more than once, `rules` counts what each has, and
    there are `more_rules` besides. `alert` is the id of the alert that the message is about, `metric` the name of its
    metric and `rule_name` that of its rule; `alert_url` leads to it.
    """

    message_id: str
    type: str
    site: str
    title: str
    at: int
    text: str = ""
    id: int | None = None
    rule: int | None = None
    priority: str = "medium"
    severity: str = ""
    link: str = ""
    link_label: str = ""
    value: float | None = None
    currency: str = ""
    events: int = 1
    timezone: str = UTC_NAME
    open_url: str = ""
    snooze_url: str = ""
    covered: tuple[Covered, ...] = ()
    more: int = 0
    rules: tuple[RuleCount, ...] = ()
    more_rules: int = 0
    threshold: float | None = None
    why: tuple[Difference, ...] = ()
    alert: int | None = None
    alert_url: str = ""
    metric: str = ""
    rule_name: str = ""


class MessageLink(NamedTuple):
    """A link below a message."""

    label: str
    url: str


def links_of(message: OutboundMessage) -> list[MessageLink]:
    """The rule's own link, that to the dashboard and that which snoozes; only http and https ones."""
    offered = (
        MessageLink(message.link_label or "Open", message.link),
        MessageLink("Open in Footfall", message.open_url),
        MessageLink("Snooze", message.snooze_url),
    )
    return [one for one in offered if one.url.startswith(("https://", "http://"))]


def headline_of(message: OutboundMessage) -> str:
    """The title, with how many events besides the one that it names: `Signup of Ann, and 2 more`. Of several
    notifications it has said so.
    """
    more = 0 if message.covered else message.events - 1
    return f"{message.title}, and {more} more" if more > 0 else message.title


def facts_of(message: OutboundMessage) -> list[tuple[str, str]]:
    """What is known besides title and text, as pairs of a name and its value, like `("Priority", "high")`."""
    facts = [("Site", message.site), ("Priority", message.priority), ("Severity", message.severity)]
    facts += [("Rule", message.rule_name), ("Metric", message.metric)]
    facts.append(("Value", amount(message.value, message.currency) + _beyond(message.value, message.threshold)))
    facts.append(("Events", str(message.events) if message.events > 1 else ""))
    facts.append(("Time", time_of(message.at, message.timezone)))
    facts.append(("What makes the difference", "; ".join(map(_difference, message.why[:MAX_WHY]))))
    return [(name, value) for name, value in facts if value]


def _beyond(value: float | None, threshold: float | None) -> str:
    """Where the value is, as ` (above 100)`; "" of what is no alert's."""
    if value is None or threshold is None:
        return ""
    if value == threshold:
        return " (at the limit)"
    return f" ({'above' if value > threshold else 'below'} {amount(threshold, '')})"


def _difference(one: Difference) -> str:
    name = label(one)
    return f"{name[:MAX_LABEL]}{'…' if len(name) > MAX_LABEL else ''} {change(one)}"


def lines_of(message: OutboundMessage) -> list[str]:
    """The counts of rules, then a line for each of several notifications, in their order; each list ends with how many
    more there are.
    """
    rules = [_rule_line(one) for one in message.rules]
    rules += [f"and {message.more_rules} more rules"] if message.more_rules else []
    lines = [_line(one, message.timezone) for one in message.covered]
    return [*rules, *lines, *([f"and {message.more} more"] if message.more else [])]


def _rule_line(one: RuleCount) -> str:
    """A count like `Signups: 13 times`, or `Many people: 3 alerts, 1 still firing`."""
    firing = "over" if not one.firing else "still firing" if one.firing == one.alerts else f"{one.firing} still firing"
    alerts = f"{one.alerts} alert{'s' if one.alerts > 1 else ''}, {firing}" if one.alerts else ""
    events = f"{one.events} time{'s' if one.events > 1 else ''}" if one.events else ""
    return f"{one.name}: {'; '.join(part for part in (alerts, events) if part)}"


def _line(one: Covered, timezone: str) -> str:
    events = f"{one.events} events" if one.events > 1 else ""
    parts = (f"{time_of(one.at, timezone)}: {one.title}", events, amount(one.value, one.currency), one.outcome)
    return "; ".join(part for part in parts if part)


def amount(value: float | None, currency: str) -> str:
    """A value with its currency, like `120.5 EUR`; "" for none."""
    return "" if value is None else f"{value:.10g} {currency}".strip()


def time_of(at: int, timezone: str) -> str:
    """A time as people read it, like `2026-11-30 19:05 CET`."""
    return datetime.fromtimestamp(at, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M %Z")


def iso_time(at: int) -> str:
    """A time as programs read it, like `2026-11-30T18:05:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

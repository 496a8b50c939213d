"""Rules to begin with. The page of rules offers them; some of them every site has from the start (`shipped.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from analytics.base.words import N_
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.kinds.change import MetricChanged
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import Condition, EventArrives, Operator
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.rule import Notify, Priority, Severity
from analytics.notify.rule_json import RuleInput
from analytics.query.filters import Match

LARGE_PAYMENT = 100.0
SILENT_S = 86_400  # small sites have nights without anybody
HALF_AN_HOUR = 1_800


class RuleExample(NamedTuple):
    """A rule, and a sentence that says what it is good for. The texts are English, and marked for translation."""

    rule: RuleInput
    why: str


EXAMPLES: Mapping[str, RuleExample] = {
    "signup": RuleExample(
        RuleInput(
            N_("Somebody signs up"),
            EventArrives("signup"),
            Notify(Priority.LOW, Severity.INFO, N_("New signup"), "{user_name} {description}", group_s=0),
        ),
        N_("Each new account, as soon as it is there."),
    ),
    "payment": RuleExample(
        RuleInput(
            N_("A payment over 100"),
            EventArrives("payment", (Condition("value", Operator.ABOVE, LARGE_PAYMENT),)),
            Notify(
                Priority.MEDIUM,
                Severity.INFO,
                N_("Payment of {value} {currency}"),
                "{user_name} {description}",
                group_s=0,
            ),
        ),
        N_("Large payments by themselves, with who paid and how much."),
    ),
    "errors": RuleExample(
        RuleInput(
            N_("Many errors"),
            LineCrossed(
                "events", Crossing.ABOVE, 20, filters=(Match("is", "event", ("error", "Error")),), period="realtime"
            ),
            Notify(
                Priority.HIGH,
                Severity.ERROR,
                N_("{value} errors in half an hour"),
                N_("More than {threshold} on {site}."),
                "/live/{site}",
                "Live",
            ),
        ),
        N_("Your pages send an event “error”, and there are more than 20 within half an hour."),
    ),
    "doubled": RuleExample(
        RuleInput(
            N_("Traffic has doubled"),
            MetricChanged("visitors", Crossing.ABOVE, 100, HALF_AN_HOUR, period="today"),
            Notify(
                Priority.MEDIUM,
                Severity.INFO,
                N_("{value} % more visitors than yesterday"),
                N_("Today {site} has more than twice the visitors of yesterday at this time."),
                "/overview/{site}?period=today",
                "Overview",
            ),
        ),
        N_("Today has twice the visitors of yesterday up to the same time: look where they come from."),
    ),
    "drop": RuleExample(
        RuleInput(
            N_("Unusually few visitors"),
            MetricChanged("visitors", Crossing.BELOW, -50, HALF_AN_HOUR, period="today"),
            Notify(
                Priority.HIGH,
                Severity.WARNING,
                N_("Visitors have changed by {value} %"),
                N_("Today {site} has less than half the visitors of yesterday at this time."),
                "/overview/{site}?period=today",
                "Overview",
            ),
        ),
        N_("Today has less than half the visitors of yesterday up to the same time."),
    ),
    "silence": RuleExample(
        RuleInput(
            N_("Tracking broke"),
            NothingArrives("active_sessions", SILENT_S),
            Notify(
                Priority.HIGH,
                Severity.CRITICAL,
                N_("Nobody on {site} for a day"),
                N_("Is the script still on its pages?"),
                "/settings/{site}/snippet",
                "Snippet",
            ),
        ),
        N_("Nothing has arrived for a day: the script is gone from the pages, or the site is down."),
    ),
    "critical": RuleExample(
        RuleInput(
            N_("Critical alerts"),
            AlertBegins(Severity.CRITICAL),
            Notify(Priority.HIGH, Severity.CRITICAL, N_("Critical: {title}"), "{message}", "/alerts/{site}", "Alerts"),
        ),
        N_("Each critical alert, whichever rule makes it: with channels here, all of them go there."),
    ),
    "crowd": RuleExample(
        RuleInput(
            N_("A crowd"),
            LineCrossed("active_sessions", Crossing.ABOVE, 100, 60),
            Notify(Priority.HIGH, Severity.INFO, N_("People on {site} now: {value}"), "", "/live/{site}", "Live"),
        ),
        N_("More than 100 people are there at once, for a minute."),
    ),
    "unpaid": RuleExample(
        RuleInput(
            N_("No payment for a day"),
            NothingArrives("events", SILENT_S, filters=(Match("is", "event", ("payment", "Payment")),)),
            Notify(
                Priority.HIGH,
                Severity.ERROR,
                N_("No payment on {site} for a day"),
                N_("Does the checkout still work?"),
                "/live/{site}",
                "Live",
            ),
        ),
        N_("Payments arrived, and then none for a day: the checkout may be broken."),
    ),
}
"""By their names, in the order in which people see them."""

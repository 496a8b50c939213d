"""What a rule would do, on SQLite and on PostgreSQL; `rule test` shows the same (test_commands.py)."""

from __future__ import annotations

import pytest

from analytics.base.errors import InvalidInput
from analytics.notify.examples import EXAMPLES
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import Condition, EventArrives, Operator
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.rule import Notify, Severity
from analytics.notify.rule_json import RuleInput
from analytics.notify.template import NotificationText
from analytics.notify.trial import AlertTrial, EventTrial, MetricTrial
from analytics.notify.trials import TrialSources, try_rule
from analytics.query.backend import fetch_from
from analytics.query.filters import Match
from tests.support.alerts import line
from tests.support.factories import NOW, accepted, added_site, event, one_by_one
from tests.support.replica import facts

LARGE = RuleInput(
    "Large",
    EventArrives("order", (Condition("value", Operator.ABOVE, 100.0),)),
    Notify(title="{value} from {user_name}", message="{rule} on {site}", link="{path}"),
)


def trial(database, site, rule, events=1_000):
    sources = TrialSources(database, facts(fetch_from(database)), 60)
    return try_rule(rule, site, sources, now=NOW + 30, events=events)


def test_a_rule_on_events_is_tried_on_the_newest_ones(database):
    site = added_site(database)
    orders = enumerate((110, 90, 150, 20))
    one_by_one(
        database,
        *(
            event(f"order-{n:04}", at=NOW + n, name="Order", value=value, user_name=f"Ann {n}", path="/pay")
            for n, value in orders
        ),
    )
    text = NotificationText("150 from Ann 2", "Large on example.com", "/pay", "")
    assert trial(database, site, LARGE) == EventTrial(4, 2, NOW + 2, text)
    assert trial(database, site, LARGE, events=2) == EventTrial(2, 1, NOW + 2, text)


def test_as_long_as_none_matches_a_rule_speaks_of_an_invented_event(database):
    site = added_site(database)
    one_by_one(database, event("order-0001", name="Order", value=5))
    text = NotificationText("149 from Ada Lovelace", "Large on example.com", "/pricing", "")
    assert trial(database, site, LARGE) == EventTrial(1, 0, None, text)
    named = RuleInput("Any", EventArrives(""), Notify(title="{name}, {props.plan}"))
    assert trial(database, added_site(database, "b.example"), named).text.title == "signup, Team"


def test_a_rule_on_a_metric_is_tried_on_its_value(database):
    site = added_site(database)
    one_by_one(database, accepted(at=NOW))
    rule = RuleInput("Crowd", LineCrossed("active_sessions", Crossing.ABOVE, 5), Notify(title="{value} of {threshold}"))
    said = NotificationText("1 of 5", "", "", "")
    assert trial(database, site, rule) == MetricTrial(1.0, is_breached=False, text=said)
    crossed = rule._replace(when=LineCrossed("pageviews", Crossing.ABOVE, 0, period="today"))
    said = NotificationText("1 of 0", "", "", "")
    assert trial(database, site, crossed) == MetricTrial(1.0, is_breached=True, text=said)


def test_without_data_a_rule_on_a_metric_speaks_of_its_threshold(database):
    site = added_site(database)
    found = trial(database, site, EXAMPLES["doubled"].rule)
    assert (found.value, found.is_breached, found.text.title) == (None, False, "100 % more visitors than yesterday")
    quiet = RuleInput("Quiet", NothingArrives("active_sessions", 60), Notify(title="Nobody on {site}{value}"))
    said = NotificationText("Nobody on example.com0", "", "", "")
    assert trial(database, site, quiet) == MetricTrial(0.0, is_breached=True, text=said)


def test_a_rule_on_alerts_is_tried_on_the_newest_ones(database, watching):
    site = added_site(database)
    worst = RuleInput("Worst", AlertBegins(Severity.CRITICAL), Notify(title="{severity}: {title}, {value} on {site}"))
    invented = NotificationText("critical: Nobody for a day, 0 on example.com", "", "", "")
    assert trial(database, site, worst) == AlertTrial(0, 0, None, invented)
    watching(line(1, title="Busy"), line(2, title="Full", severity=Severity.CRITICAL)).see(40)
    said = NotificationText("critical: Full, 40 on example.com", "", "", "")
    assert trial(database, site, worst) == AlertTrial(2, 1, NOW, said)


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.CRITICAL], ids=["of a real one", "of an invented one"])
def test_the_trial_of_a_rule_on_alerts_names_the_site_as_alerts_do(database, watching, severity):
    site = added_site(database, "xn--mnchen-3ya.example")
    watching(line(1)).see(40)
    said = trial(database, site, RuleInput("Worst", AlertBegins(severity), Notify(title="{site}"))).text
    assert said.title == "xn--mnchen-3ya.example"


def test_a_metric_that_cannot_be_read_is_refused(database):
    site = added_site(database)
    filters = (Match("is", "browser", ("Chrome",)),)
    rule = RuleInput("Odd", LineCrossed("active_sessions", Crossing.ABOVE, 1, filters=filters), Notify(title="x"))
    with pytest.raises(InvalidInput):
        trial(database, site, rule)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_can_be_tried(database, name):
    assert trial(database, added_site(database), EXAMPLES[name].rule).text.title

"""Whatever the event rules of one site cost, the writer goes on with those of the others."""

from __future__ import annotations

from itertools import count

from analytics.notify.events import ArrivedEvent, notify
from analytics.notify.kinds.event import EventArrives
from analytics.notify.rule import Notify, Rule
from analytics.notify.rule_budget import RuleBudget
from analytics.storage.database import Database
from tests.support.factories import NOW, feed_item

COSTLY, CHEAP = 1, 2


def any_event(number: int, site: int) -> Rule:
    return Rule(number, site, f"rule {number}", EventArrives(""), Notify(title="x", group_s=0))


def arrive(database: Database, rules: list[Rule], budget: RuleBudget, *sites: int) -> list[int]:
    """The sites of the notifications that an event of each of these sites makes, in their order."""
    by_site = {site: [one for one in rules if one.site_id == site] for site in sites}
    events = [ArrivedEvent(site, feed_item(NOW << 21, type="event", name="e"), "{}") for site in sites]
    with database.transaction() as connection:
        written = notify(connection, by_site.__getitem__, lambda _: "example.com", events, NOW, budget)
    return [one.site_id for one in written.notifications]


def test_rules_that_take_too_long_leave_out_events_of_their_site_alone_until_they_made_up_for_it(database, caplog):
    now = 0.0
    budget = RuleBudget(lambda: now, count(0, 0.2).__next__)  # each event takes 0.2 s
    rules = [any_event(1, COSTLY), any_event(2, CHEAP)]
    assert arrive(database, rules, budget, *[COSTLY] * 5, CHEAP) == [COSTLY, COSTLY, COSTLY, CHEAP]
    assert arrive(database, rules, budget, COSTLY, CHEAP) == [CHEAP]
    now = 1.1
    assert arrive(database, rules, budget, COSTLY, COSTLY) == [COSTLY]
    assert caplog.messages == ["the rules of site 1 take too long: 2 events were not checked"], "once a minute"


def test_what_was_left_out_since_the_last_report_is_in_the_next_one():
    times = iter((0.0, 1.0, 59.0, 60.0, 61.0))
    budget = RuleBudget(times.__next__)
    assert [budget.report(COSTLY, 3) for _ in range(5)] == [3, 0, 0, 9, 0]


def test_a_site_with_200_rules_for_every_event_writes_a_thousand_notifications_at_once(database, caplog):
    rules = [*(any_event(number, COSTLY) for number in range(1, 201)), any_event(201, CHEAP)]
    budget = RuleBudget(used=lambda: 0.0)
    assert arrive(database, rules, budget, *[COSTLY] * 9, CHEAP) == [*[COSTLY] * 1_000, CHEAP]
    assert caplog.messages == ["the rules of site 1 take too long: 4 events were not checked"]

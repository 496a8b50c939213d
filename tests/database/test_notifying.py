"""Everything that notifies in one process: what Footfall itself has to say reaches the open pages too."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import insert

from analytics.notify import notifications, rules
from analytics.notify.deliveries import Backlog
from analytics.notify.kinds.event import EventArrives
from analytics.notify.notification import CREATED
from analytics.notify.rule import Notify
from analytics.notify.rule_budget import RuleBudget
from analytics.notify.rule_json import RuleInput
from analytics.notify.totals import NotifyTotals, StoredTotals
from analytics.query.backend import fetch_from
from analytics.sites.directory import Directory
from analytics.storage import schema
from analytics.storage.database import Database
from collector.live.hub import Hub
from collector.notifying import Notifying
from tests.support.channels import added_channel, added_delivery, added_notification
from tests.support.factories import NOW, away, event, rows, stored
from tests.support.receiver import answer, receiving
from tests.support.replica import facts
from tests.support.serving import eventually

SIGNUP = RuleInput("Signups", EventArrives("signup"), Notify(title="{user_name} signed up"))


@pytest.fixture
def notifying(database, config, site) -> Iterator[Notifying]:
    settings = replace(config, allowed_targets=(ipaddress.ip_network("127.0.0.0/8"),))
    with closing(Hub(database, 60, lambda: NOW)) as hub:
        made = Notifying(settings, database, Directory(database), hub, facts(fetch_from(database)), lambda: NOW)
        yield made
        made.stop()
        made.close()


class OpenPage:
    """A page with a bell; `seen` is what its stream has brought."""

    def __init__(self, notifying: Notifying) -> None:
        self.seen = ""
        self._subscription = notifying.bells.subscribe(lambda _: True, threading.Event().set, 0, [])

    def says(self, words: str) -> bool:
        self.seen += self._subscription.take().decode()
        return words in self.seen


def test_a_rule_on_events_that_errs_is_switched_off_and_open_pages_say_so(database, notifying, site):
    rule = rules.add(database, site.id, SIGNUP, now=NOW)
    broken = rule._replace(when=EventArrives(""))
    object.__setattr__(broken.when, "_checks", None)  # as by an error of ours: none that is stored errs
    notifying.rules._of_events = {site.id: (broken,)}
    page, signup = OpenPage(notifying), event()
    outcomes = stored(database, signup)
    with database.transaction() as connection:
        after = notifying.within(connection, list(zip([signup], outcomes, strict=True)))
    after()
    ((enabled, wrong, changed_at),) = rows(database, schema.rules, "enabled", "wrong", "changed_at")
    assert (enabled, changed_at) == (False, NOW)
    assert wrong.startswith("TypeError at kinds/event.py:")
    assert rows(database, schema.notifications, "rule_id", "priority", "title", "message") == [
        (rule.id, "high", "The rule “Signups” was switched off", wrong)
    ]
    eventually(lambda: page.says("The rule “Signups” was switched off"))
    assert notifying.rules.event_rules(site.id) == ()


def test_all_that_is_kept_no_longer_is_deleted_at_once_in_batches_with_pauses(database, notifying, site):
    """Named after the bug: 500 rows went in a minute, while one rule alone may make 60."""
    keep_notifications(database, site.id, 1_200, at=NOW - notifications.KEPT_S - 1)
    keep_notifications(database, site.id, 3, at=NOW - notifications.KEPT_S)
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    notifying.prune(pause)
    assert rows(database, schema.notifications, "at") == [(NOW - notifications.KEPT_S,)] * 3
    assert len(pauses) == 3


def test_deleting_ends_with_the_server(database, notifying, site):
    keep_notifications(database, site.id, 1_200, at=NOW - notifications.KEPT_S - 1)
    notifying.prune(lambda _: True)
    assert len(rows(database, schema.notifications, "at")) == 700


def keep_notifications(database: Database, site_id: int, many: int, at: int) -> None:
    row = {"site_id": site_id, "type": CREATED, "priority": "low", "title": "Signup"}
    with database.transaction() as connection:
        times = {"at": at, "last_at": at, "open_until": at}
        connection.execute(insert(schema.notifications), [row | times for _ in range(many)])


def test_that_rules_take_too_long_is_said_once_to_open_pages(database, notifying, site):
    rules.add(database, site.id, SIGNUP, now=NOW)
    notifying.rules.refresh()
    notifying.within.__self__._budget = RuleBudget(count(0, 60).__next__, max_matches=0)  # a report for each event
    page = OpenPage(notifying)
    for number in range(4):
        signup = event(f"signup-{number}")
        outcomes = stored(database, signup)
        with database.transaction() as connection:
            after = notifying.within(connection, list(zip([signup], outcomes, strict=True)))
        after()
    eventually(lambda: page.says("The rules of this site take too long"))
    assert rows(database, schema.notifications, "site_id", "audience", "count") == [(site.id, "admins", 4)]


def test_that_a_channel_is_disabled_reaches_open_pages(database, notifying):
    page = OpenPage(notifying)
    with receiving() as receiver:
        receiver.replies = [answer(410, "gone")]
        channel = added_channel(database, receiver.url, name="Ops")
        added_delivery(database, channel, added_notification(database))
        notifying.courier.wake()
        eventually(lambda: page.says("The channel Ops is disabled"))


def test_what_goes_out_and_what_is_open_is_counted(database, notifying):
    with receiving() as receiver:
        receiver.replies = [answer(200), answer(500), answer(410)]
        for made in range(3):
            channel = added_channel(database, receiver.url)
            added_delivery(database, channel, added_notification(database), NOW)
            notifying.courier.wake()
            eventually(lambda made=made: sum(notifying.courier.results.values()) > made)
    fired = {"site_id": 1, "rule_id": 1, "severity": "critical", "title": "Down", "metric": "visitors"}
    fired |= {"fired_at": NOW - 60, "told_at": NOW}
    with database.transaction() as connection:
        connection.execute(insert(schema.alerts), [fired | {"resolved_at": None}, fired | {"resolved_at": NOW}])
    opened = {"info": 0, "warning": 0, "error": 0, "critical": 1}
    attempts = {"sent": 1, "waiting": 1, "failed": 1, "dropped": 0}
    found = notifying.totals()
    assert found == NotifyTotals(attempts, StoredTotals(Backlog(waiting=1, oldest_s=0), opened), found.gaps)


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_while_the_database_is_away_attempts_are_counted_all_the_same(database, notifying, config):
    with away(database, config):
        found = notifying.totals()
        assert found == NotifyTotals({"sent": 0, "waiting": 0, "failed": 0, "dropped": 0}, None, found.gaps)

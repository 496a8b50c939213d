"""The evaluator: which readings, in which passes, with what cost, and what of it survives."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Select, event, text
from sqlalchemy.exc import OperationalError

from analytics.base.ids import first_id
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.live.feed import recent
from analytics.live.minutes import StillCounting
from analytics.notify import alerts, rules
from analytics.notify.audience import Audience
from analytics.notify.difference import Difference
from analytics.notify.kinds.change import MetricChanged
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.rule import Notify, Rule
from analytics.notify.rule_json import RuleInput
from analytics.notify.rules import RuleRing
from analytics.query.backend import Backend, fetch_from
from analytics.query.filters import HasDone, Match
from analytics.storage import locks, schema
from analytics.storage.database import Database
from analytics.storage.exclusive_lock import ExclusiveLock
from collector.ingest.accepted import Accepted
from collector.ingest.visit import Origin
from collector.live.hub import Hub
from tests.support.alerts import Watch, keep_rules, line, rule, said, states, steps
from tests.support.factories import (
    MINUTE,
    NOW,
    accepted,
    added_site,
    away,
    beat,
    count,
    feed_item,
    keep_beats,
    rows,
    stored,
    stored_outcome,
    with_sites,
)
from tests.support.history import at, keep_history
from tests.support.replica import facts

HOUR = 3600


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The commits of the block."""
    commits: list[str] = []

    def note(_: object) -> None:
        commits.append("commit")

    event.listen(database.writing, "commit", note)
    try:
        yield commits
    finally:
        event.remove(database.writing, "commit", note)


# ── live ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_people_of_a_site_are_read_once_a_pass_whatever_its_rules_are(database, watching):
    with_sites(database, 1, 2)
    watch = watching(line(1), line(2, above=20), line(3, metric="authenticated_users"), line(4, 2))
    watch.see(5)
    assert sorted(watch.crowd.reads) == [1, 2]


def test_live_metrics_and_their_filters(database, watching):
    added_site(database)
    german = (Match("is", "country", ("DE",)),)
    watch = watching(
        line(1),
        line(2, metric="authenticated_users"),
        line(3, metric="anonymous_sessions"),
        line(4, filters=german),
        line(5, metric="authenticated_users", filters=german),
    )
    people = [("DE", "u1"), ("DE", None), ("FR", "u2"), ("FR", None), ("FR", None)]
    watch.crowd.there[1] = [
        beat(number, country=country, user_id=user) for number, (country, user) in enumerate(people)
    ]
    watch.evaluator.evaluate_live(NOW)
    assert {number: value for number, (_, _, value) in states(database).items()} == {1: 5, 2: 2, 3: 3, 4: 2, 5: 1}


def test_events_of_the_last_minute(database, watching):
    added_site(database)
    french = (Match("is", "country", ("FR",)),)
    watch = watching(line(1, metric="events_per_minute"), line(2, metric="events_per_minute", filters=french))
    seconds = [("FR", 0), ("DE", 0), ("FR", 59), ("FR", 60), ("DE", 300)]
    watch.crowd.feed[1] = [
        feed_item(first_id(NOW - back), timestamp=NOW - back, country=country) for country, back in seconds
    ]
    watch.evaluator.evaluate_live(NOW)
    assert {number: value for number, (_, _, value) in states(database).items()} == {1: 3, 2: 2}


@pytest.mark.parametrize("many", [1, 300], ids=["in memory", "in the database"])
def test_events_of_the_last_minute_by_their_name_device_and_browser(database, watching, many):
    added_site(database)
    given = [
        (("is", "event", ("Payment",)), 2),
        (("is_not", "event", ("pageview",)), 3),
        (("is", "event", ("pageview",)), 1),
        (("is", "device", ("Mobile",)), 1),
        (("is", "browser", ("Firefox", "Safari")), 3),
        (("contains", "event", ("pay",)), 0),
    ]
    metric = {"metric": "events_per_minute", "above": 10_000}
    watch = watching(*(line(n, filters=(Match(*one),), **metric) for n, (one, _) in enumerate(given)))
    phone, desk = Origin("example.com", device="Mobile", browser="Safari"), Origin("example.com", browser="Firefox")
    hits = [("Payment", desk), ("Payment", phone), ("Signup", Origin("example.com")), ("", desk)]
    stored(
        database,
        *(
            accepted("event", f"hit-{number:05}", at=NOW - 1, visitor=number, origin=origin, name=name)
            if name
            else accepted(page_id=f"hit-{number:05}", at=NOW - 1, visitor=number, origin=origin)
            for number, (name, origin) in enumerate(hits * many)
        ),
    )
    watch.crowd.feed[1] = recent(database, 1, 1000)[::-1]
    watch.crowd.set(7)
    watch.evaluator.evaluate_live(NOW)
    assert [value for _, _, value in states(database).values()] == [expected * many for _, expected in given]


def test_of_an_alert_on_events_of_a_kind_everybody_is_concerned(database, watching):
    added_site(database)
    payments = (Match("is", "event", ("Payment",)),)
    watch = watching(line(metric="events_per_minute", above=1, filters=payments))
    names = ("Payment", "Payment", "Signup")
    watch.crowd.feed[1] = [
        feed_item(first_id(NOW) + number, type="event", name=name, timestamp=NOW, path="/pay")
        for number, name in enumerate(names)
    ]
    watch.see(3)
    differences, affected = why(watch)
    assert Difference("page", "/pay", 0, 2) in differences
    assert affected == 3


def test_more_events_than_memory_has_are_counted_in_the_database(database, watching):
    added_site(database)
    watch = watching(line(1, metric="events_per_minute"))
    stored(database, *(accepted(page_id=f"page-{number:04}", visitor=number, at=NOW - 1) for number in range(1200)))
    watch.crowd.feed[1] = [feed_item(first_id(NOW - 1) + number, timestamp=NOW - 1) for number in range(1000)]
    watch.evaluator.evaluate_live(NOW)
    assert states(database)[1][2] == 1200


def test_the_change_of_a_live_metric_is_against_an_hour_ago(database, watching):
    added_site(database)
    hour_ago = NOW - HOUR
    keep_beats(database, [beat(number, at=hour_ago - 10, nth=number) for number in range(1, 5)])
    stored(database, accepted(page_id="page-old", visitor=90, at=hour_ago - MINUTE))
    crossing = {"kind": MetricChanged, "threshold": 50.0}
    watch = watching(line(1, **crossing), line(2, metric="events_per_minute", **crossing))
    watch.crowd.feed[1] = [feed_item(first_id(NOW), timestamp=NOW), feed_item(first_id(NOW) + 1, timestamp=NOW)]
    watch.see(8)
    assert {number: value for number, (_, _, value) in states(database).items()} == {1: 100.0, 2: 100.0}


def test_without_anybody_an_hour_ago_there_is_no_change(database, watching):
    added_site(database)
    watch = watching(line(1, kind=MetricChanged, threshold=50.0))
    watch.see(8, 8)
    assert states(database) == {1: ("no_data", 5, None)}


def test_the_real_hub_is_a_live_source(database, watching):
    added_site(database)
    hub = Hub(database, 60, lambda: NOW)
    try:
        watch = watching(line(1, above=2), line(2, metric="events_per_minute", above=2), live=hub)
        hub.publish([stored_outcome(visitor, nth=visitor) for visitor in (1, 2, 3)])
        watch.evaluator.evaluate_live(NOW)
        hub.publish([stored_outcome(visitor, nth=visitor) for visitor in (4, 5)])
        watch.evaluator.evaluate_live(NOW + 5)
    finally:
        hub.close()
    assert said(database)[0] == (0, "alert.firing", "3 people on example.com")


@pytest.mark.parametrize("many", [99, 100, 300])
def test_a_new_feed_that_has_not_all_of_the_last_minute_counts_it_in_the_database(database, watching, many):
    """Named after the bug: after a start 300 events were 100, since a new feed begins with no more."""
    added_site(database)
    stored(database, *(accepted(page_id=f"page-{number:04}", visitor=number, at=NOW - 1) for number in range(many)))
    hub = Hub(database, 60, lambda: NOW)
    try:
        watch = watching(line(metric="events_per_minute", above=10_000), live=hub)
        watch.evaluator.evaluate_live(NOW)
        assert states(database)[1][2] == many
    finally:
        hub.close()


def test_a_feed_that_has_every_item_is_counted_without_the_database(database, watching):
    added_site(database)
    hub = Hub(database, 60, lambda: NOW)
    try:
        watch = watching(line(metric="events_per_minute", above=10_000), live=hub)
        hub.recent_items(1)
        hub.publish([stored_outcome(visitor, nth=visitor) for visitor in (1, 2, 3)])
        watch.evaluator.evaluate_live(NOW)
        assert states(database)[1][2] == 3, "no row of them is stored"
    finally:
        hub.close()


# ── cost ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pass_is_one_transaction_and_none_if_nothing_has_changed(database, watching):
    with_sites(database, 1, 2)
    watch = watching(*(line(number, 1 + number % 2) for number in range(20)))
    watch.crowd.set(5, 2)
    with counted(database) as commits:
        watch.see(5)
        assert len(commits) == 1, "the standings of new rules"
        watch.see(5, 6, 7)
        assert len(commits) == 1
        watch.see(20)
        assert len(commits) == 2, "ten alerts fire"
    assert count(database, schema.alerts) == 10


def test_values_that_changed_nothing_else_are_written_once_a_minute(database, watching):
    added_site(database)
    watch = watching(line())
    with counted(database) as commits:
        watch.see(*range(1, 10), *range(1, 4))
        assert (len(commits), states(database)[1][2]) == (1, 1)
        watch.see(4, 5, 6)
        assert (len(commits), states(database)[1][2]) == (2, 4)


# ── restarts and several processes ──────────────────────────────────────────────────────────────────────────────────


def test_after_a_restart_it_stands_as_the_table_says(database, watching):
    added_site(database)
    watch = watching(line())
    watch.see(20)
    watch.restart()
    watch.see(20, 3)
    watch.restart()
    watch.see(*[3] * 6)
    assert said(database) == [
        (0, "alert.firing", "20 people on example.com"),
        (40, "alert.resolved", "Resolved: 20 people on example.com"),
    ]


def test_what_was_missed_counts_for_nothing(database, watching):
    added_site(database)
    watch = watching(line(for_s=60), rule(NothingArrives("active_sessions", 60), 2))
    watch.see(20)
    watch.restart()
    watch.now = NOW + 600
    watch.see(0, 20, 20)
    assert states(database) == {1: ("pending", 605, 20), 2: ("normal", 605, 20)}
    watch.see(*[20] * 12)
    assert steps(database) == [(605, "pending", None, ""), (665, "firing", 20, "")]


def test_the_last_readings_of_what_is_pending_are_written_once_a_minute(database, watching):
    added_site(database)
    watch = watching(line(for_s=600), line(2))
    with counted(database) as commits:
        watch.see(*[20] * 24)
        assert rows(database, schema.rule_states, "rule_id", "state", "readings", "read_at") == [
            (1, "pending", 13, NOW + 60),
            (2, "firing", 0, NOW),
        ]
        assert len(commits) == 2
        watch.see(20)
        assert rows(database, schema.rule_states, "readings", "read_at") == [(25, NOW + 120), (0, NOW)]


def test_a_restart_in_between_does_not_begin_the_time_again(database, watching):
    """Only what the table did not know yet is lost, and half a minute."""
    added_site(database)
    watch = watching(line(for_s=600))
    watch.see(*[20] * 60)
    watch.restart()
    watch.now += 10
    watch.see(*[20] * 90)
    last_written, first_after = 240, 310
    since = first_after - last_written + 30
    assert steps(database) == [(since, "pending", None, ""), (since + 600, "firing", 20, "")]


def test_nobody_for_an_hour_is_found_where_the_server_restarts_every_ten_minutes(database, watching):
    added_site(database)
    watch = watching(rule(NothingArrives("active_sessions", HOUR)))
    watch.see(3)
    for _ in range(7):
        watch.see(*[0] * 120)
        watch.restart()
    (fired,) = said(database)
    lost = 5 * (60 + 30)  # at each restart but the first, which came with a minute's writing
    assert fired[:2] == (5 + HOUR + lost, "alert.firing")


def test_an_outage_in_between_neither_fires_nor_resolves(database, watching):
    """The first readings after a start are those of a site whose people are not back yet."""
    added_site(database)
    watch = watching(rule(NothingArrives("active_sessions", 60)), line(2))
    watch.see(20, *[0] * 5)
    watch.restart()
    watch.now += 40
    watch.see(*[0] * 5, 20)
    assert said(database) == [(0, "alert.firing", "20 people on example.com")]
    assert {number: state for number, (state, *_) in states(database).items()} == {1: "normal", 2: "firing"}


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_one_of_two_processes_evaluates_and_the_other_takes_over_when_it_ends(database, watching):
    added_site(database)
    watch = watching(line())
    other = watch.opened()
    try:
        watch.see(20)
        watch.crowd.set(3)
        assert other.evaluate_live(watch.now) == []
        assert states(database) == {1: ("firing", 0, 20)}
        watch.close()
        other.evaluate_live(watch.now)
        assert states(database) == {1: ("recovering", 5, 3)}
        assert watch.evaluator.evaluate_live(watch.now) == []
    finally:
        other.close()


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_the_lock_is_taken_again_after_its_connection_has_died(database):
    lock, other = (ExclusiveLock(database, locks.ALERTS) for _ in range(2))
    try:
        assert (lock.acquire(), lock.acquire(), other.acquire()) == (True, True, False)
        with database.transaction() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s",
                (locks.ALERTS,),
            )
        assert lock.acquire()
        lock.release()
        assert (other.acquire(), lock.acquire()) == (True, False)
    finally:
        lock.release()
        other.release()


def test_two_threads_may_evaluate_at_once(database, watching):
    added_site(database)
    watch = watching(line(), line(2, metric="visitors", period="today"))
    threads = [
        threading.Thread(target=lambda: [watch.evaluator.evaluate_live(NOW + step) for step in range(0, 50, 5)]),
        threading.Thread(target=lambda: watch.evaluator.evaluate_historical(NOW)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert states(database) == {1: ("normal", 0, 0), 2: ("normal", 0, 0)}


def test_while_the_database_is_away_nothing_is_read_and_afterwards_it_goes_on(database, config, watching):
    added_site(database)
    watch = watching(line())
    watch.see(3)
    site = watch.evaluator._site_of(1)
    watch.evaluator._site_of = lambda _: site
    watch.crowd.set(20)
    with away(database, config), pytest.raises(OperationalError):
        watch.evaluator.evaluate_live(watch.now)
    watch.now += 5
    watch.see(20)
    assert said(database) == [(10, "alert.firing", "20 people on example.com")]


# ── rules that change ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_edit_resets_a_rule_and_resolves_its_alert(database, watching):
    added_site(database)
    watch = watching(line(for_s=20))
    watch.see(*[20] * 6)
    watch.rules[0] = line(for_s=20, above=15, changed_at=NOW + 27)
    watch.see(*[20] * 6)
    assert said(database) == [
        (20, "alert.firing", "20 people on example.com"),
        (30, "alert.resolved", "Resolved: 20 people on example.com"),
        (50, "alert.firing", "20 people on example.com"),
    ]
    assert steps(database) == [
        (0, "pending", None, ""),
        (20, "firing", 20, ""),
        (30, "rule_changed", 20, ""),
        (30, "pending", None, ""),
        (50, "firing", 20, ""),
    ]


def test_an_edit_while_no_process_ran_resets_too(database, watching):
    added_site(database)
    watch = watching(line())
    watch.see(20)
    watch.rules[0] = line(above=30, changed_at=NOW + 3)
    watch.restart()
    watch.see(20, 20)
    assert steps(database) == [(0, "firing", 20, ""), (5, "rule_changed", 20, "")]
    assert states(database) == {1: ("normal", 5, 20)}


def test_edited_to_a_metric_of_the_other_kind_it_is_reset_once(database, watching):
    added_site(database)
    watch = watching(line())
    watch.see(20)
    watch.rules[0] = line(metric="visitors", period="today", changed_at=NOW + 3)
    watch.see(20)
    watch.evaluator.evaluate_historical(NOW + 10)
    watch.see(20)
    assert steps(database) == [(0, "firing", 20, ""), (10, "rule_changed", 20, "")]
    assert states(database) == {1: ("normal", 10, 0)}


@pytest.mark.parametrize("restarts", [False, True])
def test_a_rule_that_was_removed_or_switched_off_resolves_its_alert(database, watching, restarts):
    added_site(database)
    watch = watching(line())
    watch.see(20)
    watch.rules.clear()
    if restarts:
        watch.restart()
    watch.see(20, 20)
    assert steps(database) == [(0, "firing", 20, ""), (5, "rule_off", 20, "")]
    assert rows(database, schema.notifications, "type", "title", "message")[1:] == [
        (
            "alert.resolved",
            "Resolved: 20 people on example.com",
            "The rule was switched off or removed. It lasted 5 s.",
        )
    ]
    assert count(database, schema.rule_states) == 0
    watch.rules.append(line(changed_at=NOW + 12))
    watch.see(20)
    assert said(database)[2:] == [(15, "alert.firing", "20 people on example.com")]


@pytest.mark.parametrize(("act", "step"), [("change", "rule_changed"), ("switch", "rule_off"), ("remove", "rule_off")])
def test_with_the_store_of_rules_an_alert_ends_once_and_says_so(database, watching, act, step):
    site = added_site(database)
    given = RuleInput("Many", LineCrossed("active_sessions", Crossing.ABOVE, 10), Notify(title="Many people"))
    kept = rules.add(database, site.id, given, now=NOW - 60)
    ring = RuleRing(database)
    watch = watching()
    watch.rules = ring.evaluated_rules()
    watch.see(20)
    acts = {
        "change": lambda: rules.change(database, kept.id, given._replace(name="Very many"), now=NOW + 3),
        "switch": lambda: rules.switch(database, kept.id, on=False, now=NOW + 3),
        "remove": lambda: rules.remove(database, kept.id),
    }
    acts[act]()
    ring.refresh()
    watch.rules = ring.evaluated_rules()
    watch.see(3, 3)
    assert [(at, name, who) for at, name, _, who in steps(database)] == [(0, "firing", ""), (5, step, "")]
    assert [(at, kind, title) for at, kind, title in said(database)] == [
        (0, "alert.firing", "Many people"),
        (5, "alert.resolved", "Resolved: Many people"),
    ]


# ── the server ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_server_has_to_do_is_a_metric_of_rules(database, watching):
    with_sites(database, 1, 2)
    watch = watching(
        line(1, metric="requests_per_second", above=1000, title="{value} requests a second"),
        line(2, 2, metric="average_response_ms", above=500),
        line(3, metric="error_rate", above=2, for_s=5),
        line(4, metric="queue_depth", above=100),
    )
    watch.load = {"queue_depth": 0}
    watch.see(3, 3)
    assert {number: state for number, (state, _, _) in states(database).items()} == {
        **dict.fromkeys((1, 2, 3), "no_data"),
        4: "normal",
    }
    watch.load = {"requests_per_second": 1200, "average_response_ms": 600, "error_rate": 2.5, "queue_depth": 7}
    watch.see(3, 3)
    assert states(database) == {
        1: ("firing", 10, 1200),
        2: ("firing", 10, 600),
        3: ("firing", 15, 2.5),
        4: ("normal", 0, 0),
    }
    assert (10, "alert.firing", "1200 requests a second") in said(database)
    assert [one.affected for one in alerts.of_site(database, 1)] == [3, 3], "everybody who is on the site"


def test_notifications_of_an_alert_have_the_audience_of_its_rule_also_when_it_is_gone(database, watching):
    added_site(database)
    watch = watching(line(1, audience=Audience.ADMINS), line(2))
    watch.see(20)
    watch.restart()  # so what the rules were is not known any more
    watch.rules = []
    watch.see(20)
    found = rows(database, schema.notifications, "rule_id", "type", "audience")
    assert sorted(found) == [
        (1, "alert.firing", "admins"),
        (1, "alert.resolved", "admins"),
        (2, "alert.firing", "everybody"),
        (2, "alert.resolved", "everybody"),
    ]


# ── rules that err ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_that_errs_three_times_is_switched_off_with_a_notice_and_the_rest_go_on(database, watching, caplog):
    added_site(database)
    wrong = line(1, filters=(HasDone(Match("is", "page", ("/",))),))
    keep_rules(database, wrong, line(2))
    watch = watching(wrong, line(2))
    watch.see(5, 5)
    assert states(database) == {1: ("error", 5, None), 2: ("normal", 0, 5)}
    watch.see(5, 20)
    why = "what was done before is no filter of the people who are here now"
    assert rows(database, schema.rules, "id", "enabled", "wrong", "changed_at") == [
        (1, False, why, NOW + 10),
        (2, True, "", 0),
    ]
    columns = ("at", "rule_id", "type", "priority", "title", "message", "alert_id")
    assert rows(database, schema.notifications, *columns) == [
        (NOW + 10, 1, "notification.created", "high", "The rule “Many people” was switched off", why, None),
        (NOW + 15, 2, "alert.firing", "medium", "20 people on example.com", "More than 10", 1),
    ]
    assert caplog.messages == [f"rule 1 errs and is switched off: {why}"]


def test_an_error_of_ours_names_its_place_and_not_its_words(database, watching):
    added_site(database)
    broken = line(1, metric="authenticated_users")
    keep_rules(database, broken)
    watch = watching(broken)
    watch.crowd.there[1] = [None]
    for now in range(NOW, NOW + 20, 5):
        watch.evaluator.evaluate_live(now)
    ((why,),) = rows(database, schema.rules, "wrong")
    assert why.startswith("AttributeError at notify/reading.py:")
    assert count(database, schema.notifications) == 1


def test_one_error_is_forgotten(database, watching):
    added_site(database)
    broken = line(1, filters=(HasDone(Match("is", "page", ("/",))),))
    watch = watching(line())
    watch.see(5)
    for one in (broken, line(), broken, broken, line()):
        watch.rules[0] = one
        watch.see(5)
    assert states(database) == {1: ("normal", 25, 5)}
    assert said(database) == []


# ── historical ──────────────────────────────────────────────────────────────────────────────────────────────────────


def historical(metric: str, crossing: Crossing, threshold: float, number: int = 1, kind=LineCrossed, **fields) -> Rule:
    return rule(kind(metric, crossing, threshold, period=fields.pop("period", "today")), number, **fields)


def test_historical_metrics_are_asked_as_pages_ask_them(database, watching):
    keep_history(database)
    german = (Match("is", "country", ("DE",)),)
    watch = watching(
        historical("visitors", Crossing.ABOVE, 99, 1, period="7d:today"),
        historical("pageviews", Crossing.ABOVE, 99, 2, period="yesterday"),
        historical("visitors", Crossing.ABOVE, 99, 3, period="7d:today", filters=german),
        historical("total_revenue", Crossing.ABOVE, 99, 4, period="7d:today"),
        historical("visit_duration", Crossing.ABOVE, 99_999, 5, period="7d"),
    )
    watch.evaluator.evaluate_historical(at(12, 12))
    assert {number: value for number, (_, _, value) in states(database).items()} == {1: 5, 2: 3, 3: 2, 4: 50, 5: 492.0}


def paid(number: int, when: int, value: float, currency: str = "EUR") -> Accepted:
    return accepted("event", f"payment-{number:04}", at=when, value=value, currency=currency)


def test_revenue_that_drops_to_zero_fires_and_does_not_recover(database, watching):
    added_site(database)
    stored(database, paid(1, at(10, 20), 120.0), paid(2, at(12, 9), 130.0))
    watch = watching(
        historical("total_revenue", Crossing.BELOW, 100),
        historical("total_revenue", Crossing.BELOW, -50, 2, MetricChanged),
        historical("average_revenue", Crossing.BELOW, 100, 3),
    )
    for minute in range(2):
        watch.evaluator.evaluate_historical(at(10, 21, minute))
    assert [states(database)[number][0] for number in (1, 2, 3)] == ["normal", "no_data", "normal"]
    for minute in range(70):
        watch.evaluator.evaluate_historical(at(11, 21, 30) + minute * MINUTE)
    found = {number: (state, value) for number, (state, _, value) in states(database).items()}
    assert found == {1: ("firing", 0), 2: ("firing", -100), 3: ("no_data", None)}, "nothing has no mean"
    watch.evaluator.evaluate_historical(at(12, 10))
    assert {number: value for number, (_, _, value) in states(database).items()}[1] == 130


def test_money_in_several_currencies_switches_its_rule_off_and_names_them(database, watching):
    added_site(database)
    stored(database, paid(1, NOW - 30, 5.0), paid(2, NOW - 20, 700.0, "JPY"), paid(3, NOW - 10, 2.0))
    euros = (Match("is", "currency", ("EUR",)),)
    mixed, euro = (
        historical("total_revenue", Crossing.ABOVE, 100, 1, period="24h"),
        historical("total_revenue", Crossing.ABOVE, 100, 2, period="24h", filters=euros),
    )
    keep_rules(database, mixed, euro)
    watch = watching(mixed, euro)
    for minute in range(3):
        watch.evaluator.evaluate_historical(NOW + minute * MINUTE)
    why = "amounts in several currencies have no sum; filter by one currency: EUR, JPY"
    assert rows(database, schema.rules, "enabled", "wrong") == [(False, why), (True, "")]
    assert states(database)[2] == ("normal", 0, 7)
    assert said(database) == [(120, "notification.created", "The rule “Many people” was switched off")]


def test_a_running_period_is_compared_with_as_much_of_the_one_before(database, watching):
    with_sites(database, 1)
    stored(database, *(accepted(page_id=f"old-{n:05}", visitor=n, at=at(10, 9)) for n in range(4)))
    stored(database, *(accepted(page_id=f"eve-{n:05}", visitor=n, at=at(10, 20)) for n in range(50, 90)))
    stored(database, *(accepted(page_id=f"new-{n:05}", visitor=n, at=at(11, 9)) for n in range(100, 107)))
    watch = watching(
        historical("visitors", Crossing.ABOVE, 50, 1, MetricChanged),
        historical("visitors", Crossing.BELOW, -50, 2, MetricChanged),
    )
    watch.evaluator.evaluate_historical(at(11, 12))
    found = {number: (state, value) for number, (state, _, value) in states(database).items()}
    assert found == {1: ("firing", 75.0), 2: ("normal", 75.0)}, "with the whole day before it would be -84 %"


def test_without_a_period_before_there_is_no_change(database, watching):
    keep_history(database)
    watch = watching(historical("visitors", Crossing.BELOW, -50, kind=MetricChanged))
    for minute in range(3):
        watch.evaluator.evaluate_historical(at(10, 12, minute))
    assert states(database)[1][0] == "no_data"


def test_pageviews_that_stop_are_noticed(database, watching):
    with_sites(database, 1)
    stored(database, *(accepted(page_id=f"page-{n:04}", visitor=n, at=NOW + n * MINUTE - 30) for n in range(1, 4)))
    watch = watching(rule(NothingArrives("pageviews", 180), title="No pageviews on {site}", message=""))
    for minute in range(12):
        watch.evaluator.evaluate_historical(NOW + minute * MINUTE)
    assert steps(database) == [(300, "pending", None, ""), (480, "firing", 0, "")]
    assert said(database) == [(480, "alert.firing", "No pageviews on site-1.example")]


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_a_rule_that_takes_too_long_errs_and_the_rest_go_on(database, watching, caplog):
    """Named after the bug: its statement that the server stopped counted as a database that is away, so no historical
    rule was read any more.
    """
    with_sites(database, 71, 72)
    slow, quick = (historical("pageviews", Crossing.ABOVE, 99, site, site_id=site) for site in (71, 72))
    keep_rules(database, slow, quick)

    def fetch(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        with database.writing.begin() as connection:
            if slow.site_id in statement.compile().params.values():
                connection.execute(text("SET LOCAL statement_timeout = 50"))
                connection.execute(text("SELECT pg_sleep(20)"))
            return connection.execute(statement).all()

    watch = watching(slow, quick, backend=facts(fetch))
    for minute in range(3):
        watch.evaluator.evaluate_historical(NOW + minute * MINUTE)
    why = "the database server stopped a statement that took too long"
    assert rows(database, schema.rules, "id", "enabled", "wrong") == [(71, False, why), (72, True, "")]
    assert states(database)[72] == ("normal", 0, 0)
    assert f"rule 71 errs and is switched off: {why}" in caplog.messages


def test_slow_rules_leave_the_others_their_readings(database, watching):
    """Three rules take 20 s each; the fourth is read in each pass, none of which lasts for a minute."""
    sites = (71, 72, 73, 74)
    with_sites(database, *sites)
    rules = [historical("pageviews", Crossing.ABOVE, 99, site, site_id=site) for site in sites]
    seconds, read = [0.0], []

    def fetch(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        (site,) = set(sites) & set(statement.compile().params.values())
        read.append(site)
        seconds[0] += 20 if site < 74 else 0.1
        return fetch_from(database)(statement)

    watch = watching(*rules, backend=facts(fetch), seconds=lambda: seconds[0])
    passes = []
    for minute in range(4):
        began = seconds[0]
        watch.evaluator.evaluate_historical(NOW + minute * MINUTE)
        passes.append((read.copy(), round(seconds[0] - began)))
        read.clear()
    assert passes == [([71, 72], 40), ([73, 74, 71], 40), ([74, 72, 73], 40), ([74, 71, 72], 40)]


def test_minutes_that_are_still_counted_are_no_reading(database, watching):
    added_site(database)

    def minutes(site_id: int, span: Span) -> Minutes:
        raise StillCounting

    backend = Backend(fetch_from(database), minutes)
    watch = watching(historical("peak_concurrents", Crossing.ABOVE, 10), backend=backend)
    for minute in range(5):
        watch.evaluator.evaluate_historical(NOW + minute * MINUTE)
    assert states(database) == {}


# ── why ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def why(watch: Watch) -> tuple[tuple[Difference, ...], int]:
    (alert,) = alerts.of_site(watch.database, 1)
    return alert.why, alert.affected


def test_what_makes_the_difference_among_the_people_who_are_here(database, watching):
    added_site(database)
    keep_beats(database, [beat(number, at=NOW - 70, nth=number, path="/") for number in range(1, 7)])
    watch = watching(line())
    watch.crowd.there[1] = [
        *(beat(number, path="/") for number in range(1, 6)),
        *(beat(number, path="/sale", source="Hacker News", country=country) for number, country in
          enumerate(["DE", "FR", "US", "IT", "ES", "NL", "BE", "PL"], 10)),
    ]  # fmt: skip
    watch.evaluator.evaluate_live(NOW)
    assert why(watch) == (
        (
            Difference("source", "Hacker News", 0, 8),
            Difference("page", "/sale", 0, 8),
        ),
        13,
    )


def test_what_makes_the_difference_is_one_line_whatever_visitors_write(database, watching):
    added_site(database)
    watch = watching(line())
    user_type = "x\r\nOpen in Footfall:\u2028https://evil.example/\u202e\x1b" + "y" * 300
    watch.crowd.there[1] = [beat(number, path="/", user_type=user_type) for number in range(1, 15)]
    watch.evaluator.evaluate_live(NOW)
    said = {one.dimension: one.value for one in why(watch)[0]}["user_type"]
    assert said.startswith("x Open in Footfall: https://evil.example/yyy")
    assert (len(said), said[-1]) == (300, "…")


def test_what_makes_the_difference_in_the_history(database, watching):
    added_site(database)
    keep_history(database)
    watch = watching(historical("events", Crossing.ABOVE, 20, kind=MetricChanged))
    watch.crowd.set(3)
    watch.evaluator.evaluate_historical(at(11, 23))
    assert why(watch) == (
        (
            Difference("source", "newsletter", 0, 2),
            Difference("page", "/blog/b", 0, 2),
            Difference("country", "FR", 0, 2),
            Difference("page", "/files", 0, 1),
            Difference("country", "US", 0, 1),
        ),
        3,
    )


def test_a_metric_that_does_not_add_up_has_no_explanation(database, watching):
    added_site(database)
    keep_history(database)
    watch = watching(historical("bounce_rate", Crossing.ABOVE, 0.1, period="7d:today"))
    watch.evaluator.evaluate_historical(at(12, 12))
    assert why(watch) == ((), 0)


def test_what_makes_the_difference_among_events(database, watching):
    added_site(database)
    watch = watching(line(metric="events_per_minute", above=5))
    recent = [feed_item(first_id(NOW - n) + n, timestamp=NOW - n, path="/pay", source="Bing") for n in range(8)]
    before = [feed_item(first_id(NOW - 60 - n), timestamp=NOW - 60 - n, path="/") for n in range(4)]
    watch.crowd.feed[1] = [*recent, *before]
    watch.see(2)
    assert why(watch)[0] == (
        Difference("source", "Bing", 0, 8),
        Difference("page", "/pay", 0, 8),
        Difference("country", "DE", 4, 8),
    )

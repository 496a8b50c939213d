"""Alerts as they are stored: what is said of them, their history, and what people say of them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from analytics.base.errors import InvalidInput
from analytics.notify import alert_steps, alerts, quiet_hours_store
from analytics.notify.alert import Alert, as_live
from analytics.notify.difference import Difference
from analytics.notify.quiet_hours import Digest, QuietHours
from analytics.notify.rule import Priority, Severity
from analytics.notify.snooze import tomorrow
from analytics.sites import store
from analytics.storage import schema
from tests.support.alerts import Watch, line, said, states, steps
from tests.support.factories import NOW, added_site, count, rows, with_sites

HOUR = 3600
DAY = 86_400


@pytest.fixture
def watch(database, watching) -> Watch:
    added_site(database)
    return watching(line(severity=Severity.ERROR, priority=Priority.HIGH))


def only(database) -> Alert:
    (alert,) = alerts.of_site(database, 1)
    return alert


def test_from_the_first_reading_to_the_recovery_everything_is_stored(database, watch):
    watch.see(5, 20, 25, 8, *[7] * 6)
    alert = Alert(
        id=1,
        site_id=1,
        rule_id=1,
        severity="error",
        title="20 people on example.com",
        message="More than 10",
        metric="active_sessions",
        value=25.0,
        threshold=10.0,
        affected=20,
        why=(
            Difference("source", "Google", 0, 20),
            Difference("page", "/", 0, 20),
            Difference("country", "DE", 0, 20),
        ),
        fired_at=NOW + 5,
        recovering_at=NOW + 15,
        resolved_at=NOW + 45,
        acknowledged_at=None,
        acknowledged_by="",
        snoozed_until=None,
        told_at=NOW + 45,
    )
    assert only(database) == alert
    assert steps(database) == [(5, "firing", 20, ""), (15, "recovering", 8, ""), (45, "recovered", 7, "")]
    assert said(database) == [
        (5, "alert.firing", "20 people on example.com"),
        (45, "alert.resolved", "Resolved: 20 people on example.com"),
    ]
    assert states(database) == {1: ("normal", 45, 7.0)}
    assert alerts.open_ones(database) == []


def test_a_notification_has_what_its_rule_says(database, watch):
    watch.see(20)
    columns = ("site_id", "rule_id", "alert_id", "priority", "severity", "message", "link", "value", "count")
    assert rows(database, schema.notifications, *columns) == [
        (1, 1, 1, "high", "error", "More than 10", "/live/example.com", 20.0, 1)
    ]
    assert rows(database, schema.notifications, "at", "last_at", "open_until") == [(NOW, NOW, NOW)]
    why = '[["source","Google",0,20],["page","/",0,20],["country","DE",0,20]]'
    assert rows(database, schema.notifications, "threshold", "why") == [(10.0, why)]
    watch.see(*[3] * 8)
    assert rows(database, schema.notifications, "threshold", "why")[1:] == [(10.0, "")], "it explains why it fired"
    assert rows(database, schema.notifications, *columns)[1:] == [
        (1, 1, 1, "high", "error", "The metric has recovered. It lasted 35 s.", "/live/example.com", 3.0, 1)
    ]


def test_the_step_before_it_fired_is_in_its_history(database, watching):
    added_site(database)
    watching(line(for_s=10)).see(20, 21, 22)
    assert steps(database) == [(0, "pending", None, ""), (10, "firing", 22, "")]


def test_what_was_pending_and_ended_leaves_no_alert(database, watching):
    added_site(database)
    watching(line(for_s=60)).see(20, 20, 5)
    assert (count(database, schema.alerts), count(database, schema.alert_steps), said(database)) == (0, 0, [])
    assert states(database) == {1: ("normal", 10, 5.0)}


def test_acknowledged_it_is_not_repeated_until_the_next_one(database, watch):
    watch.see(20)
    acknowledged = alerts.acknowledge(database, 1, 1, "ada@example.com", NOW + 3)
    assert (acknowledged.acknowledged_at, acknowledged.acknowledged_by) == (NOW + 3, "ada@example.com")
    assert alerts.acknowledge(database, 1, 1, "bob@example.com", NOW + 4) == acknowledged, "the first one counts"
    watch.now = NOW + 5 * HOUR
    watch.see(20, *[3] * 7, 20)
    assert said(database) == [
        (0, "alert.firing", "20 people on example.com"),
        (5 * HOUR + 35, "alert.resolved", "Resolved: 20 people on example.com"),
        (5 * HOUR + 40, "alert.firing", "20 people on example.com"),
    ]
    assert [one.acknowledged_at for one in alerts.of_site(database, 1)] == [None, NOW + 3]
    assert alerts.get(database, 1, 1).steps == (
        (NOW, "firing", 20.0, ""),
        (NOW + 3, "acknowledged", 20.0, "ada@example.com"),
        (NOW + 5 * HOUR + 5, "recovering", 3.0, ""),
        (NOW + 5 * HOUR + 35, "recovered", 3.0, ""),
    )


def test_it_is_repeated_after_four_hours_and_says_for_how_long_it_has_fired(database, watch):
    watch.see(20)
    for hours in range(1, 10):
        watch.now = NOW + hours * HOUR
        watch.see(30 + hours)
    assert said(database) == [
        (0, "alert.firing", "20 people on example.com"),
        (4 * HOUR, "alert.firing", "Still firing after 4 h: 34 people on example.com"),
        (8 * HOUR, "alert.firing", "Still firing after 8 h: 38 people on example.com"),
    ]
    assert steps(database) == [
        (0, "firing", 20, ""),
        (4 * HOUR, "repeated", 34, ""),
        (8 * HOUR, "repeated", 38, ""),
    ]


def test_snoozed_it_is_silent_until_then_and_so_is_the_next_one(database, watch):
    watch.see(20)
    assert alerts.snooze(database, 1, 1, 2, "ada@example.com", NOW + 1).snoozed_until == NOW + 1 + 2 * HOUR
    watch.see(*[3] * 7, 20)
    assert [one.snoozed_until for one in alerts.of_site(database, 1)] == [NOW + 1 + 2 * HOUR] * 2
    watch.restart()
    watch.see(20)
    watch.now = NOW + 2 * HOUR
    watch.see(20, 20)
    assert said(database) == [
        (0, "alert.firing", "20 people on example.com"),
        (35, "alert.resolved", "Resolved: 20 people on example.com"),
        (2 * HOUR + 5, "alert.firing", "20 people on example.com"),
    ]


def test_a_snooze_can_be_ended(database, watch):
    watch.see(20)
    alerts.snooze(database, 1, 1, 24, "ada@example.com", NOW)
    assert alerts.snooze(database, 1, 1, 0, "ada@example.com", NOW + 60).snoozed_until is None
    watch.now = NOW + 4 * HOUR
    watch.see(20)
    assert [title for _, _, title in said(database)] == [
        "20 people on example.com",
        "Still firing after 4 h: 20 people on example.com",
    ]
    assert steps(database)[1:3] == [
        (0, "snoozed", 20, "ada@example.com"),
        (60, "snooze_ended", 20, "ada@example.com"),
    ]


@pytest.mark.parametrize("hours", [-1, 721, 1.5, "2", True, None])
def test_hours_of_a_snooze_are_a_whole_number(database, watch, hours):
    watch.see(20)
    with pytest.raises(InvalidInput, match="hours: a whole number from 0 to 720"):
        alerts.snooze(database, 1, 1, hours, "ada@example.com", NOW)


def test_until_tomorrow_is_nine_on_the_next_day_by_the_clock(database, watch):
    berlin = ZoneInfo("Europe/Berlin")

    def morning(text: str) -> str:
        now = datetime.fromisoformat(text).replace(tzinfo=berlin)
        return datetime.fromtimestamp(tomorrow(int(now.timestamp()), berlin), berlin).isoformat()

    assert [morning(text) for text in ("2027-01-15 00:00", "2027-01-15 23:59", "2027-03-27 09:30")] == [
        "2027-01-16T09:00:00+01:00",
        "2027-01-16T09:00:00+01:00",
        "2027-03-28T09:00:00+02:00",
    ]
    watch.see(20)
    until = tomorrow(NOW, berlin)
    assert alerts.snooze_until(database, 1, 1, until, "ada@example.com", NOW).snoozed_until == until
    watch.now = until - 5
    watch.see(21, 22)
    assert [(at, title) for at, _, title in said(database)] == [
        (0, "20 people on example.com"),
        (until - NOW, "Still firing after 1 d: 22 people on example.com"),
    ]
    assert steps(database)[1] == (0, "snoozed", 20, "ada@example.com")


def test_of_an_alert_that_is_over_or_of_another_site_nothing_can_be_said(database, watch):
    watch.see(20, *[3] * 7)
    for act in (
        lambda: alerts.acknowledge(database, 1, 1, "ada", NOW),
        lambda: alerts.snooze(database, 1, 1, 1, "ada", NOW),
    ):
        with pytest.raises(InvalidInput, match="that alert is over"):
            act()
    for act in (
        lambda: alerts.get(database, 2, 1),
        lambda: alerts.acknowledge(database, 2, 1, "ada", NOW),
        lambda: alerts.snooze(database, 1, 2, 1, "ada", NOW),
    ):
        with pytest.raises(InvalidInput, match="that alert is not here any more"):
            act()


def test_many_open_alerts_of_a_site_take_nothing_from_those_of_others(database):
    row = {"rule_id": 1, "severity": "error", "title": "Down", "metric": "visitors", "fired_at": NOW, "told_at": NOW}
    with database.transaction() as connection:
        connection.execute(insert(schema.alerts), [row | {"site_id": site} for site in (1, *[2] * 300, *[3] * 300)])
    assert [one.id for one in alerts.open_ones(database)] == [*range(601, 401, -1), *range(301, 101, -1), 1]
    assert sorted(alerts.live_of_sites(database, [1, 2])) == [1, 2]


def test_open_alerts_of_sites_and_history_by_pages(database, watching):
    with_sites(database, 1, 2, 3)
    watch = watching(line(1, 1), line(2, 2), line(3, 3))
    for site_id in (1, 2, 3):
        watch.crowd.set(20, site_id)
    watch.see(20)
    assert [one.site_id for one in alerts.open_ones(database)] == [3, 2, 1]
    assert [one.site_id for one in alerts.open_ones(database, [1, 3])] == [3, 1]
    assert alerts.open_ones(database, []) == []
    for _ in range(4):
        watch.see(*[3] * 7, 20)
    every = alerts.of_site(database, 1)
    assert [one.fired_at - NOW for one in every] == [160, 120, 80, 40, 0]
    pages = [alerts.of_site(database, 1, limit=2)]
    while pages[-1]:
        pages.append(alerts.of_site(database, 1, before=pages[-1][-1].id, limit=2))
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [one for page in pages for one in page] == every
    assert every[0].resolved_at is None
    assert alerts.over_ones(database, 1) == every[1:]
    assert alerts.over_ones(database, 1, limit=2) == every[1:3]
    assert alerts.over_ones(database, 1, before=every[2].id) == every[3:]
    assert alerts.over_ones(database, 1, down_to=every[3].id) == every[1:4]


def test_of_a_long_history_the_newest_steps_are_read(database, watch):
    """A visitor can make a metric cross its line to and fro for days."""
    watch.see(5, 20)
    step = {"site_id": 1, "rule_id": 1, "alert_id": only(database).id, "step": "recovering"}
    with database.transaction() as connection:
        connection.execute(insert(schema.alert_steps), [step | {"at": NOW + at} for at in range(100, 400)])
    alert_id = only(database).id
    for found in (alerts.get(database, 1, alert_id).steps, alerts.steps_of(database, [alert_id, 99])[alert_id]):
        assert [one.at for one in found] == [NOW + at for at in range(400 - alerts.MAX_STEPS, 400)]


def test_of_a_metric_that_crosses_its_line_all_day_the_first_and_the_newest_steps_are_kept(database, watch):
    """Named after the bug: an open alert got a step each five seconds, without an end."""
    watch.see(20)
    alerts.acknowledge(database, 1, only(database).id, "ada", NOW)
    watch.see(*[3, 20] * 75)
    every = [(5 * n, "recovering", 3) if n % 2 else (5 * n, "firing", 20) for n in range(151)]
    found = [(at, step, value) for at, step, value, who in steps(database) if not who]
    assert found == [*every[: alert_steps.FIRST], *every[-alert_steps.NEWEST :]]
    history = alerts.get(database, 1, only(database).id).steps
    assert (len(history), history[1].step) == (len(found) + 1, "acknowledged")


def test_in_the_live_api_an_alert_has_the_names_of_the_contract(database, watch):
    watch.see(20)
    assert as_live(only(database)) == {
        "id": 1,
        "severity": "error",
        "message": "20 people on example.com",
        "affectedUsers": 20,
        "autoResolve": True,
        "acknowledged": False,
        "snoozedUntil": None,
        "timestamp": NOW,
    }


def test_alerts_are_deleted_a_year_after_they_were_over(database, watch):
    watch.see(20, *[3] * 7, 20)
    year = NOW + 35 + 365 * DAY
    assert alerts.prune(database, year) == 0
    assert alerts.prune(database, year + 1) == 1
    assert [one.id for one in alerts.of_site(database, 1)] == [2]
    assert steps(database) == [(40, "firing", 20, "")]


def test_a_removed_site_takes_its_alerts_with_it(database, watch):
    watch.see(20)
    store.remove(database, "example.com")
    watch.see(20, 3)
    tables = (schema.alerts, schema.alert_steps, schema.rule_states, schema.notifications)
    assert [count(database, table) for table in tables] == [0, 0, 0, 0]


# ── quiet hours ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_quiet_hours_are_kept_for_each_person(database):
    fields = {"days": [0, 4, 6], "begins": "22:30", "ends": "06:00", "timezone": "berlin", "up_to": "medium"}
    saved = quiet_hours_store.save(database, 1, fields | {"digest": "weekly", "digest_at": "09:15", "digest_day": 4})
    assert saved == QuietHours(
        0b1010001, 22 * 60 + 30, 6 * 60, "Europe/Berlin", Priority.MEDIUM, Digest.WEEKLY, 9 * 60 + 15, 4
    )
    assert quiet_hours_store.save(database, 2, {}) == QuietHours()
    assert quiet_hours_store.save(database, 3, {"days": []}) == QuietHours(days=0)
    assert [quiet_hours_store.of_person(database, person) for person in (1, 2, 4)] == [saved, QuietHours(), None]
    again = quiet_hours_store.save(database, 1, {"up_to": "urgent"})
    assert quiet_hours_store.of_person(database, 1) == again
    quiet_hours_store.remove(database, 1)
    assert [quiet_hours_store.of_person(database, person) for person in (1, 2)] == [None, QuietHours()]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"days": [7]}, "days: a list of weekdays, 0 (Monday) to 6 (Sunday); empty: no quiet hours"),
        ({"days": "all"}, "days: a list of weekdays, 0 (Monday) to 6 (Sunday); empty: no quiet hours"),
        ({"begins": "24:00"}, "give a time of the day like 22:00"),
        ({"ends": 7}, "give a time of the day like 22:00"),
        ({"timezone": "Mars"}, "'Mars' is no time zone; give one like Europe/Berlin or UTC"),
        ({"up_to": "critical"}, "up_to: one of low, medium, high, urgent"),
        ({"digest": "hourly"}, "digest: one of off, daily, weekly"),
        ({"digest_at": "8"}, "give a time of the day like 22:00"),
        ({"digest_day": 7}, "digest_day: a weekday, 0 (Monday) to 6 (Sunday)"),
        ({"digest_day": True}, "digest_day: a weekday, 0 (Monday) to 6 (Sunday)"),
        (
            {"begins": "7:00", "up_to": []},
            "give a time of the day like 22:00; up_to: one of low, medium, high, urgent",
        ),
        ({"begins": "08:00", "ends": "08:00"}, "quiet hours of every day end at another time than they begin"),
        (
            {"zone": "UTC"},
            "unknown: zone; quiet hours have days, begins, ends, timezone, up_to, digest, digest_at, digest_day",
        ),
    ],
)
def test_wrong_quiet_hours_say_which_field_is_wrong(database, fields, why):
    with pytest.raises(InvalidInput) as refused:
        quiet_hours_store.save(database, 1, fields)
    assert str(refused.value) == why
    assert quiet_hours_store.of_person(database, 1) is None

"""The states of an alert on invented time, each with the whole sequence of its states and notices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from analytics.notify.alert import (
    Ending,
    MetricReading,
    OpenAlert,
    Standing,
    State,
    interval_of,
    is_live,
    reset,
    resumed,
    step,
)
from analytics.notify.kinds.change import MetricChanged
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import EventArrives
from analytics.notify.kinds.kind import When
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.rule import Notify, Rule

HOUR = 3600
BEGIN = 1_800_000_000
HIGH, LOW = 20.0, 5.0  # above and below the line
FAILED = MetricReading(wrong="the filter is unknown")
Seen = tuple[int, str, str]  # seconds since the begin, the state or the ending, the notice


def line(for_s: int = 0, readings: int = 1, *, metric: str = "active_sessions", **notify: Any) -> Rule:
    """A rule for more than 10 people."""
    return rule(LineCrossed(metric, Crossing.ABOVE, 10, for_s, readings), **notify)


def silence(no_data_s: int, metric: str = "active_sessions") -> Rule:
    return rule(NothingArrives(metric, no_data_s))


def rule(when: When, **notify: Any) -> Rule:
    return Rule(1, 1, "People", when, Notify(**notify))


class Course:
    """A rule's course: readings at its interval, and what they changed."""

    def __init__(self, of: Rule, standing: Standing = Standing()) -> None:  # noqa: B008 - immutable
        self.rule, self.standing, self.now = of, standing, BEGIN
        self.seen: list[Seen] = []

    def read(self, *values: float | MetricReading | None, times: int = 1) -> Course:
        for value in [one for one in values for _ in range(times)]:
            reading = value if isinstance(value, MetricReading) else MetricReading(value)
            self.standing, changes = step(self.rule, self.standing, reading, self.now)
            self.seen += [(one.at - BEGIN, one.ending or one.state, one.notice or "") for one in changes]
            self.now += interval_of(self.rule.when)
        return self

    def away(self, seconds: int) -> Course:
        """So long the server is down."""
        self.now += seconds
        return self

    def acknowledge(self) -> Course:
        assert self.standing.alert
        self.standing = self.standing._replace(alert=self.standing.alert._replace(acknowledged=True))
        return self

    def snooze(self, seconds: int) -> Course:
        self.standing = self.standing._replace(snoozed_until=self.now + seconds)
        return self

    def wait(self, seconds: int, value: float) -> Course:
        """Reads that value for so long."""
        return self.read(value, times=seconds // interval_of(self.rule.when))


def seen(of: Rule, values: Iterable[float | MetricReading | None]) -> list[Seen]:
    return Course(of).read(*values).seen


# ── firing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_time_an_alert_fires_at_the_first_reading():
    course = Course(line()).read(LOW, LOW, HIGH, HIGH)
    assert course.seen == [(10, "firing", "alert.firing")]
    assert course.standing == Standing(
        State.FIRING, BEGIN + 10, HIGH, read_at=BEGIN + 15, alert=OpenAlert(0, BEGIN + 10, BEGIN + 10)
    )


def test_with_a_time_it_is_pending_before():
    course = Course(line(for_s=20)).read(LOW, times=2).read(HIGH, times=6)
    assert course.seen == [(10, "pending", ""), (30, "firing", "alert.firing")]


def test_with_readings_in_a_row_it_fires_at_the_last_of_them():
    assert seen(line(readings=3), [HIGH, HIGH, LOW, HIGH, HIGH, HIGH]) == [
        (0, "pending", ""),
        (10, "normal", ""),
        (15, "pending", ""),
        (25, "firing", "alert.firing"),
    ]


def test_what_is_pending_and_ends_was_never_an_alert():
    course = Course(line(for_s=20)).read(HIGH, HIGH, HIGH, LOW, LOW)
    assert course.seen == [(0, "pending", ""), (15, "normal", "")]
    assert course.standing == Standing(State.NORMAL, BEGIN + 15, LOW, read_at=BEGIN + 20)


def test_a_rule_on_a_historical_metric_is_read_once_a_minute():
    of = line(for_s=120, metric="visitors")
    assert not is_live(of.when)
    assert seen(of, [HIGH] * 4) == [(0, "pending", ""), (120, "firing", "alert.firing")]


@pytest.mark.parametrize(
    ("when", "beyond", "within"),
    [
        (LineCrossed("visitors", Crossing.ABOVE, 10), 10.1, 10),
        (LineCrossed("visitors", Crossing.BELOW, 10), 9.9, 10),
        (MetricChanged("visitors", Crossing.ABOVE, 10), 11, 10),
        (MetricChanged("visitors", Crossing.BELOW, 10), -50, 10),
        (NothingArrives("visitors", 60), 0, 1),
        (NothingArrives("visitors", 60), None, 1),
    ],
)
def test_on_the_line_is_not_beyond_it(when, beyond, within):
    assert (when.is_breached(beyond), when.is_breached(within)) == (True, False)


def test_a_rule_on_events_has_no_state():
    with pytest.raises(TypeError, match="rule 1 waits for an event and has no state"):
        step(rule(EventArrives("Signup")), Standing(), MetricReading(1), BEGIN)


# ── recovering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_recovers_for_half_a_minute_before_it_is_resolved():
    course = Course(line()).read(HIGH).read(LOW, times=8)
    assert course.seen == [
        (0, "firing", "alert.firing"),
        (5, "recovering", ""),
        (35, "recovered", "alert.resolved"),
    ]
    assert course.standing == Standing(State.NORMAL, BEGIN + 35, LOW, read_at=BEGIN + 40)


def test_it_recovers_for_as_long_as_it_was_pending():
    course = Course(line(for_s=60)).wait(65, HIGH).wait(70, LOW)
    assert course.seen == [
        (0, "pending", ""),
        (60, "firing", "alert.firing"),
        (65, "recovering", ""),
        (125, "recovered", "alert.resolved"),
    ]


def test_flapping_is_one_alert_with_one_notification_and_one_recovery():
    course = Course(line()).read(HIGH, LOW, HIGH, LOW, LOW, HIGH).read(LOW, times=7)
    assert course.seen == [
        (0, "firing", "alert.firing"),
        (5, "recovering", ""),
        (10, "firing", ""),
        (15, "recovering", ""),
        (25, "firing", ""),
        (30, "recovering", ""),
        (60, "recovered", "alert.resolved"),
    ]


def test_after_the_recovery_the_next_crossing_is_another_alert():
    course = Course(line()).read(HIGH).read(LOW, times=7).read(HIGH)
    assert course.seen[2:] == [(35, "recovered", "alert.resolved"), (40, "firing", "alert.firing")]
    assert course.standing.alert == OpenAlert(0, BEGIN + 40, BEGIN + 40)


# ── no data, error, missed readings ──────────────────────────────────────────────────────────────────────────────────


def test_one_reading_without_data_changes_nothing():
    assert seen(line(for_s=20), [HIGH, HIGH, None, HIGH, HIGH]) == [(0, "pending", ""), (20, "firing", "alert.firing")]
    assert seen(line(), [LOW, None, LOW, None, HIGH, None, HIGH]) == [(20, "firing", "alert.firing")]


def test_the_second_in_a_row_is_the_state_no_data_and_nobody_is_notified():
    assert seen(line(), [LOW, None, None, None, LOW, LOW]) == [(10, "no_data", ""), (20, "normal", "")]
    assert seen(line(for_s=20), [HIGH, None, None, HIGH]) == [
        (0, "pending", ""),
        (10, "no_data", ""),
        (15, "pending", ""),
    ]


def test_an_open_alert_stays_open_without_data_and_goes_on_with_the_data():
    assert seen(line(), [HIGH, None, None, None, HIGH, None, None, LOW]) == [
        (0, "firing", "alert.firing"),
        (10, "no_data", ""),
        (20, "firing", ""),
        (30, "no_data", ""),
        (35, "recovering", ""),
    ]


def test_after_an_hour_without_data_the_alert_is_resolved():
    course = Course(line()).read(HIGH).read(None, times=HOUR // 5 + 10)
    assert course.seen == [
        (0, "firing", "alert.firing"),
        (10, "no_data", ""),
        (10 + HOUR, "data_ended", "alert.resolved"),
    ]
    assert (course.standing.state, course.standing.alert) == (State.NO_DATA, None)


def test_an_error_is_a_state_from_the_second_one_on_and_says_why():
    course = Course(line()).read(LOW, FAILED)
    assert (course.seen, course.standing.wrong) == ([], "")
    course.read(FAILED)
    assert (course.seen, course.standing.wrong) == ([(10, "error", "")], "the filter is unknown")
    course.read(LOW)
    assert course.seen == [(10, "error", ""), (15, "normal", "")]
    assert course.standing == Standing(State.NORMAL, BEGIN + 15, LOW, read_at=BEGIN + 15)


def test_an_error_while_it_fires_leaves_the_alert_open():
    assert seen(line(), [HIGH, FAILED, FAILED, FAILED, HIGH]) == [
        (0, "firing", "alert.firing"),
        (10, "error", ""),
        (20, "firing", ""),
    ]


def test_the_time_in_which_the_server_was_down_counts_for_nothing():
    pending = Course(line(for_s=60)).wait(30, HIGH).away(600).wait(70, HIGH)
    assert pending.seen == [(0, "pending", ""), (690, "firing", "alert.firing")]
    recovering = Course(line()).read(HIGH, LOW, LOW).away(600).wait(40, LOW)
    assert recovering.seen[1:] == [(5, "recovering", ""), (645, "recovered", "alert.resolved")]


def test_a_pass_that_is_late_is_not_missed():
    assert Course(line(for_s=30)).read(HIGH).away(10).read(HIGH).away(5).read(HIGH, HIGH).seen == [
        (0, "pending", ""),
        (30, "firing", "alert.firing"),
    ]


def stored(state: State, read_at: int, readings: int = 12, alert: OpenAlert | None = None) -> Standing:
    """As the table has it: in that state since the begin, read last so many seconds later."""
    return Standing(state, BEGIN, HIGH, readings, BEGIN + read_at, alert=alert)


@pytest.mark.parametrize("when", [line(600, 60).when, silence(600).when])
def test_what_was_not_seen_before_a_restart_and_half_a_minute_more_count_for_nothing(when):
    pending = stored(State.PENDING, 300)
    assert resumed(when, pending, BEGIN + 315) == pending, "no reading was missed"
    assert resumed(when, pending, BEGIN + 316) == pending._replace(since=BEGIN + 46, readings=6, read_at=BEGIN + 316)
    assert resumed(when, pending, BEGIN + 380) == pending._replace(since=BEGIN + 110, readings=6, read_at=BEGIN + 380)
    assert resumed(when, pending, BEGIN + 381) == pending, "its time starts again, since the gap is known"


def test_what_has_just_begun_before_a_restart_begins_again():
    recovering = stored(State.RECOVERING, 10, readings=3, alert=OpenAlert(1, BEGIN - 60, BEGIN - 60))
    assert resumed(line().when, recovering, BEGIN + 60) == recovering._replace(
        since=BEGIN + 60, readings=0, read_at=BEGIN + 60
    )


def test_a_historical_metric_goes_on_as_long_as_no_three_readings_are_missed():
    when, pending = line(HOUR, metric="visitors").when, stored(State.PENDING, 600)
    assert resumed(when, pending, BEGIN + 780) == pending
    assert resumed(when, pending, BEGIN + 781).since == BEGIN + 211
    assert resumed(when, pending, BEGIN + 901) == pending


@pytest.mark.parametrize("state", [State.NORMAL, State.FIRING, State.NO_DATA])
def test_states_that_lead_to_no_other_one_with_time_stay_as_they_are(state):
    before = stored(state, 10)
    assert resumed(line().when, before, BEGIN + 60) == before


def test_an_alert_that_fires_while_the_server_is_down_still_fires_afterwards_and_says_so_once():
    assert Course(line()).read(HIGH).away(HOUR).read(HIGH, HIGH).seen == [(0, "firing", "alert.firing")]


# ── nothing arrives ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_silence_fires_after_its_time_and_is_over_half_a_minute_after_somebody_came():
    course = Course(silence(60)).read(3).wait(65, 0).wait(40, 2)
    assert course.seen == [
        (5, "pending", ""),
        (65, "firing", "alert.firing"),
        (70, "recovering", ""),
        (100, "recovered", "alert.resolved"),
    ]


def test_where_nothing_has_arrived_yet_nothing_has_broken():
    course = Course(silence(60)).wait(600, 0).read(1, 1).wait(70, 0)
    assert course.seen == [
        (0, "no_data", ""),
        (600, "normal", ""),
        (610, "pending", ""),
        (670, "firing", "alert.firing"),
    ]


def test_no_reading_is_silence_too():
    assert seen(silence(10), [1, None, None, None]) == [(5, "pending", ""), (15, "firing", "alert.firing")]


# ── acknowledged, snoozed, repeated ──────────────────────────────────────────────────────────────────────────────────


def test_it_is_repeated_every_four_hours_as_long_as_it_fires():
    assert Course(line()).wait(9 * HOUR, HIGH).seen == [
        (0, "firing", "alert.firing"),
        (4 * HOUR, "firing", "repeat"),
        (8 * HOUR, "firing", "repeat"),
    ]


def test_it_is_repeated_as_its_rule_says_or_never():
    assert Course(line(repeat_s=600)).wait(900, HIGH).seen == [
        (0, "firing", "alert.firing"),
        (600, "firing", "repeat"),
    ]
    assert Course(line(repeat_s=0)).wait(9 * HOUR, HIGH).seen == [(0, "firing", "alert.firing")]


def test_an_acknowledged_alert_is_not_repeated_and_its_recovery_is_said():
    course = Course(line()).read(HIGH).acknowledge().wait(9 * HOUR, HIGH).read(LOW, HIGH).read(LOW, times=7)
    assert course.seen == [
        (0, "firing", "alert.firing"),
        (9 * HOUR + 5, "recovering", ""),
        (9 * HOUR + 10, "firing", ""),
        (9 * HOUR + 15, "recovering", ""),
        (9 * HOUR + 45, "recovered", "alert.resolved"),
    ]
    assert course.read(HIGH).seen[-1] == (9 * HOUR + 50, "firing", "alert.firing"), "the acknowledgement has ended"


def test_a_snoozed_alert_says_nothing_until_then_and_then_that_it_still_fires():
    course = Course(line()).read(HIGH).snooze(2 * HOUR).wait(7 * HOUR, HIGH)
    assert course.seen == [
        (0, "firing", "alert.firing"),
        (2 * HOUR + 5, "firing", "repeat"),
        (6 * HOUR + 5, "firing", "repeat"),
    ]


def test_a_snoozed_alert_still_says_that_it_is_over():
    assert Course(line()).read(HIGH).snooze(2 * HOUR).read(LOW, times=7).seen[1:] == [
        (5, "recovering", ""),
        (35, "recovered", "alert.resolved"),
    ]


def test_while_it_is_snoozed_the_next_alert_of_the_rule_is_silent_from_its_begin_to_its_end():
    course = Course(line()).read(HIGH).snooze(HOUR).read(LOW, times=7).read(HIGH).read(LOW, times=7)
    assert course.seen[2:] == [
        (35, "recovered", "alert.resolved"),
        (40, "firing", ""),
        (45, "recovering", ""),
        (75, "recovered", ""),
    ]


def test_an_alert_that_began_snoozed_is_spoken_of_when_the_snooze_ends():
    course = Course(line()).snooze(60).wait(120, HIGH)
    assert course.seen == [(0, "firing", ""), (60, "firing", "alert.firing")]


# ── edited ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_edit_resets_and_resolves_an_open_alert():
    course = Course(line()).read(HIGH).snooze(HOUR)
    standing, changes = reset(course.standing, Ending.CHANGED, BEGIN + 3)
    assert standing == Standing(since=BEGIN + 3)
    assert [(one.at - BEGIN, one.ending, one.notice) for one in changes] == [(3, "rule_changed", "alert.resolved")]
    assert Course(line(for_s=20), standing).wait(30, HIGH).seen == [(0, "pending", ""), (20, "firing", "alert.firing")]


@pytest.mark.parametrize("values", [(), (LOW,), (HIGH,)])
def test_an_edit_of_a_rule_without_an_alert_is_not_worth_a_word(values: Sequence[float]):
    course = Course(line(for_s=60)).read(*values)
    assert reset(course.standing, Ending.CHANGED, BEGIN + 60) == (Standing(since=BEGIN + 60), ())

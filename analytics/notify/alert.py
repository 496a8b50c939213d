"""An alert: how a metric rule stands, and what each reading of its metric changes.

    normal → pending → firing → recovering → normal

`step` is pure. A rule is pending until its line has been crossed for `for_s` seconds and `readings` readings in a row;
with 0 and 1 it fires at once. It recovers for the same time again, and for half a minute at least, before its alert is
resolved: a metric that crosses the line to and fro is one alert with one notification. A single reading without data
(or one that failed) changes nothing; from the second in a row on the rule has no data, or is in error, and an open
alert stays open. After an hour without data the alert is resolved.

Readings that were missed (the server was down) count neither for firing nor for recovery: the time starts again. The
table knows the last reading to a minute; a process that begins within that goes on with the time that was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from analytics.notify import live_metrics
from analytics.notify.difference import Difference
from analytics.notify.grouping import repeat_due
from analytics.notify.kinds.metric import Hold, MetricWhen
from analytics.notify.rule import Rule

LIVE_S = 5
"""How often live metrics are read."""
HISTORICAL_S = 60
"""How often historical metrics are read."""
MISSED = 3  # after a gap of more than so many intervals, readings were missed
WRITTEN_S = 60
"""How often the table gets the newest reading of a state that has not changed."""
AGAIN_S = 30  # of the time that was seen before a restart, so much has to be seen again
UNREADABLE = 2  # readings in a row without data, or failed, that make a state of it
MAX_NO_DATA_S = 3600


class State(StrEnum):
    """How a metric rule stands."""

    NORMAL = "normal"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    NO_DATA = "no_data"
    ERROR = "error"


class AlertNotice(StrEnum):
    """Which notification is due: an alert fires, still fires, is resolved."""

    FIRING = "alert.firing"
    REPEAT = "repeat"
    RESOLVED = "alert.resolved"


class Ending(StrEnum):
    """Why an alert is over."""

    RECOVERED = "recovered"
    NO_DATA = "data_ended"
    CHANGED = "rule_changed"
    OFF = "rule_off"


class MetricReading(NamedTuple):
    """What a metric is now: None where there is no data. `wrong` says why it could not be read, else ""."""

    value: float | None = None
    wrong: str = ""


class OpenAlert(NamedTuple):
    """What the state machine has to know of an alert that is not over. `id` is 0 until it is stored.

    `told_at` is the moment of the last notification about it, 0 if it was snoozed from the start.
    """

    id: int
    fired_at: int
    told_at: int
    acknowledged: bool = False


class Standing(NamedTuple):
    """How a rule stands: its state since a moment, the last value, and the open alert.

    While it is pending or recovering, `readings` in a row speak for the next state; the last `unreadable` ones in a row
    had no data or failed. `read_at` is 0 before the first reading. Until `snoozed_until` nothing is said about the
    alert, nor about the next ones of the rule.
    """

    state: State = State.NORMAL
    since: int = 0
    value: float | None = None
    readings: int = 0
    read_at: int = 0
    wrong: str = ""
    unreadable: int = 0
    alert: OpenAlert | None = None
    snoozed_until: int = 0


class AlertChange(NamedTuple):
    """A change of a rule's standing: the state that begins, or that goes on where only a notice is due.

    `opens` and `ending` are the begin and the end of an alert.
    """

    state: State
    at: int
    value: float | None = None
    notice: AlertNotice | None = None
    opens: bool = False
    ending: Ending | None = None


Changes = tuple[AlertChange, ...]
Stepped = tuple[Standing, Changes]


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident of a rule, as it is stored. Times are epoch seconds, None for what has not happened (yet).

    `value` is the last beyond the line, `affected` how many people were concerned at the start. `why` has what makes
    the difference, the greatest first. `told_at` is the moment of the last notification, 0 if there was none.
    """

    id: int
    site_id: int
    rule_id: int
    severity: str
    title: str
    message: str
    metric: str
    value: float | None
    threshold: float | None
    affected: int
    why: tuple[Difference, ...]
    fired_at: int
    recovering_at: int | None
    resolved_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str
    snoozed_until: int | None
    told_at: int


class AlertStep(NamedTuple):
    """A step of an alert: a state, an ending, `repeated`, `acknowledged` or `snoozed`; who did it, "" for a reading."""

    at: int
    step: str
    value: float | None
    who: str


def as_live(one: Alert) -> dict[str, object]:
    """The alert in `alerts` of `/api/live/metrics` and of the stream (contract §4)."""
    return {
        "id": one.id,
        "severity": one.severity,
        "message": one.title,
        "affectedUsers": one.affected,
        "autoResolve": True,
        "acknowledged": one.acknowledged_at is not None,
        "snoozedUntil": one.snoozed_until,
        "timestamp": one.fired_at,
    }


# ── the rule's metric ───────────────────────────────────────────────────────────────────────────────────────────────


def is_live(when: MetricWhen) -> bool:
    """Whether the metric is one of this moment, not of a period."""
    return live_metrics.is_live(when.metric)


def interval_of(when: MetricWhen) -> int:
    """How often the metric is read, in seconds."""
    return LIVE_S if is_live(when) else HISTORICAL_S


# ── the state machine ───────────────────────────────────────────────────────────────────────────────────────────────


def step(rule: Rule, standing: Standing, reading: MetricReading, now: int) -> Stepped:
    """The standing after a reading at `now`, and what changed, in order. Raises `TypeError` for a rule on events."""
    when = _metric_when(rule)
    before = _after_gap(when, standing, now)
    if reading.wrong or (reading.value is None and not when.is_breached(None)):
        return _unreadable(before, reading, now)
    read = before._replace(value=reading.value, read_at=now, wrong="", unreadable=0)
    if not when.is_breached(reading.value):
        return _recovering(when, read, now) if read.alert else _begun(read, State.NORMAL, now)
    if read.alert:
        return _firing(rule, read, read.alert, now)
    if _waits_for_the_first(when, before):
        return _begun(read, State.NO_DATA, now)
    return _pending(when, read, now)


def _metric_when(rule: Rule) -> MetricWhen:
    if not isinstance(rule.when, MetricWhen):
        raise TypeError(f"rule {rule.id} waits for an event and has no state")
    return rule.when


def _after_gap(when: MetricWhen, standing: Standing, now: int) -> Standing:
    """Starts the time of a state that leads to another one again, if readings were missed."""
    if not standing.since:
        return standing._replace(since=now)
    leads = standing.state not in (State.NORMAL, State.FIRING)
    if leads and now - standing.read_at > MISSED * interval_of(when):
        return standing._replace(since=now, readings=0, unreadable=0)
    return standing


def is_timed(standing: Standing) -> bool:
    """Whether the state becomes another one when it has lasted: so its last reading matters after a restart."""
    return standing.state in (State.PENDING, State.RECOVERING) or bool(
        standing.alert and standing.state is State.NO_DATA
    )


def resumed(when: MetricWhen, stored: Standing, now: int) -> Standing:
    """The standing with which a process goes on from the table.

    The last reading in the table is up to `WRITTEN_S` old, so whether readings were missed is not known. What was not
    seen counts for nothing, and half a minute has to be seen again, because people come back one by one. A standing
    that is older stays as it is: `step` starts its time again.
    """
    interval, unseen = interval_of(when), now - stored.read_at
    is_new, is_old = unseen <= MISSED * interval, unseen > WRITTEN_S + (MISSED + 1) * interval
    if is_new or is_old or not is_timed(stored):
        return stored
    since, readings = min(now, stored.since + unseen + AGAIN_S), max(0, stored.readings - AGAIN_S // interval)
    return stored._replace(since=since, readings=readings, read_at=now)


def _waits_for_the_first(when: MetricWhen, before: Standing) -> bool:
    """Whether nothing has arrived since the rule exists: so nothing can have ended."""
    return when.WAITS_FOR_THE_FIRST and (before.read_at == 0 or before.state is State.NO_DATA)


def _is_over(hold: Hold, begun: Standing, now: int) -> bool:
    return now - begun.since >= hold.seconds and begun.readings >= hold.readings


def _begun(standing: Standing, state: State, now: int) -> Stepped:
    """The standing with one more reading in that state; a change if the state is new."""
    counts = state in (State.PENDING, State.RECOVERING)
    if standing.state is state:
        return standing._replace(readings=standing.readings + counts), ()
    begun = standing._replace(state=state, since=now, readings=int(counts))
    return begun, (AlertChange(state, now, standing.value),)


def _pending(when: MetricWhen, standing: Standing, now: int) -> Stepped:
    begun, changes = _begun(standing, State.PENDING, now)
    if not _is_over(when.before_firing(), begun, now):
        return begun, changes
    notice = None if standing.snoozed_until > now else AlertNotice.FIRING
    alert = OpenAlert(0, now, now if notice else 0)
    fired = begun._replace(state=State.FIRING, since=now, readings=0, alert=alert)
    return fired, (AlertChange(State.FIRING, now, standing.value, notice, opens=True),)


def _firing(rule: Rule, standing: Standing, alert: OpenAlert, now: int) -> Stepped:
    notice = _due(rule, standing, alert, now)
    begun, changes = _begun(standing, State.FIRING, now)
    if notice:
        begun = begun._replace(alert=alert._replace(told_at=now))
        changes = (AlertChange(State.FIRING, now, standing.value, notice),)
    return begun, changes


def _due(rule: Rule, standing: Standing, alert: OpenAlert, now: int) -> AlertNotice | None:
    """The notification that is due about an alert that fires."""
    if alert.acknowledged or standing.snoozed_until > now:
        return None
    if not alert.told_at:
        return AlertNotice.FIRING
    due = repeat_due(alert.told_at, rule.notify.repeat_s, standing.snoozed_until)
    return None if due is None or due > now else AlertNotice.REPEAT


def _recovering(when: MetricWhen, standing: Standing, now: int) -> Stepped:
    begun, changes = _begun(standing, State.RECOVERING, now)
    return _ended(begun, Ending.RECOVERED, now) if _is_over(when.before_resolving(), begun, now) else (begun, changes)


def _unreadable(standing: Standing, reading: MetricReading, now: int) -> Stepped:
    missed = standing._replace(read_at=now, unreadable=standing.unreadable + 1)
    if missed.unreadable < UNREADABLE:
        return missed, ()
    state = State.ERROR if reading.wrong else State.NO_DATA
    begun, changes = _begun(missed._replace(value=None, wrong=reading.wrong), state, now)
    if begun.alert and state is State.NO_DATA and now - begun.since >= MAX_NO_DATA_S:
        return _ended(begun, Ending.NO_DATA, now)
    return begun, changes


def _ended(standing: Standing, ending: Ending, now: int) -> Stepped:
    """The standing after its alert; the recovery notice is due if the alert was ever spoken of."""
    notice = AlertNotice.RESOLVED if standing.alert and standing.alert.told_at else None
    state = State.NO_DATA if ending is Ending.NO_DATA else State.NORMAL
    over = standing._replace(state=state, since=now, readings=0, alert=None)
    return over, (AlertChange(state, now, standing.value, notice, ending=ending),)


def reset(standing: Standing, ending: Ending, now: int) -> Stepped:
    """The standing of a rule that was edited, switched off or removed: as if it were new. Its alert is resolved."""
    changes = _ended(standing, ending, now)[1] if standing.alert else ()
    return Standing(since=now), changes

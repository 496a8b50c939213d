"""What the kinds with a threshold share: the value, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from analytics.base.errors import InvalidInput, message
from analytics.base.words import _, ngettext
from analytics.calendar.period import Period
from analytics.notify.event_fields import brief
from analytics.notify.json_fields import FieldReader, Fields, number, whole
from analytics.notify.kinds.kind import Wording
from analytics.notify.kinds.metric import MIN_RECOVERY_S, Hold, MetricWhen, read_filters, read_metric
from analytics.notify.live_metrics import is_live

MAX_FOR_S = 7 * 86_400
MAX_READINGS = 1_000
DEFAULT_PERIOD = "today"


class Crossing(StrEnum):
    """On which side of its threshold a metric is beyond it."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class ThresholdWhen(MetricWhen):
    """When a value is beyond `threshold` for `for_s` seconds (0: at the first reading) or `readings` in a row."""

    crossing: Crossing
    threshold: float
    for_s: int = 0
    readings: int = 1

    def is_breached(self, value: float | None) -> bool:
        """As `MetricWhen`."""
        if value is None:
            return False
        return value > self.threshold if self.crossing is Crossing.ABOVE else value < self.threshold

    def before_firing(self) -> Hold:
        """As `MetricWhen`."""
        return Hold(self.for_s, self.readings)

    def before_resolving(self) -> Hold:
        """As `MetricWhen`: the same time again, and half a minute at least."""
        return Hold(max(self.for_s, MIN_RECOVERY_S), self.readings)

    @property
    def line(self) -> float:
        """As `MetricWhen`."""
        return self.threshold


Threshold = TypeVar("Threshold", bound=ThresholdWhen)


def read_threshold(
    kind: type[Threshold], marks: tuple[str, str], reading: FieldReader, given: Fields, mark: str
) -> Threshold:
    """The value of that kind in the JSON. `marks` are its fields for above and below."""
    fields = reading.fields_of("when.", given, ("metric",), ("filters", *marks, "for_s", "readings", "period"))
    metric = read_metric(reading, fields)
    return kind(
        metric,
        Crossing.ABOVE if mark == marks[0] else Crossing.BELOW,
        reading.field(fields, mark, number, 0.0, "when."),
        reading.field(fields, "for_s", partial(whole, 0, MAX_FOR_S), 0, "when."),
        reading.field(fields, "readings", partial(whole, 1, MAX_READINGS), 1, "when."),
        filters=read_filters(reading, fields, metric),
        period=_read_period(reading, fields, metric),
    )


def _read_period(reading: FieldReader, fields: Fields, metric: str) -> str:
    if not metric or is_live(metric):
        if metric and "period" in fields:
            reading.note("when.period", message("{metric} is live and takes no period", metric=metric))
        return ""
    period: str = reading.field(fields, "period", _period, DEFAULT_PERIOD, "when.")
    return period


def _period(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidInput(message("the name of a period, like {example}", example=DEFAULT_PERIOD))
    period = Period.parse(given)
    if period.dates:
        raise InvalidInput(message("a period that moves with the days, like {example}", example="7d"))
    return period.preset


def plain_threshold(when: ThresholdWhen, mark: str) -> dict[str, Any]:
    """The value as JSON, with its threshold in that field."""
    more = {"for_s": when.for_s, "readings": when.readings, "period": when.period}
    usual = {"for_s": 0, "readings": 1, "period": ""}
    unusual = {name: more[name] for name in more if more[name] != usual[name]}
    return {"metric": when.metric, mark: brief(when.threshold)} | when.plain_filters() | unusual


def held(when: ThresholdWhen, line: str, wording: Wording) -> str:
    """The sentence of its line with how long, and how often in a row, that has to be so."""
    text = _("{line} for {time}", line=line, time=wording.duration(when.for_s)) if when.for_s else line
    if when.readings == 1:
        return text
    n = when.readings
    return ngettext("{line}, {n} time in a row", "{line}, {n} times in a row", n, line=text, n=n)

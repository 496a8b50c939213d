"""A metric changes by more than so many percent: live ones against an hour ago, others against the period before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics.base.errors import message
from analytics.base.words import N_, _
from analytics.calendar.period import Period
from analytics.notify.event_fields import exact_text
from analytics.notify.json_fields import FieldReader, Fields
from analytics.notify.kinds.crossing import Crossing, ThresholdWhen, held, plain_threshold, read_threshold
from analytics.notify.kinds.kind import FormChoice, RuleKind, Wording
from analytics.notify.kinds.metric import Measures
from analytics.notify.live_metrics import SYSTEM_METRICS

ABOVE, BELOW = MARKS = "change_above", "change_below"


@dataclass(frozen=True, slots=True)
class MetricChanged(ThresholdWhen):
    """When the change of a metric in % is beyond a threshold; -50 is half."""

    def plain(self) -> dict[str, Any]:
        """As `When`."""
        return plain_threshold(self, ABOVE if self.crossing is Crossing.ABOVE else BELOW)

    def sentence(self, wording: Wording) -> str:
        """As `When`."""
        return held(self, self._line(self.written(wording)), wording)

    def _line(self, metric: str) -> str:
        if self.crossing is Crossing.ABOVE and self.threshold >= 0:
            return _("{metric} rises by more than {line} %", metric=metric, line=exact_text(self.threshold))
        if self.crossing is Crossing.BELOW and self.threshold < 0:
            return _("{metric} falls by more than {line} %", metric=metric, line=exact_text(-self.threshold))
        names = {"metric": metric, "line": exact_text(self.threshold)}
        if self.crossing is Crossing.ABOVE:
            return _("the change of {metric} is above {line} %", **names)
        return _("the change of {metric} is below {line} %", **names)

    def read(self, measures: Measures) -> float | None:
        """As `MetricWhen`."""
        return change(measures.current(), measures.earlier())


def change(now: float | None, before: float | None) -> float | None:
    """The change in %; None where one of them is unknown, or there was nothing before."""
    return None if now is None or not before else (now - before) / before * 100


def _read(reading: FieldReader, given: Fields, mark: str) -> MetricChanged:
    when = read_threshold(MetricChanged, MARKS, reading, given, mark)
    if when.period and Period.parse(when.period).is_all:
        reading.note("when.period", message("there is no period before all time to compare with"))
    if when.metric in SYSTEM_METRICS:
        reading.note(f"when.{mark}", message("{metric} is not kept, so it has no change", metric=when.metric))
    return when


KIND = RuleKind(
    "change",
    MARKS,
    _read,
    (
        FormChoice(ABOVE, N_("rises by more than, in %")),
        FormChoice(BELOW, N_("falls to less than, in % (-50: by half)")),
    ),
)

"""A metric is above or below a line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from analytics.base.words import N_, _
from analytics.notify.event_fields import exact_text
from analytics.notify.kinds.crossing import Crossing, ThresholdWhen, held, plain_threshold, read_threshold
from analytics.notify.kinds.kind import FormChoice, RuleKind, Wording
from analytics.notify.kinds.metric import Measures

ABOVE, BELOW = MARKS = "above", "below"


@dataclass(frozen=True, slots=True)
class LineCrossed(ThresholdWhen):
    """When a metric is beyond a threshold."""

    def plain(self) -> dict[str, Any]:
        """As `When`."""
        return plain_threshold(self, ABOVE if self.crossing is Crossing.ABOVE else BELOW)

    def sentence(self, wording: Wording) -> str:
        """As `When`."""
        names = {"metric": self.written(wording), "line": exact_text(self.threshold)}
        is_above = self.crossing is Crossing.ABOVE
        line = _("{metric} is above {line}", **names) if is_above else _("{metric} is below {line}", **names)
        return held(self, line, wording)

    def read(self, measures: Measures) -> float | None:
        """As `MetricWhen`."""
        return measures.current()


KIND = RuleKind(
    "threshold",
    MARKS,
    partial(read_threshold, LineCrossed, MARKS),
    (FormChoice(ABOVE, N_("is above")), FormChoice(BELOW, N_("is below"))),
)

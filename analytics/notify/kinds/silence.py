"""A metric is 0, or has no reading, for a time: nothing arrives any more, tracking broke."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from analytics.base.errors import message
from analytics.base.words import N_, _
from analytics.notify.json_fields import FieldReader, Fields, whole
from analytics.notify.kinds.kind import FormChoice, RuleKind, Wording
from analytics.notify.kinds.metric import (
    MIN_RECOVERY_S,
    Hold,
    Measures,
    MetricWhen,
    read_filters,
    read_metric,
)

MIN_NO_DATA_S, MAX_NO_DATA_S = 10, 30 * 86_400
SECONDS = "no_data_s"
GOOD_AT_0 = frozenset({"average_response_ms", "error_rate", "queue_depth", "bounce_rate"})


@dataclass(frozen=True, slots=True)
class NothingArrives(MetricWhen):
    """When a metric has been 0, or had no reading, for `no_data_s` seconds.

    It holds only after something has arrived, or each new site would begin with an alert.
    """

    no_data_s: int

    HAS_PERIOD: ClassVar[bool] = False
    WAITS_FOR_THE_FIRST: ClassVar[bool] = True

    def plain(self) -> dict[str, Any]:
        """As `When`."""
        return {"metric": self.metric, SECONDS: self.no_data_s} | self.plain_filters()

    def sentence(self, wording: Wording) -> str:
        """As `When`."""
        return _("{metric} is 0 for {time}", metric=self.written(wording), time=wording.duration(self.no_data_s))

    def read(self, measures: Measures) -> float | None:
        """As `MetricWhen`."""
        return measures.latest()

    def is_breached(self, value: float | None) -> bool:
        """As `MetricWhen`."""
        return not value

    def before_firing(self) -> Hold:
        """As `MetricWhen`."""
        return Hold(self.no_data_s)

    def before_resolving(self) -> Hold:
        """As `MetricWhen`: as soon as something arrives again, tracking works."""
        return Hold(MIN_RECOVERY_S)


def _read(reading: FieldReader, given: Fields, _mark: str) -> NothingArrives:
    fields = reading.fields_of("when.", given, ("metric", SECONDS), ("filters",))
    metric = read_metric(reading, fields)
    if metric in GOOD_AT_0:
        reading.note("when.metric", message("that {metric} is 0 does not say that nothing arrives", metric=metric))
    seconds = reading.field(fields, SECONDS, partial(whole, MIN_NO_DATA_S, MAX_NO_DATA_S), 0, "when.")
    return NothingArrives(metric, seconds, filters=read_filters(reading, fields, metric))


KIND = RuleKind("no_data", (SECONDS,), _read, (FormChoice(SECONDS, N_("is 0: tracking broke"), has_seconds=True),))

"""The base of the kinds that read a metric, and the fields of their JSON that all of them have."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

from analytics.base.errors import InvalidInput, message
from analytics.notify.json_fields import FieldReader, Fields
from analytics.notify.kinds.kind import When, Wording
from analytics.notify.live_metrics import LIVE_METRICS, is_live, is_sample
from analytics.query import filters
from analytics.query.filters import Filter
from analytics.query.metrics import METRICS
from analytics.query.query import Query

MIN_RECOVERY_S = 30


class Measures(Protocol):
    """What can be known of a rule's metric at one moment; each is asked for only where it is needed. None: no data."""

    def current(self) -> float | None:
        """Now; of a historical metric, over the rule's period."""

    def earlier(self) -> float | None:
        """An hour ago; of a historical metric, the period before, as far as it had passed by the same moment."""

    def latest(self) -> float | None:
        """Now; of a historical metric, the last two minutes."""


class Hold(NamedTuple):
    """For how long, and for how many readings in a row, something has to be so."""

    seconds: int
    readings: int = 1


@dataclass(frozen=True, slots=True)
class MetricWhen(When):
    """A kind that reads a metric again and again; each such rule has a state, and makes alerts (`alert.py`).

    `period` is the period of a historical metric, like `today` or `7d`; "" for live ones.
    """

    metric: str
    filters: tuple[Filter, ...] = field(default=(), kw_only=True)
    period: str = field(default="", kw_only=True)

    TEMPLATE_FIELDS: ClassVar[tuple[str, ...]] = ("metric", "value", "threshold", "site", "rule")
    HAS_PERIOD: ClassVar[bool] = True
    """Whether it looks at a period of historical metrics, which can be compared with the one before."""
    WAITS_FOR_THE_FIRST: ClassVar[bool] = False
    """Whether it holds only after a reading for which it did not hold."""

    @abstractmethod
    def read(self, measures: Measures) -> float | None:
        """The value of a reading; None for no data."""

    @abstractmethod
    def is_breached(self, value: float | None) -> bool:
        """Whether that value is beyond the line of the rule."""

    @abstractmethod
    def before_firing(self) -> Hold:
        """How long the line has to be crossed before the alert fires."""

    @abstractmethod
    def before_resolving(self) -> Hold:
        """How long the metric has to be back before the alert is resolved."""

    @property
    def line(self) -> float | None:
        """The threshold, as alerts and templates show it; None for a kind without one."""
        return None

    def written(self, wording: Wording) -> str:
        """The metric with its period and filters, for the sentence."""
        period = f" ({self.period})" if self.period else ""
        return f"{wording.metric(self.metric)}{period}{wording.filters(self.filters)}"

    def plain_filters(self) -> dict[str, Any]:
        """The filters as a field of the JSON, which is left out without any."""
        return {"filters": [filters.plain(one) for one in self.filters]} if self.filters else {}


def read_metric(reading: FieldReader, fields: Fields) -> str:
    """The metric in the JSON; "" if it is none."""
    metric: str = reading.field(fields, "metric", _metric, "", "when.")
    return metric


def _metric(given: object) -> str:
    if not isinstance(given, str) or not (is_live(given) or given in METRICS):
        live, past = ", ".join(LIVE_METRICS), ", ".join(METRICS)
        raise InvalidInput(message("unknown metric; live: {live}; of the past: {past}", live=live, past=past))
    return given


def read_filters(reading: FieldReader, fields: Fields, metric: str) -> tuple[Filter, ...]:
    """The filters in the JSON, as far as that metric can be filtered by them."""
    found: tuple[Filter, ...] = reading.field(fields, "filters", partial(_filters, metric), (), "when.")
    return found


def _filters(metric: str, given: object) -> tuple[Filter, ...]:
    parsed = filters.parse(given)
    if metric and not is_live(metric):
        Query(0, metrics=(metric,), filters=parsed)  # refuses what cannot be filtered
    used = set().union(*map(_dimensions, parsed))
    known = () if is_sample(metric) else LIVE_METRICS.get(metric)
    if known is not None and (others := sorted(used.difference(known))):
        if is_sample(metric):
            raise InvalidInput(message("{metric} is of samples and cannot be filtered", metric=metric))
        if not known:
            raise InvalidInput(message("{metric} is the server's and cannot be filtered", metric=metric))
        wrong = message(
            "{metric} is live and cannot be filtered by {others}; by {known}",
            metric=metric,
            others=", ".join(others),
            known=", ".join(known),
        )
        raise InvalidInput(wrong)
    return parsed


def _dimensions(one: Filter) -> set[str]:
    """The dimensions of a filter; `has_done` stands for itself, since the live state does not know what people did."""
    if filters.has_done(one):
        return {"has_done"}
    return filters.dimensions_in(one)

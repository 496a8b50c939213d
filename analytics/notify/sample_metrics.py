"""Metrics of rules of which samples are sent: what they are now, and what they were an hour ago."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from analytics.base.errors import InvalidInput, message
from analytics.health import history, series
from analytics.health.newest import NewestSamples, joined
from analytics.health.samples import MINUTE
from analytics.notify.kinds.crossing import Crossing, ThresholdWhen
from analytics.notify.kinds.kind import When
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.live_metrics import LIVE_METRICS, is_sample
from analytics.query.metrics import METRICS
from analytics.storage.database import Database

HOUR = 3600


class SampleSource(Protocol):
    """What the metrics are now; `NewestSamples` is one."""

    def values(self, site_id: int, name: str, now: int) -> Sequence[float]:
        """What a metric is now, of each set of tags; of the installation where the site has none of that name."""

    def knows(self, site_id: int, name: str) -> bool:
        """Whether samples of that name have come lately, of the site or of the installation."""


NO_SAMPLES: SampleSource = NewestSamples()


class StoredSamples(NamedTuple):
    """The samples as the database has them, for where there is no memory of them."""

    database: Database

    def values(self, site_id: int, name: str, now: int) -> Sequence[float]:
        """As `SampleSource`."""
        newest = NewestSamples()
        newest.restore(self.database, [site_id], now)
        return newest.values(site_id, name, now)

    def knows(self, site_id: int, name: str) -> bool:
        """As `SampleSource`."""
        with self.database.read() as connection:
            return series.is_known(connection, site_id, name)


def current(source: SampleSource, when: MetricWhen, site_id: int, now: int) -> float | None:
    """What the metric is now; None where no sample has come for `CURRENT_S`.

    Of several sets of tags it is the highest, for a rule on what is below its line the lowest; rates add up.
    """
    return joined(when.metric, source.values(site_id, when.metric, now), lowest=_wants_lowest(when))


def earlier(database: Database, when: MetricWhen, site_id: int, now: int) -> float | None:
    """The same of the means of the minute an hour ago."""
    at = now // MINUTE * MINUTE - HOUR
    return joined(when.metric, history.means_at(database, site_id, when.metric, at), lowest=_wants_lowest(when))


def _wants_lowest(when: MetricWhen) -> bool:
    return isinstance(when, ThresholdWhen) and when.crossing is Crossing.BELOW


def check_known(connection: Connection, site_id: int, when: When) -> None:
    """Raises `InvalidInput` for a metric that is none of ours and of which no sample has come: it may be misspelt."""
    if not isinstance(when, MetricWhen) or not is_sample(when.metric):
        return
    if series.is_known(connection, site_id, when.metric):
        return
    wrong = message(
        "no sample of {metric} has come yet; live: {live}; of the past: {past}",
        metric=when.metric,
        live=", ".join(LIVE_METRICS),
        past=", ".join(METRICS),
    )
    raise InvalidInput(f"when.metric: {wrong}", {"when.metric": wrong})

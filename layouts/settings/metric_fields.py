"""The fields of a rule on a metric: which one and of whom, the line that it crosses, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dash.development.base_component import Component

from analytics.base.words import N_, _
from analytics.notify.event_fields import exact_text
from analytics.notify.kinds import table as kinds
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.live_metrics import LIVE_METRICS, is_sample
from analytics.notify.rule import Rule
from analytics.notify.rule_json import RuleInput
from analytics.query import filter_syntax
from analytics.query.metrics import METRICS
from layouts.components import form
from layouts.settings.rule_words import LIVE_NAMES

PERIODS = (
    ("realtime", N_("Last 30 minutes")),
    ("today", N_("Today")),
    ("24h", N_("Last 24 hours")),
    ("7d", N_("Last 7 days")),
    ("30d", N_("Last 30 days")),
)
METRIC, THRESHOLD, MINUTES, READINGS = next(iter(LIVE_METRICS)), "100", "1", "1"
"""What a blank form has there."""


def crossing(name: str, rule: RuleInput | Rule | None, sampled: Iterable[str] = ()) -> list[Component]:
    """The metric, of whom, and the line that it crosses; `sampled` are the names of which the site has samples."""
    line = _line(rule)
    samples = sorted({one for one in (*sampled, line.metric) if is_sample(one)})
    ways = {
        _("Now"): [(one, _(LIVE_NAMES[one])) for one in LIVE_METRICS],
        _("Of a period"): [(one, _(metric.label)) for one, metric in METRICS.items()],
        **({_("Samples"): [(one, one) for one in samples]} if samples else {}),
    }
    in_percent = _("Shares and changes are in %: 5 is 0.05 of the statistics API.")
    crossings = [(one.field, _(one.words)) for one in kinds.CHOICES.values()]
    return [
        form.select(name, "metric", _("Metric"), line.metric, ways),
        *_filters(name, rule),
        form.select(name, "crossing", _("Crosses its line when it"), line.crossing, crossings),
        form.text(name, "threshold", _("Threshold"), line.threshold, hint=in_percent, inputMode="decimal"),
    ]


def lasting(name: str, rule: RuleInput | Rule | None) -> list[Component]:
    """For how long it is beyond its line, and the period of the metric."""
    line = _line(rule)
    at_once = _("0: at the first reading.")
    how_often = _("What is there now is read every 5 seconds, a metric of a period every minute.")
    periods, hint = form.translated_with(PERIODS, line.period), _("For metrics of a period.")
    return [
        form.text(name, "minutes", _("For so many minutes"), line.minutes, hint=at_once, inputMode="decimal"),
        form.text(
            name,
            "readings",
            _("For so many readings in a row"),
            line.readings,
            hint=how_often,
            inputMode="numeric",
        ),
        form.select(name, "period", _("Period"), line.period, periods, hint=hint),
    ]


def _filters(name: str, rule: RuleInput | Rule | None) -> list[Component]:
    """The field for filters; none where the rule has one that cannot be typed: it is kept as it is."""
    found = rule.when.filters if rule and isinstance(rule.when, MetricWhen) else ()
    typed = [text for one in found if (text := filter_syntax.written(one)) is not None]
    if len(typed) < len(found):
        return []
    hint = _("One filter a line, like country=DE, page=/shop/* or event=Signup. Empty: everybody.")
    return [form.lines(name, "filters", _("Only of"), typed, hint=hint, rows=2)]


class _Line(NamedTuple):
    """What the fields of the form for metrics show."""

    metric: str = METRIC
    crossing: str = "above"
    threshold: str = THRESHOLD
    minutes: str = MINUTES
    readings: str = READINGS
    period: str = "today"


def _line(rule: RuleInput | Rule | None) -> _Line:
    if rule is None or not isinstance(rule.when, MetricWhen):
        return _Line()
    sent = rule.when.plain()
    choice = next(kinds.CHOICES[name] for name in sent if name in kinds.CHOICES)
    number, period = sent[choice.field], sent.get("period", "today")
    seconds = number if choice.has_seconds else sent.get("for_s", 0)
    return _Line(
        rule.when.metric,
        choice.field,
        "0" if choice.has_seconds else exact_text(number),
        f"{seconds / 60:.10g}",
        str(sent.get("readings", READINGS)),
        period,
    )

"""Samples of metrics: what is read of the JSON that a program sends, and why a sample is refused."""

from __future__ import annotations

import math

import pytest

from analytics.health.history import HistoryPoint, together
from analytics.health.newest import joined
from analytics.health.sample import Fault, Sample, WrongSample, is_metric_name, read

NOW = 1_795_237_131
DAY = 86_400


def sent(**fields: object) -> Sample | WrongSample:
    """What is read of a sample with these fields besides a name and a value; None leaves one out."""
    given = {"name": "cpu_percent", "value": 41, **fields}
    return read({name: value for name, value in given.items() if value is not None}, NOW)


def test_a_sample_has_a_name_and_a_value_and_is_of_now():
    assert sent() == Sample("cpu_percent", 41.0, NOW)


def test_its_tags_are_in_one_order_so_that_they_are_one_series():
    tags = '{"instance":"web-1","region":"Zürich"}'
    assert sent(tags={"region": "Zürich", "instance": "web-1"}) == Sample("cpu_percent", 41.0, NOW, tags)
    assert sent(tags={}) == sent(tags=None) == Sample("cpu_percent", 41.0, NOW)


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        (NOW, NOW),
        (NOW - 0.25, NOW - 1),
        (NOW - 7 * DAY, NOW - 7 * DAY),
        (NOW + 300, NOW),  # the sender's clock is ahead
        (None, NOW),
    ],
)
def test_its_time_is_the_second_in_which_it_was_measured(timestamp, at):
    assert sent(timestamp=timestamp) == Sample("cpu_percent", 41.0, at)


@pytest.mark.parametrize("unit", ["%", "ms", "s", "bytes", "count", "per_second"])
def test_it_may_say_its_unit(unit):
    assert sent(unit=unit) == Sample("cpu_percent", 41.0, NOW, unit=unit)


def test_fields_of_later_versions_are_ignored():
    assert sent(kind="gauge") == sent()


@pytest.mark.parametrize("value", [0, -3, 0.5, 2**62, -0.0])
def test_any_finite_number_is_a_value(value):
    assert sent(value=value) == Sample("cpu_percent", float(value), NOW)


TOO_LONG = "a" * 121
TAGS = {f"t{nth}": "x" for nth in range(11)}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": None}, Fault.MISSING_FIELD, "name"),
        ({"value": None}, Fault.MISSING_FIELD, "value"),
        *(({"name": name}, Fault.WRONG_FIELD, "name") for name in ("", "1st", "a b", "é", "a\n", TOO_LONG, 5, ["a"])),
        *(({"value": value}, Fault.WRONG_FIELD, "value") for value in ("1", True, [], {})),
        *(({"value": value}, Fault.BAD_NUMBER, "value") for value in (math.nan, math.inf, -math.inf, 2**63, 10**400)),
        *(({"timestamp": at}, Fault.WRONG_FIELD, "timestamp") for at in ("now", True, [NOW])),
        *(
            ({"timestamp": at}, Fault.BAD_TIME, "timestamp")
            for at in (NOW - 7 * DAY - 1, NOW + 301, 0, -1, math.nan, math.inf, 10**400)
        ),
        *(({"tags": tags}, Fault.WRONG_FIELD, "tags") for tags in ("a", ["a"], {"a": 1}, {"a": ""}, {"a": "x" * 201})),
        *(({"tags": {name: "x"}}, Fault.WRONG_FIELD, "tags") for name in ("", "a b", "a" * 61)),
        *(({"unit": unit}, Fault.WRONG_FIELD, "unit") for unit in ("furlong", "MS", 5, ["ms"], {})),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(fields, code, field):
    wrong = sent(**fields)
    assert isinstance(wrong, WrongSample)
    assert (wrong.code, wrong.field, wrong.limit) == (code, field, "")


@pytest.mark.parametrize("given", [None, 5, "cpu_percent", ["cpu_percent", 41], True])
def test_what_is_no_object_is_no_sample(given):
    assert read(given, NOW) == WrongSample(Fault.NOT_AN_OBJECT, "a sample is a JSON object")


def test_too_many_tags_are_refused_with_the_name_of_the_limit():
    assert sent(tags=TAGS) == WrongSample(Fault.OVER_LIMIT, "a sample has at most 10 tags", "tags", "tags")


def test_a_time_in_milliseconds_is_named():
    assert sent(timestamp=NOW * 1000) == WrongSample(
        Fault.BAD_TIME, "`timestamp` is in milliseconds; send seconds", "timestamp"
    )


def test_names_are_those_of_prometheus_and_of_opentelemetry():
    names = "process_cpu_seconds_total", "http.server.duration", "node:load1:rate5m", "gpu/0/use-percent"
    assert all(map(is_metric_name, names))


# ── several sets of tags ─────────────────────────────────────────────────────────────────────────────────────────────


def test_of_a_metric_with_several_tags_the_highest_counts_or_the_lowest_and_rates_add_up():
    assert joined("cpu_percent", [20, 90, 40]) == 90
    assert joined("cpu_percent", [20, 90, 40], lowest=True) == 20
    assert joined("requests_per_second", [20, 90, 40], lowest=True) == 150
    assert joined("cpu_percent", []) is None


def test_a_line_of_several_tags_is_as_if_all_samples_were_of_one_series():
    first = [HistoryPoint(0, 2, 30, 10, 20), HistoryPoint(60, 1, 5, 5, 5)]
    second = [HistoryPoint(0, 1, 90, 90, 90)]
    assert together("cpu_percent", [first, second]) == [HistoryPoint(0, 3, 120, 10, 90), HistoryPoint(60, 1, 5, 5, 5)]


def test_a_line_of_rates_is_their_sum():
    first, second = [HistoryPoint(0, 2, 30, 10, 20)], [HistoryPoint(0, 1, 90, 90, 90)]
    (point,) = together("requests_per_second", [first, second])
    assert (point.mean, point.min, point.max) == (15 + 90, 10 + 90, 20 + 90)

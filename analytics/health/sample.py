"""A sample: what a metric was in one second. Checks what was sent for one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

MAX_TAGS = 10
MAX_TAG_NAME = 60
MAX_TAG_VALUE = 200
MAX_VALUE = 2.0**63
MAX_AGE_S = 7 * 86_400
MAX_AHEAD_S = 300

UNITS = ("%", "ms", "s", "bytes", "count", "per_second")

_METRIC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,119}")
_TAG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]*")
_in_order = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Fault(StrEnum):
    """What is wrong with a sample: a code for programs. One that was given once is not renamed."""

    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_FIELD = "wrong_field"
    BAD_NUMBER = "bad_number"
    BAD_TIME = "bad_time"
    OVER_LIMIT = "over_limit"


class WrongSample(NamedTuple):
    """Why a sample is refused: the code, a sentence, and the field that is wrong or the limit that it exceeds."""

    code: Fault
    message: str
    field: str = ""
    limit: str = ""


class Sample(NamedTuple):
    """What a metric was in the second `at` (epoch).

    `tags` is a JSON object of texts in the order of its names, "" for none; `unit` is "" where it was not said.
    """

    name: str
    value: float
    at: int
    tags: str = ""
    unit: str = ""


class _Wrong(Exception):
    def __init__(self, code: Fault, message: str, field: str = "", limit: str = "") -> None:
        self.why = WrongSample(code, message, field, limit)


def is_metric_name(text: str) -> bool:
    """Whether samples may have that name: 1 to 120 letters, digits and `_.:/-`, of which a letter or `_` is first."""
    return _METRIC_NAME.fullmatch(text) is not None


def is_rate(name: str) -> bool:
    """Whether the metric is a rate by its name, so that those of several tags add up."""
    return name.endswith("_per_second")


def read(given: object, now: int) -> Sample | WrongSample:
    """The sample in that JSON, or why it is refused. Without a timestamp, or with one in the future, it is of `now`.

    Fields that are not known are ignored.
    """
    if not isinstance(given, dict):
        return WrongSample(Fault.NOT_AN_OBJECT, "a sample is a JSON object")
    try:
        return Sample(_name(given), _value(given), _at(given, now), _tags(given), _unit(given))
    except _Wrong as wrong:
        return wrong.why


def _name(given: Mapping[str, object]) -> str:
    name = given.get("name")
    if name is None:
        raise _Wrong(Fault.MISSING_FIELD, "`name` is required", "name")
    if not isinstance(name, str) or not is_metric_name(name):
        wanted = "1 to 120 letters, digits and _.:/- that begin with a letter or _"
        raise _Wrong(Fault.WRONG_FIELD, f"`name` is {wanted}", "name")
    return name


def _value(given: Mapping[str, object]) -> float:
    value = given.get("value")
    if value is None:
        raise _Wrong(Fault.MISSING_FIELD, "`value` is required", "value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(Fault.WRONG_FIELD, "`value` is a number", "value")
    if not abs(value) < MAX_VALUE:  # NaN is not smaller either
        raise _Wrong(Fault.BAD_NUMBER, "`value` is no finite number below 2^63", "value")
    return float(value)


def _at(given: Mapping[str, object], now: int) -> int:
    timestamp = given.get("timestamp")
    if timestamp is None:
        return now
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        raise _Wrong(Fault.WRONG_FIELD, "`timestamp` is a number, in epoch seconds", "timestamp")
    if not now - MAX_AGE_S <= timestamp <= now + MAX_AHEAD_S:
        in_ms = now - MAX_AGE_S <= timestamp / 1000 <= now + MAX_AHEAD_S if abs(timestamp) < MAX_VALUE else False
        why = "is in milliseconds; send seconds" if in_ms else "lies more than 7 days back or 5 minutes ahead"
        raise _Wrong(Fault.BAD_TIME, f"`timestamp` {why}", "timestamp")
    return min(math.floor(timestamp), now)  # the sender's clock may be ahead


def _tags(given: Mapping[str, object]) -> str:
    tags = given.get("tags")
    if tags is None or tags == {}:
        return ""
    if not isinstance(tags, dict):
        raise _Wrong(Fault.WRONG_FIELD, "`tags` is an object of texts", "tags")
    if len(tags) > MAX_TAGS:
        raise _Wrong(Fault.OVER_LIMIT, f"a sample has at most {MAX_TAGS} tags", "tags", "tags")
    checked = {_tag_name(name): _tag_value(value) for name, value in tags.items()}
    return _in_order(checked)


def _tag_name(name: object) -> str:
    if not isinstance(name, str) or len(name) > MAX_TAG_NAME or not _TAG_NAME.fullmatch(name):
        wanted = f"1 to {MAX_TAG_NAME} letters, digits and _.:/- that begin with a letter or _"
        raise _Wrong(Fault.WRONG_FIELD, f"the name of a tag is {wanted}", "tags")
    return name


def _tag_value(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TAG_VALUE:
        raise _Wrong(Fault.WRONG_FIELD, f"a tag is a text of 1 to {MAX_TAG_VALUE} characters", "tags")
    return value


def _unit(given: Mapping[str, object]) -> str:
    unit = given.get("unit")
    if unit is None or unit == "":
        return ""
    if unit not in UNITS:
        raise _Wrong(Fault.WRONG_FIELD, f"`unit` is one of {', '.join(UNITS)}", "unit")
    assert isinstance(unit, str)
    return unit

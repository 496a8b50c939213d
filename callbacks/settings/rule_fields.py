"""The fields of the forms of a rule, as the contract's JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from analytics.base.errors import InvalidInput, message
from analytics.notify.kinds import table as kinds
from analytics.notify.live_metrics import is_live
from analytics.query import filter_syntax, filters
from callbacks.forms import Fields, lines
from layouts.settings import conditions
from layouts.settings.rule_form import ON_ALERT, ON_EVENT, ON_METRIC

SENT = {  # the fields of the contract's JSON, by the field of the form that has them
    "when": "crossing",
    "when.event": "event",
    "when.where": "where",
    "when.metric": "metric",
    "when.filters": "filters",
    "when.for_s": "minutes",
    "when.readings": "readings",
    "when.no_data_s": "minutes",
    "when.period": "period",
    "when.alert": "severity",
    **{f"notify.{name}": name for name in ("priority", "severity", "title", "message", "link", "link_label")},
    "notify.audience": "audience",
    "notify.group_s": "group",
    "notify.repeat_s": "repeat",
}

_CHANNEL = re.compile(r"channel-([1-9][0-9]{0,8})")
_SIGN = re.compile(r"\s*(!=|!~|=|~)\s*")  # people write it with spaces, as in conditions

UNSEEN = {"when": ("filters",), "notify": ("repeat_s", "severity", "group_s")}
"""What rules of the API may have and a form does not show, or not always."""


def over(known: Mapping[str, Any], sent: Mapping[str, Any], *, has_failed: bool = False) -> dict[str, Any]:
    """The rule that a form sends, with what the form does not show as it was; filters are those of its metric.

    One that has failed, which switched it off, is on again: it was changed to repair it.
    """
    is_same = known["when"].get("metric") == sent["when"].get("metric")
    kept = {part: {name: known[part][name] for name in names if name in known[part]} for part, names in UNSEEN.items()}
    when = {**(kept["when"] if is_same else {}), **sent["when"]}
    notify = {**kept["notify"], **sent["notify"]}
    return {**sent, "when": when, "notify": notify, "enabled": known["enabled"] or has_failed}


def event_rule(fields: Fields) -> dict[str, Any]:
    """The contract's JSON of the form for events. `InvalidInput` names a condition that is none."""
    where = []
    for line in lines(fields.get("where", "")):
        condition = conditions.parsed(line)
        if condition is None:
            why = message(
                "{line} is no condition; write it like value > 100, with =, !=, >, < or contains", line=repr(line[:60])
            )
            raise InvalidInput(why, {"where": why})
        where.append(condition)
    when = {"event": fields.get("event", "").strip(), **({"where": where} if where else {})}
    return _whole(fields, when, {"group_s": _whole_number(fields.get("group", ""))})


def metric_rule(fields: Fields) -> dict[str, Any]:
    """The contract's JSON of the form for metrics. `InvalidInput` names a filter or a number that is none."""
    metric, choice = fields.get("metric", ""), kinds.CHOICES.get(fields.get("crossing", ""))
    if choice is None:
        why = message("one of {known}", known=", ".join(kinds.CHOICES))
        raise InvalidInput(why, {"crossing": why})
    seconds = _seconds(fields.get("minutes", ""))
    when: dict[str, Any] = {"metric": metric, choice.field: seconds}
    if not choice.has_seconds:
        when |= {choice.field: _decimal(fields, "threshold"), "for_s": seconds}
        when |= {} if is_live(metric) else {"period": fields.get("period", "")}
        when |= {"readings": _whole_number(fields["readings"])} if fields.get("readings") else {}
    if "filters" in fields:
        when["filters"] = _filters(fields["filters"])
    repeat = {"repeat_s": _whole_number(fields["repeat"])} if "repeat" in fields else {}
    return _whole(fields, when, {"severity": fields.get("severity", ""), **repeat})


def alert_rule(fields: Fields) -> dict[str, Any]:
    """The contract's JSON of the form for alerts."""
    severity = fields.get("severity", "")
    return _whole(fields, {"alert": severity}, {"severity": severity})


def _filters(text: str) -> list[Any]:
    try:
        return [filters.plain(filter_syntax.parse(_SIGN.sub(r"\1", line, count=1))) for line in lines(text)]
    except InvalidInput as wrong:
        raise InvalidInput(str(wrong), {"filters": str(wrong)}) from None


def _whole(fields: Fields, when: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    names = "priority", "title", "message", "link", "link_label", "audience"
    texts = {name: fields[name] for name in names if fields.get(name)}
    chosen = [int(found[1]) for name in fields if (found := _CHANNEL.fullmatch(name))]
    return {"name": fields.get("name", ""), "when": when, "notify": {**texts, **more, "channels": chosen}}


def _decimal(fields: Fields, name: str) -> float:
    text = fields.get(name, "").strip().replace(",", ".")
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        why = message("{text} is no number", text=repr(text[:20]))
        raise InvalidInput(why, {name: why})
    return found


def _seconds(minutes: str) -> int:
    return round(_decimal({"minutes": minutes or "0"}, "minutes") * 60)


def _whole_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def of_form(wrong: InvalidInput) -> InvalidInput:
    """The refusal with the names of the form's fields."""
    return InvalidInput(str(wrong), {_field_of(name): why for name, why in wrong.fields.items()})


def _field_of(name: str) -> str:
    if name.startswith("when.where."):
        return "where"
    return SENT.get(name, "threshold" if name.startswith("when.") else name)


Read = Callable[[Fields], dict[str, Any]]

READERS: Mapping[str, Read] = {ON_EVENT: event_rule, ON_METRIC: metric_rule, ON_ALERT: alert_rule}
"""What reads the fields of each form."""

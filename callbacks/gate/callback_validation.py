"""Validates callback calls: whether the body that a browser posts has the shape that Dash assumes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

MAX_DEPTH = 32


def is_wrong(body: bytes, declared: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether Dash would fail on the body: invalid JSON, too deep, an unknown output, or inputs of another callback.

    `declared` is the app's callback map. Values are not checked: every callback checks its own.
    """
    try:
        call = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):  # a truncated body, NaN, a lone surrogate, 40,000 brackets
        return True
    if not isinstance(call, dict) or not isinstance(call.get("output"), str) or _is_deep(call):
        return True
    callback = declared.get(call["output"])
    changed = call.get("changedPropIds", [])
    return (
        callback is None
        or "callback" not in callback  # a callback that runs in the browser
        or not _all_match(call.get("inputs", []), callback["inputs"])
        or not (isinstance(changed, list) and all(name in _names(call.get("inputs", [])) for name in changed))
        or not _all_match(call.get("state", []), callback["state"])
        or not _are_outputs(call.get("outputs"), callback)
    )


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for items in level for item in _items(items)]
        if not level:
            return False
    return True


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _all_match(posted: Any, declared: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each of `posted` is the declared property, or a list of such where a pattern is declared."""
    return (
        isinstance(posted, list)
        and len(posted) == len(declared)
        and all(_matches(item, wanted) for item, wanted in zip(posted, declared, strict=True))
    )


def _matches(posted: Any, wanted: Mapping[str, Any]) -> bool:
    found = posted if isinstance(posted, list) else [posted]
    declared = wanted["id"] if isinstance(wanted["id"], dict) else _pattern(wanted["id"])
    if isinstance(posted, list) != _is_many(declared):
        return False
    return all(
        _is_property(one)
        and one["property"].split("@")[0] == wanted["property"]  # after the @: which of several callbacks writes it
        and (_suits(one["id"], declared) if isinstance(declared, dict) else one["id"] == declared)
        for one in found
    )


def _names(inputs: Sequence[Any]) -> list[str]:
    """The posted inputs as `changedPropIds` names them: `id.property`, with an id of several names as JSON."""
    found = [one for each in inputs for one in (each if isinstance(each, list) else [each])]
    return [f"{_written(one['id'])}.{one['property']}" for one in found]


def _written(name: str | dict[str, Any]) -> str:
    return name if isinstance(name, str) else json.dumps(name, sort_keys=True, separators=(",", ":"))


def _pattern(declared: str) -> Any:
    """The id of a declared property: a text, or the dict that Dash keeps as JSON."""
    return msgspec.json.decode(declared) if declared.startswith("{") else declared


def _is_many(declared: Any) -> bool:
    """Whether the id stands for a list of components."""
    return isinstance(declared, dict) and any(value in (["ALL"], ["ALLSMALLER"]) for value in declared.values())


def _suits(posted: Any, declared: Mapping[str, Any]) -> bool:
    """Whether an id has the names of the pattern, its fixed values, and a text or a number for each wildcard."""
    return (
        isinstance(posted, dict)
        and posted.keys() == declared.keys()
        and all(
            isinstance(posted[name], str | int | float) if isinstance(value, list) else posted[name] == value
            for name, value in declared.items()
        )
    )


def _is_property(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("property"), str) and isinstance(item.get("id"), str | dict)


def _are_outputs(posted: Any, callback: Mapping[str, Any]) -> bool:
    if callback["no_output"]:
        return True
    several = isinstance(callback["output"], list | tuple)
    declared = callback["output"] if several else [callback["output"]]
    wanted = [{"id": one.component_id_str(), "property": one.component_property} for one in declared]
    return _all_match(posted if several else [posted], wanted)

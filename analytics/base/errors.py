"""`InvalidInput`: the error whose message people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class InvalidInput(ValueError):
    """People's input was refused. The message is one line for them; `fields` has a message for each wrong field."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


def checked(checks: Mapping[str, Callable[[Any], Any]], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Each field's value as the check of that name returns it. One `InvalidInput` names every field that is wrong."""
    valid, wrong = {}, {}
    for name, value in fields.items():
        try:
            valid[name] = checks[name](value)
        except InvalidInput as refused:
            wrong[name] = str(refused)
    if wrong:
        raise InvalidInput("; ".join(wrong.values()), wrong)
    return valid

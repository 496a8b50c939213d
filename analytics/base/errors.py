"""What may go wrong in the hands of people: an input that is refused, with words for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class InvalidInput(ValueError):
    """What somebody asked for cannot be done; the message is one line for them, `fields` says what of which field."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


def checked(checks: Mapping[str, Callable[[Any], Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, each by the check of its name; one `InvalidInput` names every field that is wrong."""
    kept, wrong = {}, {}
    for name, value in given.items():
        try:
            kept[name] = checks[name](value)
        except InvalidInput as refused:
            wrong[name] = str(refused)
    if wrong:
        raise InvalidInput("; ".join(wrong.values()), wrong)
    return kept

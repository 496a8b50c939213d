"""`InvalidInput`: the error whose message people read; `message` makes one that can be translated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Message(str):
    """An English text that can be translated later: the filled text, which knows its template and its values."""

    template: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        """Itself, so that `str(error)` can be translated too."""
        return self


def message(template: str, /, **values: object) -> Message:
    """The English text for logs, the command line and the API; `translated` writes it for a reader."""
    made = Message(filled(template, values))
    made.template, made.values = template, values
    return made


def filled(text: str, values: Mapping[str, object]) -> str:
    """The text with its values in the places of their names."""
    return text.format(**values) if values else text


class InvalidInput(ValueError):
    """People's input was refused. The message is one line for them; `fields` has a message for each wrong field.

    Both are English. Those that readers of a page see are made by `message`, so that `words.translated` can write
    them in the reader's language; the command line and the API stay English.
    """

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

"""Reads the fields of JSON objects strictly: all that is wrong is named at once, by the names of the fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from analytics.base.errors import InvalidInput, message
from analytics.base.plain_text import clean, one_line

MAX_NUMBER = 1e15
MAX_NOTED = 20

Fields = Mapping[str, Any]
Choice = TypeVar("Choice", bound=StrEnum)


class FieldReader:
    """Collects what is wrong. A field within another is named with dots; `path` is what stands before its name."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._wrong: dict[str, str] = {}

    def fields_of(self, path: str, given: object, required: Sequence[str], optional: Sequence[str]) -> Fields:
        """The known fields of an object; unknown and missing ones are noted."""
        known = (*required, *optional)
        if not isinstance(given, Mapping):
            self.note(path.rstrip(".") or self._what, message("an object with {fields}", fields=", ".join(known)))
            return {}
        for name in given:
            if name not in known:
                self.note(
                    path + one_line(str(name), 60),
                    message("unknown field; known: {fields}", fields=", ".join(known)),
                )
        for name in required:
            if name not in given:
                self.note(path + name, message("is required"))
        return {name: given[name] for name in known if name in given}

    def field(self, fields: Fields, name: str, check: Callable[[Any], Any], usual: Any, path: str = "") -> Any:
        """The checked value of a field, `usual` where it is missing or wrong."""
        return self.value(path + name, fields[name], check, usual) if name in fields else usual

    def value(self, name: str, given: Any, check: Callable[[Any], Any], usual: Any) -> Any:
        """The checked value, `usual` where it is wrong."""
        try:
            return check(given)
        except InvalidInput as refused:
            self.note(name, str(refused))
            return usual

    def note(self, name: str, why: str) -> None:
        """Notes what is wrong with a field; of several reasons the first counts, and of very many fields the first."""
        if len(self._wrong) < MAX_NOTED:
            self._wrong.setdefault(name, why.removeprefix(f"{name}: ") if why.startswith(f"{name}: ") else why)

    def check(self) -> None:
        """Raises `InvalidInput` if anything is wrong."""
        if self._wrong:
            raise InvalidInput("; ".join(f"{name}: {why}" for name, why in self._wrong.items()), self._wrong)


def text(least: int, limit: int, given: object, *, lines: bool = False) -> str:
    """The text without white space around it; with `lines` it may have line breaks."""
    found = given.strip() if isinstance(given, str) else None
    if found is None or not least <= len(found) <= limit:
        raise InvalidInput(message("a text of {least} to {limit} characters", least=least, limit=limit))
    if clean(found) != found or ("\n" in found and not lines):
        raise InvalidInput(message("a text without control characters"))
    return found


def boolean(given: object) -> bool:
    """True or false."""
    if not isinstance(given, bool):
        raise InvalidInput(message("true or false"))
    return given


def number(given: object) -> float:
    """A finite number."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= MAX_NUMBER:
        raise InvalidInput(message("a number from {least} to {most}", least="-1e15", most="1e15"))
    return float(given)


def whole(least: int, most: int, given: object) -> int:
    """A whole number."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given <= most or given % 1:
        raise InvalidInput(message("a whole number from {least} to {most}", least=least, most=most))
    return int(given)


def list_of(what: str, limit: int, given: object) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(given, list) or len(given) > limit:
        raise InvalidInput(message("a list of at most {limit} {what}", limit=limit, what=what))
    return given


def choice(kind: type[Choice], given: object) -> Choice:
    """One of an enum's values."""
    if not isinstance(given, str) or given not in list(kind):
        raise InvalidInput(message("one of {known}", known=", ".join(kind)))
    return kind(given)

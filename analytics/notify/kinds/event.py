"""An event arrives, with conditions on its fields and properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from analytics.base.errors import InvalidInput, message
from analytics.base.event_name import folded_name
from analytics.base.plain_text import clean
from analytics.base.words import _
from analytics.notify import event_fields
from analytics.notify.compared_event import ComparedEvent
from analytics.notify.event_fields import NUMBER_FIELDS, TEXT_FIELDS, as_number, as_text, brief, exact_text
from analytics.notify.json_fields import FieldReader, Fields, choice, list_of, number, text
from analytics.notify.kinds.kind import EventWhen, RuleKind, Wording

MAX_NAME = 120
MAX_TEXT = 2_000  # of a condition's value
MAX_CONDITIONS = 20


class Operator(StrEnum):
    """How a condition compares a field of an event with its value."""

    IS = "="
    IS_NOT = "!="
    ABOVE = ">"
    BELOW = "<"
    CONTAINS = "contains"


_Check = Callable[[ComparedEvent], bool]


class Condition(NamedTuple):
    """One condition on an event. `field`: name, value, currency, user_id, user_name, path, …, or `props.NAME`."""

    field: str
    operator: Operator
    value: str | float


@dataclass(frozen=True, slots=True)
class EventArrives(EventWhen):
    """When an event of that name arrives for which all conditions hold. An empty name: any event."""

    name: str
    conditions: tuple[Condition, ...] = ()
    _name: str = field(init=False, repr=False, compare=False)
    _checks: tuple[_Check, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepares the checks: the writer makes them for each event that it stores."""
        object.__setattr__(self, "_name", folded_name(self.name))
        object.__setattr__(self, "_checks", tuple(map(_check, self.conditions)))

    def matches(self, event: ComparedEvent) -> bool:
        """As `When`.

        Texts are compared in any case. Names of events are compared by their letters and digits alone: `Sign up`,
        `sign_up` and `signup` are one name. A condition with a number compares numbers, also where the event has the
        number as text; `>` and `<` hold for numbers alone. A field that the event does not have is an empty text.
        """
        return (not self._name or self._name == event.name) and all(check(event) for check in self._checks)

    def plain(self) -> dict[str, Any]:
        """As `When`."""
        where = [[one.field, str(one.operator), brief(one.value)] for one in self.conditions]
        return {"event": self.name} | ({"where": where} if where else {})

    def sentence(self, wording: Wording) -> str:
        """As `When`."""
        name = wording.name(self.name) if self.name else _("any event")
        said = _("{event} arrives", event=name)
        for one in self.conditions:
            condition = f"{one.field} {one.operator} {exact_text(one.value)}"
            said = _("{sentence} and {condition}", sentence=said, condition=condition)
        return said


# ── the checks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _check(condition: Condition) -> _Check:
    field, operator, wanted = condition
    match operator:
        case Operator.IS:
            return _is_equal(field, wanted)
        case Operator.IS_NOT:
            is_equal = _is_equal(field, wanted)
            return lambda event: not is_equal(event)
        case Operator.CONTAINS:
            part = exact_text(wanted).casefold()
            return lambda event: part in event.text(field)
    return _is_beyond(field, as_number(wanted), is_above=operator is Operator.ABOVE)


def _is_equal(field: str, wanted: str | float) -> _Check:
    if isinstance(wanted, str):
        text = wanted.casefold()
        return lambda event: event.text(field) == text
    return lambda event: event.number(field) == wanted


def _is_beyond(field: str, line: float | None, *, is_above: bool) -> _Check:
    def check(event: ComparedEvent) -> bool:
        number = event.number(field)
        if number is None or line is None:
            return False
        return number > line if is_above else number < line

    return check


# ── the JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(reading: FieldReader, given: Fields, _mark: str) -> EventArrives:
    fields = reading.fields_of("when.", given, ("event",), ("where",))
    name = reading.field(fields, "event", _event_name, "", "when.")
    where = reading.field(fields, "where", partial(list_of, "conditions", MAX_CONDITIONS), [], "when.")
    read = (reading.value(f"when.where.{place}", one, _condition, None) for place, one in enumerate(where))
    return EventArrives(name, tuple(one for one in read if one))


def _event_name(given: object) -> str:
    """The name of events; "" is any."""
    return text(0, MAX_NAME, given)


def _condition(given: object) -> Condition:
    if not isinstance(given, list) or len(given) != 3 or not all(isinstance(one, str) for one in given[:2]):
        raise InvalidInput(message("a condition is a list like {example}", example='["value", ">", 100]'))
    field, sign, value = given
    if not event_fields.is_field(field):
        known = ", ".join((*event_fields.FIELDS, f"{event_fields.PROPERTY}NAME"))
        raise InvalidInput(message("unknown field {field}; known: {known}", field=repr(field[:60]), known=known))
    operator = choice(Operator, sign)
    allowed = _operators(field)
    if operator not in allowed:
        raise InvalidInput(message("{field} has {allowed}", field=field, allowed=", ".join(allowed)))
    needs_number = field in NUMBER_FIELDS or operator in (Operator.ABOVE, Operator.BELOW)
    if needs_number:
        return Condition(field, operator, number(value))
    checked = _value(value)
    return Condition(field, operator, exact_text(checked) if takes_text(field, operator) else checked)


def takes_text(field: str, operator: Operator) -> bool:
    """Whether such a condition compares texts alone, so that 007 is no 7."""
    return operator is Operator.CONTAINS or field in TEXT_FIELDS


def _operators(field: str) -> tuple[Operator, ...]:
    if field in NUMBER_FIELDS:
        return Operator.IS, Operator.IS_NOT, Operator.ABOVE, Operator.BELOW
    return tuple(Operator) if event_fields.is_property(field) else (Operator.IS, Operator.IS_NOT, Operator.CONTAINS)


def _value(given: object) -> str | float:
    if isinstance(given, bool):
        return as_text(given)
    if isinstance(given, int | float):
        return number(given)
    if not isinstance(given, str) or len(given) > MAX_TEXT or clean(given) != given:
        raise InvalidInput(message("a text of at most {limit} characters, or a number", limit=MAX_TEXT))
    return given


KIND = RuleKind("event", ("event",), _read)

"""The kinds of rules: one line each. What reads, writes, words and checks a kind is in its file."""

from __future__ import annotations

from collections.abc import Mapping

from analytics.base.errors import message
from analytics.notify.json_fields import FieldReader
from analytics.notify.kinds import alert, change, event, line, silence
from analytics.notify.kinds.kind import FormChoice, RuleKind, When

KINDS: tuple[RuleKind, ...] = (
    event.KIND,
    alert.KIND,
    line.KIND,
    change.KIND,
    silence.KIND,
)

MARKS: Mapping[str, RuleKind] = {mark: kind for kind in KINDS for mark in kind.marks}
"""The kinds by the fields of JSON that tell them apart."""

CHOICES: Mapping[str, FormChoice] = {choice.field: choice for kind in KINDS for choice in kind.choices}
"""The ways in which a metric crosses its line, by the field of the JSON."""


def read(reading: FieldReader, given: object) -> When | None:
    """The `when` in that JSON; notes what is wrong with it, and returns None where nothing can be made of it."""
    found = [mark for mark in MARKS if isinstance(given, Mapping) and mark in given]
    if len(found) == 1:
        assert isinstance(given, Mapping)
        return MARKS[found[0]].read(reading, given, found[0])
    reading.note("when", message("an object with exactly one of {fields}", fields=", ".join(MARKS)))
    return None


def name_of(when: When) -> str:
    """The name of the kind, as the database has it."""
    plain = when.plain()
    return next(kind.name for mark, kind in MARKS.items() if mark in plain)

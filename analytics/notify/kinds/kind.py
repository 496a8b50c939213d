"""What a kind of rule has to know: its JSON, its words, its templates' fields, and whether it waits for events.

Each kind is a file with its value, an `EventWhen`, an `AlertWhen` or a `MetricWhen` (`metric.py`), and a row for
`KINDS` of `table.py`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from analytics.notify.compared_event import ComparedEvent
from analytics.notify.event_fields import FIELDS
from analytics.notify.json_fields import FieldReader, Fields
from analytics.query import filters
from analytics.query.filters import Filter


class Wording(NamedTuple):
    """How a sentence writes names, metrics, filters and durations (in seconds): a page does it otherwise than the
    command line.
    """

    name: Callable[[str], str]
    metric: Callable[[str], str]
    filters: Callable[[tuple[Filter, ...]], str]
    duration: Callable[[int], str]


def _json_of(found: tuple[Filter, ...]) -> str:
    plain = [filters.plain(one) for one in found]
    return f" where {json.dumps(plain, ensure_ascii=False)}" if plain else ""


AS_SENT = Wording(str, str, _json_of, lambda seconds: f"{seconds} s")
"""Names and filters as in the JSON, for the command line."""


class When(ABC):
    """When a rule speaks: the base of the values of all kinds, which are immutable."""

    __slots__ = ()

    TEMPLATE_FIELDS: ClassVar[tuple[str, ...]] = ()
    """What templates of such a rule may name."""

    HAS_PROPERTIES: ClassVar[bool] = False
    """Whether templates may name `props.NAME` too."""

    @abstractmethod
    def plain(self) -> dict[str, Any]:
        """It as the contract's JSON, without the fields that have their usual value."""

    @abstractmethod
    def sentence(self, wording: Wording) -> str:
        """The words after "when", in the reader's language, like `active_sessions is above 100 for 60 s`."""

    def matches(self, event: ComparedEvent) -> bool:
        """Whether the rule waits for such an event. Never raises, whatever the event contains.

        The writer asks it of every rule for each event: an `isinstance` before it would cost as much as the answer.
        """
        return False


class EventWhen(When):
    """The base of kinds that wait for events; the writer asks them about each event that it stores."""

    __slots__ = ()

    # No count: it grows after the texts are filled, and is shown next to them.
    TEMPLATE_FIELDS = (*FIELDS, "site", "rule")
    HAS_PROPERTIES = True

    @abstractmethod
    def matches(self, event: ComparedEvent) -> bool:
        """As `When`."""


class AlertWhen(When):
    """The base of kinds that wait for alerts; the evaluator asks them about each alert that begins."""

    __slots__ = ()

    TEMPLATE_FIELDS = ("title", "message", "severity", "value", "site", "rule")

    @abstractmethod
    def concerns(self, severity: str) -> bool:
        """Whether the rule waits for alerts of that severity."""


class FormChoice(NamedTuple):
    """A way in which a metric crosses its line, as the form of a rule offers it.

    `field` is that of the JSON, `words` what people read; it has the number of the form, or its seconds.
    """

    field: str
    words: str
    has_seconds: bool = False


class RuleKind(NamedTuple):
    """A kind of rule: its name in the database, and how it is read.

    JSON that has one of the fields `marks` is of this kind; `read` gets the reader, the JSON and that field, notes what
    is wrong, and returns None where nothing can be made of it. `choices` are its ways in the form for metrics.
    """

    name: str
    marks: tuple[str, ...]
    read: Callable[[FieldReader, Fields, str], When | None]
    choices: tuple[FormChoice, ...] = ()

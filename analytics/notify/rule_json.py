"""Rules as JSON (contract §7): read strictly, with a message for each wrong field, and written back.

A field within another is named with dots: `when.above`, `notify.title`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from analytics.base.errors import InvalidInput, message
from analytics.base.ids import MAX_ID
from analytics.base.link import MAX_LINK
from analytics.notify import template
from analytics.notify.audience import Audience
from analytics.notify.json_fields import FieldReader, boolean, choice, list_of, text, whole
from analytics.notify.kinds import table
from analytics.notify.kinds.kind import When
from analytics.notify.rule import DEFAULT_GROUP_S, DEFAULT_REPEAT_S, Notify, Priority, Rule, Severity

MAX_NAME = 120
MAX_CHANNELS = 20
MAX_LABEL = 60
MAX_GROUP_S = 86_400
MAX_REPEAT_S = 30 * 86_400


class RuleInput(NamedTuple):
    """What people write of a rule; the rest of a `Rule` is ours."""

    name: str
    when: When
    notify: Notify
    enabled: bool = True


def read(given: object) -> RuleInput:
    """The rule in that JSON. One `InvalidInput` names every field that is wrong, unknown or missing.

    Whether the channels exist is for the caller to check.
    """
    reading = FieldReader("rule")
    fields = reading.fields_of("", given, ("name", "when", "notify"), ("enabled",))
    name = reading.field(fields, "name", _name, "")
    enabled = reading.field(fields, "enabled", boolean, True)
    when = table.read(reading, fields["when"]) if "when" in fields else None
    notify = _read_notify(reading, fields["notify"], when) if "notify" in fields else None
    reading.check()
    assert when is not None
    assert notify is not None
    return RuleInput(name, when, notify, enabled)


def read_text(given: str) -> RuleInput:
    """As `read`, for JSON as text; `InvalidInput` if it is no JSON."""
    try:
        return read(json.loads(given))
    except (ValueError, RecursionError) as wrong:
        if isinstance(wrong, InvalidInput):
            raise
        raise InvalidInput(message("a rule is a JSON object; this is no JSON")) from None


# ── notify ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_OPTIONAL = ("severity", "message", "link", "link_label", "channels", "group_s", "repeat_s", "audience")


def _read_notify(reading: FieldReader, given: object, when: When | None) -> Notify:
    fields = reading.fields_of("notify.", given, ("priority", "title"), _OPTIONAL)

    def field(name: str, check: Callable[[Any], Any], usual: Any) -> Any:
        return reading.field(fields, name, check, usual, "notify.")

    return Notify(
        field("priority", partial(choice, Priority), Priority.MEDIUM),
        field("severity", partial(choice, Severity), Severity.WARNING),
        field("title", partial(_title, when), ""),
        field("message", partial(_message, when), ""),
        field("link", partial(_link, when), ""),
        field("link_label", partial(text, 0, MAX_LABEL), ""),
        field("channels", _channels, ()),
        field("group_s", partial(whole, 0, MAX_GROUP_S), DEFAULT_GROUP_S),
        field("repeat_s", partial(whole, 0, MAX_REPEAT_S), DEFAULT_REPEAT_S),
        field("audience", partial(choice, Audience), Audience.EVERYBODY),
    )


def _title(when: When | None, given: object) -> str:
    return _checked_template(when, text(1, template.MAX_TITLE, given))


def _message(when: When | None, given: object) -> str:
    return _checked_template(when, text(0, template.MAX_MESSAGE, given, lines=True))


def _checked_template(when: When | None, given: str) -> str:
    """The template. Which fields it may name is not known where `when` is wrong."""
    if when is not None:
        template.check(given, when)
    return given


def _link(when: When | None, given: object) -> str:
    link = text(0, MAX_LINK, given)
    if when is not None:
        template.check_link(link, when)
    return link


def _channels(given: object) -> tuple[int, ...]:
    ids = list_of("ids of channels", MAX_CHANNELS, given)
    return tuple(dict.fromkeys(whole(1, MAX_ID, one) for one in ids))


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _name(given: object) -> str:
    return text(1, MAX_NAME, given)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def plain(rule: RuleInput | Rule) -> dict[str, Any]:
    """The rule as JSON that `read` reads. `when` is without the fields that have their usual value."""
    return {
        "name": rule.name,
        "when": rule.when.plain(),
        "notify": plain_notify(rule.notify),
        "enabled": rule.enabled,
    }


def plain_notify(notify: Notify) -> dict[str, Any]:
    """`notify` as JSON; empty texts are left out."""
    fields = notify._asdict() | {"channels": list(notify.channels)}
    fields |= {name: str(fields[name]) for name in ("priority", "severity", "audience")}
    return {name: value for name, value in fields.items() if value != "" or name == "title"}

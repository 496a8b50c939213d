"""A rule: when to notify, what to say, and whom to tell. `rule_json` reads it from the contract's JSON (§7)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from analytics.notify.audience import Audience
from analytics.notify.kinds.kind import When

DEFAULT_GROUP_S = 300
DEFAULT_REPEAT_S = 4 * 3600

MAX_PER_MINUTE = 60
"""How many notifications a rule without groups makes in a minute of the clock. The last of them counts all further
events of that minute, so that a flood of events is no flood of rows and messages.
"""


class Priority(StrEnum):
    """How urgent a notification is, the lowest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class Severity(StrEnum):
    """How bad an alert is, the mildest first."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Notify(NamedTuple):
    """What a rule says, and to whom. `title`, `message` and `link` are templates; `channels` are ids of channels.

    `group_s`: within that time further events of the rule are counted in one notification; 0: each is one, up to 60 a
    minute.
    `repeat_s`: how often an alert is repeated outside while it fires; 0: never. `audience`: who sees it in the app.
    """

    priority: Priority = Priority.MEDIUM
    severity: Severity = Severity.WARNING
    title: str = ""
    message: str = ""
    link: str = ""
    link_label: str = ""
    channels: tuple[int, ...] = ()
    group_s: int = DEFAULT_GROUP_S
    repeat_s: int = DEFAULT_REPEAT_S
    audience: Audience = Audience.EVERYBODY


class Rule(NamedTuple):
    """One rule of a site. `shipped` is the name of the example that it was made from, else ""; `wrong` says why it was
    switched off, else "". Until `snoozed_until` nothing of a rule on events goes outside. Times are epoch seconds.
    """

    id: int
    site_id: int
    name: str
    when: When
    notify: Notify
    enabled: bool = True
    shipped: str = ""
    wrong: str = ""
    created_at: int = 0
    changed_at: int = 0
    snoozed_until: int = 0

"""A gauge: the count or the sum of a table's rows under a filter, and how people write one."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from analytics.activity import row_filter
from analytics.activity.row_filter import CHANGED, RowFilter
from analytics.base.errors import InvalidInput
from analytics.base.plain_text import clean

UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
MAX_NAME = 120
MAX_LENGTH = 1_000
MAX_WINDOW_S = 3_650 * 86_400
HELP = "'NAME: count | sum(COL) [where FILTER [and FILTER]…] [last 30d of TIME_COL] [in EUR]'"

_GAUGE = re.compile(
    r"(?P<name>[^:]+):\s*(?:count|sum\((?P<column>[^()]+)\))"
    r"(?:\s+where\s+(?P<filters>\S.*?))?"
    r"(?:\s+last\s+(?P<many>[0-9]{1,4})(?P<unit>[mhdw])\s+of\s+(?P<time>\S.*?))?"
    r"(?:\s+in\s+(?P<currency>[A-Z]{3}))?",
    re.DOTALL,
)


class GaugeDefinition(NamedTuple):
    """What a gauge counts: rows, or the sum of `column`. With a window only rows whose `window_column` is a moment
    within the last `window_s` seconds.
    """

    name: str
    column: str = ""
    filters: tuple[RowFilter, ...] = ()
    window_s: int = 0
    window_column: str = ""
    currency: str = ""

    @property
    def kept_by_changes(self) -> bool:
        """Whether changes keep the value. Rows leave a sliding window without a change, so that one is queried."""
        return not self.window_s

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Every column that the definition names."""
        named = self.column, self.window_column, *(one.column for one in self.filters)
        return tuple(dict.fromkeys(name for name in named if name))


class Gauge(NamedTuple):
    """One gauge of a watch; `key` is its name in the watch's database. `value` is None until it was counted.

    `position` is the snapshot of that database up to which the value is right. `notice` says when and from what the
    value was corrected, else "". Times are epoch seconds.
    """

    id: int
    site_id: int
    watch_id: int
    key: str
    definition: GaugeDefinition
    value: float | None = None
    position: str = ""
    notice: str = ""
    compared_at: int | None = None
    changed_at: int | None = None


def parse(text: str) -> GaugeDefinition:
    """The gauge in a typed text like `Revenue: sum(amount) where status=eq.paid in EUR`; else `InvalidInput`."""
    text = text.strip()
    found = _GAUGE.fullmatch(text) if len(text) <= MAX_LENGTH and clean(text) == text else None
    if found is None:
        raise InvalidInput(f"gauge {text[:60]!r}: like {HELP}")
    filters = tuple(map(row_filter.parse, re.split(r"\s+and\s+", found["filters"]))) if found["filters"] else ()
    if any(one.operator == CHANGED for one in filters):
        raise InvalidInput(f"gauge {text[:60]!r}: `changed` is for events, a gauge counts rows as they are")
    window_s = int(found["many"]) * UNITS[found["unit"]] if found["many"] else 0
    if found["many"] and not 0 < window_s <= MAX_WINDOW_S:
        raise InvalidInput(f"gauge {text[:60]!r}: a window is at least a minute and at most ten years")
    name = " ".join(found["name"].split())[:MAX_NAME]
    return GaugeDefinition(
        name, found["column"] or "", filters, window_s, (found["time"] or "").strip(), found["currency"] or ""
    )


def as_json(key: str, one: GaugeDefinition) -> str:
    """The definition as it is stored, with its key."""
    fields: dict[str, Any] = one._asdict()
    del fields["name"], fields["currency"]
    return json.dumps({"key": key, **fields}, ensure_ascii=False)


def from_json(text: str, name: str, currency: str) -> tuple[str, GaugeDefinition]:
    """Key and definition of a stored one."""
    fields = json.loads(text)
    key = fields.pop("key")
    filters = tuple(RowFilter(column, operator, tuple(values)) for column, operator, values in fields.pop("filters"))
    return key, GaugeDefinition(name, filters=filters, currency=currency, **fields)

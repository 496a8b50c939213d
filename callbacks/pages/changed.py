"""The parts of a page that are not as its last answer had them: the others are no update."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from dash import no_update
from plotly.io.json import to_json_plotly

Digests = dict[str, int]  # by the name of the part; JavaScript has such numbers exactly
ITSELF: Mapping[str, Any] = {}


def changed(parts: Mapping[str, Any], had: object, same: Mapping[str, Any] = ITSELF) -> tuple[dict[str, Any], Digests]:
    """The parts, no update for those that the page has already, and the digests to be given as `had` the next time.

    `same` has what is compared in place of parts of which not every change counts. Of a part that is no update, the
    page keeps what it has.
    """
    before = had if isinstance(had, Mapping) else {}
    digests = {name: _digest(same.get(name, part)) for name, part in parts.items() if part is not no_update}
    kept = {name: before[name] for name in parts if name not in digests and isinstance(before.get(name), int)}
    found = {name: no_update if digests.get(name) == before.get(name) else part for name, part in parts.items()}
    return found, kept | digests


def each(texts: Mapping[str, str], kind: str, ids: Sequence[Any], whole: object) -> list[Any]:
    """The texts of the elements `{kind: …}` with these ids; no update for those that are gone, and where the whole is
    drawn.
    """
    if whole is not no_update:
        return [no_update] * len(ids)
    return [texts.get(one[kind], no_update) for one in ids]


def _digest(part: Any) -> int:
    return int.from_bytes(hashlib.blake2b(to_json_plotly(part).encode(), digest_size=6).digest())

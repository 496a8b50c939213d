"""The state of the columnar replica."""

from __future__ import annotations

from typing import NamedTuple

OFF, WAITING, MAKING, FOLLOWING = "off", "waiting", "making", "following"


class ReplicaState(NamedTuple):
    """The state: `kind` is one of the four above.

    `WAITING`: not opened yet, or failed and to be tried again. `progress` of `MAKING` is a sentence. `behind_s` of
    `FOLLOWING`: how many seconds ago the replica had followed every change.
    """

    kind: str
    progress: str = ""
    behind_s: float = 0.0

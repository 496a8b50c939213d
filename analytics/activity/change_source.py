"""Where committed changes of watched tables come from, as the follower knows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from analytics.activity.change import RowChange
from analytics.activity.source import SourceConnection


class UnreadChanges(NamedTuple):
    """What of a watch was not read yet: the age of the oldest change in seconds, 0 for none, and how many changes."""

    age_s: float
    rows: int


class BacklogSize(NamedTuple):
    """The bytes that unread changes take in their database, and about how many found no room since it was made."""

    bytes: int
    missed: int


class ChangeSource(Protocol):
    """The changes of one watched database. The outbox is one; logical replication would be another.

    Watches are named by their keys. Every method raises psycopg's errors.
    """

    @property
    def connection(self) -> SourceConnection:
        """For the queries of gauges."""

    def claim(self, keys: Collection[str]) -> set[str]:
        """Which of these watches this source follows, until it is closed: those that no other process does."""

    def adopt(self) -> int:
        """Makes changes readable that were copied here from another server; returns how many."""

    def read(self, keys: Collection[str], limit: int) -> list[RowChange]:
        """The oldest changes that were not forgotten, in the order of their commits, about `limit`."""

    def forget(self, changes: Sequence[RowChange]) -> None:
        """These changes have been delivered, and need not be kept."""

    def backlogs(self, keys: Collection[str]) -> Mapping[str, UnreadChanges]:
        """What of each watch was not forgotten yet."""

    def size(self) -> BacklogSize:
        """How large the backlogs are together, and whether they were full."""

    def make_room(self) -> bool:
        """Lets further changes be kept, up to a limit; returns whether that was not so before."""

    def wait(self, seconds: float) -> None:
        """Waits until there may be a change, at most that long."""

    def close(self) -> None:
        """Ends it, and releases its watches."""

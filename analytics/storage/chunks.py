"""Ids in chunks: a statement has a limited number of parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator

MAX_IDS = 10_000  # SQLite takes 32,766 parameters


def chunks(ids: Collection[int]) -> Iterator[list[int]]:
    """The ids in ascending order, at most 10,000 at a time; nothing for none."""
    ordered = sorted(ids)
    return (ordered[start : start + MAX_IDS] for start in range(0, len(ordered), MAX_IDS))

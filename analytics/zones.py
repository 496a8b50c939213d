"""Time zones by the names that the IANA keeps for people to choose from, without the old ones."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from analytics.sites import checked_zone

UTC = "UTC"


def _lines(file: str) -> list[list[str]]:
    """The words of each line; the package `tzdata` ships the IANA's own tables."""
    text = (files("tzdata.zoneinfo") / file).read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


NAMES = (UTC, *sorted(words[2] for words in _lines("zone.tab")))
"""UTC and one name for each country's part that has a time of its own, A to Z."""


@cache
def _by_lower_case() -> dict[str, str]:
    links = {words[2]: words[1] for words in _lines("tzdata.zi") if words[0] == "L"}
    known = {name.lower(): name for name in NAMES}
    return {old.lower(): name for old, name in links.items() if name in NAMES} | known


def canonical(text: str) -> str:
    """The zone that is meant: by its name in any case, an old name (`Asia/Calcutta`), or its last part (`new york`).

    A zone without a name for people stays as it is; `WrongInput` for what is no zone.
    """
    wanted = text.strip().replace(" ", "_")
    ending = [name for name in NAMES if name.lower().endswith("/" + wanted.lower())]
    if wanted and len(ending) == 1:
        return ending[0]
    return _by_lower_case().get(wanted.lower()) or checked_zone(wanted)

"""Names of events as people mean them."""

from __future__ import annotations

from collections.abc import Iterable


def folded_name(name: str) -> str:
    """The letters and digits of a name, casefolded: `Sign up`, `sign_up` and `signup` are one name."""
    folded = name.casefold()
    return "".join(filter(str.isalnum, folded)) or folded


def spelled(name: str, names: Iterable[str]) -> str:
    """The name as the first of `names` that means the same spells it; the name itself if none does."""
    names = list(names)
    same = (one for one in names if folded_name(one) == folded_name(name))
    return name if name in names else next(same, name)

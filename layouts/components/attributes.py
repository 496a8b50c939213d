"""`aria-…` and `data-…` attributes, whose names Python cannot spell, for a component of Dash:

`html.Div(rows, role="list", **aria(label="Pages"), **data(keep="pages"))`
"""

from __future__ import annotations

from typing import Any


def aria(**attributes: Any) -> dict[str, Any]:
    """`aria-…` attributes; `None` leaves one out."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def data(**attributes: Any) -> dict[str, Any]:
    """`data-…` attributes, with `_` for each further hyphen; `None` leaves one out."""
    return {f"data-{name.replace('_', '-')}": value for name, value in attributes.items()}

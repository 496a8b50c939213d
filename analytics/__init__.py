"""The domain: sites, people, visits, live state and the questions about them. Knows neither Flask nor Dash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analytics.notebook import OpenSite


def open_site(domain: str, **settings: Any) -> OpenSite:
    """The site of that domain, to be asked for numbers in a notebook or a script; it only reads. Close it.

    `settings` are those of the README's table, in lower case and without their prefix (`data_dir="…"`); they take
    precedence over the environment, `.env` and `footfall.toml`. Raises `InvalidInput` for an unknown site, `NoData`
    where there is no database: it never makes one.
    """
    from analytics import notebook  # noqa: PLC0415 - every module of the room loads this one first

    return notebook.open_site(domain, **settings)

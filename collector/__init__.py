"""From HTTP to committed rows. Imports `analytics`, never Dash."""

from __future__ import annotations

from typing import Any


def mount(server: Any, **settings: Any) -> None:
    """Puts the collector into somebody's own application: `server` is a Flask server, or a Dash application.

    `/api/collect`, `/js/footfall.js`, the live state, the card and the other public routes answer there from then on,
    below the path of `base_url` where it has one; a route that the application has itself stays its own, and so do
    all its pages. Not the dashboard.

    `settings` are those of the README's table, named in small letters without their prefix (`data_dir="…"`); they
    win over the environment, `.env` and `footfall.toml`. Raises `analytics.base.config.WrongSetting` for a wrong one.
    The database is opened at the first request, by the process that answers it; while it cannot be, these routes answer
    503, and the log says why.
    """
    from collector.mounting import attach_to  # noqa: PLC0415 - loads the whole collector: only for who mounts it

    attach_to(getattr(server, "server", server), settings)

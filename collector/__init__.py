"""From HTTP to committed rows. Imports `analytics`, never Dash."""

from __future__ import annotations

from typing import Any


def mount(server: Any, **settings: Any) -> None:
    """Mounts the collector in another application: `server` is a Flask server or a Dash application.

    The application then serves `/api/collect`, `/js/footfall.js`, the live state, the card and the other public routes,
    below the path of `base_url` if it has one. Routes and pages of the application itself do not change. The dashboard
    is not included.

    `settings` are those of the README's table, in lower case and without their prefix (`data_dir="…"`); they override
    the environment, `.env` and `footfall.toml`. Raises `analytics.base.config.WrongSetting` for a wrong setting. The
    first request opens the database, in the process that answers it; while that fails, these routes answer 503, and the
    log says why.
    """
    from collector.mounting import attach_to  # noqa: PLC0415 - loads the whole collector, so only when it is mounted

    attach_to(getattr(server, "server", server), settings)

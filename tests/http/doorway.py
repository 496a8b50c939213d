"""What the tests of the gate share: a small Dash app behind the real gate, on a clock that the test sets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import dash
from argon2 import PasswordHasher
from dash import Input, Output, State, dcc, html
from flask.testing import FlaskClient

from analytics.storage.database import Database
from callbacks import table
from callbacks.gate import gate, invitation, setup, signin

ASSETS = Path(__file__).parents[2] / "assets"
SECRET = b"k" * 40
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW = 1_800_000_000
PAGE = {"Accept": "text/html,application/xhtml+xml"}
CALL = {
    "output": "shown.children",
    "outputs": {"id": "shown", "property": "children"},
    "inputs": [{"id": "at", "property": "pathname", "value": "/live/example.com"}],
    "state": [{"id": "shown", "property": "title"}],
    "changedPropIds": ["at.pathname"],
}


class Browser(FlaskClient):
    """Reads each answer to its end, so that files are closed."""

    def open(self, *args, **kwargs):
        return super().open(*args, buffered=True, **kwargs)


def doorway(database: Database, *, public: bool = False, base_url: str = "") -> SimpleNamespace:
    """`client()` makes a browser without cookies; `clock.now` is the time; `done` counts set-ups."""
    clock, done = SimpleNamespace(now=NOW), []
    app = dash.Dash("doorway", assets_folder=str(ASSETS), update_title=None)
    app.layout = html.Div([dcc.Location(id="at"), html.Div(id="shown"), html.Div(id="failed")])

    @app.callback(Output("shown", "children"), Input("at", "pathname"), State("shown", "title"))
    def show(path, _title):
        return f"secret of {path}"

    @app.callback(Output("failed", "children"), Input("at", "search"))
    def fail(search):
        raise RuntimeError(search)

    app.server.test_client_class = Browser
    app.server.add_url_rule("/boom", "boom", lambda: 1 / 0)
    common = {"base_url": base_url, "clock": lambda: clock.now}
    gate.guard(
        app.server,
        database,
        public=public,
        is_page=table.is_page,
        script_hashes=app.csp_hashes,
        declared=lambda: app.callback_map,
        **common,
    )
    for pages_of in (signin, invitation):
        pages_of.register(app.server, database, version="1.2.3", **common)
    setup.register(app.server, database, SECRET, version="1.2.3", done=lambda: done.append(1), **common)
    host = base_url or "http://localhost"
    return SimpleNamespace(client=app.server.test_client, clock=clock, done=done, app=app, host=host)

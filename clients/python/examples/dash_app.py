"""A Dash application that Footfall measures; the two lines for it are marked. `python dash_app.py` serves it.

FOOTFALL_SERVER is Footfall's address, FOOTFALL_INGEST_KEY a key that `footfall key add NAME --scope ingest` prints.
"""

from __future__ import annotations

import os

import flask
from dash import Dash, Input, Output, dcc, html

import footfall_client.dash  # ← one

app = Dash(__name__)
app.layout = html.Div(
    [
        dcc.Dropdown(["one", "two", "broken"], "one", id="choice"),
        html.Div(id="chosen"),
    ]
)


@app.callback(Output("chosen", "children"), Input("choice", "value"))
def choose(choice: str) -> str:
    if choice == "broken":
        raise RuntimeError("this choice is broken")
    return f"You chose {choice}"


def signed_in() -> str | None:
    """Who is signed in: here, the name that a proxy in front passes on."""
    return flask.request.headers.get("X-Forwarded-User")


footfall_client.dash.install(app, site="dash.example.com", user=signed_in)  # ← two

if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8000")))

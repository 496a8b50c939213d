"""The Python client's plugin with a real Footfall: who uses a Dash application is present there, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from dash import Dash, Input, Output, html
from werkzeug.test import Client

import footfall_client.dash
import footfall_client.sender
from tests.support.serving import AGENT, Server, eventually, heartbeat, pageview


@pytest.fixture
def browser(shared, site) -> Iterator[Client]:
    """A browser at an application that is installed for the site, and says by a header who is signed in."""
    app = Dash(__name__)
    app.layout = html.Div([html.Div(id="in"), html.Div(id="out")])

    @app.callback(Output("out", "children"), Input("in", "children"))
    def answer(value: str) -> str:
        return value

    key = shared.tell("key add", name="client", scope="ingest", site=site)
    footfall_client.dash.install(app, shared.url, site, key, user=lambda: flask.request.headers.get("X-User"))
    yield app.server.test_client()
    for sender in list(footfall_client.sender._senders):
        sender.close(0.1)


def live(server: Server, site: str) -> dict[str, Any]:
    key = server.tell("key add", name="reader", scope="stats", site=site)
    answer = server.request("GET", f"/api/live?site={site}", headers={"Authorization": f"Bearer {key}"})
    found: dict[str, Any] = answer.json
    return {name: found[name] for name in ("active_sessions", "authenticated_users", "top_pages")}


def test_people_of_the_application_are_there_now_on_their_pages(shared, site, browser):
    for number, user in enumerate(("ann", "bob", "")):
        page_id = f"a1b2c3d{number}"
        sent = [pageview(page_id, "/sales", site), heartbeat(page_id, site, state="active")]
        headers = {"User-Agent": AGENT.replace("140", str(100 + number)), "X-User": user}
        assert browser.post("/_footfall", data=json.dumps(sent), headers=headers).status_code == 202
    wanted = {"active_sessions": 3, "authenticated_users": 2, "top_pages": [{"path": "/sales", "count": 3}]}
    eventually(lambda: live(shared, site) == wanted)


def test_callbacks_of_a_person_are_events_of_that_person(shared, site, browser):
    body = {
        "output": "out.children",
        "outputs": {"id": "out", "property": "children"},
        "inputs": [{"id": "in", "property": "children", "value": "x"}],
        "changedPropIds": ["in.children"],
    }
    headers = {"User-Agent": AGENT, "X-User": "ann", "Referer": f"https://{site}/sales"}
    assert browser.post("/_dash-update-component", json=body, headers=headers).status_code == 200
    for sender in list(footfall_client.sender._senders):
        sender.close()
    wanted = {"active_sessions": 1, "authenticated_users": 1, "top_pages": [{"path": "/sales", "count": 1}]}
    eventually(lambda: live(shared, site) == wanted)

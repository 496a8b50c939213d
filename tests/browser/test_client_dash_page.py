"""A Dash application with the Python client's plugin, in a browser: the person and each page reach Footfall."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from dash import Dash, Input, Output, dcc, html
from werkzeug.serving import make_server

import footfall_client.dash
import footfall_client.sender
from tests.support.client import KEY, posted
from tests.support.receiver import Receiver, receiving
from tests.support.serving import eventually


@pytest.fixture
def footfall() -> Iterator[Receiver]:
    """A receiver in the place of Footfall. The browser cannot reach it: its policy names the application only."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def address(footfall) -> Iterator[str]:
    """The address of an application with two pages, for one signed-in person, under a strict policy for scripts."""
    app = Dash(__name__)
    app.layout = html.Div([dcc.Location(id="at"), dcc.Link("Sales", href="/sales", id="go"), html.P(id="page")])

    @app.callback(Output("page", "children"), Input("at", "pathname"))
    def show(path: str) -> str:
        return f"This is {path}"

    footfall_client.dash.install(app, footfall.url, "127.0.0.1", KEY, user=lambda: flask.session.get("user"))
    app.server.secret_key = "secret"
    policy = f"default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' {' '.join(app.csp_hashes())}"

    @app.server.before_request
    def sign_in() -> None:
        flask.session["user"] = "ann"

    @app.server.after_request
    def with_policy(answer: flask.Response) -> flask.Response:
        answer.headers["Content-Security-Policy"] = policy.replace("script-src", "script-src 'unsafe-eval'")
        return answer

    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    for sender in list(footfall_client.sender._senders):
        sender.close(0.1)


def test_pages_of_an_application_and_who_is_there_reach_footfall(browser, address, footfall):
    def events() -> list[dict[str, Any]]:
        return posted(footfall, "/api/collect")

    def seen(kind: str) -> list[str]:
        return [one["url"].removeprefix(address) for one in events() if one["type"] == kind and "url" in one]

    browser.get(address + "/")
    eventually(lambda: seen("pageview") == ["/"] and seen("heartbeat") == ["/"])
    browser.find_element("id", "go").click()
    eventually(lambda: seen("pageview") == ["/", "/sales"] and seen("heartbeat")[-1] == "/sales")
    eventually(lambda: {"/", "/sales"} <= {one.get("tags", {}).get("page") for one in posted(footfall)})
    browser.get("about:blank")
    eventually(lambda: [one["type"] for one in events() if one["type"] == "leave"] == ["leave"] * 2)
    assert {(one["user_id"], one["ip"], one["site"]) for one in events()} == {("ann", "127.0.0.1", "127.0.0.1")}
    assert all("Chrome" in one["user_agent"] for one in events())
    pages = [one["tags"]["page"] for one in posted(footfall) if one["name"] == "callback_runs"]
    assert set(pages) == {"/", "/sales"}
    assert [one["message"] for one in browser.get_log("browser") if "favicon" not in one["message"]] == []

"""The Python client's plugin for Dash: callbacks, pages and people of an application that knows nothing of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import dash
import flask
import pytest
from dash import ALL, Dash, Input, Output, State, dcc, html

import footfall_client.dash
from footfall_client.callbacks import MAX_PAIRS, OTHER_PAGES, callback_name
from footfall_client.dash_pages import script_bytes
from tests.support.client import KEY, posted, totals
from tests.support.receiver import Receiver, receiving

SITE = "dash.example.com"
PAGE = f"http://{SITE}/sales?from=2026"
BROWSER = {"Referer": PAGE, "User-Agent": "Firefox"}


@pytest.fixture
def footfall() -> Iterator[Receiver]:
    """A receiver in the place of Footfall."""
    with receiving() as receiver:
        yield receiver


def signed_in() -> str | None:
    return flask.request.headers.get("X-User")


def make(**options: Any) -> Dash:
    """An application with a callback that answers, one that fails, and one that changes nothing."""
    app = Dash(__name__, **options)
    app.layout = html.Div([dcc.Input(id="in"), html.Div(id="out"), html.Div(id="bad"), html.Div(id="same")])

    @app.callback(Output("out", "children"), Input("in", "value"))
    def answer(value: str) -> str:
        return f"got {value}"

    @app.callback(Output("bad", "children"), Input("in", "value"))
    def fail(value: str) -> str:
        raise LookupError(f"a secret: {value}")

    @app.callback(Output("same", "children"), Input("in", "value"))
    def change_nothing(_value: str) -> str:
        raise dash.exceptions.PreventUpdate

    return app


class Installed:
    """An application with the plugin, called as by browsers; `close` sends what was measured."""

    def __init__(
        self, app: Dash, footfall: Receiver, user: Callable[[], object] | None = signed_in, **options: Any
    ) -> None:
        self.app, self.footfall = app, footfall
        before = set(footfall_client.sender._senders)
        footfall_client.dash.install(app, footfall.url, SITE, KEY, user, instance="web-1", **options)
        (self.sender,) = set(footfall_client.sender._senders) - before
        app.server.config["PROPAGATE_EXCEPTIONS"] = False
        self.browser = app.server.test_client()

    def call(self, output: str, *, path: str = "/", **headers: str) -> Any:
        component, _, prop = output.partition(".")
        body = {
            "output": output,
            "outputs": {"id": component, "property": prop},
            "inputs": [{"id": "in", "property": "value", "value": "x"}],
            "changedPropIds": ["in.value"],
        }
        return self.browser.post(f"{path}_dash-update-component", json=body, headers=BROWSER | headers)

    def samples(self) -> list[dict[str, Any]]:
        """What was measured of callbacks, after sending it."""
        self.sender.close()
        return [one for one in posted(self.footfall) if one["name"].startswith("callback")]

    def events(self) -> list[dict[str, Any]]:
        self.sender.close()
        return posted(self.footfall, "/api/collect")


@pytest.fixture
def installed(footfall) -> Installed:
    return Installed(make(), footfall)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """No sender outlives its test."""
    yield
    for sender in list(footfall_client.sender._senders):
        sender.close(0.1)


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_callbacks_answer_as_without_the_plugin(installed):
    without = make().server
    without.config["PROPAGATE_EXCEPTIONS"] = False
    plain = Installed.__new__(Installed)
    plain.browser = without.test_client()
    for output in ("out.children", "bad.children", "same.children", "unknown.children"):
        here, there = installed.call(output), plain.call(output)
        assert (here.status, here.data) == (there.status, there.data)


def test_a_callback_is_measured_by_output_and_page(installed):
    for _ in range(3):
        assert installed.call("out.children").status_code == 200
    samples = installed.samples()
    tags = {"callback": "out.children", "page": "/sales"}
    assert {one["name"]: one["tags"] for one in samples} == dict.fromkeys(
        ("callback_runs", "callback_errors", "callback_time_ms", "callback_time_p95_ms"), tags
    )
    found = totals(samples)
    assert found["callback_runs"] == 3
    assert 0 < found["callback_time_ms"] < 3000
    assert found["callback_errors"] == 0
    assert {one.line.split()[1] for one in installed.footfall.received} == {f"/api/metrics?site={SITE}"}


def test_an_error_is_measured_and_its_class_and_line_are_an_event(installed):
    assert installed.call("bad.children", X_User="ann").status_code == 500
    assert totals(installed.samples())["callback_errors"] == 1
    (error,) = [one for one in installed.events() if one["name"] == "Callback Error"]
    assert {name: error[name] for name in ("site", "type", "url", "user_id", "ip", "user_agent", "interactive")} == {
        "site": SITE,
        "type": "event",
        "url": PAGE,
        "user_id": "ann",
        "ip": "127.0.0.1",
        "user_agent": "Firefox",
        "interactive": False,
    }
    assert error["props"]["callback"] == "bad.children"
    assert error["props"]["error"].startswith("LookupError (test_client_dash.py:")
    assert "secret" not in json.dumps(error)


def test_an_error_that_the_application_handles_is_an_error_too(footfall):
    handled: list[str] = []

    def on_error(error: Exception) -> None:
        handled.append(str(error))

    installed = Installed(make(on_error=on_error), footfall)
    assert installed.call("bad.children").status_code == 200
    assert handled == ["a secret: x"]
    assert totals(installed.samples())["callback_errors"] == 1


def test_a_callback_that_changes_nothing_has_not_failed(installed):
    assert installed.call("same.children").status_code == 204
    assert totals(installed.samples())["callback_errors"] == 0


def test_who_used_which_callback_is_an_event(installed):
    for user in ("ann", "ann", "bob", ""):
        installed.call("out.children", **({"X_User": user} if user else {}))
    used = [one for one in installed.events() if one["name"] == "Callback"]
    assert [(one["user_id"], one["props"]["callback"], one["props"]["runs"]) for one in used] == [
        ("ann", "out.children", 2),
        ("bob", "out.children", 1),
    ]


def test_an_application_that_knows_nobody_has_no_such_event(footfall):
    installed = Installed(make(), footfall, user=None)
    installed.call("out.children")
    assert installed.events() == []


def test_a_user_function_that_fails_costs_the_name_only(footfall, caplog):
    def broken() -> str:
        raise LookupError("a secret")

    installed = Installed(make(), footfall, user=broken)
    for _ in range(3):
        assert installed.call("out.children").status_code == 200
    assert totals(installed.samples())["callback_runs"] == 3
    assert caplog.text.count("raises LookupError") == 1
    assert "secret" not in caplog.text


def test_callbacks_that_are_added_later_are_measured(installed):
    @installed.app.callback(Output("late", "children"), Input("in", "value"))
    def answer(value: str) -> str:
        return value

    assert installed.call("late.children").status_code == 200
    assert totals(installed.samples())["callback_runs"] == 1


def test_a_browser_cannot_make_up_pages_without_end(installed):
    for number in range(MAX_PAIRS + 5):
        installed.call("out.children", Referer=f"http://{SITE}/{number}")
    pages = {one["tags"]["page"] for one in installed.samples()}
    assert len(pages) == MAX_PAIRS + 1
    assert OTHER_PAGES in pages


def test_a_browser_that_does_not_say_its_page_is_counted_without(installed):
    installed.call("out.children", Referer="")
    assert {one["tags"].get("page") for one in installed.samples()} == {None}


@pytest.mark.parametrize(
    ("outputs", "name"),
    [
        (Output("a", "children"), "a.children"),
        ([Output("a", "children"), Output("b", "figure")], "a.children, b.figure"),
        (Output({"type": "row", "index": ALL}, "children"), '{"index":["ALL"],"type":"row"}.children'),
        ([Output(f"output-{number}", "children") for number in range(50)], None),
        (Output("a", "children", allow_duplicate=True), "a.children"),
        ([], "no output: in.value"),
    ],
    ids=str,
)
def test_a_callback_is_called_by_its_outputs(outputs, name):
    app = Dash(__name__)
    app.callback(outputs, Input("in", "value"), State("in", "id"), prevent_initial_call=True)(lambda *_: None)
    ((output, spec),) = app.callback_map.items()
    found = callback_name(output, spec["inputs"])
    assert found == name if name else (len(found) == 120 and found.startswith("output-0.children, output-1"))


# ── pages and people ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_page_loads_the_script_from_the_application_itself(installed):
    page = installed.browser.get("/").text
    assert '<script defer src="/_footfall.js" data-site="dash.example.com" data-api="/_footfall"></script>' in page
    script = installed.browser.get("/_footfall.js")
    assert script.content_type == "text/javascript; charset=utf-8"
    assert script.data == script_bytes()


def test_what_the_script_sends_goes_to_footfall_with_the_person_that_the_application_knows(installed):
    sent = {"type": "pageview", "id": "a1b2c3d4", "url": PAGE, "user_id": "boss", "site": SITE}
    answer = installed.browser.post("/_footfall", data=json.dumps([sent]), headers={"X-User": "ann"} | BROWSER)
    assert (answer.status_code, answer.data) == (202, b"{}")
    (event,) = installed.events()
    assert event.pop("time") > 1_700_000_000
    assert event == sent | {"user_id": "ann", "ip": "127.0.0.1", "user_agent": "Firefox"}


def test_a_page_that_is_open_prolongs_no_login(footfall):
    installed = Installed(make(), footfall, user=lambda: flask.session.get("user"))
    server = installed.app.server
    server.secret_key = "secret"

    @server.before_request
    def sign_in() -> None:
        flask.session.permanent = True
        flask.session["user"] = "ann"

    assert "Set-Cookie" in installed.browser.get("/").headers
    answer = installed.browser.post("/_footfall", data='[{"type":"pageview"}]')
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (202, False)
    assert "Set-Cookie" not in installed.browser.get("/_footfall.js").headers
    assert [one["user_id"] for one in installed.events()] == ["ann"]


def test_an_application_may_do_without_the_script(footfall):
    installed = Installed(make(), footfall, pages=False)
    assert "_footfall" not in installed.browser.get("/", buffered=True).text
    assert installed.browser.post("/_footfall", data="[]", buffered=True).status_code == 405
    installed.sender.close()
    assert totals(posted(footfall))["requests_per_second"] == 2


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_does_not_want_to_be_counted_is_not(installed, header):
    installed.browser.post("/_footfall", data='[{"type":"pageview"}]', headers={header: "1"})
    assert installed.events() == []


@pytest.mark.parametrize(("body", "status"), [(b"no", 202), (b"[" * 60_000, 202), (b" " * 70_000, 413)])
def test_hostile_bodies_do_no_harm(installed, body, status):
    assert installed.browser.post("/_footfall", data=body).status_code == status
    assert installed.events() == []


def test_requests_of_the_application_are_measured(installed):
    installed.browser.get("/").close()
    installed.call("bad.children").close()
    installed.sender.close()
    assert totals(posted(installed.footfall))["requests_per_second"] == 2
    assert totals(posted(installed.footfall))["error_rate"] == 50


# ── applications of every kind ───────────────────────────────────────────────────────────────────────────────────────


def test_an_application_below_a_path(footfall):
    installed = Installed(make(requests_pathname_prefix="/app/dash/", routes_pathname_prefix="/dash/"), footfall)
    assert 'src="/app/dash/_footfall.js"' in installed.browser.get("/dash/").text
    assert installed.browser.get("/dash/_footfall.js").status_code == 200
    assert installed.call("out.children", path="/dash/").status_code == 200
    assert totals(installed.samples())["callback_runs"] == 1


def test_two_applications_on_one_server_are_measured_apart(footfall):
    server = flask.Flask(__name__)
    first = make(server=server, url_base_pathname="/first/")
    second = make(server=server, url_base_pathname="/second/")
    installed, other = Installed(first, footfall), Installed(second, footfall)
    installed.call("out.children", path="/first/")
    other.call("out.children", path="/second/")
    other.call("out.children", path="/second/")
    assert totals(installed.samples())["callback_runs"] == 1
    assert totals(other.samples())["callback_runs"] == 3  # with the first one's


def test_an_application_that_gets_its_server_later(footfall):
    app = make(server=False)
    footfall_client.dash.install(app, footfall.url, SITE, KEY)
    server = flask.Flask(__name__)
    app.init_app(server)
    assert 'data-site="dash.example.com"' in server.test_client().get("/").text
    assert server.test_client().get("/_footfall.js").status_code == 200


def test_an_application_with_an_index_of_its_own(footfall):
    class Own(Dash):
        def interpolate_index(self, **parts: Any) -> str:
            return "<html id='own'>" + "".join(parts[name] for name in ("app_entry", "config", "scripts", "renderer"))

    app = Own(__name__)
    app.layout = html.Div()
    page = Installed(app, footfall).browser.get("/").text
    assert page.startswith("<html id='own'>")
    assert "_footfall.js" in page


def test_installing_twice_is_installing_once(footfall):
    installed = Installed(make(), footfall)
    footfall_client.dash.install(installed.app, footfall.url, SITE, KEY)
    installed.call("out.children")
    assert totals(installed.samples())["callback_runs"] == 1


def test_without_a_key_the_application_is_left_as_it_is(monkeypatch, caplog):
    monkeypatch.delenv("FOOTFALL_INGEST_KEY", raising=False)
    app = make()
    footfall_client.dash.install(app, "http://127.0.0.1:9", SITE)
    assert "_footfall" not in app.server.test_client().get("/").text
    assert "nothing is measured" in caplog.text


def test_a_missing_site_is_said_at_once():
    with pytest.raises(ValueError, match="the site is missing"):
        footfall_client.dash.install(make(), "http://127.0.0.1:9", key=KEY)

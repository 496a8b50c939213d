"""`collector.mount(server)`: the collector within a foreign Dash or Flask application."""

from __future__ import annotations

import json
from collections.abc import Iterator

import flask
import pytest
from dash import Dash
from house import open_house

import collector
from analytics.base.config import Config, WrongSetting
from collector.doors.table import PATHS
from tests.support.foreign import DASH, Foreign, foreign
from tests.support.proxy import free_port
from tests.support.serving import AGENT, SITE, Server, eventually, listening, pageview, rows, run_command, with_data

FLASK = """
import collector, flask

server = flask.Flask("shop")

@server.before_request
def closed():
    if flask.request.path != "/":
        flask.abort(403)

@server.get("/")
def home():
    return "A shop of our own"

collector.mount(server, base_url="https://example.com/stats")
"""
DEBUGGED = (
    DASH
    + """
if __name__ == "__main__":
    import sys
    app.run(debug=True, port=int(sys.argv[1]))
"""
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[Foreign]:
    """A Dash application with the site example.com, which was added before it started."""
    config = with_data(Config(data_dir=tmp_path_factory.mktemp("data")))
    assert run_command(config, "site", "add", SITE).returncode == 0
    with foreign(config, tmp_path_factory.mktemp("shop"), DASH) as running:
        yield running


def test_its_own_pages_and_callbacks_work(shop):
    assert "A shop of our own" in shop.request("GET", "/_dash-layout").body.decode()
    assert shop.request("GET", "/any/page").status == 200  # Dash answers any address
    call = (
        '{"output":"echo.children","outputs":{"id":"echo","property":"children"},'
        '"inputs":[{"id":"word","property":"value","value":"tea"}],"changedPropIds":["word.value"]}'
    )
    answer = shop.request("POST", "/_dash-update-component", call, {"Content-Type": "application/json"})
    assert answer.json["response"] == {"echo": {"children": "you typed tea"}}


def test_it_collects_and_the_live_state_shows_it(shop):
    stored = shop.collect(pageview("page-mounted", "/welcome"))
    assert (stored.status, stored.json) == (202, {"stored": 1, "duplicate": 0})
    assert shop.collect(b"{").status == 400
    assert shop.collect(b" " * 65_537).status == 413
    assert shop.request("OPTIONS", "/api/collect").status == 204
    assert rows(shop.config, "SELECT page_id, path FROM pageviews") == [("page-mounted", "/welcome")]
    key = shop.command("key", "add", "reader", "--scope", "stats", "--site", SITE)
    reader = {"Authorization": f"Bearer {key}"}
    assert shop.request("GET", f"/api/live?site={SITE}", headers=reader).json["active_sessions"] == 1
    assert shop.request("GET", f"/api/live?site={SITE}").status == 401
    with listening(shop, f"site={SITE}", reader) as listener:
        eventually(lambda: listener.of("stats"))
    assert shop.request("GET", "/js/footfall.js").status == 200
    picture = shop.request("GET", f"/pixel.gif?site={SITE}&url=https://{SITE}/letter", headers={"User-Agent": AGENT})
    assert picture.headers["x-footfall-outcome"] == "stored"


def test_a_route_that_it_has_itself_stays_its_own(shop):
    assert shop.request("GET", "/healthz").body == b"theirs"
    assert shop.request("GET", "/readyz").json == {"status": "ready"}


def test_slashes_too_many_lead_to_the_collector_as_with_a_server_of_its_own(shop):
    for number, path in enumerate(("//api/collect", "/api/collect/", "//api//collect")):
        body = json.dumps(pageview(f"page-slash-{number}"))
        answer = shop.request("POST", path, body, {"Content-Type": "text/plain", "User-Agent": AGENT})
        assert (answer.status, answer.json) == (202, {"stored": 1, "duplicate": 0}), path
    assert b"status" not in shop.request("GET", "/healthz/").body  # an address of theirs, however it is written


def test_there_is_no_dashboard(shop):
    for path in ("/sign-in", "/setup", f"/live/{SITE}"):
        assert b"footfall.css" not in shop.request("GET", path).body


def test_below_a_path_only_what_is_below_it_is_the_collector_s_and_a_guard_of_the_application_is_not_asked(tmp_path):
    config = with_data(Config(data_dir=tmp_path / "data"))
    assert run_command(config, "site", "add", SITE).returncode == 0
    with foreign(config, tmp_path, FLASK) as running:
        assert running.request("GET", "/").body == b"A shop of our own"
        assert running.collect(pageview("page-beside")).status == 403
        sent = {"Content-Type": "text/plain", "User-Agent": AGENT}
        body = '{"site": "example.com", "type": "pageview", "id": "page-below", "url": "https://example.com/"}'
        assert running.request("POST", "/stats/api/collect", body, sent).status == 202
        assert b"api/collect" in running.request("GET", "/stats/js/footfall.js").body
        line = running.command("embed", "add", "--site", SITE, "--host", "example.com")
        assert 'src="https://example.com/stats/embed/live?token=' in line


def test_where_it_is_loaded_before_it_forks_the_worker_opens_it(tmp_path):
    config = with_data(Config(data_dir=tmp_path / "data"))
    assert run_command(config, "site", "add", SITE).returncode == 0
    with foreign(config, tmp_path, DASH, "--preload") as running:
        assert running.collect(pageview("page-forked")).status == 202


def test_with_dash_s_own_server_and_its_reloader(tmp_path):
    config, port = with_data(Config(data_dir=tmp_path / "data")), free_port()
    assert run_command(config, "site", "add", SITE).returncode == 0
    running = Foreign(config, tmp_path, DEBUGGED, ["shop.py", str(port)])
    try:
        running.listens_at(port)
        eventually(lambda: "Debug mode: on" in "".join([*running.errors, *running.lines]) or _answers(running), 60)
        eventually(lambda: _answers(running), 60)
        assert running.collect(pageview("page-debugged")).status == 202
    finally:
        running.close()


def test_its_first_answer_makes_the_data_of_a_newcomer(tmp_path):
    config = Config(data_dir=tmp_path / "data")
    with foreign(config, tmp_path, DASH) as running:
        assert "no data in" in run_command(config, "site", "add", SITE).stderr
        assert running.request("GET", "/js/footfall.js").status == 200
        assert "is added" in running.command("site", "add", SITE)
        assert running.collect(pageview("page-newcomer")).status == 202
        eventually((config.data_dir / "columnar.duckdb").exists, 30)
        rights = {one.name: one.stat().st_mode & 0o077 for one in config.data_dir.iterdir()}
        assert not {name: open_to for name, open_to in rights.items() if open_to and not name.endswith(".wal")}


def _answers(running: Server) -> bool:
    try:
        return running.request("GET", "/_dash-layout").status == 200
    except OSError:
        return False


def test_while_its_data_is_another_s_it_says_so_and_the_application_goes_on(tmp_path, one_server):
    with foreign(one_server.config, tmp_path, DASH) as running:
        refused = running.collect(pageview("page-refused"))
        assert (refused.status, refused.json["error"]["code"]) == (503, "not_open")
        assert (refused.headers["retry-after"], refused.headers["access-control-allow-origin"]) == ("5", "*")
        assert running.request("GET", "/_dash-layout").status == 200
        assert eventually(lambda: [line for line in running.errors if "the collector cannot be opened" in line])


def test_a_wrong_setting_is_said_at_once():
    for wrong in ({"base_url": "example.com"}, {"data_dirr": "x"}, {"active_window_s": 1}):
        with pytest.raises(WrongSetting) as caught:
            collector.mount(flask.Flask("shop"), **wrong)
        assert next(iter(wrong)).lower() in str(caught.value).lower()


def test_a_dash_application_is_taken_for_its_server(tmp_path):
    app = Dash("shop")
    before = app.server.wsgi_app
    collector.mount(app, data_dir=tmp_path, columnar=False, trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
    assert app.server.wsgi_app is not before


def test_what_is_the_collector_s_is_known_before_it_is_opened(tmp_path):
    with open_house(Config(data_dir=tmp_path)) as house:
        assert house.routes.paths == PATHS

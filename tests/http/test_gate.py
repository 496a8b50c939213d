"""The gate: who may come in, with what, and what every answer carries."""

from __future__ import annotations

import json

import pytest
from doorway import CALL, CHEAP, NOW, PAGE, doorway

from analytics.access import accounts, passwords
from callbacks.gate import gate

EMAIL, PASSWORD = "ada@example.com", "correct horse"
CALLS = "/_dash-update-component"
pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)  # the gate reads one table


@pytest.fixture
def door(database, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    accounts.add_person(database, EMAIL, "owner", PASSWORD, now=NOW)
    return doorway(database)


@pytest.fixture
def ada(door):
    client = door.client()
    assert client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 302
    return client


INTERNALS = (
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-component-suites/dash/deps/react@18.v4_4_1m1.js",
    "/_reload-hash",
    "/_favicon.ico",
    "/_alive_x",
    "/_mcp",
    "/static/x",
    "//_dash-layout",
    "/anything",
    "/api/anything",
)


def _path(path):
    return {"environ_overrides": {"PATH_INFO": path}}  # as sent: the client would tidy it up


@pytest.mark.parametrize("path", INTERNALS)
def test_a_stranger_gets_401_from_everything_but_pages(door, path):
    answer = door.client().get(**_path(path))
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../_dash-layout",
        "/assets//../_dash-layout",
        "/assets/..%2f_dash-layout",
        "/assets/nothing.css",
    ],
)
def test_nothing_but_assets_is_below_the_assets(door, path):
    answer = door.client().get(follow_redirects=True, **_path(path))
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/live/example.com", CALLS, "/_dash-layout", "/nowhere"])
def test_a_stranger_changes_nothing_anywhere(door, method, path):
    answer = door.client().open(path, method=method, json=CALL, headers=PAGE)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/", "/sign-in"),
        ("/live/example.com", "/sign-in?next=/live/example.com"),
        ("/live/example.com?a=b&c=d", "/sign-in?next=/live/example.com%3Fa%3Db%26c%3Dd"),
        ("/nowhere", "/sign-in?next=/nowhere"),
        ("//evil.example/x", "/sign-in?next=/evil.example/x"),
    ],
)
def test_a_strangers_browser_is_led_to_the_sign_in_page(door, path, leads_to):
    path, _, query = path.partition("?")
    answer = door.client().get(headers=PAGE, query_string=query, **_path(path))
    assert (answer.status_code, answer.location) == (302, leads_to)


def test_what_the_sign_in_page_needs_is_open(door):
    client = door.client()
    opened = ["/sign-in", "/assets/css/plain.css", "/assets/pages/plain.js", "/assets/shapes/mark.svg"]
    assert [client.get(path).status_code for path in opened] == [200] * len(opened)


def test_what_another_part_opens_is_open_and_only_that(door, monkeypatch):
    door.app.server.add_url_rule("/door-of-another", "a", lambda: "open")
    door.app.server.add_url_rule("/door-of-another/more", "b", lambda: "closed")
    monkeypatch.setattr(gate, "OPEN", gate.OPEN | {"/door-of-another"})
    assert door.client().get("/door-of-another").text == "open"
    assert door.client().get("/door-of-another/more").status_code == 401


def test_every_route_of_the_server_is_closed_unless_it_was_opened(door):
    client = door.client()
    rules = [rule for rule in door.app.server.url_map.iter_rules() if not gate.is_below(rule.rule, gate.OPEN)]
    paths = {rule.rule.split("<")[0] + ("x/y" if "<" in rule.rule else "") for rule in rules}
    assert {path: client.post(path, json={}).status_code for path in paths} == dict.fromkeys(paths, 401)


def test_somebody_signed_in_sees_pages_and_calls_callbacks(door, ada):
    assert ada.get("/").status_code == 200
    assert ada.get("/live/example.com").status_code == 200
    assert ada.post(CALLS, json=CALL).json["response"] == {"shown": {"children": "secret of /live/example.com"}}
    assert ada.get("/_dash-layout").status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "A" * 43, "é", '"; Path=/'])
def test_a_made_up_cookie_is_a_strangers(door, cookie):
    answer = door.client().post(CALLS, json=CALL, headers={"Cookie": f"footfall_login={cookie}"})
    assert answer.status_code == 401


def test_the_cookie_header_alone_tells_routes_outside_who_it_is(database, door, ada):
    cookie = ada.get_cookie("footfall_login")
    header = f"other=1; footfall_login={cookie.value}"
    assert gate.person_of(header, database, NOW).email == EMAIL
    assert gate.person_of(header, database, NOW, base_url="https://stats.example.com") is None
    assert gate.person_of("", database, NOW) is None


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8051"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("path", [CALLS, "/sign-out", "/sign-in", "/setup"])
def test_what_a_foreign_page_sends_is_refused(door, ada, sent, path):
    assert ada.post(path, json=CALL, headers=sent).status_code == 403
    assert ada.get("/").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}],
)
def test_what_our_own_page_sends_is_taken(ada, sent):
    assert ada.post(CALLS, json=CALL, headers=sent).status_code == 200


def test_behind_a_proxy_the_configured_address_is_ours(database):
    client = doorway(database, base_url="https://stats.example.com").client()

    def status(origin, host="10.0.0.5:8050"):
        return client.post("/sign-out", headers={"Origin": origin, "Host": host}).status_code

    assert [status(origin) for origin in ("https://stats.example.com", "https://evil.example")] == [302, 403]
    assert status("https://stats.example.com", "stats.example.com") == 302


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "evil.example"),  # a name of theirs that was pointed here after their page was loaded
        ("https://evil.example", "evil.example"),
        ("http://evil.example:8050", "evil.example:8050"),
        ("http://stats.example.com", "stats.example.com"),  # the same name without TLS
        ("https://stats.example.com:8443", "stats.example.com:8443"),
        ("http://localhost.evil.example:8050", "localhost.evil.example:8050"),
        ("http://127.0.0.1.evil.example", "127.0.0.1.evil.example"),
        ("http://127.0.0.1:9999", "127.0.0.1:8050"),  # another program on the same machine
        ("http://[::1]", "[::1"),
    ],
)
def test_with_a_configured_address_a_host_that_agrees_with_its_origin_is_still_foreign(database, origin, host):
    client = doorway(database, base_url="https://stats.example.com").client()
    answer = client.post("/sign-out", headers={"Origin": origin, "Host": host})
    assert answer.status_code == 403
    assert "Footfall is at https://stats.example.com (FOOTFALL_BASE_URL)." in answer.text


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1:8050", "[::1]:8050", "localhost"])
def test_on_this_machine_or_through_a_tunnel_our_own_pages_work_beside_the_configured_address(database, host):
    client = doorway(database, base_url="https://stats.example.com").client()
    assert client.post("/sign-out", headers={"Origin": f"http://{host}", "Host": host}).status_code == 302


def test_without_a_configured_address_ours_is_the_host_that_was_asked_for(database):
    client = doorway(database).client()

    def status(origin):
        return client.post("/sign-out", headers={"Origin": origin, "Host": "Stats.lan:8050"}).status_code

    ours = ("http://stats.lan:8050", "https://stats.lan:8050")
    assert [status(origin) for origin in (*ours, "http://stats.lan", "http://evil.example")] == [302, 302, 403, 403]


def test_a_foreign_page_may_not_even_ask_whether_it_may(ada):
    answer = ada.options(CALLS, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    assert not {name for name, _ in answer.headers if name.startswith("Access-Control")}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_call_that_is_not_declared_as_json_is_415(ada, kind):
    assert ada.post(CALLS, data=json.dumps(CALL), headers={"Content-Type": kind}).status_code == 415


def _with(**changes):
    return json.dumps(CALL | changes)


WRONG_CALLS = {
    "empty": "",
    "list": "[]",
    "null": "null",
    "half": '{"output": ',
    "no output": "{}",
    "output no text": _with(output=1),
    "unknown output": _with(output="nobody.children"),
    "another's outputs": _with(outputs={"id": "failed", "property": "children"}),
    "no outputs": _with(outputs=None),
    "outputs a list of numbers": _with(outputs=[1]),
    "no inputs": _with(inputs=[]),
    "inputs an object": _with(inputs={}),
    "inputs numbers": _with(inputs=[1]),
    "inputs without id": _with(inputs=[{"property": "pathname"}]),
    "inputs of another": _with(inputs=[{"id": "at", "property": "search", "value": ""}]),
    "inputs in a list": _with(inputs=[CALL["inputs"]]),
    "too many inputs": _with(inputs=CALL["inputs"] * 2),
    "state missing": _with(state=[]),
    "state text": _with(state="x"),
    "changed numbers": _with(changedPropIds=[1]),
    "changed no list": _with(changedPropIds=7),
    "changed nobody": _with(changedPropIds=["nobody.pathname"]),
    "changed no id": _with(changedPropIds=["{x.y"]),
    "not a number": '{"output": NaN}',
    "lone surrogate": '{"output": "\\ud800"}',
    "deep list": "[" * 40_000 + "]" * 40_000,
    "deep value": _with(inputs=[CALL["inputs"][0] | {"value": json.loads("[" * 40 + "]" * 40)}]),
    "huge number": _with().replace('"/live/example.com"', "9" * 5000),
}


@pytest.mark.parametrize("body", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_a_malformed_call_is_400(ada, body):
    answer = ada.post(CALLS, data=body, content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_request")


def test_a_call_of_more_than_a_mebibyte_is_413(ada):
    assert ada.post(CALLS, data=b" " * ((1 << 20) + 1), content_type="application/json").status_code == 413


def test_a_callback_that_fails_is_a_plain_500_and_a_line_in_the_log(ada, caplog):
    call = {
        "output": "failed.children",
        "outputs": {"id": "failed", "property": "children"},
        "inputs": [{"id": "at", "property": "search", "value": "?marked-query"}],
        "changedPropIds": [],
    }
    answer = ada.post(CALLS + "?marked-query", json=call)
    assert answer.status_code == 500
    assert answer.json == {
        "error": {
            "code": "internal_server_error",
            "message": "Something failed on the server. Its log says what.",
        }
    }
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage().startswith("POST /_dash-update-component failed: RuntimeError at http/doorway.py:")
    assert "marked" not in record.getMessage()
    assert record.exc_info is None


def test_whatever_is_in_an_address_it_is_one_line_of_the_log(database, door, ada, caplog):
    with database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE logins RENAME TO logins_away")
    door.clock.now += 1
    assert ada.get("/live/%1b[31m%0d%0aERROR%20forged%e2%80%ae/%ff", headers=PAGE).status_code == 503
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage().isprintable()
    assert record.getMessage().isascii()


@pytest.mark.parametrize(
    "path", ["/nowhere", "/live", "/livex", "/_dash-nothing", "/a/b", '/"><script>alert(1)</script>']
)
def test_an_address_of_no_page_is_404_and_not_reflected(ada, path):
    answer = ada.get(path, headers=PAGE)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_an_unknown_script_package_is_404(ada):
    assert ada.get("/_dash-component-suites/evil/x.js").status_code == 404
    assert ada.get("/_dash-component-suites/dash/nothing.js").status_code == 404


@pytest.mark.parametrize("path", [CALLS, "/sign-out"])
def test_a_get_where_only_post_is_answered_is_405(ada, path):
    answer = ada.get(path, headers=PAGE)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_errors_are_pages_for_people_and_json_for_scripts(ada):
    assert ada.get("/nowhere", headers=PAGE).mimetype == "text/html"
    assert ada.get("/nowhere").json["error"]["code"] == "not_found"


EVERYWHERE = ["/", "/sign-in", "/assets/css/plain.css", "/_dash-layout", "/nowhere", "/setup", "/boom"]


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("who", ["stranger", "ada"])
def test_every_answer_carries_the_security_headers(door, ada, path, who):
    answer = (ada if who == "ada" else door.client()).get(path, headers=PAGE)
    (inline,) = door.app.csp_hashes()
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Strict-Transport-Security": None,
        "Server": "Footfall",
    }
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    data = ["default-src 'none'", "frame-ancestors 'none'"]
    page = [
        "default-src 'self'",
        f"script-src 'self' {inline}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy == (data if answer.mimetype == "application/json" else page)
    if answer.mimetype in {"text/html", "application/json"}:
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_unforeseen_failure_shows_nothing_of_its_cause(ada):
    answer = ada.get("/boom", headers=PAGE)
    assert answer.status_code == 500
    assert "Zero" not in answer.text
    assert "Traceback" not in answer.text


def test_on_https_browsers_are_told_to_stay_there(database):
    answer = doorway(database, base_url="https://stats.example.com").client().get("/sign-in")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_public_dashboard_is_open_and_has_no_accounts(database):
    client = doorway(database, public=True).client()
    assert client.get("/live/example.com").status_code == 200
    assert "secret of" in client.post(CALLS, json=CALL).text
    assert client.post(CALLS, data="[]", content_type="application/json").status_code == 400
    assert client.get("/nowhere").status_code == 404
    closed = [client.get(path).status_code for path in gate.ACCOUNT] + [
        client.post(path).status_code for path in gate.ACCOUNT
    ]
    assert closed == [404] * 2 * len(gate.ACCOUNT)


def test_without_its_database_the_server_says_503_and_keeps_its_style_sheet(database, door, ada):
    with database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE logins RENAME TO logins_away")
    door.clock.now += 1
    answer = ada.get("/", headers=PAGE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "logins" not in answer.text
    assert ada.get("/assets/css/plain.css").status_code == 200

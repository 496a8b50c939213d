"""The management API: what programs with an admin key read and change, and every refusal."""

from __future__ import annotations

import ipaddress
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from house import NOW, House, open_house
from sqlalchemy import insert

from analytics.access import api_keys
from analytics.base.config import Config
from analytics.notify import new_deliveries
from analytics.storage import schema
from tests.support.receiver import answer, receiving
from tests.support.serving import Answer, Server, event

RULE = {
    "name": "Large payments",
    "when": {"event": "payment", "where": [["value", ">", 100]]},
    "notify": {"priority": "high", "title": "Payment of {value} {currency}", "message": "From {user_name}"},
}
STORED = {"severity": "warning", "channels": [], "group_s": 300, "repeat_s": 14_400, "audience": "everybody"}
NUMBERS = itertools.count(1)
HOOK = {"kind": "webhook", "to": "https://hooks.not-yet.example/x"}  # a name that nobody has


class Program(NamedTuple):
    """A program with a key; `call` returns the status and the JSON of an answer."""

    server: Server
    site: str
    key: str

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        return self.server.request(method, f"/api/v1/sites/{self.site}/{path}", sent, headers)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        found = self.send(method, path, body)
        return found.status, found.json if found.body else None

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that must be one of success."""
        status, found = self.call(method, path, body)
        assert status in (200, 201, 204), found
        return found

    def error(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, code and field of a refusal."""
        status, found = self.call(method, path, body)
        return status, found["error"]["code"], found["error"].get("field", "")


@pytest.fixture
def bearer(shared) -> Callable[..., str]:
    return lambda scope="admin", site=None: shared.tell("key add", name="The program", scope=scope, site=site)


@pytest.fixture
def program(shared, site, bearer) -> Program:
    found = Program(shared, site, bearer(site=site))
    for one in found.done("GET", "rules"):
        found.done("DELETE", f"rules/{one['id']}")
    return found


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PATHS = (
    *(("GET", path) for path in ("rules", "rules/1", "channels", "notifications", "alerts/1", "deliveries", "embeds")),
    *(("POST", path) for path in ("rules", "channels/1/test", "notifications/1/read", "alerts/1/snooze", "segments")),
    *(("PUT", "rules/1"), ("DELETE", "rules/1"), ("GET", "goals"), ("GET", "rules/1/2/3")),
)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_only_an_admin_key_opens(program, bearer, method, path):
    refused = [
        program._replace(key=key).error(method, path)
        for key in ("", "ff_unknown", bearer("stats"), bearer("ingest", program.site))
    ]
    codes = [(401, "unauthorized", "")] * 2 + [(403, "forbidden", "")] * 2
    assert refused == codes


def test_a_key_for_every_site_opens_each_and_that_of_one_only_its_own(program, other_site, bearer):
    everywhere = program._replace(key=bearer())
    assert everywhere.call("GET", "channels") == (200, [])
    assert everywhere._replace(site=other_site).call("GET", "channels") == (200, [])
    for elsewhere in (program._replace(site=other_site), everywhere._replace(site="nowhere.example")):
        assert elsewhere.error("GET", "channels") == (404, "not_found", "")
        assert elsewhere.error("POST", "rules", RULE) == (404, "not_found", "")


def test_a_site_is_named_by_its_uuid_too_and_a_slash_at_the_end_is_ignored(program):
    uuid = next(
        line.split()[-1] for line in program.server.tell("site list").splitlines() if line.startswith(program.site)
    )
    assert program._replace(site=uuid).call("GET", "channels/") == (200, [])


# ── paths, methods and bodies ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["goals", "rule", "rules/1/test", "channels/1/test/2", "rules//", "%2e%2e/x"])
def test_what_is_no_kind_is_404(program, path):
    if path == "rules//":
        assert program.call("GET", path) == (200, [])
    else:
        assert program.error("GET", path) == (404, "unknown_kind", "")


@pytest.mark.parametrize("number", ["0", "99999", "-1", "1e3", "x", "9" * 30, "1;2", "%00"])
def test_what_is_no_id_is_404(program, number):
    for kind in ("rules", "channels", "notifications", "alerts", "embeds", "segments"):
        assert program.error("GET", f"{kind}/{number}") == (404, "not_found", "")
    assert program.error("PUT", f"rules/{number}", {}) == (404, "not_found", "")
    for path in ("notifications/{}/read", "alerts/{}/acknowledge", "alerts/{}/snooze", "channels/{}/test"):
        assert program.error("POST", path.format(number)) == (404, "not_found", "")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "rules", "GET, HEAD, POST"),
        ("DELETE", "rules", "GET, HEAD, POST"),
        ("PATCH", "rules/1", "DELETE, GET, HEAD, PUT"),
        ("POST", "rules/1", "DELETE, GET, HEAD, PUT"),
        ("GET", "channels/1/test", "POST"),
        ("POST", "notifications", "GET, HEAD"),
        ("PUT", "embeds/1", "DELETE, GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_with_the_right_ones(program, method, path, allowed):
    found = program.send(method, path, RULE)
    assert (found.status, found.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "wrong_field"),
        (b"{", 400, "bad_json"),
        (b"\xff", 400, "bad_encoding"),
        (b'{"name": NaN}', 400, "bad_json"),
        (b"[" * 50 + b"]" * 50, 400, "too_deep"),
        (b"[]", 422, "wrong_field"),
        (b"7", 422, "wrong_field"),
        (b'"\\ud800"', 422, "wrong_field"),
        (b" " * 65_537, 413, "too_large"),
    ],
)
def test_bodies_that_are_no_rule_are_refused(program, body, status, code):
    assert program.error("POST", "rules", body)[:2] == (status, code)
    assert program.call("GET", "rules") == (200, [])


def test_a_head_request_has_no_body(program):
    found = program.send("HEAD", "rules")
    assert (found.status, found.body) == (200, b"")


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_site_has_the_shipped_rules_from_the_start(shared, site, bearer):
    found = Program(shared, site, bearer(site=site)).done("GET", "rules")
    assert [(one["shipped"], one["enabled"]) for one in found] == [
        ("signup", True),
        ("payment", True),
        ("critical", True),
        ("silence", True),
    ]


def test_a_rule_is_added_read_changed_and_removed(program):
    before = int(time.time())
    status, added = program.call("POST", "rules", RULE)
    assert status == 201
    number, created = added["id"], added["created_at"]
    assert before <= created <= time.time()
    assert added == {
        "id": number,
        **RULE,
        "notify": {**RULE["notify"], **STORED},
        "enabled": True,
        "shipped": "",
        "wrong": "",
        "created_at": created,
        "changed_at": created,
        "snoozed_until": 0,
    }
    assert program.call("GET", "rules") == (200, [added])
    assert program.call("GET", f"rules/{number}") == (200, added)
    changed = program.done("PUT", f"rules/{number}", added | {"name": "Other", "enabled": False})
    assert changed | {"changed_at": created} == added | {"name": "Other", "enabled": False}
    assert program.call("DELETE", f"rules/{number}") == (204, None)
    assert program.error("GET", f"rules/{number}") == (404, "not_found", "")
    assert program.call("GET", "rules") == (200, [])


def test_a_wrong_rule_is_refused_with_the_field_and_changes_nothing(program):
    rule = program.done("POST", "rules", RULE)
    wrong = RULE | {"notify": RULE["notify"] | {"title": "{price}", "channels": [1]}, "colour": "red"}
    for method, path in (("POST", "rules"), ("PUT", f"rules/{rule['id']}")):
        status, found = program.call(method, path, wrong)
        assert (status, found["error"]["code"], found["error"]["field"]) == (422, "wrong_field", "colour")
        assert list(found["error"]["fields"]) == ["colour", "notify.title"]
        assert "colour: unknown field; known: name, when, notify, enabled" in found["error"]["message"]
        assert "notify.title: unknown field {price}; known: {value}, {name}, " in found["error"]["message"]
    assert program.error("POST", "rules", RULE | {"id": 7}) == (422, "wrong_field", "id")
    unknown = RULE | {"notify": RULE["notify"] | {"channels": [99_999]}}
    assert program.error("POST", "rules", unknown) == (422, "wrong_field", "notify.channels")
    assert program.done("GET", "rules") == [rule]


def test_a_rule_of_another_site_is_not_there(program, other_site, bearer):
    number = program.done("POST", "rules", RULE)["id"]
    other = program._replace(site=other_site, key=bearer())
    for method in ("GET", "PUT", "DELETE"):
        assert other.error(method, f"rules/{number}", RULE if method == "PUT" else None) == (404, "not_found", "")
    assert [one["id"] for one in program.done("GET", "rules")] == [number]


# ── notifications ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_notifies_by_a_rule_that_was_just_added_and_is_marked_as_read(program):
    rule = program.done("POST", "rules", RULE | {"notify": RULE["notify"] | {"group_s": 0}})["id"]
    program.done("POST", "rules", RULE | {"when": {"event": "other"}})
    for number, value in enumerate((150, 50, 200)):
        sent = {"value": value, "currency": "EUR", "user_name": "Ann"}
        collected = program.server.collect(event(f"{rule}-event-{number}", "Payment", site=program.site, **sent))
        assert collected.status == 202, collected
    newest, older = program.done("GET", "notifications")
    number = newest["id"]
    assert newest == {
        "id": number,
        "site": program.site,
        "rule": rule,
        "alert": None,
        "type": "notification.created",
        "priority": "high",
        "title": "Payment of 200 EUR",
        "message": "From Ann",
        "currency": "EUR",
        "value": 200.0,
        "count": 1,
        "timestamp": newest["timestamp"],
        "last": newest["timestamp"],
        "read": False,
    }
    assert older["title"] == "Payment of 150 EUR"
    assert program.done("GET", "notifications?limit=1") == [newest]
    assert program.done("GET", f"notifications?before={number}") == [older]
    assert program.done("POST", f"notifications/{number}/read") == newest | {"read": True}
    assert program.done("GET", "notifications") == [newest | {"read": True}, older]
    assert program.done("GET", f"notifications/{older['id']}") == older


@pytest.mark.parametrize(("query", "field"), [("limit=0", "limit"), ("limit=1001", "limit"), ("before=x", "before")])
def test_a_wrong_page_is_refused(program, query, field):
    for kind in ("notifications", "alerts", "deliveries"):
        assert program.error("GET", f"{kind}?{query}") == (422, "wrong_field", field)


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_channel_is_added_read_changed_and_removed(program):
    status, added = program.call("POST", "channels", HOOK)
    assert status == 201
    number, secret = added["id"], added["secret"]
    assert secret.startswith("whsec_")
    assert added == {"id": number, **HOOK, "secret": secret, "name": "", "disabled_at": None, "disabled_why": ""}
    assert program.call("GET", "channels") == (200, [added])
    assert program.call("GET", f"channels/{number}") == (200, added)
    renamed = program.done("PUT", f"channels/{number}", HOOK | {"name": "The shop"})
    assert renamed == added | {"name": "The shop"}
    rule = program.done("POST", "rules", RULE | {"notify": RULE["notify"] | {"channels": [number]}})
    assert program.call("DELETE", f"channels/{number}") == (204, None)
    assert program.call("GET", "channels") == (200, [])
    assert rule["notify"]["channels"] == [number]
    assert program.done("GET", f"rules/{rule['id']}")["notify"]["channels"] == []


@pytest.mark.parametrize(
    "to",
    [
        *("http://127.0.0.1:8050/", "http://[::1]/", "http://0.0.0.0/", "http://169.254.169.254/", "http://10.0.0.1/"),
        *("http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/", "http://localhost./", "file:///etc/passwd"),
        *("gopher://a.example/", "https://user@a.example/", "", None, 7),
    ],
)  # fmt: skip
def test_an_address_that_leads_inwards_is_refused_when_it_is_saved(program, to):
    channel = program.done("POST", "channels", HOOK)
    for kind in ("webhook", "slack", "discord"):
        assert program.error("POST", "channels", {"kind": kind, "to": to}) == (422, "wrong_field", "to")
    assert program.error("PUT", f"channels/{channel['id']}", HOOK | {"to": to}) == (422, "wrong_field", "to")
    assert program.done("GET", "channels") == [channel]


def test_wrong_fields_of_a_channel_are_named(program):
    assert program.error("POST", "channels", {"kind": "pigeon", "to": "x"}) == (422, "wrong_field", "kind")
    assert program.error("POST", "channels", HOOK | {"url": "x"}) == (422, "wrong_field", "url")
    assert program.error("POST", "channels", HOOK | {"secret": "whsec_short"}) == (422, "wrong_field", "secret")
    assert program.error("POST", "channels", {"kind": "email", "to": "ann"}) == (422, "wrong_field", "to")


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """The application behind another WSGI server. Channels may reach this machine."""
    loopback = (ipaddress.ip_network("127.0.0.0/8"),)
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), allowed_targets=loopback)) as house:
        yield house


class Inside(NamedTuple):
    """A program in the process of the application, with a site of its own."""

    house: House
    site_id: int
    site: str
    key: str

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that must be one of success."""
        browser = self.house.app.server.test_client()
        headers = {"Authorization": f"Bearer {self.key}"}
        found = browser.open(f"/api/v1/sites/{self.site}/{path}", method=method, json=body, headers=headers)
        assert found.status_code in (200, 201, 204), found.text
        return found.json if found.data else None


@pytest.fixture
def inside(house) -> Inside:
    domain = f"inside-{next(NUMBERS)}.example"
    site_id = house.add_site(domain)
    key = api_keys.add(house.service.database, "The program", "admin", site_id, now=NOW)
    house.service.refresh()
    return Inside(house, site_id, domain, key)


def test_a_test_of_a_channel_answers_with_what_came_back(inside):
    with receiving() as receiver:
        receiver.replies = [answer(200, "thank you"), answer(410, "gone")]
        number = inside.done("POST", "channels", {"kind": "webhook", "to": receiver.url})["id"]
        answers = [inside.done("POST", f"channels/{number}/test") for _ in range(2)]
    assert answers == [
        {"sent": True, "status": 200, "answer": "thank you"},
        {"sent": False, "status": 410, "answer": "gone"},
    ]
    assert json.loads(receiver.received[0].body)["type"] == "notification.created"


def test_other_servers_pass_on_bodies_of_changes(inside):
    number = inside.done("POST", "rules", RULE)["id"]
    assert inside.done("PUT", f"rules/{number}", RULE | {"name": "Other"})["name"] == "Other"


# ── alerts and deliveries ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_on_events_is_snoozed_and_woken(inside):
    number = inside.done("POST", "rules", RULE)["id"]
    snoozed = inside.done("POST", f"rules/{number}/snooze", {"hours": 4})
    assert (snoozed["name"], 0 <= time.time() + 4 * 3600 - snoozed["snoozed_until"] < 60) == (RULE["name"], True)
    assert inside.done("GET", f"rules/{number}") == snoozed
    assert inside.done("PUT", f"rules/{number}", snoozed)["snoozed_until"] == snoozed["snoozed_until"]
    assert inside.done("POST", f"rules/{number}/snooze", {"hours": 0})["snoozed_until"] == 0


def add_alert(inside: Inside, **values: Any) -> int:
    times = {"fired_at": NOW, "told_at": NOW}
    row = {
        "site_id": inside.site_id,
        "rule_id": 5,
        "severity": "critical",
        "title": "Busy",
        "metric": "visitors",
    } | times
    with inside.house.service.database.transaction() as connection:
        added = insert(schema.alerts).values(row | {"why": '[["country", "DE", 1.0, 9.0]]'} | values)
        return int(connection.execute(added).inserted_primary_key[0])


def test_an_alert_is_acknowledged_and_snoozed(inside):
    over, number = add_alert(inside, resolved_at=NOW + 5), add_alert(inside, value=120.0, threshold=100.0)
    alert = {
        "id": number,
        "rule": 5,
        "severity": "critical",
        "title": "Busy",
        "message": "",
        "metric": "visitors",
        "value": 120.0,
        "threshold": 100.0,
        "affected": 0,
        "fired_at": NOW,
        "recovering_at": None,
        "resolved_at": None,
        "acknowledged_at": None,
        "acknowledged_by": "",
        "snoozed_until": None,
        "why": [{"dimension": "country", "value": "DE", "before": 1.0, "now": 9.0}],
    }
    listed = inside.done("GET", "alerts")
    assert (listed[0], [one["id"] for one in listed]) == (alert, [number, over])
    assert inside.done("GET", f"alerts/{number}") == alert | {"steps": []}
    acknowledged = inside.done("POST", f"alerts/{number}/acknowledge")
    at = acknowledged["acknowledged_at"]
    assert acknowledged == alert | {"acknowledged_at": at, "acknowledged_by": "key The program"}
    snoozed = inside.done("POST", f"alerts/{number}/snooze", {"hours": 4})
    until = snoozed["snoozed_until"]
    assert 0 <= until - 4 * 3600 - at < 60
    assert snoozed == acknowledged | {"snoozed_until": until}
    steps = inside.done("GET", f"alerts/{number}")["steps"]
    assert [(one["step"], one["who"]) for one in steps] == [
        ("acknowledged", "key The program"),
        ("snoozed", "key The program"),
    ]


@pytest.mark.parametrize(
    ("body", "field"), [(None, "body"), ({}, "hours"), ({"hours": 4, "days": 1}, "days"), ({"hours": -1}, "hours")]
)
def test_a_wrong_snooze_is_refused(inside, body, field):
    number = add_alert(inside)
    browser = inside.house.app.server.test_client()
    path, headers = f"/api/v1/sites/{inside.site}/alerts/{number}/snooze", {"Authorization": f"Bearer {inside.key}"}
    found = browser.post(path, json=body, headers=headers)
    assert (found.status_code, found.json["error"]["field"]) == (422, field)
    assert inside.done("GET", "alerts")[0]["snoozed_until"] is None


def test_deliveries_are_listed_newest_first(inside):
    database = inside.house.service.database
    with database.transaction() as connection:
        first, second = (
            new_deliveries.add(connection, inside.site_id, 3, notification, due_at=NOW + 30, now=NOW)
            for notification in (None, 12)
        )
    newest, oldest = inside.done("GET", "deliveries")
    assert newest == {
        "id": second.id,
        "channel": 3,
        "notification": 12,
        "covers": [],
        "state": "waiting",
        "message_id": second.message_id,
        "attempts": 0,
        "created_at": NOW,
        "next_at": NOW + 30,
        "last_at": None,
        "status": None,
        "answer": "",
        "more": 0,
    }
    assert inside.done("GET", f"deliveries?before={second.id}") == [oldest]
    assert oldest["id"] == first.id


# ── embeds and segments ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_embed_is_added_and_revoked(program):
    status, added = program.call("POST", "embeds", {"hosts": ["https://Panel.example.com/x"], "expires_s": 3_600})
    assert (status, added["hosts"], added["state"]) == (201, ["panel.example.com"], "on")
    assert added["expires_at"] == added["created_at"] + 3_600
    token, number = added.pop("token"), added["id"]
    assert program.done("GET", "embeds") == [added]
    assert program.done("GET", f"embeds/{number}") == added
    assert program.server.request("GET", f"/api/live?token={token}").status == 200
    assert program.call("DELETE", f"embeds/{number}") == (204, None)
    assert program.server.request("GET", f"/api/live?token={token}").status == 404
    assert program.done("GET", f"embeds/{number}")["state"] == "off"
    for body, field in (
        ({}, "hosts"),
        ({"hosts": "x"}, "hosts"),
        ({"hosts": [7]}, "hosts"),
        ({"hosts": ["a b"]}, "hosts"),
    ):
        assert program.error("POST", "embeds", body) == (422, "wrong_field", field)
    assert program.error("POST", "embeds", {"hosts": ["a.example"], "expires_s": 0}) == (
        422,
        "wrong_field",
        "expires_s",
    )


def test_a_segment_is_added_and_removed(program):
    segment = {"name": "Germany", "filters": [["is", "country", ["DE"]]]}
    status, added = program.call("POST", "segments", segment)
    assert (status, added) == (201, {"id": added["id"], **segment})
    assert program.done("GET", "segments") == [added]
    assert program.done("GET", f"segments/{added['id']}") == added
    assert program.call("DELETE", f"segments/{added['id']}") == (204, None)
    assert program.done("GET", "segments") == []
    for body, field in (
        ({"name": "x"}, "filters"),
        (segment | {"name": 7}, "name"),
        (segment | {"name": ""}, "name"),
        (segment | {"filters": [["is"]]}, "filters"),
        (segment | {"person": 1}, "person"),
    ):
        assert program.error("POST", "segments", body) == (422, "wrong_field", field)

"""An admin of one site sends the ids of another's rows, by pages and by the API: nothing is shown or changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from house import NOW, House, open_house
from sqlalchemy import insert, select

from analytics.access import api_keys
from analytics.base.ids import MAX_ID
from analytics.storage import schema
from tests.conftest import config_on

OWN, OTHER = "own.example", "other.example"
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBvdGhlciBzaXRl"
RULE = '{"when": {"event": "x"}, "notify": {"priority": "low", "title": "Theirs"}}'
ROWS: dict[str, dict[str, Any]] = {
    "rules": {"name": "Theirs", "kind": "event", "definition": RULE, "changed_at": NOW, "created_at": NOW},
    "channels": {"kind": "webhook", "address": "https://hooks.example.com/t0ken", "secret": SECRET, "created_at": NOW},
    "alerts": {"rule_id": 1, "severity": "error", "title": "T", "metric": "visitors", "fired_at": NOW, "told_at": NOW},
    "notifications": {"type": "notification.created", "priority": "high", "title": "Theirs", "at": NOW}
    | {"last_at": NOW, "open_until": NOW},
    "deliveries": {"channel_id": 1, "message_id": "msg_1", "state": "failed", "next_at": NOW, "created_at": NOW},
    "activity_cards": {"position": 1, "kind": "counter", "title": "Theirs"},
    "embeds": {"token_hash": "h", "hosts": "panel.example", "created_at": NOW, "expires_at": NOW * 2},
    "segments": {"name": "Theirs", "filters": "[]", "created_at": NOW},
}


class Theirs(NamedTuple):
    """A house with an admin of one site, and the ids of the other site's rows by their tables."""

    house: House
    ids: dict[str, int]
    key: str

    def rows(self) -> dict[str, list[Any]]:
        with self.house.service.database.read() as connection:
            return {
                name: connection.execute(select(schema.metadata.tables[name])).all()
                for name in (*ROWS, "notification_reads", "alert_steps")
            }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def theirs(request, tmp_path_factory) -> Iterator[Theirs]:
    with open_house(config_on(request, tmp_path_factory.mktemp("data"))) as house:
        own, other = house.add_site(OWN), house.add_site(OTHER)
        house.browsers["admin"] = house.join("admin@example.com", "owner", [own])
        ids = {}
        with house.service.database.transaction() as connection:
            for name, values in ROWS.items():
                table = schema.metadata.tables[name]
                known = {key: value for key, value in values.items() if key in table.c} | {"site_id": other}
                ids[name] = connection.execute(insert(table).values(known).returning(table.c.id)).scalar_one()
        key = api_keys.add(house.service.database, "The program", "admin", own, now=NOW)
        house.service.refresh()
        yield Theirs(house, ids, key)


FORMS = (
    ("rule-switch", "rules", "key", {}),
    ("rule-remove", "rules", "key", {}),
    ("rule-snooze", "rules", "key", {"value": "4"}),
    ("rule-event", "rules", "id", {"name": "Mine", "event": "x", "title": "t", "priority": "low", "group": "0"}),
    ("channel-test", "channels", "key", {}),
    ("channel-switch", "channels", "key", {}),
    ("channel-change", "channels", "id", {"name": "Mine", "to": ""}),
    ("channel-rotate", "channels", "key", {}),
    ("channel-remove", "channels", "key", {}),
    ("delivery-again", "deliveries", "key", {}),
    ("alert-acknowledge", "alerts", "key", {}),
    ("alert-snooze", "alerts", "key", {"hours": "4"}),
    ("activity-move", "activity_cards", "key", {"value": "down"}),
    ("activity-remove", "activity_cards", "key", {}),
)


@pytest.mark.parametrize(("form", "table", "field", "more"), FORMS)
def test_a_form_with_the_id_of_another_site_s_row_is_refused(theirs, form, table, field, more):
    before = theirs.rows()
    said = theirs.house.send(theirs.house.browsers["admin"], form, OWN, **{field: str(theirs.ids[table]), **more})
    assert said["wrong"] == {}
    assert said["message"]
    assert "Theirs" not in str(said)
    assert theirs.rows() == before


@pytest.mark.parametrize("action", ["look", "read", "read_all", "clear", "more"])
def test_the_bell_neither_shows_nor_marks_what_is_of_another_site(theirs, action):
    before, number = theirs.rows(), theirs.ids["notifications"]
    asked = {"action": action, "id": str(number), "before": str(number + 1), "at": 1}
    answer = theirs.house.call(theirs.house.browsers["admin"], "bell.answered", asked=asked)
    assert answer.json["response"]["bell"]["answered"]["rows"] == []
    assert theirs.rows() == before


@pytest.mark.parametrize("action", ["read", "more"])
@pytest.mark.parametrize("number", [MAX_ID, MAX_ID + 1, 10**18 - 1, 10**18, 2**63])
def test_the_bell_takes_the_id_of_no_row_for_none(theirs, action, number):
    before = theirs.rows()
    asked = {"action": action, "id": str(number), "before": str(number), "at": 1}
    answer = theirs.house.call(theirs.house.browsers["admin"], "bell.answered", asked=asked)
    assert answer.json["response"]["bell"]["answered"]["rows"] == []
    assert theirs.rows() == before


CALLS_OF_PROGRAMS = (
    *(("GET", kind, "") for kind in ("rules", "channels", "notifications", "alerts", "embeds", "segments")),
    *(("DELETE", kind, "") for kind in ("rules", "channels", "embeds", "segments")),
    *(("PUT", kind, "") for kind in ("rules", "channels")),
    ("POST", "channels", "/test"),
    ("POST", "rules", "/snooze"),
    ("POST", "notifications", "/read"),
    ("POST", "alerts", "/acknowledge"),
    ("POST", "alerts", "/snooze"),
)


@pytest.mark.parametrize(("method", "kind", "action"), CALLS_OF_PROGRAMS)
def test_a_program_with_the_id_of_another_site_s_row_finds_nothing(theirs, method, kind, action):
    before, browser = theirs.rows(), theirs.house.app.server.test_client()
    headers = {"Authorization": f"Bearer {theirs.key}"}
    own = theirs.ids[kind], 0, MAX_ID, MAX_ID + 1
    for site, number in (*((OWN, one) for one in own), (OTHER, theirs.ids[kind])):
        path = f"/api/v1/sites/{site}/{kind}/{number}{action}"
        answer = browser.open(path, method=method, json={"hours": 1}, headers=headers)
        assert answer.status_code == 404, (path, answer.text)
        assert "Theirs" not in answer.text
        assert SECRET not in answer.text
    assert theirs.rows() == before


def test_lists_of_programs_have_nothing_of_other_sites(theirs):
    headers = {"Authorization": f"Bearer {theirs.key}"}
    browser = theirs.house.app.server.test_client()
    for kind in ("rules", "channels", "notifications", "alerts", "deliveries", "embeds", "segments"):
        answer = browser.get(f"/api/v1/sites/{OWN}/{kind}", headers=headers)
        assert answer.status_code == 200
        assert "Theirs" not in answer.text
        assert "t0ken" not in answer.text


def test_pages_of_other_sites_show_no_row_of_theirs(theirs):
    browser = theirs.house.browsers["admin"]
    for page in ("rules", "channels", "activity"):
        assert "Theirs" not in theirs.house.drawn(browser, f"/settings/{OWN}/{page}")
        search = f"?rule={theirs.ids['rules']}&id={theirs.ids['alerts']}"
        shown = theirs.house.call(browser, "root.children", pathname=f"/settings/{OWN}/{page}", search=search)
        assert "Theirs" not in shown.text

"""`POST /api/metrics`: what programs send with an `ingest` key, and what is answered."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException

import pytest

from tests.support.serving import eventually, rows

CPU = {"name": "cpu_percent", "value": 41}
KEY_NEEDED = {"code": "unauthorized", "message": "send an ingest key: Authorization: Bearer ff_…"}


@pytest.fixture
def key(shared, site) -> str:
    """A key of the site."""
    return shared.tell("key add", name="app", scope="ingest", site=site)


@pytest.fixture
def send(shared, key):
    """Posts a body with the key of the site."""

    def post(body, key: str = key, query: str = "", **headers):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
        return shared.request("POST", f"/api/metrics{query}", sent, given)

    return post


@pytest.fixture
def kept(shared, site):
    """The samples of a site as the database has them: name, tags, value."""

    def read(domain: str | None = site):
        where = "0" if domain is None else f"(SELECT id FROM sites WHERE domain = '{domain}')"
        return rows(
            shared.config,
            "SELECT name, tags, value FROM health_samples AS sample JOIN health_series AS series "
            f"ON series.id = sample.series_id WHERE sample.site_id = {where} ORDER BY name, tags, value",
        )

    return read


def error(code: str, message: str, **more: str) -> dict[str, str]:
    return {"code": code, "message": message, **more}


def test_what_is_answered_with_202_is_in_the_database(send, kept):
    answer = send([CPU, {**CPU, "value": 43.5, "timestamp": time.time(), "tags": {"instance": "web"}, "unit": "%"}])
    assert (answer.status, answer.json) == (202, {"stored": 2})
    assert kept() == [("cpu_percent", "", 41), ("cpu_percent", '{"instance":"web"}', 43.5)]


def test_one_sample_needs_no_array(send, kept):
    assert send(CPU).json == {"stored": 1}
    assert kept() == [("cpu_percent", "", 41)]


def test_a_wrong_sample_is_refused_by_its_index_and_the_others_are_kept(send, kept):
    """NaN and 1e999, which are no JSON, sink no other sample either."""
    answer = send(
        b'[{"name":"a","value":1},{"name":"b c","value":1},{"name":"c","value":NaN},{"name":"d","value":1e999},'
        b'{"name":"e","value":2,"timestamp":5},{"name":"f","value":2,"unit":"furlong"},{"value":1},7,'
        b'{"name":"g","value":3}]'
    )
    number = error("bad_number", "`value` is no finite number below 2^63", field="value")
    name = error(
        "wrong_field", "`name` is 1 to 120 letters, digits and _.:/- that begin with a letter or _", field="name"
    )
    at = error("bad_time", "`timestamp` lies more than 7 days back or 5 minutes ahead", field="timestamp")
    unit = error("wrong_field", "`unit` is one of %, ms, s, bytes, count, per_second", field="unit")
    missing = error("missing_field", "`name` is required", field="name")
    no_object = error("not_an_object", "a sample is a JSON object")
    refused = enumerate((name, number, number, at, unit, missing, no_object), 1)
    assert (answer.status, answer.json) == (
        202,
        {"stored": 2, "rejected": [{"index": index, "error": why} for index, why in refused]},
    )
    assert kept() == [("a", "", 1), ("g", "", 3)]


def test_where_none_is_stored_the_answer_is_422(send, kept):
    wrong = error("wrong_field", "`value` is a number", field="value")
    answer = send([{"name": "a", "value": "1"}])
    assert (answer.status, answer.json) == (
        422,
        {"stored": 0, "rejected": [{"index": 0, "error": wrong}], "error": wrong},
    )
    assert kept() == []


def test_a_sample_in_another_unit_than_before_is_refused_by_its_index(send, kept):
    send({**CPU, "unit": "%"})
    answer = send([{"name": "a b", "value": 1}, {**CPU, "value": 5, "unit": "ms"}, {**CPU, "value": 6}])
    assert answer.json["stored"] == 1
    assert [one["index"] for one in answer.json["rejected"]] == [0, 1]
    assert answer.json["rejected"][1]["error"] == error(
        "wrong_field", "`cpu_percent` is measured in %, not in ms", field="unit"
    )
    assert [value for *_, value in kept()] == [6, 41]


def test_more_names_than_a_site_may_have_are_refused_with_the_name_of_the_limit(send, kept):
    answer = send([{"name": f"m{nth}", "value": nth} for nth in range(202)])
    why = error(
        "over_limit",
        "metric_names: there are 200 already, the most that a site has in a day",
        field="name",
        limit="metric_names",
    )
    assert (answer.status, answer.json["stored"]) == (202, 200)
    assert answer.json["rejected"] == [{"index": index, "error": why} for index in (200, 201)]
    assert len(kept()) == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"[", 400, "bad_json"),
        (b'[{"name":"a","value":}]', 400, "bad_json"),
        (b'[{"name":"\xff","value":1}]', 400, "bad_encoding"),
        (b"[" * 40 + b"NaN" + b"]" * 40, 400, "too_deep"),
        (b"[]", 400, "empty"),
        (json.dumps([{"name": "a", "value": 1}] * 1_001).encode(), 413, "too_many"),
        (b'"a"', 422, "not_an_object"),
        (b"NaN", 422, "not_an_object"),
        (b"null", 422, "not_an_object"),
    ],
)
def test_a_body_that_is_none(send, body, status, code):
    answer = send(body)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)


def test_a_body_above_64_kib_is_refused(send):
    padded = json.dumps([{**CPU, "tags": {"text": "x" * 200}}] * 300).encode()
    assert len(padded) > 65_536
    assert send(padded).status == 413


def test_text_is_stored_as_text(send, kept):
    text = "<script>'\" \u0000 \ud800 Zürich"
    assert send({**CPU, "tags": {"place": text}}).json == {"stored": 1}
    ((_, tags, _),) = kept()
    assert json.loads(tags) == {"place": "<script>'\" � � Zürich"}


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_key_nothing_is_stored(shared, send):
    answer = shared.request("POST", "/api/metrics", json.dumps(CPU).encode())
    assert (answer.status, answer.json["error"]) == (401, KEY_NEEDED)
    assert (send(CPU, key="ff_wrong").status, send(CPU, key="ff_wrong").json["error"]) == (401, KEY_NEEDED)


def test_a_key_that_only_reads_stores_nothing_and_an_admins_key_does(shared, site, send, kept):
    reading, managing = (shared.tell("key add", name=scope, scope=scope, site=site) for scope in ("stats", "admin"))
    refused = send(CPU, key=reading)
    assert (refused.status, refused.json["error"]) == (403, error("forbidden", "this key is not of the scope ingest"))
    assert send(CPU, key=managing).status == 202
    assert len(kept()) == 1


def test_a_key_of_a_site_sends_for_no_other(site, other_site, send, kept):
    assert send(CPU, query=f"?site={other_site}").status == 404
    assert send(CPU, query=f"?site={site}").status == 202
    assert (len(kept()), kept(other_site)) == (1, [])


def test_a_key_of_every_site_sends_for_the_one_in_the_query_or_for_the_installation(shared, site, send, kept):
    every = shared.tell("key add", name="every", scope="ingest", site=None)
    before = len(kept(None))
    assert send({**CPU, "value": 7}, key=every, query=f"?site={site}").status == 202
    assert send({**CPU, "value": 8}, key=every).status == 202
    assert send(CPU, key=every, query="?site=unknown.example").status == 404
    assert [value for *_, value in kept()] == [7]
    assert len(kept(None)) == before + 1


def test_pages_of_other_origins_may_not(send):
    assert "access-control-allow-origin" not in send(CPU, Origin="https://example.com").headers


# ── what reads them ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_on_a_sample_by_its_name_fires_within_seconds(shared, site, send):
    admin = {"Authorization": "Bearer " + shared.tell("key add", name="admin", scope="admin", site=site)}
    rule = {"name": "Disk", "when": {"metric": "disk_percent", "above": 70}}
    rule["notify"] = {"priority": "high", "title": "{metric} is {value}"}
    disk = {"name": "disk_percent"}  # no other test sends it for the installation
    path = f"/api/v1/sites/{site}"
    early = shared.request("POST", f"{path}/rules", json.dumps(rule), admin)
    assert (early.status, early.json["error"]["field"]) == (422, "when.metric")
    send({**disk, "value": 12})
    assert shared.request("POST", f"{path}/rules", json.dumps(rule), admin).status == 201
    send({**disk, "value": 93, "tags": {"instance": "web"}})
    alerts = eventually(lambda: shared.request("GET", f"{path}/alerts", headers=admin).json)
    assert [(one["title"], one["value"]) for one in alerts] == [("disk_percent is 93", 93)]


# ── much at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bodies_of_a_thousand_samples_from_many_connections_are_all_stored(send, kept):
    now = int(time.time())

    def post(nth: int):
        return send([{"name": f"m{each % 20}", "value": nth, "timestamp": now - each % 100} for each in range(1_000)])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(20)))
    assert {(answer.status, answer.json["stored"]) for answer in answers} == {(202, 1_000)}
    assert len(kept()) == 20_000


def test_what_was_answered_survives_a_kill_and_its_minutes_with_it(server):
    key = server.tell("key add", name="app", scope="ingest", site="example.com")
    headers, answered = {"Authorization": f"Bearer {key}"}, threading.Semaphore(0)
    sent = json.dumps([{**CPU, "value": 3}] * 10).encode()

    def post() -> int:
        """How many samples were answered with 202 until the server was gone."""
        stored = 0
        with suppress(OSError, HTTPException):
            while True:
                stored += server.request("POST", "/api/metrics", sent, headers).json["stored"]
                answered.release()
        return stored

    with ThreadPoolExecutor(2) as pool:
        posting = [pool.submit(post) for _ in range(2)]
        for _ in range(20):
            answered.acquire()
        server.kill()
        stored = sum(one.result() for one in posting)
    ((samples,),) = rows(server.config, "SELECT count(*) FROM health_samples")
    assert stored <= samples <= stored + 20  # what was under way may be stored without an answer
    assert rows(server.config, "SELECT sum(count), sum(sum) FROM health_minutes") == [(samples, samples * 3)]

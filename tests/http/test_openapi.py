"""The OpenAPI document and its page tell of every public route, and of nothing else."""

from __future__ import annotations

import json
import re
from html import escape

import pytest
from house import open_house

from analytics.base.config import Config
from analytics.query.dimensions import DIMENSIONS
from analytics.query.metrics import METRICS
from collector.doors import openapi
from collector.doors.door import Collects
from collector.doors.table import DOORS
from collector.ingest.event import Event


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        yield house


def test_every_public_route_is_described_with_its_methods(house):
    described = {path: set(methods) for path, methods in openapi.document(DOORS)["paths"].items()}
    assert described.keys() == house.routes.paths
    browser = house.app.server.test_client()
    for path, methods in described.items():
        allowed = {one.lower() for one in browser.open(path, method="TRACE").headers["Allow"].split(", ")}
        assert methods == allowed - {"head", "options"}, path


def test_the_document_is_served_to_everybody_as_json(house):
    answer = house.app.server.test_client().get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == openapi.document(DOORS)


def test_every_field_metric_and_dimension_has_a_word(house):
    schemas = openapi.document(DOORS)["components"]["schemas"]
    assert list(schemas["Event"]["properties"]) == list(Event.__struct_fields__)
    assert all(field["description"] for field in schemas["Event"]["properties"].values())
    assert schemas["Query"]["properties"]["metrics"]["items"]["enum"] == list(METRICS)
    description = schemas["Query"]["properties"]["dimensions"]["description"]
    assert all(one.wire in description for one in DIMENSIONS.values())


def test_every_body_of_a_collecting_door_has_fields(house):
    shown = {one.path: one.fields for one in openapi.operations(DOORS) if one.method == "POST"}
    bodies = [door.path for door in DOORS if isinstance(door, Collects) and door.methods == ("POST",)]
    assert sorted(bodies) == ["/api/batch", "/api/collect", "/api/event", "/api/send"]
    for path in bodies:
        assert len(shown[path]) > 10, path
        assert all(kind and meaning for _, kind, meaning in shown[path]), path
    page = house.app.server.test_client().get("/api/docs").text
    for path in bodies:
        assert all(f"<dt><code>{escape(name)}</code>" in page for name, *_ in shown[path]), path


def test_names_and_types_of_foreign_fields():
    shown = {one.path: {name: kind for name, kind, _ in one.fields} for one in openapi.operations(DOORS)}
    assert shown["/api/batch"] == shown["/api/send"]
    umami = {"payload": "object, required", "payload.website": "text, required", "payload.timestamp": "number"}
    assert (
        shown["/api/send"].items()
        >= ({"type": "event | identify | performance | engagement, required"} | umami).items()
    )
    plausible = {"n": "text or whole number", "name": "text or whole number", "props": "object or text", "i": "boolean"}
    assert shown["/api/event"].items() >= plausible.items()


def test_one_name_of_a_required_field_is_enough():
    schema = openapi.document(DOORS)["components"]["schemas"]["PlausibleEvent"]
    assert schema["required"] == []
    assert schema["allOf"] == [
        {"anyOf": [{"required": ["n"]}, {"required": ["name"]}]},
        {"anyOf": [{"required": ["u"]}, {"required": ["url"]}]},
    ]
    assert schema["properties"]["n"]["description"].endswith(" Required, as n or name.")
    assert schema["properties"]["name"]["description"] == "The same as n."


def test_references_lead_somewhere():
    document = openapi.document(DOORS)
    found = re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document))
    assert set(found) == document["components"]["schemas"].keys()
    used = {name for methods in document["paths"].values() for one in methods.values() for name in _keys(one)}
    assert used == document["components"]["securitySchemes"].keys()


def _keys(operation):
    return [name for one in operation.get("security", ()) for name in one]


def test_the_page_shows_every_route_and_asks_nothing_of_others(house):
    answer = house.app.server.test_client().get("/api/docs")
    assert answer.status_code == 200
    for one in openapi.operations(DOORS):
        assert f"<b>{one.method}</b> {one.path}</code>" in answer.text
        assert f">{escape(one.summary)}</h3>" in answer.text.replace("&#39;", "&#x27;")
    assert re.findall(r'(?:src|href)="(?:https?:)?//', answer.text) == []


def test_the_settings_of_keys_lead_to_the_page(house):
    site = house.add_site("example.com")
    owner = house.join("owner@example.com", "owner", [site])
    drawn = json.loads(house.drawn(owner, "/settings/example.com/keys"))
    assert '"href": "/api/docs"' in json.dumps(drawn)

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
from collector.doors.door import Credential
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


def test_references_lead_somewhere():
    document = openapi.document(DOORS)
    found = re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document))
    assert set(found) == document["components"]["schemas"].keys()
    used = {name for methods in document["paths"].values() for one in methods.values() for name in _keys(one)}
    assert used == document["components"]["securitySchemes"].keys() - {Credential.INGEST}


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

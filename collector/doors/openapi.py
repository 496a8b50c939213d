"""The doors in words: an OpenAPI document, which programs read and the page of the API shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from collector.api.docs import JSON, Docs, Object
from collector.doors.door import Credential, Door, Who
from collector.http.messages import Response, json_response

PATH = "/api/openapi.json"
DOCS = Docs("Health", "This description", "OpenAPI 3.1.", {"200": "The document."})
WHO = {
    Credential.INGEST: "A key of the scope ingest.",
    Credential.STATS: "A key of the scope stats.",
    Credential.LOGIN: "The cookie of somebody who is signed in.",
    Credential.TOKEN: "The token of a card.",
}
REFUSALS = {
    "400": "Something of it cannot be read.",
    "401": "No key, or a wrong one.",
    "404": "There is no such site, or it is not yours to read.",
    "413": "The body is larger than 64 KiB.",
    "415": "The body is neither application/json nor text/plain, or it is compressed.",
    "422": "A field is wrong or missing; field names it.",
    "429": "Too many. Retry-After says in how many seconds to come back.",
    "503": "Not now: the database is away, too much waits, or minutes are still being counted. Retry-After as above.",
}

Doors = tuple[Door, ...]


def document(doors: Doors, base_path: str = "") -> Object:
    """The whole document, OpenAPI 3.1. Its server is the host that it was fetched from, below `base_path`."""
    paths: Object = {}
    schemas: Object = {}
    for door, docs in _described(doors):
        paths.setdefault(door.path, {})[door.methods[0].lower()] = _route(docs, door.who)
        schemas |= docs.sent.components if docs.sent else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footfall",
            "version": "1",
            "description": "Live traffic analytics, hosted by you. Times are epoch seconds unless said otherwise.",
        },
        "servers": [{"url": base_path or "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _schemes()},
    }


def answer(doors: Doors, base_path: str) -> Response:
    """What `GET /api/openapi.json` answers."""
    headers = (("Cache-Control", "no-cache"), ("Access-Control-Allow-Origin", "*"))
    return json_response(200, document(doors, base_path), headers)


def _described(doors: Doors) -> Iterator[tuple[Door, Docs]]:
    return ((door, door.docs) for door in doors if door.docs)


def _schemes() -> Object:
    key = {"type": "http", "scheme": "bearer"}
    kinds: dict[Credential, Object] = {
        Credential.INGEST: key,
        Credential.STATS: key,
        Credential.LOGIN: {"type": "apiKey", "in": "cookie", "name": "footfall_login"},
        Credential.TOKEN: {"type": "apiKey", "in": "query", "name": "token"},
    }
    return {str(one): kind | {"description": WHO[one]} for one, kind in kinds.items()}


def _route(docs: Docs, who: Who) -> Object:
    """An operation."""
    known: Object = {status: {"description": text} for status, text in docs.answers.items()}
    first = next(iter(known.values()))
    first["content"] = {docs.kind: {} if docs.example is None else {"example": docs.example}}
    operation: Object = {
        "tags": [docs.tag],
        "summary": docs.summary,
        "description": docs.said,
        "responses": known | {status: {"description": REFUSALS[status]} for status in docs.refusals},
    }
    if docs.parameters:
        operation["parameters"] = list(docs.parameters)
    if docs.sent:
        media = {"schema": docs.sent.schema, "example": docs.sent.example}
        operation["requestBody"] = {"required": True, "content": {JSON: media}}
    if who:
        operation["security"] = [{str(one): []} for one in who]
    return operation


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Operation(NamedTuple):
    """A route as people read it. `fields` are those of its body: name, type, meaning; texts are empty for none."""

    tag: str
    method: str
    path: str
    summary: str
    said: str
    who: tuple[str, ...]
    parameters: tuple[tuple[str, str, str], ...]
    fields: tuple[tuple[str, str, str], ...]
    sent: str
    answers: tuple[tuple[str, str], ...]
    answered: str


def operations(doors: Doors) -> tuple[Operation, ...]:
    """Every route of the document, in its order."""
    whole = document(doors)
    return tuple(
        _operation(path, method, operation, whole["components"]["schemas"])
        for path, methods in whole["paths"].items()
        for method, operation in methods.items()
    )


def _operation(path: str, method: str, told: Object, schemas: Object) -> Operation:
    body = told.get("requestBody", {}).get("content", {}).get(JSON, {})
    answer = next(iter(told["responses"].values()))["content"]
    return Operation(
        told["tags"][0],
        method.upper(),
        path,
        told["summary"],
        told["description"],
        tuple(WHO[Credential(name)] for one in told.get("security", ()) for name in one),
        tuple((one["name"], _kind(one["schema"]), one["description"]) for one in told.get("parameters", ())),
        tuple(_fields(body.get("schema", {}), schemas)),
        _example(body),
        tuple((status, one["description"]) for status, one in told["responses"].items()),
        _example(next(iter(answer.values()))),
    )


def _fields(schema: Object, schemas: Object) -> Iterator[tuple[str, str, str]]:
    reference = schema.get("$ref") or (schema["oneOf"][0]["$ref"] if "oneOf" in schema else "")
    known = schemas.get(reference.rpartition("/")[2], {})
    for name, field in known.get("properties", {}).items():
        yield name, _kind(field) + (", required" if name in known["required"] else ""), field["description"]


def _kind(schema: Object) -> str:
    """A type in a word or two."""
    for several in ("anyOf", "oneOf"):
        if several in schema:
            kinds = dict.fromkeys(map(_kind, schema[several]))
            return " or ".join(kind for kind in kinds if kind != "whole number" or "number" not in kinds)
    if "enum" in schema:
        return " | ".join(schema["enum"]) if len(schema["enum"]) < 6 else "name"
    kind = str(schema["type"])
    return {"integer": "whole number", "array": "list", "string": "text"}.get(kind, kind)


def _example(media: Object) -> str:
    return json.dumps(media["example"], indent=2, ensure_ascii=False) if "example" in media else ""

"""The documentation of the doors: an OpenAPI document for programs, and the same for the API page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from collector.api.docs import JSON, Docs, Object
from collector.doors.door import Credential, Credentials, Door
from collector.http.messages import Response, json_response

PATH = "/api/openapi.json"
DOCS = Docs("Health", "This description", "OpenAPI 3.1.", {"200": "The document."})
CREDENTIALS = {
    Credential.INGEST: "A key of the scope ingest.",
    Credential.STATS: "A key of the scope stats.",
    Credential.ADMIN: "A key of the scope admin.",
    Credential.LOGIN: "The cookie of somebody who is signed in.",
    Credential.TOKEN: "The token of a card.",
}
REFUSALS = {
    "400": "Something of it cannot be read.",
    "401": "No key, or a wrong one.",
    "403": "The key has another scope.",
    "404": "There is no such site or thing, or it is not yours.",
    "413": "The body is larger than 64 KiB.",
    "415": "The body is neither application/json nor text/plain, or it is compressed.",
    "422": "A field is wrong or missing; field names it.",
    "429": "Too many. Retry-After says in how many seconds to come back.",
    "503": "Not now: the database is away, too much waits, or minutes are still being counted. Retry-After as above.",
}

Doors = tuple[Door, ...]


def document(doors: Doors, base_path: str = "") -> Object:
    """The whole document, OpenAPI 3.1. Its server is the host from which it was fetched, with `base_path`."""
    paths: Object = {}
    schemas: Object = {}
    for door, docs in _described(doors):
        paths.setdefault(door.path, {})[door.methods[0].lower()] = _route(docs, door.credentials)
        schemas |= docs.body.components if docs.body else {}
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
    """The answer to `GET /api/openapi.json`."""
    headers = (("Cache-Control", "no-cache"), ("Access-Control-Allow-Origin", "*"))
    return json_response(200, document(doors, base_path), headers)


def _described(doors: Doors) -> Iterator[tuple[Door, Docs]]:
    return ((door, door.docs) for door in doors if door.docs)


def _schemes() -> Object:
    key = {"type": "http", "scheme": "bearer"}
    kinds: dict[Credential, Object] = {
        Credential.INGEST: key,
        Credential.STATS: key,
        Credential.ADMIN: key,
        Credential.LOGIN: {"type": "apiKey", "in": "cookie", "name": "footfall_login"},
        Credential.TOKEN: {"type": "apiKey", "in": "query", "name": "token"},
    }
    return {str(one): kind | {"description": CREDENTIALS[one]} for one, kind in kinds.items()}


def _route(docs: Docs, credentials: Credentials) -> Object:
    """The operation object of a door."""
    answers: Object = {status: {"description": text} for status, text in docs.answers.items()}
    first = next(iter(answers.values()))
    first["content"] = {docs.kind: {} if docs.example is None else {"example": docs.example}}
    operation: Object = {
        "tags": [docs.tag],
        "summary": docs.summary,
        "description": docs.description,
        "responses": answers | {status: {"description": REFUSALS[status]} for status in docs.refusals},
    }
    if docs.parameters:
        operation["parameters"] = list(docs.parameters)
    if docs.body:
        media = {"schema": docs.body.schema, "example": docs.body.example}
        operation["requestBody"] = {"required": True, "content": {JSON: media}}
    if credentials:
        operation["security"] = [{str(one): []} for one in credentials]
    return operation


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Operation(NamedTuple):
    """A route on the API page.

    `fields` are those of the request body: name, type, meaning; `parameters` as well. Examples are "" if there is none.
    """

    tag: str
    method: str
    path: str
    summary: str
    description: str
    credentials: tuple[str, ...]
    parameters: tuple[tuple[str, str, str], ...]
    fields: tuple[tuple[str, str, str], ...]
    request_example: str
    answers: tuple[tuple[str, str], ...]
    response_example: str


def operations(doors: Doors) -> tuple[Operation, ...]:
    """All routes of the document, in its order."""
    whole = document(doors)
    return tuple(
        _operation(path, method, operation, whole["components"]["schemas"])
        for path, methods in whole["paths"].items()
        for method, operation in methods.items()
    )


def _operation(path: str, method: str, operation: Object, schemas: Object) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    answer = next(iter(operation["responses"].values()))["content"]
    return Operation(
        operation["tags"][0],
        method.upper(),
        path,
        operation["summary"],
        operation["description"],
        tuple(CREDENTIALS[Credential(name)] for one in operation.get("security", ()) for name in one),
        tuple((one["name"], _kind(one["schema"]), one["description"]) for one in operation.get("parameters", ())),
        tuple(_fields(_referenced(body.get("schema", {}), schemas))),
        _example(body),
        tuple((status, one["description"]) for status, one in operation["responses"].items()),
        _example(next(iter(answer.values()))),
    )


def _referenced(schema: Object, schemas: Object) -> Object:
    """The schema of the object that a body is, or is a list of; empty if there is no body."""
    if "oneOf" in schema:
        return _referenced(schema["oneOf"][0], schemas)
    if "items" in schema:
        return _referenced(schema["items"], schemas)
    found: Object = schemas[schema["$ref"].rpartition("/")[2]] if schema else {}
    return found


def _fields(schema: Object, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """The fields of an object; those of an object within it follow it, their names after its name and a dot."""
    for name, field in schema.get("properties", {}).items():
        required = ", required" if name in schema.get("required", ()) else ""
        yield prefix + name, _kind(field) + required, field["description"]
        yield from _fields(field, f"{prefix}{name}.")


def _kind(schema: Object) -> str:
    """The type in one or two words."""
    for combination in ("anyOf", "oneOf"):
        if combination in schema:
            kinds = dict.fromkeys(map(_kind, schema[combination]))
            return " or ".join(kind for kind in kinds if kind != "whole number" or "number" not in kinds)
    if "enum" in schema:
        return " | ".join(schema["enum"]) if len(schema["enum"]) < 6 else "name"
    kind = str(schema["type"])
    return {"integer": "whole number", "array": "list", "string": "text"}.get(kind, kind)


def _example(media: Object) -> str:
    return json.dumps(media["example"], indent=2, ensure_ascii=False) if "example" in media else ""

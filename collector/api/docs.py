"""The documentation of a door, for the OpenAPI document and the API page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

JSON = "application/json"
Object = dict[str, Any]

STRING: Object = {"type": "string"}
INTEGER: Object = {"type": "integer"}
NUMBER: Object = {"type": "number"}
BOOLEAN: Object = {"type": "boolean"}


def either(*schemas: Object) -> Object:
    """The schema of a value that has one of several types."""
    return {"anyOf": list(schemas)}


class Field(NamedTuple):
    """A field of a JSON object: its schema, what it means, and its other names, any of which may be sent instead."""

    name: str
    schema: Object
    meaning: str
    other_names: tuple[str, ...] = ()
    required: bool = False


def object_schema(fields: Iterable[Field]) -> Object:
    """The schema of an object with these fields, in their order; the other names of a field follow it."""
    properties: Object = {}
    required: list[str] = []
    alternatives: list[Object] = []
    for field in fields:
        names = (field.name, *field.other_names)
        for name in names:
            meaning = field.meaning if name == field.name else f"The same as {field.name}."
            properties[name] = field.schema | {"description": meaning}
        if field.required and field.other_names:
            properties[field.name]["description"] += f" Required, as {' or '.join(names)}."
            alternatives.append({"anyOf": [{"required": [name]} for name in names]})
        elif field.required:
            required.append(field.name)
    schema: Object = {"type": "object", "properties": properties, "required": required}
    return schema | ({"allOf": alternatives} if alternatives else {})


class RequestBody(NamedTuple):
    """The request body of a door.

    `schema` is the JSON schema of the whole body. It refers to `components`: the schemas of objects, by their names in
    the OpenAPI document. The API page shows the fields of the object to which it refers.
    """

    schema: Object
    example: Any
    components: Mapping[str, Object]


def reference(name: str) -> Object:
    """The schema of the component with that name."""
    return {"$ref": f"#/components/schemas/{name}"}


class Docs(NamedTuple):
    """The documentation of a door.

    `answers` has descriptions by status, the usual one first; `refusals` are statuses that `openapi` describes.
    `example` is a whole answer of the first status, in the content type `kind`.
    """

    tag: str
    summary: str
    description: str
    answers: Mapping[str, str]
    refusals: tuple[str, ...] = ()
    parameters: tuple[Object, ...] = ()
    body: RequestBody | None = None
    example: Any = None
    kind: str = JSON


def parameter(name: str, description: str, *, required: bool = False) -> Object:
    """The OpenAPI object of a query parameter."""
    return {"name": name, "in": "query", "required": required, "description": description, "schema": STRING}


def path_parameter(name: str, description: str) -> Object:
    """The OpenAPI object of a place in the path of a door."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": STRING}


SITE = parameter("site", "The site's domain, as added.", required=True)

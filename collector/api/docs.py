"""What a door says of itself in the OpenAPI document and on the page of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

JSON = "application/json"
Object = dict[str, Any]


class RequestBody(NamedTuple):
    """The body that a door takes: its JSON schema, an example, and the schemas that it refers to, by name."""

    schema: Object
    example: Any
    components: Mapping[str, Object] = {}


class Docs(NamedTuple):
    """A door in words. `answers` by status, the usual one first; `refusals` are statuses whose words `openapi` has;
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
    """A parameter of the address."""
    return {"name": name, "in": "query", "required": required, "description": description, "schema": {"type": "string"}}


SITE = parameter("site", "The site's domain, as added.", required=True)

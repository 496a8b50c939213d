"""The documentation of a door, for the OpenAPI document and the API page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

JSON = "application/json"
Object = dict[str, Any]


class RequestBody(NamedTuple):
    """The request body of a door: its JSON schema, an example, and the schemas to which it refers, by name."""

    schema: Object
    example: Any
    components: Mapping[str, Object] = {}


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
    return {"name": name, "in": "query", "required": required, "description": description, "schema": {"type": "string"}}


SITE = parameter("site", "The site's domain, as added.", required=True)

"""The page of the API: every public route in words, for people."""

from __future__ import annotations

import flask

from collector.doors import openapi
from collector.doors.table import DOORS
from layouts import plain

PATH = "/api/docs"


def register(server: flask.Flask, *, version: str, base_url: str) -> None:
    """Adds `/api/docs`, open to everybody: it reveals nothing about this installation."""

    def show() -> str:
        address = base_url or flask.request.host_url.rstrip("/")
        return plain.render("api", version=version, address=address, operations=openapi.operations(DOORS))

    server.add_url_rule(PATH, "api_docs", show, methods=["GET"])

"""What a page is drawn from."""

from __future__ import annotations

from typing import NamedTuple

import flask

from analytics.sites.site import Site
from collector.http.messages import Request
from collector.service import Service


class Asked(NamedTuple):
    """A page that was asked for, by somebody who may see it.

    `site` is the one that the address names, None where it names none.
    """

    service: Service
    site: Site | None

    @property
    def address(self) -> str:
        """The server's, as people reach it."""
        return address(self.service)


def address(service: Service) -> str:
    """The server's address as people reach it, without a slash at its end."""
    return service.config.base_url or flask.request.url_root.rstrip("/")


def client(service: Service) -> str:
    """The IP address of whoever asks, past the trusted proxies."""
    asked = flask.request
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return service.proxies.client(Request(asked.method, asked.path, "", headers, asked.remote_addr or "127.0.0.1"))

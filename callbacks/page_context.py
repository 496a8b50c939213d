"""What the layout of a page gets, and the addresses of server and client."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

import flask

from analytics.sites.site import Site
from collector.http.messages import Request
from collector.service import Service


class PageContext(NamedTuple):
    """A requested page that the person may see.

    `named` is the site in its address, None where there is none; `search` is the query string of the address.
    """

    service: Service
    named: Site | None
    search: object = ""

    @property
    def site(self) -> Site:
        """The site in the address, for the pages of a site."""
        assert self.named
        return self.named

    @property
    def address(self) -> str:
        """The server's address, as people reach it."""
        return address(self.service)


def parameters(search: object) -> dict[str, str]:
    """The parameters of a query string, with the last value of each that is not empty; {} for what no page sends."""
    return dict(parse_qsl(search.removeprefix("?"))) if isinstance(search, str) else {}


def address(service: Service) -> str:
    """The server's address as people reach it, without a slash at its end."""
    return service.config.base_url or flask.request.url_root.rstrip("/")


def client(service: Service) -> str:
    """The IP address of the client, behind the trusted proxies."""
    request = flask.request
    headers = {name.lower(): value for name, value in request.headers.items()}
    return service.proxies.client(
        Request(request.method, request.path, "", headers, request.remote_addr or "127.0.0.1")
    )

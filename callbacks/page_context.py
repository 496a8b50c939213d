"""What the layout of a page gets, and the addresses of server and client."""

from __future__ import annotations

from typing import NamedTuple

import flask

from analytics.sites.site import Site
from collector.http.messages import Request
from collector.service import Service


class PageContext(NamedTuple):
    """A requested page that the person may see. `named` is the site in its address, None where there is none."""

    service: Service
    named: Site | None

    @property
    def site(self) -> Site:
        """The site in the address, for the pages of a site."""
        assert self.named
        return self.named

    @property
    def address(self) -> str:
        """The server's address, as people reach it."""
        return address(self.service)


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

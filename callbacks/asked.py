"""What a page is drawn from."""

from __future__ import annotations

from typing import NamedTuple

import flask

from analytics.sites import Site
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

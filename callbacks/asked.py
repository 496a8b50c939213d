"""What a page is drawn from."""

from __future__ import annotations

from typing import NamedTuple

from analytics.sites import Site
from collector.service import Service


class Asked(NamedTuple):
    """A page that was asked for, by somebody who may see it.

    `site` is the one that the address names, None where it names none. `address` is the server's, as people reach it.
    """

    service: Service
    site: Site | None
    address: str

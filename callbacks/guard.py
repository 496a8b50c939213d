"""The only door from browser input to a site."""

from __future__ import annotations

from analytics.sites import Site
from collector.service import Service


class NotYours(LookupError):
    """There is no such site for whoever asks."""


def authorized(service: Service, domain: object) -> Site:
    """The site that was asked for; `NotYours` where there is none. Who may ask at all, the gate has decided."""
    site = service.sites.get(domain) if isinstance(domain, str) else None
    if site is None:
        raise NotYours(str(domain)[:100])
    return site

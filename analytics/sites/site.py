"""The site: what is measured, and which pages and visitors count."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from analytics.base import idn
from analytics.base.addresses import Network
from analytics.base.errors import InvalidInput, message
from analytics.base.wildcards import Wildcards

DOMAIN = re.compile(r"^(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*$")


@dataclass(frozen=True, slots=True)
class Site:
    """One site.

    `hosts` count in addition to the domain and its subdomains. `timezone` is an IANA name. `week_start` is 0 (Monday)
    to 6. `retention_days` is that of heartbeats; None means the installation's setting. `demo`: its traffic is
    simulated. `uuid` is the name by which Umami's script knows it. `overview_period` is the preset with which its
    Overview opens.
    """

    id: int
    domain: str
    name: str
    timezone: str
    identity: str = "daily"
    week_start: int = 0
    hosts: tuple[str, ...] = ()
    excluded_addresses: tuple[Network, ...] = ()
    excluded_paths: tuple[str, ...] = ()
    excluded_hosts: tuple[str, ...] = ()
    retention_days: int | None = None
    demo: bool = False
    uuid: str = ""
    overview_period: str = "30d"
    wildcards: Wildcards | None = field(default=None, compare=False, repr=False)  # of the excluded paths

    @property
    def shown_domain(self) -> str:
        """The domain as people read it (`idn.to_letters`)."""
        return idn.to_letters(self.domain)

    def allows_host(self, host: str) -> bool:
        """Whether pages of the host count: it is the domain, a subdomain or a listed host."""
        domain = self.domain.removeprefix("www.")
        return host == domain or host.endswith("." + domain) or host in self.hosts

    def excludes_host(self, host: str) -> bool:
        """Whether the owner excluded the host or a parent domain of it. A host in `hosts` is never excluded."""
        if not self.excluded_hosts or host in self.hosts:
            return False
        return any(host == one or host.endswith("." + one) for one in self.excluded_hosts)

    def excludes_address(self, address: str) -> bool:
        """Whether the owner excluded visitors with this address (in its plain form)."""
        if not self.excluded_addresses:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in one for one in self.excluded_addresses)

    def excludes_path(self, path: str) -> bool:
        """Whether the owner excluded the page."""
        return self.wildcards is not None and self.wildcards.match(path)


def normal_domain(text: str) -> str:
    """The domain as it is stored, from what people paste: `https://Example.com/` becomes `example.com`.

    Letters beyond ASCII become IDNA: `müller.example` becomes `xn--mller-kva.example`. `InvalidInput` if the text has
    no domain.
    """
    domain = idn.to_ascii(re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/")[0].split(":")[0]).strip(".")
    if not DOMAIN.match(domain) or len(domain) > 253:
        raise InvalidInput(
            message("{domain} is no domain; give it with its ending, like example.com", domain=repr(text))
        )
    return domain


def readable_domain(text: str) -> str:
    """The domain as it is stored; "" if the text has none."""
    try:
        return normal_domain(text)
    except InvalidInput:
        return ""


def other_form(domain: str) -> str:
    """The domain without `www.` if it has that, else with it."""
    return domain[4:] if domain.startswith("www.") else "www." + domain

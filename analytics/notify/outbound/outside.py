"""What sending needs of the installation: the settings of channels, and the certificates that are trusted."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from analytics.base.addresses import Network
from analytics.base.config import Config
from analytics.base.mail_server import MailServer
from analytics.base.name_lookup import Resolve, addresses_of
from analytics.base.rate_limit import RateLimit
from analytics.notify.pace import TESTS


@dataclass(frozen=True, slots=True)
class Outside:
    """The networks that channels may reach besides public addresses, the mail server (None: no mail), the trusted
    certificates, the resolver of names, and the address of the dashboard ("" if unknown: messages have no links).
    `tests` limits the tests of channels, by the id of their site.
    """

    allowed: tuple[Network, ...]
    mail: MailServer | None
    trust: ssl.SSLContext
    resolve: Resolve = addresses_of
    base_url: str = ""
    tests: RateLimit = field(default_factory=lambda: RateLimit(*TESTS))


def outside_of(config: Config) -> Outside:
    """What the settings say; the certificates are those of the system."""
    trust = ssl.create_default_context()
    return Outside(config.allowed_targets, config.smtp_url, trust, base_url=config.base_url)

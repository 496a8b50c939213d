"""A channel: where notifications go besides the dashboard."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from analytics.base.words import N_

NO_LINKS = N_("Messages have no links: FOOTFALL_BASE_URL is empty, so the address of the dashboard is unknown.")


class ChannelKind(StrEnum):
    """What a channel is; each has its file in `outbound/`."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    DISCORD = "discord"
    EMAIL = "email"
    APPRISE = "apprise"


class NotificationChannel(NamedTuple):
    """One channel of a site. `secret` signs a webhook (`whsec_…`, or two of them with a space while it is changed).

    `disabled_at` is None while it is used. `failing_since`: when the first attempt failed after the last one that
    succeeded, None if none did. Times are epoch seconds.
    """

    id: int
    site_id: int
    kind: str
    name: str
    address: str
    secret: str
    disabled_at: int | None = None
    disabled_why: str = ""
    failing_since: int | None = None

    @property
    def shown_name(self) -> str:
        """Its name, else its kind and number: never its address, which may contain a secret."""
        return self.name or f"{self.kind} {self.id}"

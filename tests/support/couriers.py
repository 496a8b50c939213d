"""A courier on invented time."""

from __future__ import annotations

from typing import Any

from analytics.notify.courier import Courier
from analytics.notify.delivery import DeliveryState
from analytics.notify.outbound.outside import Outside
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.channels import outside
from tests.support.factories import NOW, rows

OPEN = DeliveryState.WAITING, DeliveryState.GROUPED, DeliveryState.HELD


class Invented:
    """A courier on invented time: `pass_until` makes every attempt that is due until then, each at its moment."""

    def __init__(self, database: Database, settings: Outside | None = None, **more: Any) -> None:
        self.now = NOW
        self.database = database
        self.courier = Courier(database, settings or outside(), clock=lambda: self.now, jitter=lambda: 0.0, **more)

    def pass_until(self, end: int) -> list[int]:
        """The moments at which something was sent, in seconds after `NOW`."""
        moments = []
        while (due := self._next()) is not None and due <= end:
            self.now = max(self.now, due)
            begun = self.courier.deliver_due(self.now)
            self.courier.settle(30)
            moments += [self.now - NOW] * begun
            self.now += 0 if begun else 1  # the channel is to be left alone
        self.now = max(self.now, end)
        return moments

    def _next(self) -> int | None:
        due = rows(self.database, schema.deliveries, "next_at", "state")
        return min((at for at, state in due if state in OPEN), default=None)

"""The wire formats in which visits may be sent, by their paths: a new one is a file here and a line below."""

from __future__ import annotations

from collections.abc import Mapping

from collector.doors import collect, plausible_event, umami_send
from collector.doors.wire import Wire

WIRES: Mapping[str, Wire] = {
    wire.path: wire for wire in (collect.WIRE, plausible_event.WIRE, umami_send.WIRE, umami_send.BATCH)
}

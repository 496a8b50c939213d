"""The commands that a running server executes for its control socket."""

from __future__ import annotations

from functools import partial
from typing import Any

from analytics.commands import registry
from analytics.notify.outbound.outside import outside_of
from collector.control import OnProgress, RunCommand
from collector.imports import commands as imports
from collector.imports.context import ImportContext
from collector.service import Service


def served_commands(service: Service, address: str, local: str) -> RunCommand:
    """The function that runs a command of the control socket.

    `address` is the server's public address, `local` the one for programs on this machine.
    """

    def run(name: str, options: dict[str, Any], on_progress: OnProgress) -> str:
        if name == "address":
            return local
        if name in imports.BY_NAME:
            days = service.config.heartbeat_retention_days
            context = ImportContext(service.database, service.kit, service.pause, on_progress, days, in_server=True)
            return imports.BY_NAME[name].run(context, **options)
        try:
            days, window_s = service.config.heartbeat_retention_days, service.config.active_window_s
            means = {"retention_days": days, "pause": service.pause, "report": on_progress, "window_s": window_s}
            means |= {"columnar": service.columnar, "secret": service.secret}
            means |= {"sample_days": service.config.sample_retention_days}
            means |= {"outside": partial(outside_of, service.config)}
            return registry.run(service.database, address, name, options, **means)
        finally:
            service.refresh()

    return run

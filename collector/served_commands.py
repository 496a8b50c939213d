"""The commands that come to a running server over its control socket."""

from __future__ import annotations

from typing import Any

from analytics import commands
from collector.control import Run, Tell
from collector.imports import log_import
from collector.service import Service


def served_commands(service: Service, address: str, local: str) -> Run:
    """Runs the commands that come through the control socket: `address` is what people use, `local` ours."""

    def run(name: str, options: dict[str, Any], tell: Tell) -> str:
        if name == "address":
            return local
        if name == log_import.COMMAND:
            return log_import.run(
                log_import.ImportContext(service.database, service.kit, service.pause, tell, in_server=True), **options
            )
        try:
            days, window_s = service.config.heartbeat_retention_days, service.config.active_window_s
            means = {"retention_days": days, "pause": service.pause, "report": tell, "window_s": window_s}
            means |= {"columnar": service.columnar, "secret": service.secret}
            return commands.run(service.database, address, name, options, **means)
        finally:
            service.refresh()

    return run

"""The collector mounted in another application (`collector.mount`); the first request opens it."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from analytics.base.config import Config, WrongSetting, config_with
from analytics.base.error_log import Description, describe
from analytics.base.errors import InvalidInput
from analytics.storage.database import DatabaseInUse
from collector.control import Control
from collector.doors.cors import CORS
from collector.doors.table import PATHS
from collector.doors.wsgi import DoorMiddleware
from collector.http.messages import error, with_security_headers, without_extra_slashes
from collector.http.wsgi_bridge import Wsgi
from collector.served_commands import served_commands
from collector.service import Service

log = logging.getLogger("footfall.mount")

ADDRESS = "http://127.0.0.1:8050"  # where Dash listens by default
RETRY_S = 5.0  # after a failed attempt to open the collector
NOT_OPEN = error(503, "not_open", "the collector cannot be opened; the log says why", (*CORS, ("Retry-After", "5")))


def attach_to(server: Any, settings: Mapping[str, Any]) -> None:
    """Puts a collector in front of a Flask server; the names of `settings` are in lower case."""
    server.wsgi_app = _Mounted(server, config_with(settings, "collector.mount"))


class _Mounted:
    """A WSGI application: the collector answers its own paths, the original application all others."""

    def __init__(self, server: Any, config: Config) -> None:
        self._server = server
        self._application: Wsgi = server.wsgi_app
        self._config = config
        self._opening = threading.Lock()
        self._door: DoorMiddleware | None = None
        self._failed_at = -RETRY_S

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in self._own_paths and without_extra_slashes(path) not in self._own_paths:
            return self._application(environ, start_response)
        door = self._door or self._open_if_due()
        if door is None:
            start_response("503 Service Unavailable", list(with_security_headers(NOT_OPEN.headers)))
            return [NOT_OPEN.body]
        return door(environ, start_response)

    @cached_property
    def _own_paths(self) -> frozenset[str]:
        """The paths that the collector answers: its own without those of the application."""
        base_path = self._config.base_path
        application_paths = {
            without_extra_slashes(rule.rule) for rule in self._server.url_map.iter_rules() if not rule.arguments
        }
        return frozenset(base_path + path for path in PATHS) - application_paths

    def _open_if_due(self) -> DoorMiddleware | None:
        """The collector's door, opened in this process, since servers may fork after loading; None if that fails."""
        with self._opening:
            if self._door is None and time.monotonic() - self._failed_at >= RETRY_S:
                try:
                    self._door = self._open()
                except (InvalidInput, WrongSetting, DatabaseInUse, SQLAlchemyError, OSError) as failed:
                    self._failed_at = time.monotonic()
                    log.error("the collector cannot be opened: %s", _reason(failed))
            return self._door

    def _open(self) -> DoorMiddleware:
        service = Service(self._config)
        address = self._config.base_url or ADDRESS
        try:
            control = Control(self._config.data_dir, served_commands(service, address, address))
        except OSError:
            service.close()
            raise
        atexit.register(service.close)
        atexit.register(control.close)
        return DoorMiddleware(
            self._application, service.routes(lambda _: None)
        )  # there are no logins here, only keys and tokens


def _reason(failed: Exception) -> str | Description:
    """The failure in one line. Only our own exceptions are quoted: other messages may contain addresses."""
    return str(failed) if isinstance(failed, InvalidInput | WrongSetting | DatabaseInUse) else describe(failed)

"""The process in which apprise sends: `python -m` this module, a question in JSON on stdin, an answer on stdout.

No connection is made to an address that is not public and not allowed, no program is started, no file of the machine is
read and none is changed, whatever a service of apprise tries: Python announces each to `_Guard`, whose error prevents
it. An answer that is larger than the memory of the process ends it.
"""

from __future__ import annotations

import json
import logging
import mimetypes
import os
import resource
import ssl
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analytics.base.addresses import Network, network, plain_address
from analytics.base.errors import InvalidInput
from analytics.base.public_address import checked_host, is_allowed

CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
STARTING = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"}
CHANGING = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PYTHON = ("stdlib", "platstdlib", "purelib", "platlib")  # not all of a virtual environment: it may be around our data
MAX_MEMORY = 1 << 30  # bytes
LOCAL_SERVICES = ("dbus", "glib", "gio", "kde", "qt", "gnome", "macosx", "windows", "syslog", "blink1")


def main() -> None:
    """Reads the question, sends, and writes the answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    asked = json.load(sys.stdin)
    allowed = [network(one) for one in asked["allowed"].split(",") if one]
    sent, text, final = _sent(asked, allowed)
    json.dump({"sent": sent, "text": text, "final": final}, sys.stdout)


def _sent(asked: dict[str, str], allowed: Sequence[Network]) -> tuple[bool, str, bool]:
    """Whether it was sent, what was said of it, and whether that is final. Without a body it is only checked."""
    import apprise  # noqa: PLC0415  # an extra

    if asked["url"].partition("://")[0].lower() in LOCAL_SERVICES:
        return False, "this service of apprise is for desktops", True
    last = _LastWarning()
    guard = _Guard(allowed, Path(apprise.__file__).parents[1])
    sys.addaudithook(guard.check)
    asset = apprise.AppriseAsset(http_redirects=False, secure_logging=True)
    service = apprise.Apprise.instantiate(asked["url"], asset=asset)
    if service is None:
        return False, "apprise knows no such address; its documentation has them, like tgram://TOKEN/CHAT", True
    if "body" not in asked:
        return _reaches(service, allowed)
    kind = apprise.NotifyType(asked["urgent"])
    sent = bool(service.notify(body=asked["body"], title=asked["title"], notify_type=kind))
    if guard.refused:
        return False, f"blocked_address: {guard.refused[0]}", True
    return sent, f"accepted by {service.service_name}" if sent else last.text or "it was not accepted", False


def _reaches(service: Any, allowed: Sequence[Network]) -> tuple[bool, str, bool]:
    """Whether the host that the address names, if it names one, may be reached."""
    host = getattr(service, "host", None)
    try:
        if host and any("{host}" in one for one in service.templates):
            checked_host(host, getattr(service, "port", None) or 443, allowed)
    except InvalidInput as refused:
        return False, str(refused), True
    return True, "", False


class _Guard:
    """Raises `PermissionError` for what a service may not do; `refused` has a line for each connection of these."""

    def __init__(self, allowed: Sequence[Network], packages: Path) -> None:
        self.refused: list[str] = []
        self._allowed = allowed
        trusted = [path for path in map(str, ssl.get_default_verify_paths()) if path.startswith("/")]
        folders = (*map(sysconfig.get_path, PYTHON), str(packages), str(Path(__file__).parents[2]), *trusted)
        self._readable = tuple(str(Path(one).resolve()) for one in (*folders, *mimetypes.knownfiles, "/dev/null"))

    def check(self, event: str, args: tuple[Any, ...]) -> None:
        if event in STARTING or event in CHANGING:
            raise PermissionError(f"{event} is not allowed here")
        if event in CONNECTING and args[1] is not None:
            self._check_address(args[1])
        if event == "open" and isinstance(args[0], str | bytes | Path):
            self._check_file(args[0], args[2])

    def _check_address(self, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else str(address)
        if not is_allowed(plain_address(host), self._allowed):
            self.refused.append("an address that is not public; FOOTFALL_ALLOWED_TARGETS may allow it")
            raise PermissionError("this address is not allowed")

    def _check_file(self, path: str | bytes | Path, flags: int) -> None:
        name = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)
        if flags & WRITING or not any(Path(name).resolve().is_relative_to(one) for one in self._readable):
            raise PermissionError("this file is not read here")


class _LastWarning(logging.Handler):
    """Keeps the last warning: what apprise says of a failure. It leaves secrets out (`secure_logging`)."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""
        logging.getLogger("apprise").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


if __name__ == "__main__":
    main()

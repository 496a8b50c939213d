"""Which machine and which of its processes samples come from."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from contextlib import suppress

MAX_NAME = 60
MAX_PROCESSES = 64


class Instance:
    """The tags of samples: `instance`, by default the host's name, and `process`, a number from 1 on among those that
    send from this machine for the same application. Footfall adds up the rates of several processes, for which they
    need different tags; a process id would be a new one after each restart, and sites may not have tags without end.

    For one thread, but for `forget`.
    """

    def __init__(self, application: str, name: str | None = None) -> None:
        self._application = application
        self._name = (name or socket.gethostname())[:MAX_NAME]
        self._claim = -1  # a file descriptor
        self._tags: dict[str, str] = {}

    def tags(self) -> dict[str, str]:
        """The same until the process ends."""
        if not self._tags:
            self._tags = {"instance": self._name, "process": str(self._number())}
        return self._tags

    def forget(self) -> None:
        """In a forked process: the number is the parent's."""
        if self._claim >= 0:
            os.close(self._claim)
        self._claim, self._tags = -1, {}

    def _number(self) -> int:
        """The lowest free number. It is taken by a name that the system frees when the process ends, in whatever way:
        an abstract socket, which only Linux has; elsewhere the number is 1.
        """
        if sys.platform != "linux":
            return 1
        digest = hashlib.sha256(f"{self._application} {self._name}".encode()).hexdigest()[:16]
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for number in range(1, MAX_PROCESSES):
            with suppress(OSError):
                claim.bind(f"\0footfall-client-{digest}-{number}")
                self._claim = claim.detach()  # open until the process ends
                return number
        claim.close()
        return MAX_PROCESSES

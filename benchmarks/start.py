"""From a fresh clone with empty caches to the ready line: how long a newcomer waits."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import ROOT, Report, tool
from tests.support.company_proxy import company_proxy

READY = "Footfall is ready on "
TIMEOUT_S = 900


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the seconds of `make run` on a fresh clone; of `make setup`, and of `make run` after it; and behind a
    company's proxy.
    """
    head = subprocess.run(["git", "log", "-1", "--format=%h"], cwd=ROOT, capture_output=True, text=True, check=True)
    report.say(
        f"  git clone of {head.stdout.strip()} (what is committed); uv and pip have no cache and fetch every package"
    )
    fresh = _Checkout(folder / "fresh")
    report.figure("make run to the ready line", f"{fresh.seconds_to_ready():.1f} s")
    report.figure("  again", f"{fresh.seconds_to_ready():.1f} s")
    if not short:
        begun = _Checkout(folder / "set-up")
        report.figure("make setup alone", f"{begun.seconds_of('setup'):.1f} s")
        report.figure("  make run after it", f"{begun.seconds_to_ready():.1f} s")
    for knows, trust in (("uv and pip know", ("PIP_CERT", "SSL_CERT_FILE")), ("pip alone knows", ("PIP_CERT",))):
        with company_proxy(folder) as proxy:
            settings = {"HTTPS_PROXY": proxy.url} | dict.fromkeys(trust, str(proxy.authority))
            behind = _Checkout(folder / trust[-1], settings)
            report.figure(f"make run behind a proxy whose certificate {knows}", f"{behind.seconds_to_ready():.1f} s")


class _Checkout:
    """A clone of this repository with caches of its own; `settings` are additional environment variables for `make`."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._tree = folder / "footfall"
        subprocess.run([tool("git"), "clone", "--quiet", str(ROOT), str(self._tree)], check=True)
        away = ("FOOTFALL_", "VIRTUAL_ENV", *(("CERT", "CA_BUNDLE") if settings else ()))
        inherited = {name: value for name, value in os.environ.items() if not any(part in name for part in away)}
        caches = {name: str(folder / name.lower()) for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR")}
        self._environment = inherited | caches | dict(settings or {})

    def seconds_of(self, target: str) -> float:
        """How long `make` takes for the target."""
        begun = time.perf_counter()
        subprocess.run([tool("make"), target], cwd=self._tree, env=self._environment, check=True, timeout=TIMEOUT_S)
        return time.perf_counter() - begun

    def seconds_to_ready(self) -> float:
        """How long `make run` takes until it prints that it is ready; then it is ended."""
        begun = time.perf_counter()
        made = subprocess.Popen(
            [tool("make"), "run"],
            cwd=self._tree,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert made.stdout
        try:
            for line in made.stdout:
                if line.startswith(READY):
                    return time.perf_counter() - begun
            raise RuntimeError(f"make run has ended with {made.wait()} and was never ready (is its port taken?)")
        finally:
            if made.poll() is None:
                os.killpg(made.pid, signal.SIGTERM)
            made.wait(20)
            made.stdout.close()

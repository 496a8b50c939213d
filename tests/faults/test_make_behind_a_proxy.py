"""`make setup` in a company's network: everything goes through a proxy that shows a certificate of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.company_proxy import CompanyProxy, company_proxy
from tests.support.serving import ROOT

NEEDED = ("Makefile", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "app.py", "cli.py")
SYSTEM_STORE = "/etc/ssl/certs/ca-certificates.crt"
TRUST = ("CERT", "CA_BUNDLE", "CAINFO", "UV_", "MAKE")  # parts of the names of variables that this machine may have


@pytest.fixture
def proxy(tmp_path) -> Iterator[CompanyProxy]:
    with company_proxy(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def checkout(tmp_path) -> Path:
    """What `make setup` reads of a checkout."""
    folder = tmp_path / "footfall"
    folder.mkdir()
    for name in NEEDED:
        shutil.copy(ROOT / name, folder)
    return folder


def make_setup(checkout: Path, proxy: CompanyProxy, *before: str, **trust: str) -> subprocess.CompletedProcess[str]:
    """`make setup` from empty caches, with nothing trusted but what is said."""
    kept = {name: value for name, value in os.environ.items() if not any(part in name for part in TRUST)}
    caches = {"UV_CACHE_DIR": str(checkout.parent / "uv"), "PIP_CACHE_DIR": str(checkout.parent / "pip")}
    return subprocess.run(
        [*before, "make", "setup"],
        cwd=checkout,
        env=kept | caches | {"HTTPS_PROXY": proxy.url} | trust,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def imports(checkout: Path) -> bool:
    """Whether the environment that was made has the dependencies."""
    return subprocess.run([checkout / ".venv/bin/python", "-c", "import dash, duckdb"], check=False).returncode == 0


def test_pip_knows_the_certificate_and_uv_does_not(checkout, proxy):
    done = make_setup(checkout, proxy, PIP_CERT=str(proxy.authority))
    assert done.returncode == 0, done.stderr
    assert "uv could not; pip tries it" in done.stderr
    assert imports(checkout)
    assert proxy.hosts


def test_uv_trusts_what_the_system_trusts(checkout, proxy):
    """The system's store is replaced for this process alone, in a mount namespace of its own."""
    mounted = ("unshare", "--map-root-user", "--mount", "sh", "-c", f'mount --bind "$0" {SYSTEM_STORE} && exec "$@"')
    done = make_setup(checkout, proxy, *mounted, str(proxy.authority), PIP_CERT=str(proxy.authority))
    assert done.returncode == 0, done.stderr
    assert "uv could not" not in done.stderr
    assert imports(checkout)


def test_a_certificate_that_nothing_knows_ends_with_the_line_to_type(checkout, proxy):
    begun = time.monotonic()
    done = make_setup(checkout, proxy)
    assert done.returncode == 2
    assert "  a proxy with a certificate of its own:  PIP_CERT=/path/to/ca.pem make setup\n" in done.stderr
    assert time.monotonic() - begun < 60  # it was 97 s without a word

"""Real proxies in front of a server, as the README configures them."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.serving import ROOT, eventually

FETCHED = ROOT / ".venv" / "proxies" / "usr"
README_PORT = "127.0.0.1:8050"

NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/html;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""
CADDY = """{{
    admin off
    auto_https off
    storage file_system {folder}/storage
}}
http://localhost:{port} {{
    bind 127.0.0.1
    {server}
}}
"""


def program(name: str) -> str:
    """The path of that proxy's program, "" where this machine has none; tests/proxies.sh fetches it."""
    folders = (FETCHED / "sbin", FETCHED / "bin")
    return shutil.which(name) or next((found for folder in folders if (found := shutil.which(folder / name))), "")


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def readme_block(language: str, having: str) -> str:
    """The README's block of configuration that has this text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    [found] = [block for block in blocks if having in block]
    return found


def to(port: int, block: str) -> str:
    """The block for a server on that port."""
    assert README_PORT in block
    return block.replace(README_PORT, f"127.0.0.1:{port}")


@contextmanager
def nginx(folder: Path, port: int, server: str, http: str = "") -> Iterator[None]:
    """An nginx on that port with these lines in its `server`, and these in its `http`."""
    binary = program("nginx") or pytest.exit("no nginx on this machine: type `sudo apt-get install -y nginx`", 1)
    config = NGINX.format(folder=folder, port=port, server=server, http=http)
    (folder / "nginx.conf").write_text(config)
    words = [binary, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running(words, folder, port):
        yield


@contextmanager
def caddy(folder: Path, port: int, server: str) -> Iterator[None]:
    """A Caddy on that port with these lines in its site."""
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder, port=port, server=server))
    with _running([program("caddy"), "run", "--config", str(folder / "Caddyfile")], folder, port):
        yield


@contextmanager
def _running(words: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "proxy.log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, env={"HOME": str(folder)}, stdout=log, stderr=log)
    try:
        eventually(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (folder / "proxy.log").read_text()
        yield
    finally:
        process.kill()  # Caddy would wait for open streams
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""`serve --host`: what it listens on, and what it says where it cannot."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from analytics.base.config import Config
from collector.http.listener import listen_on
from tests.support.serving import ROOT, environment_of, run_command


@contextmanager
def serving_on(config, host, port="0"):
    """The ready line's address of a server with that --host, and its port."""
    process = subprocess.Popen(
        [sys.executable, "app.py", "serve", "--host", host, "--port", port],
        cwd=ROOT,
        env=environment_of(config),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        for line in process.stdout:
            if found := re.fullmatch(r"Footfall is ready on (http://(.+):(\d+))", line.strip()):
                yield found[2], int(found[3])
                break
        else:
            raise AssertionError("it did not start")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        process.stdout.close()


def status(address, port):
    connection = http.client.HTTPConnection(address, port, timeout=20)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("host", "shown", "reached"),
    [
        ("::", "[::]", ["127.0.0.1", "::1"]),
        ("[::]", "[::]", ["127.0.0.1", "::1"]),
        ("0:0:0:0:0:0:0:0", "[0:0:0:0:0:0:0:0]", ["127.0.0.1", "::1"]),
        ("0.0.0.0", "0.0.0.0", ["127.0.0.1"]),
        ("[::1]", "[::1]", ["::1"]),
        ("::1", "[::1]", ["::1"]),
        ("localhost", "localhost", ["localhost"]),
        ("127.0.0.2", "127.0.0.2", ["127.0.0.2"]),
    ],
)
def test_it_listens_where_it_is_told(tmp_path, host, shown, reached):
    with serving_on(Config(data_dir=tmp_path), host) as (address, port):
        assert address == shown
        assert [status(one, port) for one in reached] == [200] * len(reached)


def test_who_comes_over_ipv4_to_a_socket_for_both_has_their_plain_address(tmp_path):
    config = Config(data_dir=tmp_path)
    body = '{"site": "localhost", "type": "pageview", "id": "page-plain", "url": "http://localhost/"}'
    headers = {"Content-Type": "text/plain", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    with serving_on(config, "::") as (_, port):
        assert run_command(config, "site", "add", "localhost").returncode == 0
        assert run_command(config, "site", "set", "localhost", "--exclude-address", "127.0.0.1").returncode == 0
        told = []
        for address in ("127.0.0.1", "::1"):
            connection = http.client.HTTPConnection(address, port, timeout=20)
            connection.request("POST", "/api/collect", body, headers)
            told.append(connection.getresponse().status)
            connection.close()
    assert told == [200, 202]  # 200: left out


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("192.0.2.1", "0", "192.0.2.1:0 cannot be served on: this machine has no such address; try another --host"),
        ("2001:db8::1", "0", "[2001:db8::1]:0 cannot be served on: this machine has no such address; try another"),
        ("no.such.host.invalid", "8050", "'no.such.host.invalid' is none"),
        ("localhost:8050", "0", "--host takes an address or a name of this machine, like 127.0.0.1 or ::"),
        ("http://localhost", "0", "'http://localhost' is none"),
        ("[::1]:8050", "0", "'[::1]:8050' is none"),
        ("a" * 70, "0", "is none"),
        ("a..b", "0", "is none"),
        ("", "0", "'' is none"),
        ("127.0.0.1", "70000", "--port"),
        ("127.0.0.1", "-1", "--port"),
    ],
)
def test_what_it_cannot_listen_on_is_told_in_a_line(tmp_path, host, port, said):
    done = run_command(Config(data_dir=tmp_path), "serve", "--host", host, "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"footfall: [^\n]+\n", done.stderr)
    assert said in done.stderr
    assert not (tmp_path / "footfall.db").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "::", "localhost"])
def test_a_port_that_somebody_has_at_one_of_the_addresses_is_taken(tmp_path, host):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_command(Config(data_dir=tmp_path), "serve", "--host", host, "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    where = f"[{host}]" if ":" in host else host
    assert done.stderr == f"footfall: {where}:{port} cannot be served on: Address already in use; try another --port\n"


def test_the_port_is_held_from_the_first_moment_and_nobody_is_let_in_before_it_serves():
    listener = listen_on("127.0.0.1", 0)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", listener.port), 2):
        pass
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", listener.port))
    listener.close()


def test_a_name_with_an_address_that_this_machine_has_not_is_served_at_the_others(monkeypatch):
    def both(*_, **__):
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    listener = listen_on("a.name", 0)
    assert [one.getsockname()[0] for one in listener.sockets] == ["127.0.0.1"]
    listener.close()

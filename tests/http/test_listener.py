"""`serve --host`: what it listens on, and what it says where it cannot."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager

import pytest
import trustme

from analytics.base.config import Config
from collector.http.listener import listen_on
from tests.support.serving import ROOT, environment_of, eventually, run_command


@contextmanager
def serving_on(config, host, *options, port="0", **environment):
    """The ready line's address of a server with that --host, and its port."""
    process = subprocess.Popen(
        [sys.executable, "app.py", "serve", "--host", host, "--port", port, *options],
        cwd=ROOT,
        env=environment_of(config) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        for line in process.stdout:
            if found := re.fullmatch(r"Footfall is ready on (?:https?://(.+):(\d+)|(unix:.+))", line.strip()):
                yield found[1] or found[3], int(found[2] or 0)
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


def test_with_a_certificate_it_speaks_tls_and_takes_a_renewed_one_up(tmp_path):
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    def issue():
        leaf = authority.issue_cert("127.0.0.1")
        leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
        leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")

    def ask(port):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trusting)
        connection.request("GET", "/api/docs")
        certificate, answer = connection.sock.getpeercert(binary_form=True), connection.getresponse()
        connection.close()
        return certificate, answer.status

    issue()
    files = {"FOOTFALL_TLS_CERT": str(tmp_path / "cert.pem"), "FOOTFALL_TLS_KEY": str(tmp_path / "key.pem")}
    with serving_on(Config(data_dir=tmp_path / "data"), "127.0.0.1", **files) as (_, port):
        first, answered = ask(port)
        assert answered in (200, 302, 401)
        with pytest.raises((http.client.HTTPException, OSError)):
            status("127.0.0.1", port)
        issue()
        eventually(lambda: ask(port)[0] != first, within=40)


def test_what_is_no_certificate_stops_the_start_in_a_line(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_text("no certificate")
    key.write_text("no key")
    config = Config(data_dir=tmp_path / "data")
    both = {"FOOTFALL_TLS_CERT": str(cert), "FOOTFALL_TLS_KEY": str(key)}
    for given, said in (
        (both, f"FOOTFALL_TLS_CERT, FOOTFALL_TLS_KEY: {cert} and {key} cannot be used: they are no such pair"),
        ({"FOOTFALL_TLS_CERT": str(cert)}, "FOOTFALL_TLS_CERT is set and FOOTFALL_TLS_KEY is not"),
        ({"FOOTFALL_TLS_KEY": str(key)}, "FOOTFALL_TLS_KEY is set and FOOTFALL_TLS_CERT is not"),
        (both | {"FOOTFALL_TLS_KEY": "/no/such.pem"}, "FOOTFALL_TLS_KEY: '/no/such.pem' is not accepted"),
    ):
        done = subprocess.run(
            [sys.executable, "app.py", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment_of(config) | given,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(r"footfall: [^\n]+\n", done.stderr), done.stderr
        assert said in done.stderr


def test_over_a_unix_socket_it_serves_a_proxy_of_this_machine(tmp_path):
    path = tmp_path / "footfall.sock"
    with serving_on(Config(data_dir=tmp_path / "data"), f"unix:{path}") as (address, _):
        assert address == f"unix:{path}"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(path))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert not path.exists()


def test_two_servers_share_a_port_where_both_say_so(tmp_path):
    with serving_on(Config(data_dir=tmp_path / "a"), "127.0.0.1", "--reuse-port") as (_, port):
        with serving_on(Config(data_dir=tmp_path / "b"), "127.0.0.1", "--reuse-port", port=str(port)):
            assert {status("127.0.0.1", port) for _ in range(20)} == {200}
        assert status("127.0.0.1", port) == 200
        done = run_command(Config(data_dir=tmp_path / "c"), "serve", "--port", str(port))
        assert (done.returncode, "already in use" in done.stderr) == (2, True)


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
        statuses = []
        for address in ("127.0.0.1", "::1"):
            connection = http.client.HTTPConnection(address, port, timeout=20)
            connection.request("POST", "/api/collect", body, headers)
            statuses.append(connection.getresponse().status)
            connection.close()
    assert statuses == [200, 202]  # 200: left out


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

"""The edge over real sockets: TLS, Unix sockets, a shared port, time-outs, and who gives up a place for whom."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import stat
import time
from contextlib import ExitStack, suppress

import pytest
import trustme

from collector.http.certificate import Certificate
from collector.http.limits import Limits
from collector.http.listener import CannotListen, listen_on
from tests.support.edge import UNANSWERED, Recorder, all_of, edge, opened, statuses
from tests.support.serving import eventually

GOT = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POSTED = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


# ── time-outs, which a test need not wait for ────────────────────────────────────────────────────────────────────────

QUICK = Limits(head_s=0.2, body_s=0.2, idle_s=0.3, unread_s=0.3, linger_s=0.1)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET /x HTTP/1.1\r\nHost:", [408]),
        (POSTED % 5 + b"x", [408]),
        (GOT, [200]),  # then nothing: idle
        (b"", []),
        (GOT + b"GET /y HT", [200, 408]),
    ],
)
def test_who_takes_too_long_is_sent_away(sent, expected):
    recorder = Recorder(QUICK)
    with edge(recorder) as listener, opened(listener) as connection:
        started = time.monotonic()
        connection.sendall(sent)
        assert statuses(all_of(connection)) == expected
        assert 0.15 < time.monotonic() - started < 8
        eventually(lambda: len(recorder.connections) == 0)
    assert recorder.counts.timeouts == expected.count(408)


def test_a_slow_body_is_not_given_more_time_by_each_piece():
    with edge(Recorder(QUICK)) as listener, opened(listener) as connection:
        connection.sendall(POSTED % 1000)
        with suppress(OSError):
            for _ in range(100):
                connection.sendall(b"x")
                time.sleep(0.05)
        assert statuses(all_of(connection)) == [408]


def test_who_reads_nothing_is_cut_off():
    recorder = Recorder(Limits(unread_s=0.3, unsent_bytes=1024))
    with edge(recorder) as listener, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", listener.port))
        connection.setblocking(False)
        with suppress(BlockingIOError, ConnectionError):
            while True:
                connection.send(GOT * 100)
        eventually(lambda: recorder.counts.timeouts == 1)
        eventually(lambda: len(recorder.connections) == 0)


# ── how many connections there may be ────────────────────────────────────────────────────────────────────────────────


def test_over_the_limit_the_address_with_the_most_gives_up_its_oldest(caplog):
    caplog.set_level(logging.WARNING)
    recorder = Recorder(Limits(connections=6))
    with edge(recorder) as listener, ExitStack() as stack:
        greedy = [stack.enter_context(opened(listener, "127.0.0.7")) for _ in range(5)]
        eventually(lambda: len(recorder.connections) == 5)
        others = [stack.enter_context(opened(listener, f"127.0.0.{8 + number}")) for number in range(3)]
        eventually(lambda: recorder.counts.displaced == 2)
        for connection in (*others, *greedy[2:]):
            connection.sendall(LAST)
            assert statuses(all_of(connection)) == [200]
        assert [_is_closed(connection) for connection in greedy[:2]] == [True, True]
    [said] = [record.getMessage() for record in caplog.records if record.name == "footfall.connections"]
    assert said.startswith("6 connections are open, the most that there may be")
    assert "127.0.0" not in said


def test_one_address_has_no_more_than_its_share_and_a_trusted_proxy_has_all(caplog):
    caplog.set_level(logging.WARNING)
    recorder = Recorder(Limits(connections=100, connections_per_address=3), trusted="127.0.0.9")
    with edge(recorder) as listener, ExitStack() as stack:
        own = [stack.enter_context(opened(listener, "127.0.0.7")) for _ in range(5)]
        proxies = [stack.enter_context(opened(listener, "127.0.0.9")) for _ in range(10)]
        eventually(lambda: recorder.counts.displaced == 2)
        for connection in (*own[2:], *proxies):
            connection.sendall(LAST)
            assert statuses(all_of(connection)) == [200]
        assert [_is_closed(connection) for connection in own[:2]] == [True, True]
    said = [record.getMessage() for record in caplog.records if record.name == "footfall.connections"]
    assert len(said) == 1, "it is said once a minute"
    assert said[0].startswith("one address has 3 connections, the most that it may have")


def test_who_is_being_answered_keeps_the_place_and_the_newcomer_goes():
    recorder = Recorder(Limits(connections_per_address=2))
    with edge(recorder) as listener, ExitStack() as stack:
        busy = [stack.enter_context(opened(listener)) for _ in range(2)]
        for connection in busy:
            connection.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % UNANSWERED.encode())
        eventually(lambda: len(recorder.requests) == 2)
        newcomer = stack.enter_context(opened(listener))
        assert _is_closed(newcomer)
        assert len(recorder.connections) == 2


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, folder, name: str = "localhost") -> Certificate:
    """A certificate of that authority for that name, in files of this folder."""
    leaf = authority.issue_cert(name)
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    return Certificate(folder / "cert.pem", folder / "key.pem")


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def tls(listener, authority, name="localhost") -> ssl.SSLSocket:
    return trusting(authority).wrap_socket(opened(listener), server_hostname=name)


def test_over_tls_requests_are_answered(authority, tmp_path):
    listener = listen_on("127.0.0.1", 0, certified(authority, tmp_path))
    assert listener.url == f"https://127.0.0.1:{listener.port}"
    with edge(Recorder(), listener), tls(listener, authority) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
        connection.sendall(GOT * 2 + POSTED % 60_000 + b"x" * 60_000 + LAST)
        assert statuses(all_of(connection)) == [200] * 4


def test_over_tls_who_closes_their_side_leaves_no_line_in_the_log(authority, tmp_path, caplog):
    listener = listen_on("127.0.0.1", 0, certified(authority, tmp_path))
    with edge(Recorder(), listener), tls(listener, authority) as connection:
        connection.sendall(b"GET /unanswered HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(OSError):
            connection.unwrap()
        assert all_of(connection) == b""
    assert caplog.messages == []


def test_over_tls_a_refusal_arrives_though_more_is_sent(authority, tmp_path):
    listener = listen_on("127.0.0.1", 0, certified(authority, tmp_path))
    with edge(Recorder(), listener), tls(listener, authority) as connection:
        with suppress(OSError):
            connection.sendall(POSTED % 10_000_000)
            for _ in range(20):
                connection.sendall(b"x" * 16_384)
        assert statuses(all_of(connection)) == [413]


def test_who_speaks_no_tls_or_an_old_one_or_never_ends_the_handshake_holds_up_nobody(authority, tmp_path):
    listener = listen_on("127.0.0.1", 0, certified(authority, tmp_path))
    with edge(Recorder(QUICK), listener), ExitStack() as stack:
        plain, silent, old = (stack.enter_context(opened(listener)) for _ in range(3))
        plain.sendall(GOT)
        context = trusting(authority)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(old, server_hostname="localhost")
        with tls(listener, authority) as connection:
            connection.sendall(LAST)
            assert statuses(all_of(connection)) == [200]
        assert _is_closed(silent)
        assert b"HTTP" not in all_of(plain)


def test_a_renewed_certificate_is_that_of_the_next_connection(authority, tmp_path):
    certificate = certified(authority, tmp_path)
    listener = listen_on("127.0.0.1", 0, certificate)
    with edge(Recorder(), listener):
        with tls(listener, authority) as connection:
            before = connection.getpeercert(binary_form=True)
        certified(authority, tmp_path)
        certificate.load()
        with tls(listener, authority) as connection:
            assert connection.getpeercert(binary_form=True) != before
        (tmp_path / "key.pem").write_bytes(trustme.CA().issue_cert("localhost").private_key_pem.bytes())
        with pytest.raises(ssl.SSLError):
            certificate.load()
        with tls(listener, authority) as connection:
            connection.sendall(LAST)
            assert statuses(all_of(connection)) == [200]


# ── Unix sockets and a shared port ───────────────────────────────────────────────────────────────────────────────────


def test_a_unix_socket_is_for_its_owner_and_their_group_and_goes_with_the_server(tmp_path):
    path = tmp_path / "edge.sock"
    listener = listen_on(f"unix:{path}", 0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert listener.url == listener.local_url == f"unix:{path}"
    recorder = Recorder()
    with edge(recorder, listener), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(GOT + LAST)
        assert statuses(all_of(connection)) == [200, 200]
    assert recorder.requests[0].peer == "127.0.0.1"
    assert not path.exists()


def test_a_unix_socket_that_was_left_behind_gives_way_and_a_used_one_does_not(tmp_path):
    path = f"unix:{tmp_path / 'edge.sock'}"
    left = listen_on(path, 0)
    left.sockets[0].detach()  # as a killed server leaves it: nobody listens, the file is there
    with edge(Recorder(), listen_on(path, 0)), pytest.raises(CannotListen, match="Address already in use"):
        listen_on(path, 0)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no/folder.sock", "No such file"),
        ("x" * 200, "too long"),
        ("file", "Address already in use"),
        ("", "No such"),
    ],
)
def test_where_no_unix_socket_can_be_is_told_in_a_line(tmp_path, path, why):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(CannotListen, match=rf"unix:.* cannot be served on: .*{why}.*; try another --host"):
        listen_on(f"unix:{tmp_path / path if path else ''}", 0)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_shared_port_is_held_by_whoever_shares_it_and_by_nobody_else():
    first = listen_on("127.0.0.1", 0, shared=True)
    second = listen_on("127.0.0.1", first.port, shared=True)
    one, other = Recorder(), Recorder()
    with edge(one, first):
        with pytest.raises(CannotListen, match="Address already in use"):
            listen_on("127.0.0.1", first.port)
        with edge(other, second):
            for _ in range(60):
                with opened(first) as connection:
                    connection.sendall(LAST)
                    assert statuses(all_of(connection)) == [200]
            assert len(one.requests) + len(other.requests) == 60
            assert one.requests
            assert other.requests
        with opened(first) as connection:  # the other has gone, and nobody notices
            connection.sendall(LAST)
            assert statuses(all_of(connection)) == [200]


def test_closing_leaves_no_descriptor_behind(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for host in ("127.0.0.1", f"unix:{tmp_path / 'a.sock'}"):
        listen_on(host, 0).close()
    assert len(os.listdir("/proc/self/fd")) == before

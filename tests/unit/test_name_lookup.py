"""A resolver that hangs: how long an attempt waits for it, and how many look-ups may be under way."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analytics.base import name_lookup
from analytics.base.mail_server import MailServer, MailTls
from analytics.base.name_lookup import MAX_LOOKUPS, look_up
from analytics.base.public_address import UnknownHost
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound.address import check_address
from analytics.notify.outbound.outside import Outside
from analytics.notify.outbound.sending import send
from tests.support.channels import outbound_message, outside
from tests.support.factories import NOW
from tests.support.serving import ROOT, eventually

MESSAGE = outbound_message()
WITHIN_S = 0.2
IN_A_NAMESPACE = ("unshare", "--mount", "--")


class Hanging:
    """A resolver that answers nothing until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        self.released.wait(60)
        return ["127.0.0.1"]


@pytest.fixture
def hanging(monkeypatch) -> Iterator[Hanging]:
    """It hangs for the test; an attempt waits for a fifth of a second, not for five."""
    monkeypatch.setattr(name_lookup, "LOOKUP_S", WITHIN_S)
    resolver = Hanging()
    yield resolver
    resolver.released.set()
    eventually(lambda: not looking_up(), within=10)


def looking_up() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "footfall-lookup"]


def taken(work) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def channel(kind: str, address: str) -> NotificationChannel:
    return NotificationChannel(1, 1, kind, "", address, "")


def test_an_answer_or_an_error_of_the_resolver_is_passed_on():
    assert look_up(lambda host, port: [f"{host}:{port}"], "a.example", 25) == ["a.example:25"]
    with pytest.raises(OSError, match="nobody knows"):
        look_up(unknown, "a.example", 25)


def unknown(_host: str, _port: int) -> list[str]:
    raise OSError("nobody knows")


def test_a_webhook_whose_name_hangs_has_failed_for_now_and_may_be_tried_again(hanging):
    settings = outside(resolve=hanging)
    answers = []
    hook = channel("webhook", "https://hooks.example.com/x")
    assert taken(lambda: answers.append(send(hook, MESSAGE, settings, NOW))) < WITHIN_S + 1
    assert [(one.sent, one.final, one.text) for one in answers] == [
        (False, False, "unknown_host: looking up hooks.example.com takes too long")
    ]
    with pytest.raises(UnknownHost):
        check_address("https://hooks.example.com", (), hanging)


@pytest.mark.parametrize("tls", list(MailTls))
def test_a_mail_server_whose_name_hangs_has_failed_for_now(hanging, tls):
    mail = MailServer("mail.example.com", 587, "", "", "stats@example.com", tls)
    settings = Outside((), mail, ssl.create_default_context(), hanging)
    answers = []
    assert taken(lambda: answers.append(send(channel("email", "ann@example.net"), MESSAGE, settings, NOW))) < 1.5
    assert [(one.sent, one.final, one.text) for one in answers] == [
        (False, False, "mail.example.com: looking up its address takes too long")
    ]


def test_an_address_is_not_looked_up(hanging):
    assert check_address("http://93.184.216.34/", (), hanging).addresses == ("93.184.216.34",)
    assert hanging.asked == []


def test_only_so_many_hang_at_a_time_and_each_frees_its_place(hanging, monkeypatch):
    monkeypatch.setattr(name_lookup, "LOOKUP_S", 0.02)
    for number in range(MAX_LOOKUPS + 3):
        with pytest.raises(TimeoutError):
            look_up(hanging, f"{number}.example", 80)
    assert len(looking_up()) == len(hanging.asked) == MAX_LOOKUPS
    hanging.released.set()
    eventually(lambda: not looking_up(), within=10)
    monkeypatch.setattr(name_lookup, "LOOKUP_S", 5.0)
    assert look_up(hanging, "later.example", 80) == ["127.0.0.1"]


# ── the resolver of the system ──────────────────────────────────────────────────────────────────────────────────────


def can_have_another_resolver() -> bool:
    """Whether a process may see another /etc/resolv.conf than the others do: root on Linux."""
    done = shutil.which("unshare") and subprocess.run((*IN_A_NAMESPACE, "true"), capture_output=True, check=False)
    return bool(done) and done.returncode == 0 and Path("/etc/resolv.conf").exists()


@contextmanager
def silent_name_server() -> Iterator[socket.socket]:
    """A name server on port 53 that takes questions and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.53", 53))
        yield server


LOOK = """
import sys, time
from analytics.base.public_address import UnknownHost
from analytics.notify.outbound.address import check_address
begun = time.monotonic()
try:
    check_address("https://hooks.example.com/x", ())
except UnknownHost as unknown:
    print(f"{time.monotonic() - begun:.0f} s: {unknown}")
"""


@pytest.mark.skipif(not can_have_another_resolver(), reason="takes root on Linux, for a resolv.conf of its own")
def test_the_resolver_of_the_system_that_hangs_costs_five_seconds(tmp_path):
    """By itself it waits for 60 s here: 30 s for each of two tries."""
    settings = tmp_path / "resolv.conf"
    settings.write_text("nameserver 127.0.0.53\noptions timeout:30 attempts:2\n")
    script = f'mount --bind {settings} /etc/resolv.conf && exec {sys.executable} -c "$LOOK"'
    with silent_name_server() as server:
        done = subprocess.run(
            (*IN_A_NAMESPACE, "sh", "-c", script),
            env=os.environ | {"LOOK": LOOK, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        server.settimeout(1)
        question = server.recv(512)
    assert b"hooks" in question
    assert (done.stdout, done.stderr) == ("5 s: looking up hooks.example.com takes too long\n", "")

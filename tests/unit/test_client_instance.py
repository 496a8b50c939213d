"""The Python client's samples say of which machine and which of its processes they are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from footfall_client.instance import MAX_PROCESSES, Instance
from tests.support.client import PYTHON

APPLICATION = f"https://stats.example.com tests {os.getpid()}"


def test_the_machine_is_named_by_its_host_or_by_the_application():
    assert Instance(f"{APPLICATION} 1").tags() == {"instance": socket.gethostname()[:60], "process": "1"}
    assert Instance(f"{APPLICATION} 1", "web-7").tags()["instance"] == "web-7"
    assert Instance(f"{APPLICATION} 1", "x" * 300).tags()["instance"] == "x" * 60


def test_each_process_of_an_application_has_the_lowest_free_number_and_keeps_it():
    first, second, other = (Instance(f"{APPLICATION} {name}") for name in ("2", "2", "other"))
    assert [one.tags()["process"] for one in (first, second, other, first)] == ["1", "2", "1", "1"]
    first.forget()
    assert Instance(f"{APPLICATION} 2").tags()["process"] == "1"


FORKING = """
import os
from footfall_client.instance import Instance
own = Instance("forking")
found = [own.tags()["process"]]
reading, writing = os.pipe()
if not os.fork():
    own.forget()
    os.write(writing, own.tags()["process"].encode())
    os._exit(0)
os.wait()
print(*found, os.read(reading, 10).decode(), Instance("forking").tags()["process"])
"""


def test_a_forked_process_leaves_the_parent_its_number_and_takes_another_that_is_free_again_at_its_end():
    run = subprocess.run(
        [sys.executable, "-c", FORKING], env={"PYTHONPATH": str(PYTHON)}, capture_output=True, check=True
    )
    assert run.stdout.split() == [b"1", b"2", b"2"]


def test_tags_do_not_grow_without_end():
    found = [Instance(f"{APPLICATION} 4").tags()["process"] for _ in range(MAX_PROCESSES + 3)]
    assert found[-3:] == [str(MAX_PROCESSES)] * 3


def test_a_system_without_abstract_sockets_has_one_number(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert [Instance(APPLICATION).tags()["process"] for _ in range(2)] == ["1", "1"]

"""The control socket: what a command says, and how far a long one is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.base.errors import InvalidInput
from collector.control import Control, NoServer, ask


@pytest.fixture
def open_control(tmp_path) -> Iterator:
    opened: list[Control] = []

    def open_one(run) -> None:
        opened.append(Control(tmp_path, run))

    yield open_one
    for one in opened:
        one.close()


def test_a_long_command_says_how_far_it_is_and_then_what_it_did(open_control, tmp_path):
    def run(name: str, options: dict[str, Any], tell) -> str:
        for step in range(3):
            tell(f"{name} {step} of {options['many']}")
        return "done"

    open_control(run)
    lines: list[str] = []
    assert ask(tmp_path, "walk", {"many": 3}, lines.append) == "done"
    assert lines == ["walk 0 of 3", "walk 1 of 3", "walk 2 of 3"]
    assert ask(tmp_path, "walk", {"many": 3}) == "done"


def test_other_commands_are_answered_while_a_long_one_runs(open_control, tmp_path):
    begun, enough = threading.Event(), threading.Event()

    def run(name: str, _options: dict[str, Any], _tell) -> str:
        if name == "long":
            begun.set()
            assert enough.wait(20)
        return name

    open_control(run)
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(ask(tmp_path, "long", {})))
    thread.start()
    assert begun.wait(20)
    assert ask(tmp_path, "short", {}) == "short"
    assert answers == []
    enough.set()
    thread.join(20)
    assert answers == ["long"]


def test_a_long_command_ends_when_whoever_asked_has_gone(open_control, tmp_path):
    ended = threading.Event()

    def run(_name: str, _options: dict[str, Any], tell) -> str:
        try:
            while True:
                tell("x" * 1000)
        finally:
            ended.set()

    def go_away(_: str) -> None:
        raise KeyboardInterrupt

    open_control(run)
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path, "long", {}, go_away)
    assert ended.wait(20)


def test_what_people_got_wrong_comes_back_as_such_and_a_fault_is_named(open_control, tmp_path):
    def run(name: str, _options: dict[str, Any], _tell) -> str:
        raise InvalidInput("there is no such site") if name == "wrong" else ValueError("secret")

    open_control(run)
    with pytest.raises(InvalidInput, match="there is no such site"):
        ask(tmp_path, "wrong", {})
    with pytest.raises(InvalidInput, match="the server could not do it: ValueError"):
        ask(tmp_path, "broken", {})


def test_without_a_server_that_is_said(tmp_path):
    with pytest.raises(NoServer):
        ask(tmp_path, "anything", {})

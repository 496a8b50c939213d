"""Progress: one line that is overwritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io

import pytest

from collector.imports.progress import Progress


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def written(terminal: bool, *moments: float) -> str:
    """The output if progress is shown at these seconds after the beginning."""
    stream, now = Stream(terminal), [100.0]
    progress = Progress(stream, lambda: now[0])
    for moment in moments:
        now[0] = 100 + moment
        progress.show(f"at {moment:g}")
    progress.close()
    return stream.getvalue()


def test_on_a_terminal_it_is_one_line_that_is_written_anew_five_times_a_second_and_cleared():
    assert written(True, 0, 0.1, 0.25, 0.5) == "\rat 0\x1b[K\rat 0.25\x1b[K\rat 0.5\x1b[K\r\x1b[K"


def test_elsewhere_it_is_a_line_every_five_seconds():
    assert written(False, 0, 1, 5, 6, 10.5) == "at 5\nat 10.5\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_what_told_nothing_leaves_nothing(terminal):
    assert written(terminal) == ""


@pytest.mark.parametrize(("terminal", "begun"), [(True, "\r[######..................] "), (False, "")])
def test_a_share_has_a_bar_on_a_terminal_alone(terminal, begun):
    stream, now = Stream(terminal), [100.0]
    progress = Progress(stream, lambda: now[0])
    now[0] += 5
    progress.show("25 %: 1,000 lines")
    assert stream.getvalue().startswith(f"{begun}25 %: 1,000 lines")


def test_what_says_nothing_new_is_not_written_again():
    stream, now = Stream(terminal=False), [100.0]
    progress = Progress(stream, lambda: now[0])
    for line in ("following: 1", "following: 1", "following: 2"):
        now[0] += 10
        progress.show(line)
    assert stream.getvalue() == "following: 1\nfollowing: 2\n"

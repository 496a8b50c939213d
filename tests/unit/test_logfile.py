"""Log files: whole lines, long ones, what is appended, and what happens when a log is rotated."""

from __future__ import annotations

import gzip

import pytest

from collector.imports.log_file import MAX_LINE_BYTES, LogFile


@pytest.fixture
def log(tmp_path):
    """A log of two lines and the beginning of a third, and the path where it lies."""
    path = tmp_path / "access.log"
    path.write_bytes(b"one\ntwo\nthr")
    opened = LogFile(path)
    yield opened, path
    opened.close()


def append(path, text):
    with path.open("ab") as file:
        file.write(text)


def test_a_line_that_is_not_finished_is_read_where_nothing_will_follow(log):
    assert list(log[0].lines()) == [b"one\n", b"two\n", b"thr"]


def test_a_line_that_is_not_finished_waits_for_its_end_where_more_follows(log):
    opened, path = log
    assert list(opened.lines(unfinished=False)) == [b"one\n", b"two\n"]
    append(path, b"ee")
    assert list(opened.lines(unfinished=False)) == []
    append(path, b"\nfour\nfi")
    assert list(opened.lines(unfinished=False)) == [b"three\n", b"four\n"]
    assert list(opened.lines()) == [b"fi"]


def test_a_long_line_is_cut_also_when_it_comes_in_pieces(tmp_path):
    path = tmp_path / "access.log"
    path.write_bytes(b"x" * 10)
    opened = LogFile(path)
    assert list(opened.lines(unfinished=False)) == []
    append(path, b"x" * 3 * MAX_LINE_BYTES)
    assert list(opened.lines(unfinished=False)) == [b"x" * MAX_LINE_BYTES]
    append(path, b"x\nnext\n")
    assert list(opened.lines(unfinished=False)) == [b"next\n"]
    opened.close()


def test_one_knows_how_far_one_has_read(tmp_path):
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(b"one\n" * 1_000))
    opened = LogFile(path)
    assert (opened.position, opened.grows) == (0, False)
    assert len(list(opened.lines())) == 1_000
    assert opened.position == opened.size == path.stat().st_size
    opened.close()


def test_a_log_that_was_moved_away_is_followed_to_the_new_one(log):
    opened, path = log
    assert len(list(opened.lines())) == 3
    assert not opened.reopened()
    path.rename(path.with_suffix(".1"))
    assert not opened.reopened()
    path.write_bytes(b"new\n")
    assert opened.reopened()
    assert list(opened.lines()) == [b"new\n"]


def test_a_log_that_was_emptied_is_read_from_its_start(log):
    opened, path = log
    assert len(list(opened.lines())) == 3
    path.write_bytes(b"new\n")
    assert opened.reopened()
    assert list(opened.lines()) == [b"new\n"]

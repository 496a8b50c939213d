"""A watched file: what changed is read once it is quiet, and what cannot be read leaves all as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.ingest.file_watch import FileWatch


class Reader:
    """Reads a number from a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.numbers = [int(path.read_text())]

    def read(self) -> None:
        self.numbers.append(int(self.path.read_text()))


@pytest.fixture
def reader(tmp_path) -> Reader:
    (tmp_path / "file").write_text("1")
    return Reader(tmp_path / "file")


@pytest.fixture
def watch(reader) -> FileWatch:
    return FileWatch("FOOTFALL_FILE", reader.path, reader.read)


def looks(watch: FileWatch, times: int = 2) -> None:
    for _ in range(times):
        watch.check()


def write_in_place(path: Path) -> None:
    path.write_text("22")


def rename_in(path: Path) -> None:
    (path.parent / "new").write_text("22")
    (path.parent / "new").rename(path)


def put_a_link_in_place(path: Path) -> None:
    (path.parent / "other").write_text("22")
    path.unlink()
    path.symlink_to("other")


def test_a_file_that_stays_as_it_is_is_not_read_again(watch, reader):
    looks(watch, 3)
    assert reader.numbers == [1]


@pytest.mark.parametrize("change", [write_in_place, rename_in, put_a_link_in_place])
def test_a_new_file_is_read_once(watch, reader, change: Callable[[Path], None], caplog):
    caplog.set_level(logging.INFO)
    change(reader.path)
    looks(watch, 4)
    assert reader.numbers == [1, 22]
    assert caplog.messages == [f"FOOTFALL_FILE: {reader.path} has changed and was read again"]


def test_a_file_that_is_still_being_written_is_not_read(watch, reader):
    for size in range(2, 6):
        reader.path.write_text("2" * size)
        watch.check()
    assert reader.numbers == [1]
    looks(watch, 1)
    assert reader.numbers == [1, 22222]


@pytest.mark.parametrize("change", [lambda path: path.write_text(""), lambda path: path.unlink()])
def test_a_file_that_cannot_be_read_is_told_once_and_the_next_good_one_is_read(watch, reader, change, caplog):
    change(reader.path)
    looks(watch, 4)
    assert reader.numbers == [1]
    assert caplog.messages == [f"FOOTFALL_FILE: {reader.path} cannot be read; the one before stays in use"]
    reader.path.write_text("333")
    looks(watch, 3)
    assert reader.numbers == [1, 333]

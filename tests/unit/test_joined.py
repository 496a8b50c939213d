"""Our scripts and styles, each joined to one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from layouts import joined

ASSETS = Path(__file__).parents[2] / "assets"
LOADED_ELSEWHERE = {"plotly", "words"}  # by pages with a figure, and by pages in a language


def test_every_script_and_style_is_joined_or_stands_apart():
    there = {
        file
        for file in ASSETS.rglob("*")
        if file.suffix in {".js", ".css"} and not LOADED_ELSEWHERE & set(file.relative_to(ASSETS).parts)
    }
    files = [file for path in (joined.SCRIPTS, joined.STYLES) for file in joined.files_of(path)]
    assert len(files) == len(set(files))
    assert there - set(files) == {ASSETS / "lib/theme.js", ASSETS / "pages/plain.js", ASSETS / "css/plain.css"}


def test_components_come_first_each_file_whole_and_named():
    files = joined.files_of(joined.SCRIPTS)
    assert [file.parent.name for file in files] == sorted(file.parent.name for file in files)
    content = joined.joined(joined.SCRIPTS).content.decode()
    assert [line for line in content.splitlines() if line.startswith("/* ") and line.endswith(".js */")] == [
        f"/* {file.relative_to(ASSETS)} */" for file in files
    ]
    assert all(file.read_text() in content for file in files)


def test_the_address_changes_with_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(joined, "ASSETS", tmp_path)
    for folder in ("components", "lib", "pages"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.js").write_text("1;")
    before = joined.address(joined.SCRIPTS)
    assert joined.address(joined.SCRIPTS) == before
    (tmp_path / "lib/b.js").write_text("2;")
    assert joined.address(joined.SCRIPTS) != before
    assert joined.joined(joined.SCRIPTS).content.endswith(b"/* pages/a.js */\n1;")


def test_another_path_is_none():
    with pytest.raises(KeyError):
        joined.joined("/assets/other.js")

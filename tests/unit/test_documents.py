"""The documents name what is there: every path in backticks, every link, every package."""

from __future__ import annotations

import fnmatch
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests.unit.test_architecture import FLOORS

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/design.md", "docs/performance.md", "docs/reference.md"),
    *("collector/data/NOTICE.md", "collector/http/README.md", "clients/python/README.md"),
)
ENDINGS = (".py", ".js", ".css", ".html", ".md", ".svg", ".sh", ".lock", ".toml")
OF_THE_OWNER = {"footfall.toml"}  # what people make themselves
WIDTH = 120

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\b[A-Z]+\b(?=[./]|$)")


@cache
def files() -> tuple[str, ...]:
    """Every file and folder of the repository, as paths from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    there = [PurePosixPath(name) for name in listed if (ROOT / name).exists()]
    folders = {str(parent) for path in there for parent in path.parents if str(parent) != "."}
    return (*map(str, there), *sorted(folders))


def sections(text: str) -> Iterator[tuple[str, str]]:
    """The text below each `##`, with the folder that its heading names, else ""."""
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        heading = part.partition("\n")[0]
        named = _CODE.findall(heading) if heading.startswith("## ") else []
        yield (named[0].strip("/") if named and (ROOT / named[0]).is_dir() else ""), part


def named_paths(text: str) -> set[str]:
    """What a document calls by its path or its file's name, in backticks."""
    words = (word for code in _CODE.findall(_FENCE.sub("", text)) for word in code.split() if code.isascii())
    tops = {name.partition("/")[0] for name in files()}
    found = {word.rstrip(",;:") for word in words if not word.startswith(("/", "-", "http", "<", "$", "."))}
    return {
        word
        for word in found - OF_THE_OWNER
        if re.fullmatch(r"[\w./*-]+", word)
        and (word.endswith(ENDINGS) or ("/" in word and word.partition("/")[0] in tops))
    }


def is_there(path: str, folder: str = "") -> bool:
    """Whether a path exists, or a bare name somewhere below `folder`. `NAME` in capitals is any name, as `*` is."""
    path = path.rstrip("/")
    if path in files():
        return True
    pattern = _PLACEHOLDER.sub("*", path)
    pattern = pattern if "/" in pattern else f"{folder}*/{pattern}"
    return bool(fnmatch.filter(files(), pattern))


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(document):
    text = (ROOT / document).read_text("utf-8")
    assert named_paths(text) or document in ("docs/performance.md", "docs/reference.md")
    missing = [path for folder, part in sections(text) for path in named_paths(part) if not is_there(path, folder)]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document):
    text = _FENCE.sub("", (ROOT / document).read_text("utf-8"))
    wrong = []
    for link in _LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        if not target.exists():
            wrong.append(link)
        elif fragment:
            headings = _HEADING.findall(_FENCE.sub("", target.read_text("utf-8")))
            wrong += [link] if fragment not in {anchor(heading) for _, heading in headings} else []
    assert wrong == []


def test_the_design_has_a_section_for_every_package_of_the_domain_and_the_collector():
    text = (ROOT / "docs/design.md").read_text("utf-8")
    headed = {code for level, heading in _HEADING.findall(text) if level == "##" for code in _CODE.findall(heading)}
    packages = {
        f"{room}/{package}"
        for room in ("analytics", "collector")
        for floor in FLOORS[room]
        for package in floor
        if (ROOT / room / package).is_dir()
    }
    assert packages - headed == set()
    assert {"layouts", "callbacks", "assets", "tests", "clients/python"} <= headed


def test_the_design_shows_the_floors_as_the_test_of_the_architecture_holds_them():
    rows = re.findall(r"^\| \d+ \|(.*)\|$", (ROOT / "docs/design.md").read_text("utf-8"), re.MULTILINE)
    shown = [[set(_CODE.findall(cell)) for cell in row.split("|")] for row in reversed(rows)]
    for column, room in enumerate(("analytics", "collector", "layouts", "callbacks")):
        drawn = [floor[column] for floor in shown if floor[column]]
        assert drawn == [set(floor) for floor in FLOORS[room]], room


def test_the_design_is_no_wider_than_the_code():
    lines = (ROOT / "docs/design.md").read_text("utf-8").splitlines()
    assert [line for line in lines if len(line) > WIDTH and not line.startswith("|")] == []


def test_a_path_that_is_gone_would_be_seen():
    text = "# A\n\n## `collector/ingest`\n\n`geo.py`, `place.py`, `writer.py`, `collector/gone.py`, `/api/gone.js`\n"
    *_, (folder, part) = sections(text)
    assert folder == "collector/ingest"
    missing = {path for path in named_paths(part) if not is_there(path, folder)}
    assert missing == {"place.py", "writer.py", "collector/gone.py"}
    assert is_there("callbacks/pages/NAME.py")
    assert not is_there("callbacks/sheets/NAME.py")
    assert is_there("collector/imports/log_formats/")

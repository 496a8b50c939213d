"""Names, docstrings and comments use the words of the field."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = (
    *(f"{room}/**/*.py" for room in ("analytics", "callbacks", "collector", "layouts", "benchmarks", "tests")),
    *("app.py", "cli.py", "clients/**/*.py"),
)
FILES = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern) if "migrations" not in path.parts)
SCRIPTS = sorted([*ROOT.glob("assets/**/*.js"), ROOT / "collector/tracker/footfall.js"])
MADE = re.compile("<!-- made: .*?<!-- /made -->", re.DOTALL)  # tables with texts of the command line
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/design.md", "clients/python/README.md")

NAMES = re.compile(
    r"_?(MOST|LONGEST|LARGEST|SHORTEST)(_\w+)?|AT_ONCE|A_MINUTE|Snapshot|Pulse|Tries|household|told|anew"
)
"""MAX_…, MIN_…, …_BATCH and …_PER_MINUTE; Availability, RateLimit, address_prefix; a verb; overwrite."""

WORDS = re.compile(
    r"\b(anew|beside|whoever|somebody|told|(?<!source of )truth|households?|gives? way|mend(s|ed)?)\b", re.IGNORECASE
)
"""Again, next to, a noun, a person, said, the database, address prefix, yields, repair."""


def texts(source: str) -> Iterator[str]:
    """The docstrings and the comments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def names(source: str) -> Iterator[str]:
    """Whatever the source defines: functions, classes, parameters and variables."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


SCRIPT_TEXTS = re.compile(r"/\*.*?\*/|(?<![:\\])//[^\n]*", re.DOTALL)
SCRIPT_NAMES = re.compile(r"\b(?:const|let|function)\s+(\w+)|[,(]\s*(\w+)\s=\s")  # also the later ones of a declaration


def private_words_of_a_script(source: str) -> list[str]:
    """The same for JavaScript, where comments and declarations are found by patterns."""
    texts = SCRIPT_TEXTS.findall(source)
    names = [first or later for first, later in SCRIPT_NAMES.findall(SCRIPT_TEXTS.sub("", source))]
    return [name for name in names if NAMES.fullmatch(name)] + [
        found[0] for text in texts for found in WORDS.finditer(text)
    ]


def private_words(source: str) -> list[str]:
    """The names and words that are not those of the field."""
    return [name for name in names(source) if NAMES.fullmatch(name)] + [
        found[0] for text in texts(source) for found in WORDS.finditer(text)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_no_private_words(path):
    assert private_words(path.read_text()) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_has_no_private_words(path):
    assert private_words_of_a_script(path.read_text("utf-8")) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_no_private_words(name):
    prose = MADE.sub("", (ROOT / name).read_text("utf-8"))
    assert [found[0] for found in WORDS.finditer(prose)] == []


def test_private_words_are_found_in_names_docstrings_and_comments():
    source = '''
"""Whoever asks the truth; the database is the source of truth."""
MOST_ROWS = 5  # beside it
def told(household): ...
'''
    assert set(private_words(source)) == {"MOST_ROWS", "told", "household", "Whoever", "truth", "beside"}


def test_private_words_are_found_in_scripts():
    source = (
        "// whoever comes\nlet state = 1, told = 'beside';  /* the truth */\nconst MOST_ROWS = 5, url = 'https://told';"
    )
    assert private_words_of_a_script(source) == ["told", "MOST_ROWS", "whoever", "truth"]

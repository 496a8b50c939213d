"""The arrows between the rooms: app → callbacks → layouts → analytics, app → collector → analytics, never back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("analytics", "collector", "layouts", "callbacks")
# what the files of a room never import: packages and modules, with everything inside them
NEVER = {
    "analytics": (
        "collector",
        "layouts",
        "callbacks",
        "app",
        "dash",
        "dash_bootstrap_components",
        "flask",
        "werkzeug",
        "httptools",
    ),
    "collector": ("layouts", "callbacks", "app", "dash", "dash_bootstrap_components", "plotly"),
    "layouts": (
        "callbacks",
        "collector",
        "app",
        "flask",
        "sqlalchemy",
        "psycopg",
        "sqlite3",
        "analytics.storage.database",
        "analytics.storage.schema",
    ),
    "callbacks": ("app",),
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions; `from a import b` is `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def breaches(room: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for module in sorted(imports(path))
        if any(module == never or module.startswith(never + ".") for never in NEVER[room])
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_the_arrows_are_kept(room):
    assert list((ROOT / room).rglob("*.py"))
    assert breaches(room) == []


def test_a_breach_would_be_seen(tmp_path):
    file = tmp_path / "some.py"
    file.write_text("def f():\n    from analytics.storage import schema\n    import dash.html\n")
    assert imports(file) == {"analytics.storage", "analytics.storage.schema", "dash.html"}


def told_in_full(path: Path) -> list[str]:
    """Where a file would log an exception's words: they may hold what a visitor sent (see
    `analytics/base/error_log.py`).
    """
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            in_full = node.func.attr == "exception" or any(given.arg == "exc_info" for given in node.keywords)
            if (owner in ("log", "logger") and in_full) or node.func.attr in ("print_exc", "format_exc"):
                found.append(f"{path.name}:{node.lineno}")
    return found


def test_no_failure_is_logged_with_its_words(tmp_path):
    files = (ROOT / "app.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))
    assert [where for path in files for where in told_in_full(path)] == []
    wrong = tmp_path / "some.py"
    wrong.write_text("log.exception('x')\nlog.error('x', exc_info=True)\ntraceback.print_exc()\nlog.error('x')\n")
    assert told_in_full(wrong) == ["some.py:1", "some.py:2", "some.py:3"]


def test_the_product_never_imports_its_tests_or_benchmarks():
    for path in (ROOT / "app.py", ROOT / "cli.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))):
        assert not {name.split(".")[0] for name in imports(path)} & {"tests", "benchmarks", "pytest"}, path

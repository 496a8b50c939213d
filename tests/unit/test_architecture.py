"""The arrows between rooms and packages. Imports are followed through everything; a broken rule prints its path."""

from __future__ import annotations

import ast
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("analytics", "collector", "layouts", "callbacks")

# The floors of each room, lowest first. A package imports packages of lower floors, never one of its own or a higher.
# A name without a folder is a module that stands in the room itself.
FLOORS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "analytics": (
        ("base",),
        ("calendar",),
        ("storage",),
        ("sites",),
        ("access", "live", "query"),
        ("replica", "reports", "migrations"),
        ("jobs", "notebook", "activity", "health"),
        ("notify",),
        ("commands", "__init__"),
    ),
    "collector": (
        ("http", "tracker", "cache"),
        ("ingest", "card"),
        ("store", "live"),
        ("api", "imports", "watching", "notifying"),
        ("doors",),
        ("simulate",),
        ("service", "server", "control"),
        ("served_commands",),
        ("mounting",),
        ("__init__",),
    ),
    "layouts": (
        ("components", "footfall_components"),
        ("joined", "shortcuts", "figures", "wrong_address", "notices", "alerts", "activity"),
        ("shell",),
        ("settings", "overview", "plain"),
        ("pages",),
    ),
    "callbacks": (
        ("page_context", "download", "document"),
        ("gate", "forms", "static_files"),
        ("settings", "bell"),
        ("pages",),
        ("table",),
    ),
}
# Of a room, with an `__init__.py`. `analytics` is to have these: base, calendar, storage, sites, access, live, query,
# replica, reports, jobs, goals, notify, activity, health, links, cluster and commands; `migrations` has none.
MAX_PACKAGES = 17

# What no module of a package reaches, through nobody: packages and modules, with everything inside them.
UNREACHED: Mapping[str, tuple[str, ...]] = {
    "analytics": ("collector", "layouts", "callbacks", "app", "cli", "dash", "flask", "werkzeug", "httptools"),
    "collector": ("layouts", "callbacks", "app", "cli", "dash", "dash_bootstrap_components", "plotly"),
    "layouts": ("callbacks", "collector", "app", "cli", "flask", "psycopg", "sqlite3", "duckdb", "analytics.storage"),
    "callbacks": ("app", "cli"),
}
# All that a package reaches of a room, through whatever it imports.
REACHED: Mapping[str, tuple[str, ...]] = {
    "collector.http": tuple(
        f"analytics.base.{name}" for name in ("error_log", "error_causes", "addresses", "address_prefix")
    ),
}
# What no module of a package imports itself.
TABLES = "analytics.storage.schema", "analytics.storage.tables"
SQL = "sqlalchemy", *TABLES
NOT_IMPORTED: Mapping[str, tuple[str, ...]] = {
    "collector.ingest": (*SQL, "analytics.storage"),
    "collector.live": SQL,
    "collector.api": SQL,
    "collector.doors": SQL,
    "collector.imports": SQL,
    "collector.card": SQL,
    "callbacks": TABLES,
    "layouts": ("sqlalchemy",),
}
# They answer a database that is away, and run no SQL.
SQL_ERRORS = {
    ("collector.doors.collect", "sqlalchemy.exc.SQLAlchemyError"),
    ("collector.doors.routes", "sqlalchemy.exc.SQLAlchemyError"),
}
# Who writes facts: only these modules of the product import what writes them, within `collector.store` all may.
WRITERS: Mapping[str, set[str]] = {
    "collector.store.statements": {"collector.simulate.demo_days"},  # whole visits of the demo's earlier days
    "collector.store.batch": {"collector.imports.log_import"},  # pages of logs, through the pipeline
    "collector.store.outcome_counters": set(),
}


@cache
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


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name if name.endswith("__init__") and name.count(".") == 1 else name.removesuffix(".__init__")


@cache
def modules() -> dict[str, Path]:
    """Every module of the product, by its dotted name; a room's own `__init__.py` keeps that name."""
    files = (
        ROOT / "app.py",
        ROOT / "cli.py",
        *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))),
    )
    return {module_name(path): path for path in files}


@cache
def arrows() -> dict[str, set[str]]:
    """What each module imports: our modules by their own names, others by their top name, packages not at all."""
    found = {}
    for name, path in modules().items():
        imported = imports(path)
        ours = {one for one in imported if one in modules() and modules()[one].name != "__init__.py"}
        found[name] = ours | {
            one.split(".")[0] for one in imported if one.split(".")[0] not in (*ROOMS, "app", "cli", "")
        }
        found[name] |= {one for one in imported if one in ("app", "cli")}
    return found


def path_to(start: str, is_wrong: Callable[[str], bool]) -> list[str]:
    """The shortest chain of imports from a module to one that is wrong, empty where there is none."""
    waiting, seen = deque([[start]]), {start}
    while waiting:
        chain = waiting.popleft()
        for name in sorted(arrows().get(chain[-1], ())):
            if is_wrong(name):
                return [*chain, name]
            if name not in seen:
                seen.add(name)
                waiting.append([*chain, name])
    return []


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in packages)


def package_of(name: str) -> tuple[str, str]:
    """Room and package of one of our modules."""
    room, _, rest = name.partition(".")
    return room, rest.split(".")[0]


def floor_of(room: str, package: str) -> int:
    found = [floor for floor, packages in enumerate(FLOORS[room]) if package in packages]
    assert found, f"{room}/{package} is on no floor: add it to FLOORS"
    return found[0]


def in_rooms() -> Iterator[tuple[str, str]]:
    """Each import of one module by another of the same room but another package."""
    for name, targets in arrows().items():
        for target in sorted(targets & set(modules())):
            if name.split(".")[0] == target.split(".")[0] and package_of(name) != package_of(target):
                yield name, target


@pytest.mark.parametrize("room", ROOMS)
def test_packages_import_only_lower_floors(room):
    own = [(name, target) for name, target in in_rooms() if name.split(".")[0] == room]
    assert own
    wrong = [
        f"{name} → {target}"
        for name, target in own
        if floor_of(room, package_of(target)[1]) >= floor_of(room, package_of(name)[1])
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_few_packages_and_every_floor_is_inhabited(room):
    packages = {path.parent.name for path in (ROOT / room).glob("*/__init__.py")}
    assert len(packages) <= MAX_PACKAGES
    there = {package_of(name)[1] for name in modules() if name.startswith(room + ".")}
    planned = {package for floor in FLOORS[room] for package in floor}
    assert there - {"__init__"} == planned - {"__init__"}


@pytest.mark.parametrize("package", UNREACHED)
def test_nothing_leads_from_a_package_to_what_it_does_not_know(package):
    own = [name for name in modules() if within(name, (package,))]
    assert own
    chains = (path_to(name, lambda one: within(one, UNREACHED[package])) for name in own)
    assert [" → ".join(chain) for chain in chains if chain] == []


@pytest.mark.parametrize("package", NOT_IMPORTED)
def test_a_package_does_not_import(package):
    own = [name for name in modules() if within(name, (package,))]
    assert own
    found = {(name, one) for name in own for one in imports(modules()[name]) if within(one, NOT_IMPORTED[package])}
    allowed = {one for one in SQL_ERRORS if within(one[0], (package,))}
    assert found - {(name, of) for name, one in allowed for of in (one, one.rpartition(".")[0])} == set()
    assert allowed <= found, "an exception that is not needed"


@pytest.mark.parametrize("package", REACHED)
def test_a_package_reaches_nothing_else_of_a_room(package):
    rooms = {one.split(".")[0] for one in REACHED[package]}
    own = [name for name in modules() if within(name, (package,))]
    assert own
    chains = [
        path_to(name, lambda one: one.split(".")[0] in rooms and not within(one, REACHED[package])) for name in own
    ]
    assert [" → ".join(chain) for chain in chains if chain] == []


@pytest.mark.parametrize("module", WRITERS)
def test_only_the_store_the_simulation_and_imports_write_facts(module):
    assert module in modules()
    importing = {name for name, targets in arrows().items() if module in targets}
    assert {name for name in importing if not within(name, ("collector.store",))} == WRITERS[module]


def test_no_two_classes_share_a_name():
    """A class whose name begins with `_` is known to its module alone."""
    places: dict[str, list[str]] = {}
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    assert {one: where for one, where in places.items() if len(where) > 1} == {}


def test_no_module_reaches_itself():
    chains = (path_to(name, lambda one, name=name: one == name) for name in modules())
    assert [" → ".join(chain) for chain in chains if chain] == []


def test_a_breach_would_be_seen(tmp_path):
    file = tmp_path / "some.py"
    file.write_text("def f():\n    from analytics.storage import schema\n    import dash.html\n")
    assert imports(file) == {"analytics.storage", "analytics.storage.schema", "dash.html"}
    chain = path_to("callbacks.table", lambda one: one == "analytics.storage.schema")
    assert chain[0] == "callbacks.table"
    assert len(chain) > 2, "the way there leads through others"
    assert all(after in arrows()[before] for before, after in pairwise(chain))


def logged_in_full(path: Path) -> list[str]:
    """Where a file would log an exception's words: they may hold what a visitor sent (see
    `analytics/base/error_log.py`).
    """
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            in_full = node.func.attr == "exception" or any(keyword.arg == "exc_info" for keyword in node.keywords)
            if (owner in ("log", "logger") and in_full) or node.func.attr in ("print_exc", "format_exc"):
                found.append(f"{path.name}:{node.lineno}")
    return found


def test_no_failure_is_logged_with_its_words(tmp_path):
    files = (ROOT / "app.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))
    assert [where for path in files for where in logged_in_full(path)] == []
    wrong = tmp_path / "some.py"
    wrong.write_text("log.exception('x')\nlog.error('x', exc_info=True)\ntraceback.print_exc()\nlog.error('x')\n")
    assert logged_in_full(wrong) == ["some.py:1", "some.py:2", "some.py:3"]


def test_the_product_never_imports_its_tests_or_benchmarks():
    for path in (ROOT / "app.py", ROOT / "cli.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))):
        assert not {name.split(".")[0] for name in imports(path)} & {"tests", "benchmarks", "pytest"}, path


def test_names_of_test_files_are_unique():
    """pytest collects no second module of the same name."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, many in names.items() if many > 1] == []

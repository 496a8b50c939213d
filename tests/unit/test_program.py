"""Commands are named as they work where this program was started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.base import program
from analytics.base.config import Config
from tests.support.serving import with_data

ROOT = Path(__file__).parents[2]


@pytest.fixture
def started(monkeypatch):
    """The command line of `user list`, by program, Python, directory and PATH."""

    def said(argument: str, python: Path | str, here: Path, path: str = "") -> str:
        program._program.cache_clear()
        monkeypatch.chdir(here)
        monkeypatch.setattr(sys, "argv", [argument])
        monkeypatch.setattr(sys, "executable", str(python))
        monkeypatch.setenv("PATH", path)
        return program.command("user list")

    yield said
    program._program.cache_clear()


def test_python_and_app_py_are_named_relative_to_the_directory(started, tmp_path):
    assert started("app.py", ROOT / ".venv/bin/python", ROOT) == "`.venv/bin/python app.py user list`"
    away = started(str(ROOT / "app.py"), ROOT / ".venv/bin/python", tmp_path)
    assert away == f"`{ROOT}/.venv/bin/python {ROOT}/app.py user list`"


def test_the_installed_script_is_named_where_the_shell_finds_it_else_by_its_path(started, tmp_path):
    script = tmp_path / ".venv" / "bin" / "footfall"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert started(str(script), "/usr/bin/python3", tmp_path) == "`.venv/bin/footfall user list`"
    assert started(str(script), "/usr/bin/python3", ROOT) == f"`{script} user list`"
    assert started(str(script), "/usr/bin/python3", ROOT, str(script.parent)) == "`footfall user list`"


def test_under_another_server_python_and_app_py_are_named(started):
    assert started("/x/bin/gunicorn", ROOT / ".venv/bin/python", ROOT) == "`.venv/bin/python app.py user list`"


def test_the_script_that_is_named_works(tmp_path):
    script = Path(sys.executable).with_name("footfall")
    with_data(Config(data_dir=tmp_path / "data"))
    environment = {"FOOTFALL_DATA_DIR": str(tmp_path / "data"), "PATH": os.defpath}
    done = subprocess.run(
        [script, "user", "reset", "ann@example.com"],
        cwd=ROOT,
        env=environment,
        input="\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    named = script.relative_to(ROOT)
    assert done.stderr.endswith(f"there is nobody with the e-mail ann@example.com; `{named} user list` shows who is\n")
    assert done.returncode == 2

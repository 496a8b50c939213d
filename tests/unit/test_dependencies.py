"""The locked dependencies: what runs is supported, and known advisories are found."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.serving import ROOT

pytestmark = pytest.mark.slow

PINNED = re.compile(r"^([a-z0-9.-]+)==([^\s;]+)", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / name).read_text()))


@contextmanager
def advisories(about: str) -> Iterator[str]:
    """The address of a database with the interface of OSV that knows one advisory, about that package."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [ADVISORY] if asked["package"]["name"] == about else []
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "an advisory that was made up",
    "affected": [{"package": {"name": "flask", "ecosystem": "PyPI"}, "ranges": [], "versions": []}],
}


def audit(address: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/audit", "--osv-url", address]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_what_runs_and_what_tests_use_have_the_same_versions_but_for_urllib3():
    runs, tests = locked("requirements.lock"), locked("requirements-dev.lock")
    differ = {name: (version, tests[name]) for name, version in runs.items() if tests[name] != version}
    assert [*differ] == ["urllib3"]
    assert [version.partition(".")[0] for version in differ["urllib3"]] == ["2", "1"]  # 1 is out of support
    assert "selenium" not in runs


def test_an_advisory_about_a_dependency_is_told_and_fails():
    with advisories("flask") as address:
        done = audit(address)
    assert done.returncode == 1
    assert re.search(r"^flask +\S+ +PYSEC-2026-1", done.stderr, re.MULTILINE), done.stderr


def test_dependencies_without_an_advisory_pass():
    with advisories("nothing-of-ours") as address:
        done = audit(address)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"audit: no advisory is known for \d\d+ dependencies\n", done.stdout)


def test_a_database_out_of_reach_is_said():
    done = audit("http://127.0.0.1:9/v1/query")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "audit: NOT DONE, the database of advisories cannot be reached from here\n"

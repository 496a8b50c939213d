"""The columnar replica after `kill -9`: the next start has every row, from a file that was half made or half way."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import duckdb

from analytics.storage.database import Database
from benchmarks.history_data import write
from tests.support.factories import added_site
from tests.support.serving import AGENT, ROOT, environment_of, eventually, pageview, rows, run_command, serving

MAKES = """
import sys, time
from analytics.replica.columnar import Columnar
from analytics.base.config import read_config
from analytics.storage.database import Database

def rest(seconds):
    print("making", flush=True)
    time.sleep(60)

config = read_config()
Columnar(Database(config), config).follow(rest)
"""


def test_killed_while_it_is_made(config):
    with closing(Database(config)) as database:
        write(database, added_site(database).id, visits=50, begin=1_767_225_600, days=2)
    making = subprocess.Popen(
        [sys.executable, "-c", MAKES], cwd=ROOT, env=environment_of(config), stdout=subprocess.PIPE
    )
    with making:
        assert making.stdout
        assert making.stdout.readline() == b"making\n"
        assert (config.data_dir / "columnar.duckdb.new").exists()
        making.kill()
    verified = run_command(config, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "0 differences" in verified.stdout
    assert not (config.data_dir / "columnar.duckdb.new").exists()


def test_killed_while_it_follows(config):
    with serving(config) as server:
        server.command("site", "add", "example.com")
        for number in range(40):
            sent = [pageview(f"page-{number:04}-{nth}", f"/{nth}", visitor_id=f"v{number}") for nth in range(5)]
            assert server.collect(sent, {"User-Agent": AGENT}).status == 202
        server.kill()
    verified = run_command(config, "verify")
    assert verified.returncode == 0, verified.stdout
    assert len(rows(config, "SELECT id FROM pageviews")) == 200


def test_verify_tells_of_a_difference_and_exits_1(server):
    assert server.collect(pageview("page-0001")).status == 202
    assert server.command("verify").startswith("The columnar replica agrees with the database: 2 rows compared")
    assert server.stop() == 0
    with duckdb.connect(server.config.data_dir / "columnar.duckdb") as replica:
        replica.execute("UPDATE pageviews SET path = '/other'")
    verified = run_command(server.config, "verify")
    assert verified.returncode == 1
    assert verified.stdout.splitlines()[0] == "The columnar replica differs from the database:"
    assert verified.stdout.splitlines()[1].endswith("has another path")


def test_the_service_goes_on_where_the_file_cannot_be_made(config):
    config.data_dir.mkdir(parents=True)
    (config.data_dir / "columnar.duckdb.new").mkdir()  # neither to be written nor to be deleted
    with serving(config) as server:
        server.command("site", "add", "example.com")
        eventually(lambda: any("the columnar replica is in doubt" in line for line in server.errors))
        assert server.collect(pageview("page-0001")).status == 202
        assert server.request("GET", "/readyz").status == 200
        assert server.stop() == 0

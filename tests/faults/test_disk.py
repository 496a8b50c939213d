"""What an operator's disk does: it is full, it has a limit, and its files are nobody else's business."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import ROOT, SITE, environment_of, eventually, pageview, serving

FULL_DISK = Path(__file__).with_name("full_disk.py")
ON_SQLITE = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


def limited(words: str) -> tuple[str, ...]:
    """What starts a command under a limit of the shell's."""
    return "sh", "-c", f'{words}; exec "$@"', "sh"


@ON_SQLITE
def test_a_disk_that_fills_up_is_told_as_a_full_disk_in_one_short_line(config):
    with serving(
        config, before=(sys.executable, str(FULL_DISK)), FOOTFALL_COLUMNAR="off", FOOTFALL_COLLECT_RATE="0"
    ) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        many = [[pageview(f"page-{n:04}-{k:03}", f"/{'long' * 50}/{n}/{k}") for k in range(100)] for n in range(40)]
        statuses = {server.collect(batch).status for batch in many}
        assert statuses == {202, 503}
        words = f"the database cannot be written to: the disk that holds {config.data_dir} is full"
        line_end = f"ERROR footfall.writer: {words}\n"
        eventually(lambda: [line for line in server.errors if line.endswith(line_end)])
        server.stop()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Z]+ footfall\.\w+: ", line) for line in server.errors)
    assert max(map(len, server.errors)) < 300


@ON_SQLITE
def test_a_start_for_which_there_is_no_room_says_so_in_one_line(config):
    """The database of countries is the first large file. The error once said `the network: …`."""
    done = subprocess.run(
        [*limited("ulimit -f 64"), sys.executable, "app.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment_of(config),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    limit = "a file may not grow any more: a limit of this process (ulimit -f)"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"footfall: {limit}; see --data-dir and FOOTFALL_DATA_DIR"


def test_every_file_of_the_data_directory_is_its_owners_alone(config):
    """Also where the directory is older and open, and where the owner's umask is."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    config.data_dir.chmod(0o755)
    for name in ("footfall.db", "footfall.db.lock") if config.embedded else ():
        (config.data_dir / name).touch()
        (config.data_dir / name).chmod(0o644)
    with serving(config, before=limited("umask 0")) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        assert server.collect(pageview("page-0001", "/")).status == 202
        eventually((config.data_dir / "columnar.duckdb").exists, within=30)
        rights = {one.name: stat.S_IMODE(one.stat().st_mode) for one in config.data_dir.iterdir()}
        assert set(rights.values()) == {0o600}
        assert stat.S_IMODE(config.data_dir.stat().st_mode) == 0o700
        assert {"footfall.db", "footfall.db-wal", "footfall.db-shm"} <= set(rights) or not config.embedded
        server.stop()

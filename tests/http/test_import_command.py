"""`import access-log` during a running server: history grows, and readers of the Live page notice nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from tests.support.logs import CHROME, busy, recount
from tests.support.serving import (
    AGENT,
    AS_ON_A_TERMINAL,
    ROOT,
    environment_of,
    eventually,
    listening,
    pageview,
    run_command,
)


def numbers(server, site):
    words = ("query", "--site", site, "visitors", "visits", "pageviews", "--period", "all", "--format", "csv")
    return tuple(map(int, server.command(*words).splitlines()[1].split(",")))


def begun(server, *words):
    """A command that runs in parallel with the test."""
    return subprocess.Popen(
        [sys.executable, "-c", AS_ON_A_TERMINAL, "app.py", *words],
        cwd=ROOT,
        env=environment_of(server.config),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def now_line(address, path):
    at = datetime.fromtimestamp(int(time.time()) - 1, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{at}] "GET {path} HTTP/1.1" 200 5 "-" "{CHROME}"\n'


def test_a_log_is_imported_twice_and_counts_once(shared, site, tmp_path):
    log, lines = tmp_path / "access.log", busy(800)
    log.write_text("".join(lines))
    views = recount(lines).pageviews
    for stored, known in ((views, 0), (0, views)):
        said = shared.command("import", "access-log", str(log), "--site", site)
        assert said.splitlines()[0] == f"800 lines read: {stored} pageviews imported, {known} were there already."
        eventually(lambda: numbers(shared, site) == recount(lines))  # the replica is a second behind


def test_a_log_of_this_minute_shows_nobody_and_uses_up_nobodys_rate(shared, site, tmp_path):
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    headers = {"Authorization": f"Bearer {key}"}
    with listening(shared, f"site={site}", headers) as open_before:
        log = tmp_path / "access.log"
        log.write_text("".join(now_line(f"203.0.113.{n % 250}", f"/{n}") for n in range(700)))
        said = shared.command("import", "access-log", str(log), "--site", site)
        assert said == "700 lines read: 700 pageviews imported, 0 were there already."
        live = shared.request("GET", f"/api/live?site={site}", headers=headers).json
        assert (live["active_sessions"], live["top_pages"]) == (0, [])
        assert shared.collect(pageview("view-live-1", site=site), {"User-Agent": AGENT}).status == 202
        eventually(lambda: open_before.of("new_event"))
        assert [message.data["path"] for message in open_before.of("new_event")] == ["/"]
    with listening(shared, f"site={site}", headers) as open_after:
        eventually(lambda: open_after.of("connected"))
        connected = open_after.of("connected")[0].data
        assert (connected["currentVisitors"], len(connected["recentEvents"])) == (1, 1)


def test_a_log_is_followed_until_ctrl_c_and_a_second_run_goes_on(shared, site, tmp_path):
    log, lines = tmp_path / "access.log", busy(600)
    log.write_text("".join(lines[:300]))
    following = begun(shared, "import", "access-log", str(log), "--site", site, "--follow")
    try:
        eventually(lambda: numbers_of_api(shared, site) == recount(lines[:300]).pageviews, within=60)
        with log.open("a") as file:
            file.write("".join(lines[300:450]))
        eventually(lambda: numbers_of_api(shared, site) == recount(lines[:450]).pageviews, within=60)
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=30)
    finally:
        following.kill()
        following.communicate()
    assert (following.returncode, err.strip()) == (130, "")
    assert not any("\r" in line for line in out.splitlines())
    with log.open("a") as file:
        file.write("".join(lines[450:]))
    shared.command("import", "access-log", str(log), "--site", site)
    eventually(lambda: numbers(shared, site) == recount(lines))  # the replica is a second behind


def numbers_of_api(server, site):
    """How many pageviews there are, asked over the socket: no process, so quick."""
    options = {"site": site, "metrics": ["pageviews"], "by": [], "period": "all", "filters": [], "limit": 1}
    return int(server.tell("query", **options, form="csv").splitlines()[1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.log", "--site", "example.com"), "nowhere.log"),
        (("README.md", "--site", "nowhere.example"), "there is no site nowhere.example"),
        (("README.md", "--follow"), "--site"),
    ],
)
def test_what_people_get_wrong_is_one_line_and_exit_2(shared, site, words, said):
    done = run_command(shared.config, "import", "access-log", *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr


def test_a_log_of_several_hosts_counts_for_its_own_through_the_server(shared, site, tmp_path):
    lines = busy(300)
    mine, other = (f"{site}:443 {one}" for one in lines), (f"other.example:443 {one}" for one in lines)
    log = tmp_path / "vhosts.log"
    log.write_text("".join([*mine, *other]))
    views = recount(lines).pageviews
    said = shared.command("import", "access-log", str(log), "--site", site, "--format", "combined-vhost")
    assert said.splitlines()[0] == f"600 lines read: {views} pageviews imported, 0 were there already."
    assert said.splitlines()[-1].endswith(" lines of other hosts: other.example.")
    eventually(lambda: numbers(shared, site) == recount(lines))  # the replica is a second behind


def test_without_a_server_it_is_imported_all_the_same(config, tmp_path):
    log, lines = tmp_path / "access.log", busy(500)
    log.write_text("".join(lines))
    done = run_command(config, "import", "access-log", str(log), "--site", "example.com")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"500 lines read: {recount(lines).pageviews} pageviews imported, 0 ")

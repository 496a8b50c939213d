"""`replay access-log`: a small log walks across a running server, and the summary says what was left out."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.support.serving import ROOT, environment_of, eventually, rows, run_command

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
START = datetime(2015, 5, 17, 10, 5, tzinfo=UTC)


def line(second, address, path, status=200, method="GET", agent=BROWSER, referrer="-"):
    at = (START + timedelta(seconds=second)).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{at}] "{method} {path} HTTP/1.1" {status} 5 "{referrer}" "{agent}"\n'


LOG = [
    line(0, "203.0.113.1", "/", referrer="https://www.google.com/"),
    line(0, "203.0.113.1", "/style.css"),
    line(1, "203.0.113.1", "/logo.png"),
    line(5, "198.51.100.2", "/pricing"),
    line(6, "192.0.2.3", "/", agent=ROBOT),
    "this line is broken\n",
    line(7, "198.51.100.2", "/gone", status=404),
    line(8, "198.51.100.2", "/form", method="POST"),
    line(600, "203.0.113.1", "/docs"),
    line(1200, "198.51.100.2", "/signup"),
    line(1300, "192.0.2.4", "/blog"),
]


@contextmanager
def replaying(server, *words):
    """The command, in parallel with the test; killed at the end if it still runs."""
    replay = subprocess.Popen(
        [sys.executable, "app.py", "replay", *words],
        cwd=ROOT,
        env=environment_of(server.config),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield replay
    finally:
        replay.kill()
        replay.communicate()


def test_a_log_walks_across_the_server_and_leaves(shared, site, tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(LOG))
    reading = {"Authorization": "Bearer " + shared.tell("key add", name="r", scope="stats", site=site)}

    def live():
        answer = shared.request("GET", f"/api/live?site={site}", headers=reading).json
        return answer["active_sessions"], [(page["path"], page["count"]) for page in answer["top_pages"]]

    with replaying(shared, "access-log", str(log), "--site", site, "--speed", "2000") as replay:
        eventually(lambda: live() == (3, [("/blog", 1), ("/docs", 1), ("/signup", 1)]), within=60)
        replay.send_signal(signal.SIGINT)  # each would stay on the last page for 15 s or more
        out, err = replay.communicate(timeout=30)
    assert (replay.returncode, err) == (0, "")
    assert out.splitlines()[-1] == (
        "sent 6 pageviews, 6 leaves; skipped: not_a_page 2, broken_line 1, not_ok 1, not_get 1; "
        "filtered: bot 2; stopped early"
    )
    assert live() == (0, [])
    visits = rows(
        shared.config,
        "SELECT entry_page, exit_page, pageviews, source FROM visits JOIN sites ON sites.id = site_id "
        f"WHERE domain = '{site}' ORDER BY visits.id",
    )
    assert visits == [("/", "/docs", 2, "Google"), ("/pricing", "/signup", 2, ""), ("/blog", "/blog", 1, "")]


def test_a_log_in_another_format_walks_too(shared, site, tmp_path):
    log = tmp_path / "caddy.log"
    request = {"client_ip": "8.8.8.8", "remote_ip": "8.8.8.8", "method": "GET", "uri": "/a", "host": f"www.{site}"}
    entry = {"ts": 1431857103.5, "status": 200, "request": request | {"headers": {"User-Agent": [BROWSER]}}}
    log.write_text(f"caddy-1  | {json.dumps(entry)}\n")
    query = f"SELECT host, country FROM visits JOIN sites ON sites.id = site_id WHERE domain = '{site}'"
    with replaying(shared, "access-log", str(log), "--site", site) as replay:
        eventually(lambda: rows(shared.config, query) == [(f"www.{site}", "US")], within=60)
        replay.send_signal(signal.SIGINT)  # the visitor would stay for a while
        out, _ = replay.communicate(timeout=30)
    assert out.splitlines()[-1] == "sent 1 pageviews, 1 leaves; stopped early"


def test_a_replay_of_what_is_no_log_shows_its_first_line(shared, site, tmp_path):
    log = tmp_path / "notes.txt"
    log.write_text("a shopping list\n")
    done = run_command(shared.config, "replay", "access-log", str(log), "--site", site)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no line of it is one of an access log that can be read; the first: a shopping list" in done.stderr


def test_a_packed_log_is_read_too_and_the_key_of_a_replay_is_gone_afterwards(shared, site, tmp_path):
    log = tmp_path / "access.log.gz"
    picture = b'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 1 "-" "Mozilla/5.0"\n'
    log.write_bytes(gzip.compress(2 * picture + b"nothing of use\n"))
    printed = shared.command("replay", "access-log", str(log), "--site", site)
    assert printed == "sent 0 pageviews, 0 leaves; skipped: not_a_page 2, broken_line 1"
    assert rows(shared.config, "SELECT COUNT(*) FROM keys WHERE name = 'replay'") == [(0,)]

"""`maintain` on the command line, with a running server and without one; and what the server does by itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from collector.doors.script import script_beating
from tests.support.serving import SITE, pageview, rows, run_command, serving

DAY = 86_400


def yesterday(hour: float = 12) -> int:
    return int(time.time()) // DAY * DAY - DAY + int(hour * 3600)


def spoken_for(server, *events) -> None:
    """Sends what a server with a key tells of the past."""
    key = server.tell("key add", name="shop", scope="ingest", site=SITE)
    answer = server.collect(list(events), {"Authorization": f"Bearer {key}"})
    assert answer.json == {"stored": len(events), "duplicate": 0}


def visit(number: int, at: int, **fields):
    return pageview(f"page-{number:04}-{at}", ip=f"198.51.100.{number}", user_agent="Firefox", time=at, **fields)


def test_it_does_the_day_s_work_beside_a_server_and_says_what_it_did(server):
    nothing = "Nothing to do."
    assert server.command("maintain") == nothing
    noon = yesterday()
    day = datetime.fromtimestamp(noon, UTC).date()
    usage = "SELECT day, people, signed_in, anonymous FROM daily_usage"
    spoken_for(server, visit(1, noon), visit(2, noon), visit(3, noon, user_id="ada"), visit(3, noon + 60))
    minutes, by_itself = f"Counted the minutes of {day}.", nothing  # the server may have done it just before
    said = server.command("maintain")
    assert said in (f"Counted the people of {day}: 3.\n{minutes}", by_itself)
    assert rows(server.config, usage) == [(str(day), 3, 1, 2)]
    assert server.command("maintain") == nothing
    spoken_for(server, visit(4, noon))
    said = server.command("maintain")
    assert said in (f"Counted the people of {day}: 4.\n{minutes}", by_itself)
    assert rows(server.config, usage) == [(str(day), 4, 1, 3)]


def test_without_a_server_it_does_it_too(server):
    spoken_for(server, visit(1, yesterday(3)))
    assert server.stop() == 0
    said = run_command(server.config, "maintain")
    assert (said.returncode, said.stderr) == (0, "")
    day = datetime.fromtimestamp(yesterday(), UTC).date()
    assert said.stdout == f"Counted the people of {day}: 1.\nCounted the minutes of {day}.\n"
    assert run_command(server.config, "maintain").stdout == "Nothing to do.\n"


def test_retention_is_a_setting(config):
    with serving(config, FOOTFALL_HEARTBEAT_RETENTION_DAYS="2") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        now = int(time.time())
        spoken_for(server, visit(1, now - 3 * DAY), visit(1, now - DAY))
        server.tell("maintain")
        assert rows(config, "SELECT at FROM heartbeats") == [(now - DAY,)]


def test_the_script_is_served_with_the_interval_that_is_set(config):
    with serving(config, FOOTFALL_HEARTBEAT_INTERVAL_S="120") as server:
        served = server.request("GET", "/js/footfall.js")
        assert served.body == script_beating(120) != script_beating(30)
        again = server.request("GET", "/js/footfall.js", headers={"If-None-Match": served.headers["etag"]})
        assert again.status == 304
        warned = "".join(server.errors)
    assert "FOOTFALL_ACTIVE_WINDOW_S: 60 is shorter than FOOTFALL_HEARTBEAT_INTERVAL_S, 120" in warned


def test_what_it_does_not_know_is_told_in_one_line(server):
    said = run_command(server.config, "maintain", "--frequently")
    assert (said.returncode, said.stderr) == (2, "footfall: No such option '--frequently'.\n")

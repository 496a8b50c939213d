"""`kill -9` under load: what was acknowledged is there, and what was sent again is counted once."""

from __future__ import annotations

import random
import socket

import pytest
from senders import REFUSED, Senders, check_books

from tests.support.serving import SITE, eventually, heartbeat, pageview, rows, run_command, serving, with_data

KILLS = 5


def test_five_kills_under_load_lose_nothing_and_double_nothing(config):
    chance = random.Random(7303)
    assert run_command(with_data(config), "site", "add", SITE).returncode == 0
    senders = Senders(port=1)
    for _ in range(KILLS):
        with serving(config, FOOTFALL_COLLECT_RATE="0") as server:
            senders.port = server.port
            enough = len(senders.acknowledged) + chance.randint(100, 400)
            eventually(lambda enough=enough: len(senders.acknowledged) >= enough, within=60)
            server.kill()
    with serving(config, FOOTFALL_COLLECT_RATE="0") as server:
        senders.port = server.port
        senders.finish()
        assert server.stop() == 0
    kept = check_books(config, senders)
    assert set(kept.stored) == set(senders.acknowledged) == set(senders.sent)
    assert {202, 0, REFUSED} <= senders.statuses.keys() <= {202, 503, 0, REFUSED}  # 503: a disk that took its time
    assert senders.statuses[0] >= KILLS  # a sender was waiting for an answer at each kill


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_killed_server_leaves_nothing_that_still_serves_and_nothing_in_the_way_of_the_next(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
        with open(children) as file:
            assert file.read() == ""
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        assert (config.data_dir / "control.sock").exists()
    with serving(config, "--port", str(server.port)) as again:
        assert again.port == server.port
        assert again.tell("site list").splitlines()[1].startswith(SITE)
        assert again.collect(pageview("page-after")).status == 202


def test_who_was_here_is_known_again_after_a_kill(config):
    patient = {"FOOTFALL_ACTIVE_WINDOW_S": "900"}  # they stay active, however slow the machine
    with serving(config, **patient) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        reader = {"Authorization": "Bearer " + server.tell("key add", name="r", scope="stats", site=SITE)}
        for number in range(6):
            agent = {"User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) Chrome/{100 + number}.0.0.0"}
            user = {"user_id": f"u-{number}", "user_type": "couple"} if number % 2 else {}
            server.collect([pageview(f"page-aa-{number}", f"/{number % 3}", **user)], agent)
            server.collect(heartbeat(f"page-aa-{number}", **user), agent)
        before = server.request("GET", f"/api/live?site={SITE}", headers=reader).json
        server.kill()
    with serving(config, **patient) as server:
        after = server.request("GET", f"/api/live?site={SITE}", headers=reader).json
    assert before["active_sessions"] == 6
    assert before["authenticated_users"] == 3
    assert after | {"as_of": 0} == before | {"as_of": 0}
    assert rows(config, "SELECT COUNT(*) FROM heartbeats") == [(12,)]

"""Events that rules wait for, while the server is killed and its database restarts: each notifies once.

A client whose event was not answered, or answered with 503, cannot know whether it was stored. It sends the event again
with its id until the answer is 202, which says whether it is stored now (`stored`) or was before (`duplicate`). So in
the end each of the events has been acknowledged once, and each is to be in exactly one notification of each rule. A
rule without groups makes 60 notifications a minute, of which the last one counts the further events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from own_postgresql import PostgreSQL
from senders import REFUSED, Senders, assert_verified

from analytics.base.config import Config
from analytics.notify import rules
from analytics.notify.rule import MAX_PER_MINUTE
from analytics.notify.rule_json import read
from analytics.storage.database import Database
from tests.support.factories import NOW, added_site
from tests.support.serving import SITE, event, eventually, rows, serving

EVENTS, CLIENTS = 10_000, 40  # many: so a commit has many events
NAME = "Order"
RULES = {
    "each": {"title": "{description}", "group_s": 0},
    "groups": {"title": "Orders", "group_s": 2},
}


class Installation(NamedTuple):
    """Settings, the ids of the rules by their names, and what restarts the database; None for one without a server."""

    config: Config
    rules: dict[str, int]
    crash: Callable[[], None] | None


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request, tmp_path) -> Iterator[Installation]:
    """A site with one rule that notifies of each event, as often as it may, and one that counts them in groups."""
    server = (
        PostgreSQL(request.getfixturevalue("postgresql_folder")("notify")) if request.param == "postgresql" else None
    )
    config = Config(data_dir=tmp_path / "data", database_url=server.url if server else "")
    database = Database(config)
    site = added_site(database, SITE)
    ids = {}
    for name, texts in RULES.items():
        rule = {"name": name, "when": {"event": NAME}, "notify": {"priority": "low", **texts}}
        ids[name] = rules.add(database, site.id, read(rule), now=NOW).id
    database.close()
    yield Installation(config, ids, server and server.crash)
    if server:
        server.close()


def order(event_id: str) -> dict[str, Any]:
    return event(event_id, NAME, description=event_id)


def deliver_over_faults(installation: Installation, senders: Senders) -> None:
    """Kills the server twice and restarts the database, while the senders send all that they have."""
    for enough in (EVENTS // 4, EVENTS // 2):
        with serving(installation.config, FOOTFALL_COLLECT_RATE="0") as server:
            senders.port = server.port
            eventually(lambda enough=enough: len(senders.acknowledged) >= enough, within=120)
            server.kill()
    with serving(installation.config, FOOTFALL_COLLECT_RATE="0") as server:
        senders.port = server.port
        if installation.crash:
            eventually(lambda: len(senders.acknowledged) >= EVENTS * 3 // 4, within=120)
            installation.crash()
            assert len(senders.acknowledged) < EVENTS, "all was over before the database crashed"
        senders.complete(within=120)
        assert server.stop() == 0


@pytest.mark.slow
def test_ten_thousand_events_notify_once_each_over_kills_and_a_restart_of_the_database(installation):
    config = installation.config
    senders = Senders(port=1, clients=CLIENTS, make=order, each=EVENTS // CLIENTS)
    try:
        deliver_over_faults(installation, senders)
    finally:
        senders.abandon()
    assert {202, 0, REFUSED} <= senders.statuses.keys() <= {202, 503, 0, REFUSED}
    assert senders.statuses[0] >= 2  # at each kill a client was waiting for an answer
    assert len(senders.repeats) <= senders.statuses[0] + senders.statuses[503]
    assert sorted(senders.acknowledged) == sorted(senders.sent)
    assert len(set(senders.sent)) == EVENTS
    assert sorted(rows(config, "SELECT page_id FROM events")) == [(one,) for one in sorted(senders.sent)]
    each = rows(config, f"SELECT title, at, count FROM notifications WHERE rule_id = {installation.rules['each']}")
    titles = {title for title, _, _ in each}
    assert len(titles) == len(each), "an event has begun two notifications"
    assert titles <= set(senders.sent)
    assert sum(count for _, _, count in each) == EVENTS
    of_minutes = Counter(at // 60 for _, at, _ in each)
    assert max(of_minutes.values()) == MAX_PER_MINUTE
    assert sum(count > 1 for _, _, count in each) <= len(of_minutes)
    groups = rows(config, f"SELECT count FROM notifications WHERE rule_id = {installation.rules['groups']}")
    assert 1 < len(groups) < EVENTS
    assert sum(count for (count,) in groups) == EVENTS
    assert_verified(config)

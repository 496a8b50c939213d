"""Presence is restored after a start, from the last stored heartbeats."""

from __future__ import annotations

from sqlalchemy import delete

from analytics.live.presence import Presence
from analytics.live.restore import last_beats
from analytics.storage import schema
from tests.support.factories import NOW, accepted, added_site, event, heartbeat, leave, one_by_one


def test_without_beats_nothing_is_restored(database):
    assert last_beats(database, NOW - 300) == []


def test_the_newest_beat_of_every_tab_is_restored_oldest_first_as_it_was_pushed(database):
    one, other = added_site(database).id, added_site(database, "example.org").id
    outcomes = one_by_one(
        database,
        accepted(site_id=one, path="/a"),
        accepted(site_id=one, page_id="page-0002", path="/b", visitor=2, at=NOW + 1, user_id="ann", user_type="couple"),
        heartbeat(site_id=one, at=NOW + 2, state="idle"),
        accepted(site_id=other, at=NOW + 3),
        leave("page-0002", site_id=one, at=NOW + 4),
        event(site_id=one, at=NOW + 5, pageview="page-0001", path="/a"),
    )
    assert last_beats(database, NOW - 300) == [outcomes[number].beat for number in (3, 4, 5)]


def test_only_beats_since_that_second_are_restored(database):
    site_id = added_site(database).id
    outcomes = one_by_one(
        database,
        *(accepted(site_id=site_id, page_id=f"page-000{n}", at=NOW + n, visitor=n) for n in range(4)),
    )
    assert last_beats(database, NOW + 2) == [outcomes[2].beat, outcomes[3].beat]


def test_a_removed_site_is_not_restored(database):
    one_by_one(database, accepted(site_id=77))
    with database.transaction() as connection:
        connection.execute(delete(schema.sites))
    assert last_beats(database, NOW - 300) == []


def test_presence_after_a_restart_is_what_it_was_before(database):
    site_id = added_site(database).id
    kinds = ("pageview", "pageview", "heartbeat", "event", "leave")
    plan = [
        {"page_id": f"page-{n // 3:04}", "visitor": n // 6, "path": f"/{n % 4}", "at": NOW + n}
        | ({"user_id": f"user-{n // 12}", "user_type": "couple"} if n % 5 == 0 else {})
        for n in range(80)
    ]
    outcomes = one_by_one(
        database, *(accepted(kinds[n % 5], site_id=site_id, **fields) for n, fields in enumerate(plan) if n % 7)
    )
    now = NOW + 80
    before, after = Presence(60), Presence(60)
    for outcome in outcomes:
        if beat := getattr(outcome, "beat", None):
            before.take([beat], beat.at)
    before.expire(now)
    after.take(last_beats(database, now - 300), now)
    assert after.state(now) == before.state(now)
    assert after.active > 3
    assert after.recent_visits == before.recent_visits

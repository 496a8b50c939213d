"""Outcomes and names that are not rows: counted by key, bounded, in the database with the next group."""

from __future__ import annotations

from collections import Counter

from analytics.live import outcome_store
from analytics.live.outcomes import OutcomeCount, RobotCount
from analytics.sites import host as sites_host
from analytics.sites import unlisted_hosts
from analytics.sites.host import UnlistedHost
from analytics.storage import schema
from collector.store import outcome_counters
from collector.store.batch import write_counts
from collector.store.outcome_counters import MAX_KEYS, MAX_NAMES, OutcomeCounts
from tests.support.factories import NOW, added_site, count

HOUR = 3600
NEXT = NOW + HOUR


def written(database, *events: tuple[int, int, str, str, str]) -> OutcomeCounts:
    """Writes the counts of these events (site, moment, outcome, reason, name) to the database, and returns them."""
    counts: OutcomeCounts = Counter()
    for one in events:
        outcome_counters.count(counts, *one)
    with database.transaction() as connection:
        write_counts(connection, counts)
    return counts


def test_an_outcome_is_counted_by_the_hour_and_added_to_what_is_there(database):
    site = added_site(database)
    for _ in range(2):
        written(
            database,
            (site.id, NOW + 5, "filtered", "opted_out", ""),
            (site.id, NOW + HOUR - 1, "filtered", "opted_out", ""),
            (site.id, NEXT, "rejected", "wrong_field", ""),
            (0, NOW, "rejected", "unknown_site", ""),
        )
    traffic = outcome_store.read(database, site.id, NOW, NEXT + HOUR)
    assert traffic.hours == [
        OutcomeCount(NOW, "filtered", "opted_out", 4),
        OutcomeCount(NEXT, "rejected", "wrong_field", 2),
    ]
    assert traffic.received == 6
    assert outcome_store.read(database, 0, NOW, NEXT).totals() == [("rejected", "unknown_site", 2)]


def test_totals_come_in_the_order_of_the_outcomes_and_the_most_first(database):
    site = added_site(database)
    counts = [
        ("shed", "queue_full"),
        *[("filtered", "bot")] * 2,
        *[("filtered", "opted_out")] * 3,
        ("duplicate", ""),
        ("stored", ""),
    ]
    written(database, *((site.id, NOW, outcome, reason, "") for outcome, reason in counts))
    assert outcome_store.read(database, site.id, NOW, NEXT).totals() == [
        ("stored", "", 1),
        ("duplicate", "", 1),
        ("filtered", "opted_out", 3),
        ("filtered", "bot", 2),
        ("shed", "queue_full", 1),
    ]


def test_robots_are_counted_by_name_in_a_period_and_balance_with_their_outcome(database):
    site, other = added_site(database), added_site(database, "other.example")
    sent = [(NOW, "Googlebot"), (NOW, "Googlebot"), (NEXT, "Googlebot"), (NOW, "curl"), (NEXT, "foobot")]
    for at, name in sent:
        written(database, (site.id, at, "filtered", "bot", name), (other.id, at, "filtered", "bot", "else"))
    whole = outcome_store.read(database, site.id, NOW, NEXT + HOUR)
    assert whole.robots == [RobotCount("Googlebot", 3), RobotCount("curl", 1), RobotCount("foobot", 1)]
    assert whole.totals() == [("filtered", "bot", 5)]
    assert outcome_store.read(database, site.id, NEXT, NEXT + HOUR).robots == [
        RobotCount("Googlebot", 1),
        RobotCount("foobot", 1),
    ]


def test_names_beyond_a_hundred_are_counted_together(database):
    site = added_site(database)
    for start in (0, 60):
        written(
            database,
            *((site.id, NOW, "filtered", "bot", f"bot{number}") for number in range(start, start + 90)),
            *((site.id, NOW, "filtered", "unlisted_host", f"h{number}.test") for number in range(start, start + 90)),
        )
    robots = outcome_store.read(database, site.id, NOW, NEXT).robots
    assert (len(robots), sum(robot.events for robot in robots)) == (MAX_NAMES + 1, 180)
    assert dict(robots)[sites_host.OTHER] == 50
    unlisted = unlisted_hosts.unlisted(database, site)
    assert (len(unlisted), sum(host.events for host in unlisted)) == (MAX_NAMES + 1, 180)
    assert unlisted[0] == UnlistedHost(sites_host.OTHER, 50, NOW)


def test_a_flood_of_names_fills_no_memory_and_loses_no_count(database):
    site = added_site(database)
    flood = ((site.id, NOW, "filtered", "bot", f"bot{number}") for number in range(MAX_KEYS + 500))
    counts = written(database, *flood)
    assert len(counts) <= MAX_KEYS + 2
    traffic = outcome_store.read(database, site.id, NOW, NEXT)
    assert traffic.received == sum(robot.events for robot in traffic.robots) == MAX_KEYS + 500


def test_a_host_keeps_the_minute_of_its_last_event(database):
    site = added_site(database)
    for at in (NOW + 125, NOW + 61, NOW):
        written(database, (site.id, at, "filtered", "unlisted_host", "shop.test"))
    assert unlisted_hosts.unlisted(database, site) == [UnlistedHost("shop.test", 3, NOW + 120)]


def test_nothing_to_count_writes_nothing(database):
    written(database)
    assert [count(database, table) for table in (schema.outcomes, schema.robots, schema.unlisted_hosts)] == [0, 0, 0]

"""Watching partitioned tables: what is an event, what moves a gauge, and what is refused."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import pytest

from analytics.activity import gauge, gauges, watches
from analytics.activity.outbox import Outbox
from analytics.activity.source import SourceRefused
from tests.support.factories import NOW
from tests.support.host import watch_of

pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)  # what is tested is in the other database
PAYMENTS = """
CREATE TABLE payments (id int, day date NOT NULL, amount numeric) PARTITION BY RANGE (day);
CREATE TABLE payments_2025 PARTITION OF payments FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE payments_2026 (amount numeric, id int, day date NOT NULL);
ALTER TABLE payments ATTACH PARTITION payments_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
"""
GAUGES = tuple(map(gauge.parse, ("All: count", "Sum: sum(amount)")))
payments = partial(watch_of, "payments", columns=("id",))


@pytest.fixture
def host(host):
    """The host with partitioned payments; its columns are not in the same order everywhere."""
    host.run(PAYMENTS)
    return host


def changes(host) -> list[tuple[str, int | None, int | None]]:
    """What is in the outbox: the operation, and the ids of the row before and after."""
    return [(operation, old and old["id"], new and new["id"]) for operation, old, new in host.outbox()]


def test_each_change_of_a_partitioned_table_is_one_event_wherever_it_is_written(database, site, host):
    before = host.catalog()
    added = watches.add(database, site, host.url, payments("amount=gt.10"), now=NOW)
    host.run("INSERT INTO payments VALUES (1, '2025-05-01', 20), (2, '2026-05-01', 20), (3, '2026-05-01', 5)")
    host.run("INSERT INTO payments_2026 (id, day, amount) VALUES (4, '2026-05-02', 20)")
    host.run("CREATE TABLE payments_2027 PARTITION OF payments FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')")
    host.run("INSERT INTO payments_2027 VALUES (5, '2027-05-01', 20)")
    host.run("UPDATE payments SET amount = 30 WHERE id = 2")
    host.run("UPDATE payments SET day = '2026-05-01' WHERE id = 1")  # it moves to another partition
    host.run("DELETE FROM payments WHERE id = 4")
    assert changes(host) == [
        ("insert", None, 1),
        ("insert", None, 2),
        ("insert", None, 4),
        ("insert", None, 5),
        ("update", 2, 2),
        ("delete", 1, None),
        ("insert", None, 1),
        ("delete", 4, None),
    ]
    host.run("DROP TABLE payments_2027")
    watches.remove(database, added.id)
    assert host.catalog() == before


def test_gauges_of_a_partitioned_table_do_not_see_what_passes_by_it_until_they_are_compared(database, site, host):
    added = watches.add(database, site, host.url, payments(on=()), GAUGES, now=NOW)

    def values(at: int) -> list[float | None]:
        with closing(Outbox(host.url)) as outbox:
            gauges.keep(database, outbox.connection, [added], at)
        return [one.value for one in gauges.of_site(database, site.id)]

    assert values(NOW) == [0, 0]
    host.run("INSERT INTO payments VALUES (1, '2025-05-01', 20), (2, '2026-05-01', 30)")
    assert values(NOW + 1) == [2, 50]
    host.run("UPDATE payments SET day = '2026-05-01', amount = 25 WHERE id = 1")  # it moves to another partition
    assert values(NOW + 2) == [2, 55]
    host.run("INSERT INTO payments_2026 (id, day, amount) VALUES (3, '2026-05-01', 40)")
    assert values(NOW + 3) == [2, 55]
    host.run("ALTER TABLE payments DETACH PARTITION payments_2025")
    assert values(NOW + 3600) == [3, 95]
    notices = [one.notice for one in gauges.of_site(database, site.id)]
    assert notices == ["corrected from 2 to 3", "corrected from 55 to 95"]


def test_a_partition_has_events_and_no_gauges_since_writes_into_the_whole_table_pass_by_them(database, site, host):
    with pytest.raises(SourceRefused) as refused:
        watches.add(database, site, host.url, payments(table="payments_2025"), GAUGES, now=NOW)
    line = "public.payments_2025 is a partition, whose changes cannot all be counted; give the whole table its gauges"
    assert str(refused.value) == line
    windowed = gauge.parse("New: count last 30d of day")
    watches.add(database, site, host.url, payments(table="payments_2025"), [windowed], now=NOW)
    host.run("INSERT INTO payments VALUES (1, '2025-05-01', 20), (2, '2026-05-01', 30)")
    assert changes(host) == [("insert", None, 1)]

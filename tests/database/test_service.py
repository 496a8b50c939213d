"""What has happened when a service is open, which is before its server is ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import text

from analytics.notify import alerts, rules
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.rule import Notify
from analytics.notify.rule_json import RuleInput
from analytics.storage.database import Database
from collector.ingest import device, robot
from collector.live.hub import Subscription
from collector.service import Service
from tests.support.factories import NOW, added_site
from tests.support.serving import eventually

PATTERNS = device._parser, robot._harmless, robot._robots, robot._known


@contextmanager
def renamed(database: Database, table: str) -> Iterator[None]:
    """A table has another name for the length of a block, so that nobody can read it."""
    _rename(database, table, "away")
    try:
        yield
    finally:
        _rename(database, "away", table)


def _rename(database: Database, table: str, to: str) -> None:
    with database.transaction() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


def test_rules_read_what_the_server_has_to_do(config):
    """The first reading begins the minute; of the load nothing is known before."""
    now = [NOW]
    with closing(Service(config, lambda: now[0])) as service:
        site = added_site(service.database)
        busy = RuleInput(
            "Busy", LineCrossed("requests_per_second", Crossing.ABOVE, 1), Notify(title="{value} a second")
        )
        rules.add(service.database, site.id, busy, now=NOW)
        service.refresh()
        service.routes(lambda _: None)
        service.notifying.evaluate_live()
        for _ in range(20):
            service.counts.record("/api/collect", 202, 0.01)
        now[0] += 5
        service.notifying.evaluate_live()
        assert [one.title for one in alerts.open_ones(service.database, [site.id])] == ["4 a second"]


def test_gauges_that_cannot_be_read_keep_no_alert_from_the_streams(config):
    with closing(Service(config)) as service, renamed(service.database, "gauges"):
        stream = Subscription(1, lambda: None)
        for one in service.changing:
            one.listen(stream)
        assert '"type":"alerts"' in eventually(lambda: stream.take().decode())


def test_what_reads_user_agents_is_loaded_before_the_first_event(config):
    for loaded in PATTERNS:
        loaded.cache_clear()
    with closing(Service(config)):
        assert [loaded.cache_info().currsize for loaded in PATTERNS] == [1, 1, 1, 1]
        device.read("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        robot.name_of("Somebody/1.0 (Linux)")
        robot.name_of("Somebot/1.0")
        assert [loaded.cache_info().misses for loaded in PATTERNS] == [1, 1, 1, 1]

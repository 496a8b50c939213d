"""What happens at the demo while a visitor looks at it: its people alone make toasts and an alert that is over soon.

On invented time: the collector gets the demo's events of five minutes, and the rules are evaluated each 5 s of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile

import pytest

from analytics.access import api_keys
from analytics.notify import alerts
from analytics.notify.alert import LIVE_S
from analytics.notify.difference import Difference
from analytics.sites import store
from analytics.storage import schema
from collector.doors.table import COLLECT
from collector.http.messages import Request
from collector.service import Service
from collector.simulate import crowds, demo_rules
from collector.simulate.demo import present_events
from collector.simulate.people import DEMO_DOMAIN
from collector.simulate.traffic import make_traffic
from tests.support.factories import NOW, rows
from tests.support.serving import eventually

pytestmark = pytest.mark.slow

LENGTH_S = 300
SOON_S = 120
BATCH = 100


class Demo:
    """The demo site of a service whose clock the test sets."""

    def __init__(self, config) -> None:
        self.begin = NOW
        self.now = float(self.begin)
        self.service = Service(config, lambda: self.now)
        self.site = store.add(self.service.database, DEMO_DOMAIN, now=self.begin)
        demo_rules.add(self.service.database, self.site.id, now=self.begin)
        self.key = api_keys.add(self.service.database, "demo", "ingest", self.site.id, now=self.begin)
        self.service.refresh()

    def run(self, seed: int) -> None:
        """Five minutes pass."""
        events = present_events(make_traffic(seed, self.begin), self.begin)
        found = list(takewhile(lambda event: event.due < LENGTH_S, events))
        for second in range(0, LENGTH_S, LIVE_S):
            self.now = float(self.begin + second)
            self._send([body for due, body in found if second - LIVE_S < due <= second])
            self.service.notifying.evaluate_live()

    def _send(self, bodies) -> None:
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
        for first in range(0, len(bodies), BATCH):
            content = json.dumps(bodies[first : first + BATCH]).encode()
            request = Request("POST", "/api/collect", "", headers, "127.0.0.1", content)
            eventually(lambda request=request: self.service.collector.collect(request, COLLECT, 15).status < 300, 60)

    def notices(self) -> list[tuple[int, str, str]]:
        """Second since the begin, type, title."""
        found = rows(self.service.database, schema.notifications, "at", "type", "title")
        return [(at - self.begin, kind, title) for at, kind, title in found]


@pytest.fixture
def demo(config) -> Iterator[Demo]:
    made = Demo(config)
    yield made
    made.service.close()


def test_within_two_minutes_a_visitor_signs_up_one_buys_and_an_alert_fires_which_is_over_in_five(demo):
    demo.run(seed=7)
    seen = {(kind, title): at for at, kind, title in reversed(demo.notices())}  # the first of each
    assert seen["notification.created", "New signup"] < SOON_S
    assert seen["notification.created", "Payment of 199 EUR"] < SOON_S
    (alert,) = alerts.of_site(demo.service.database, demo.site.id)
    assert crowds.FIRST_S < alert.fired_at - demo.begin < SOON_S
    assert alert.resolved_at is not None
    assert alert.value is not None
    assert alert.value > demo_rules.FEW
    assert alert.affected > demo_rules.FEW
    source, page = alert.why[:2]
    assert source == Difference("source", "newsletter", 0, source.now)
    assert page == Difference("page", crowds.PATH, page.before, alert.affected)
    assert demo_rules.FEW < source.now <= alert.affected
    assert page.before < demo_rules.FEW
    named = [(kind, title) for _, kind, title in demo.notices() if kind != "notification.created"]
    assert named == [("alert.firing", alert.title), ("alert.resolved", f"Resolved: {alert.title}")]
    assert alert.title == f"{alert.affected} people at the Monitorama talk"

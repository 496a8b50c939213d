"""Everything that notifies in one process: the rules in memory, what they write, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import quote

from analytics.base.background import Pause, in_batches
from analytics.base.config import Config
from analytics.notify import alerts, deliveries, failed_rules, notifications, shipped, totals, unchecked_events
from analytics.notify.courier import Courier
from analytics.notify.evaluator import Evaluator
from analytics.notify.events import Notified
from analytics.notify.notification import Notification
from analytics.notify.outbound.outside import outside_of
from analytics.notify.reading import Measured, Sources
from analytics.notify.rendering import DashboardLinks, Subject
from analytics.notify.rules import RuleRing
from analytics.notify.sample_metrics import NO_SAMPLES, SampleSource
from analytics.notify.telling import add_of_alert
from analytics.notify.totals import NotifyTotals
from analytics.query.backend import Backend
from analytics.sites.directory import Directory
from analytics.storage.database import Database
from collector.live.bells import Bells
from collector.live.hub import Hub
from collector.store.notifier import Notifier


class Notifying:
    """Rules, bells, courier and evaluator over one database. Close it before the database.

    The writer calls `within` in the transaction of each batch with events; `evaluate_live` and `evaluate_historical`
    are called again and again. `clock` returns epoch seconds; `measured` what the process has to do, and `samples` what
    metrics are now, both for rules.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        sites: Directory,
        hub: Hub,
        backend: Backend,
        clock: Callable[[], float],
        measured: Measured = dict,
        samples: SampleSource = NO_SAMPLES,
    ) -> None:
        self._base_url = config.base_url
        self._database = database
        self._sites = sites
        self._clock = clock
        self.rules = RuleRing(database)
        self.bells = Bells(self._domain_of, clock)
        self.outside = outside_of(config)
        self.courier = Courier(database, self.outside, self._links_of, on_notified=self._show, clock=clock)
        sources = Sources(database, hub, backend, config.active_window_s, measured, samples)
        self._evaluator = Evaluator(sources, sites.numbered, self.rules.evaluated_rules, add_of_alert)
        self.within = Notifier(self.rules.event_rules, self._domain_of, self._on_written, clock).within
        self.courier.start()

    def add_shipped_rules(self) -> None:
        """Gives the rules that every site begins with to sites that have never had them."""
        if shipped.add_missing(self._database, now=self._now()):
            self.rules.refresh()

    def evaluate_live(self) -> None:
        """Evaluates the rules on live metrics, if no other process does."""
        self._show(self._evaluator.evaluate_live(self._now()))

    def evaluate_historical(self) -> None:
        """Evaluates the rules on metrics of a period, if no other process does."""
        self._show(self._evaluator.evaluate_historical(self._now()))

    def prune(self, pause: Pause) -> None:
        """Deletes what is kept no longer, in small batches."""
        for kept in (notifications, alerts, deliveries):
            in_batches(partial(kept.prune, self._database, self._now()), pause)

    def totals(self) -> NotifyTotals:
        """What `/metrics` says of notifications."""
        return totals.read(self._database, self.courier.results, self._evaluator.gaps(), self._now())

    def _on_written(self, written: Notified) -> None:
        """After the commit of events. Rules that erred are switched off, which is said too, as are events that no rule
        has checked.
        """
        self._show(written.notifications)
        for site_id, many in written.unchecked.items():
            notice = unchecked_events.note(self._database, site_id, many, self._now())
            self._show([notice] if notice else [])
        if written.wrong:
            self._show(failed_rules.switch_off_all(self._database, written.wrong, now=self._now()))
            self.rules.refresh()

    def _show(self, written: Sequence[Notification]) -> None:
        if written:
            self.bells.publish(written)
            self.courier.wake()

    def _links_of(self, subject: Subject) -> DashboardLinks:
        """Where messages lead, if it is set at which address people reach the server."""
        if not self._base_url:
            return DashboardLinks()
        if subject.alert_id is None:
            rules_page = f"{self._base_url}/settings/{quote(subject.domain)}/rules"
            snooze = f"{rules_page}?snooze={subject.rule_id}" if subject.rule_id else ""
            page = f"/alerts/{quote(subject.domain)}" if subject.has_alerts else "/notifications"
            return DashboardLinks(self._base_url + page, snooze, self._base_url)
        alert = f"{self._base_url}/alerts/{quote(subject.domain)}/alert?id={subject.alert_id}"
        return DashboardLinks(alert, f"{alert}&snooze=1", self._base_url)

    def _domain_of(self, site_id: int) -> str:
        site = self._sites.numbered(site_id)
        return site.shown_domain if site else ""

    def _now(self) -> int:
        return int(self._clock())

    def stop(self) -> None:
        """Sends nothing more, and ends the streams. May be called twice."""
        self.courier.stop()
        self.bells.close()

    def close(self) -> None:
        """Leaves the evaluation of rules to another process."""
        self._evaluator.close()

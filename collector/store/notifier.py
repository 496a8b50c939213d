"""Writes the notifications of a batch in its transaction, and passes them on after the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from analytics.notify.events import ArrivedEvent, DomainOf, Notified, RulesOf, notify
from analytics.notify.rule_budget import RuleBudget
from collector.ingest.accepted import Accepted
from collector.ingest.outcomes import Outcome, Stored

OnWritten = Callable[[Notified], None]


class Notifier:
    """The writer calls it with the outcomes of each batch. `on_written` receives what was written, after the commit.

    Most sites have no rule for events: for their batches nothing is read.
    """

    def __init__(
        self, rules_of: RulesOf, domain_of: DomainOf, on_written: OnWritten, clock: Callable[[], float]
    ) -> None:
        self._rules_of = rules_of
        self._domain_of = domain_of
        self._on_written = on_written
        self._clock = clock
        self._budget = RuleBudget()

    def within(self, connection: Connection, outcomes: Sequence[tuple[Accepted, Outcome]]) -> Callable[[], None] | None:
        """Writes the notifications; returns what to do after the commit, None if there is nothing to do."""
        events = [event for one, outcome in outcomes if (event := self._event(one, outcome))]
        if not events:
            return None
        written = notify(connection, self._rules_of, self._domain_of, events, int(self._clock()), self._budget)
        return (lambda: self._on_written(written)) if any(written) else None

    def _event(self, one: Accepted, outcome: Outcome) -> ArrivedEvent | None:
        """The stored event, if its site has rules for events."""
        if one.details is None or type(outcome) is not Stored or outcome.feed is None:
            return None
        return ArrivedEvent(one.site_id, outcome.feed, one.details.props) if self._rules_of(one.site_id) else None

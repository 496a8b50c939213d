"""The courier: takes the deliveries that are due out of the outbox and sends them, a few at the same time."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from analytics.base.error_log import describe
from analytics.notify import channel_health, deliveries, holding, notifications, rendering, retry, several
from analytics.notify.channel import NotificationChannel
from analytics.notify.deliveries import Result
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.notify.notification import Notification
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.message import OutboundMessage
from analytics.notify.outbound.outside import Outside
from analytics.notify.outbound.sending import send
from analytics.notify.pace import Pacing
from analytics.notify.quiet_hours import retry_due
from analytics.notify.rendering import LinksOf
from analytics.notify.rule import Priority
from analytics.notify.telling import tell_rest
from analytics.storage.database import Database

log = logging.getLogger("footfall.courier")

WORKERS = 8
"""How many deliveries are attempted at the same time, at most one for each channel."""

OF_SITE = 4
"""How many of them may be one site's, so that receivers of one site that hang leave workers to the other sites."""

RESULTS = (DeliveryState.SENT, DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.DROPPED)
"""How an attempt leaves its delivery; `waiting` is for the next attempt."""

POLL_S = 1.0
NOT_THERE = "its notification is not there any more"
NO_CHANNEL = "its channel is disabled or removed"
SUPERSEDED = "a newer message about its alert goes in its place"


class _Stopped(Exception):
    """The courier was stopped; its database may be closed by now."""


class Courier:
    """Sends what is due. `start` begins a thread that looks every second, and at once after `wake`; `stop` ends it.

    `links_of` has the links of a message to the dashboard. `on_notified` receives what Footfall itself has to say of a
    channel, after the commit. `clock` says when attempts end, in epoch seconds; `jitter` is from 0 to 1.
    """

    def __init__(
        self,
        database: Database,
        outside: Outside,
        links_of: LinksOf = rendering.no_links,
        *,
        on_notified: Callable[[Sequence[Notification]], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        workers: int = WORKERS,
    ) -> None:
        self._database = database
        self._outside = outside
        self._links_of = links_of
        self._on_notified = on_notified
        self._clock = clock
        self._jitter = jitter
        self._workers = workers
        self._lock = threading.Lock()
        self._database_lock = threading.Lock()
        self._left = False  # whether the database is not used any more
        self._results: Counter[str] = Counter()
        self._attempts: dict[int, threading.Thread] = {}  # by channel
        self._sites: dict[int, int] = {}  # of the channels that are attempted
        self._pacing = Pacing()
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to send what is due, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="footfall-courier", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Says that something may be due now. Call it after the commit; it never blocks."""
        self._woken.set()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Begins nothing more and waits so long for what is being sent; what has not ended is sent again later.

        Afterwards the database may be closed: an attempt that ends later records nothing.
        """
        self._stopping.set()
        self._woken.set()
        if self._thread:
            self._thread.join(timeout_s)
        self.settle(timeout_s)
        got = self._database_lock.acquire(timeout=timeout_s)
        self._left = True
        if got:
            self._database_lock.release()

    @property
    def results(self) -> dict[str, int]:
        """What came of the attempts since the start, by the state in which they left their deliveries."""
        with self._lock:
            return {str(state): self._results[state] for state in RESULTS}

    def settle(self, timeout_s: float) -> None:
        """Waits for the attempts that are being made, so long altogether."""
        end = time.monotonic() + timeout_s
        with self._lock:
            running = list(self._attempts.values())
        for one in running:
            one.join(max(0.0, end - time.monotonic()))

    def deliver_due(self, now: int) -> int:
        """Begins to send what is due, in threads, and returns how many; 0 if as many as may be are being sent."""
        with self._lock:
            free = self._workers - len(self._attempts)
            busy = self._attempts.keys() | self._pacing.resting(now)
            paced = self._pacing.paced(now)
            running = Counter(self._sites.values())
        with self._using_database() as database:
            several.release(database, now)
            claimed = deliveries.claim(database, now, free, busy, paced, running=running, of_site=OF_SITE)
        for delivery in claimed:
            self._begin(delivery, now)
        return len(claimed)

    @contextmanager
    def _using_database(self) -> Iterator[Database]:
        """The database, for one thread at a time; `_Stopped` after `stop`. To close it under a statement is fatal."""
        with self._database_lock:
            if self._left:
                raise _Stopped
            yield self._database

    def _begin(self, delivery: Delivery, now: int) -> None:
        name = f"footfall-courier-{delivery.channel_id}"
        thread = threading.Thread(target=self._attempt, args=(delivery, now), name=name, daemon=True)
        with self._lock:
            self._attempts[delivery.channel_id] = thread
            self._sites[delivery.channel_id] = delivery.site_id
            thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(POLL_S)
            self._woken.clear()
            if self._stopping.is_set():
                return
            try:
                self.deliver_due(int(self._clock()))
            except _Stopped:
                return
            except Exception as failed:  # the database is away: what is due stays due
                log.warning("deliveries have to wait: %s", describe(failed))

    def _attempt(self, delivery: Delivery, now: int) -> None:
        """One attempt, in a thread of its own."""
        try:
            self._send(delivery, now)
        except _Stopped:  # it stays claimed
            return
        except Exception as failed:  # it stays claimed, and is due again when the claim ends
            log.warning("what came of a delivery was not recorded: %s", describe(failed))
        with self._lock:
            self._attempts.pop(delivery.channel_id, None)
            self._sites.pop(delivery.channel_id, None)
        self._woken.set()

    def _send(self, delivery: Delivery, now: int) -> None:
        """Sends and records what came of it."""
        with self._using_database() as database, database.read() as connection:
            channel = channel_health.find(connection, delivery.channel_id)
            message = rendering.message_of(connection, delivery, self._links_of)
            is_superseded = deliveries.is_superseded(connection, delivery)
        if channel is None or channel.disabled_at is not None or message is None or is_superseded:
            why = NOT_THERE if message is None else SUPERSEDED if is_superseded else NO_CHANNEL
            with self._using_database() as database, database.transaction() as connection:
                deliveries.record(connection, delivery, Result(DeliveryState.DROPPED, now, now, None, why))
            self._count(DeliveryState.DROPPED)
            return
        answer = send(channel, message, self._outside, now)
        ended = int(self._clock())
        with self._lock:
            rest_s = min(answer.retry_after_s or 0, retry.MAX_RETRY_AFTER_S)
            self._pacing.attempted(channel.id, channel.kind, ended, rest_s)
        with self._using_database() as database, database.transaction() as connection:
            state, notice = self._record(connection, delivery, channel, message, answer, ended)
        self._count(state)
        if notice:
            self._on_notified([notice])

    def _record(
        self,
        connection: Connection,
        delivery: Delivery,
        channel: NotificationChannel,
        message: OutboundMessage,
        answer: ChannelAnswer,
        now: int,
    ) -> tuple[DeliveryState, Notification | None]:
        """The state in which the attempt leaves the delivery, and the notification about its channel if any."""
        following = retry.after_attempt(delivery.attempts, answer, now, self._jitter())
        if following.state is DeliveryState.WAITING:
            hours = holding.hours_of(connection, [channel.id]).get(channel.id)
            following = following._replace(at=retry_due(hours, Priority(message.priority), following.at))
        sent = _events_of(message) if answer.sent else {}
        grouped = notifications.locked(connection, sent)
        events = message.events if answer.sent else 0
        result = Result(following.state, following.at, now, answer.status, answer.text, events)
        if not deliveries.record(connection, delivery, result):
            return following.state, None
        notice = channel_health.record(connection, channel, answer, now)
        if message.covered:
            deliveries.record_covered(connection, delivery, sent, now)
        tell_rest(connection, grouped, delivery.channel_id, now)
        return following.state, notice

    def _count(self, state: DeliveryState) -> None:
        with self._lock:
            self._results[state] += 1


def _events_of(message: OutboundMessage) -> dict[int, int]:
    """For how many events each notification of the message stands in it, by id."""
    if message.id is not None:
        return {message.id: message.events}
    return {one.id: one.events for one in message.covered}

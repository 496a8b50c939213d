"""The collector follows the watched tables of every site: a thread for each database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from analytics.activity import watches
from analytics.activity.watch import WatchDefinition
from collector.store.writer import Writer
from collector.watching import Watching
from tests.support.factories import NOW, added_site

THREADS, ROUNDS = 8, 10


def test_threads_that_refresh_at_once_begin_to_follow_a_database_once(database, host):
    """The service does so every second, and a form as soon as a watch was added."""
    added = watches.add(database, added_site(database), host.url, WatchDefinition("public", "bookings"), now=NOW)
    writer = Writer(database)
    for _ in range(ROUNDS):
        stop, together, before = threading.Event(), threading.Barrier(THREADS), set(threading.enumerate())
        watching = Watching(database, writer, stop.wait)

        def refresh(watching=watching, together=together) -> None:
            together.wait()
            watching.refresh()

        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(refresh) for _ in range(THREADS)]:
                done.result()
        followers = [one for one in set(threading.enumerate()) - before if one.name == "footfall-follow-table"]
        stop.set()
        watching.join(10)
        assert len(followers) == 1
        assert [one.id for one in watching.watches] == [added.id]
    writer.stop()

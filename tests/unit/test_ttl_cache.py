"""The cache of a value that is slow to read."""

from __future__ import annotations

import threading

from analytics.base.ttl_cache import TtlCache


def test_a_slow_read_does_not_overwrite_a_newer_one():
    truth, reached, gate = ["old"], threading.Event(), threading.Event()

    def read():
        found = truth[0]
        if found == "old":
            reached.set()
            gate.wait(20)
        return found

    snapshot = TtlCache(read, 1000)
    slow, quick = threading.Thread(target=snapshot.refresh), threading.Thread(target=snapshot.refresh)
    slow.start()
    assert reached.wait(20)
    truth[0] = "new"
    quick.start()
    quick.join(0.2)  # where it did not wait for its turn, it would be through by now
    gate.set()
    slow.join()
    quick.join()
    assert snapshot.get() == "new"

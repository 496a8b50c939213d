"""Whether the database answers, as the last probe found it: read without a query, by callers that must not wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from sqlalchemy.exc import OperationalError

UNRESPONSIVE_S = 0.6  # the probe takes a millisecond
CUT_READERS_S = 2.0  # queries that wait for longer than this will not be answered


class Unresponsive(OperationalError):
    """The database is known to hang, so no query was sent."""

    def __init__(self) -> None:
        super().__init__(None, None, TimeoutError("the database does not answer"))


class Availability:
    """What the probes of one database found. Without any probe the database counts as available.

    Moments are on the monotonic clock.
    """

    def __init__(self) -> None:
        self.probe_began = inf  # of the probe under way; read on the hot path
        self._failed = False

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Wraps one probe, however long it takes. The probe failed if the block raises."""
        self.probe_began = time.monotonic()
        try:
            yield
        except BaseException:
            self._failed = True
            raise
        else:
            self._failed = False
        finally:
            self.probe_began = inf

    def mark_failed(self) -> None:
        """Records a failure that another query met; it stands until the next probe."""
        self._failed = True

    def unanswered_s(self, now: float) -> float:
        """For how long the probe under way has waited; 0 if none is under way."""
        return max(0.0, now - self.probe_began)

    def is_unresponsive(self, now: float) -> bool:
        """Whether the database hangs: the probe under way neither answers nor fails."""
        return now - self.probe_began > UNRESPONSIVE_S

    def is_unavailable(self, now: float) -> bool:
        """Whether the database hangs, or the last probe failed."""
        return self._failed or self.is_unresponsive(now)

"""The pulse of the database: whether it answers, known without asking it, for those who may not wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from sqlalchemy.exc import OperationalError

SILENT_S = 0.6  # the probe takes a millisecond
CUT_S = 2.0  # from then on those who wait for an answer wait in vain


class Silent(OperationalError):
    """The database does not answer, which is known: it is not asked."""

    def __init__(self) -> None:
        super().__init__(None, None, TimeoutError("the database does not answer"))


class Pulse:
    """What the probes of one database have found. Where nobody probes it counts as answering.

    Moments are on the monotonic clock.
    """

    def __init__(self) -> None:
        self.asked_at = inf  # when the probe under way began; read on the hot path
        self._failed = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """One probe, which may take as long as it takes; it has failed where the block raises."""
        self.asked_at = time.monotonic()
        try:
            yield
        except BaseException:
            self._failed = True
            raise
        else:
            self._failed = False
        finally:
            self.asked_at = inf

    def miss(self) -> None:
        """Somebody else found that it is away: so it is until the next probe."""
        self._failed = True

    def silent_s(self, now: float) -> float:
        """For how long the probe under way has had no answer, 0 where none is under way."""
        return max(0.0, now - self.asked_at)

    def is_silent(self, now: float) -> bool:
        """Whether the database hangs: it neither answers nor fails."""
        return now - self.asked_at > SILENT_S

    def is_away(self, now: float) -> bool:
        """Whether it hangs, or the last probe failed."""
        return self._failed or self.is_silent(now)

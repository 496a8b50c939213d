"""Row ids start with the row's time."""

from __future__ import annotations

import pytest

from analytics.base.ids import COUNTER_BITS, WORKER_BITS, Ids, first_id, time_ms
from tests.support.factories import NOW

MS = NOW * 1000


def test_an_id_contains_its_time():
    made = Ids(worker=511).make(MS + 7)
    assert (time_ms(made), time_ms(first_id(NOW))) == (MS + 7, MS)


@pytest.mark.parametrize("worker", [0, 511])
def test_an_id_lies_within_its_second(worker):
    ids = Ids(worker)
    assert first_id(NOW) <= min(ids.make(MS) for _ in range(5000))
    assert max(ids.make(MS + 999) for _ in range(5000)) < first_id(NOW + 1)


def test_4096_ids_of_one_millisecond_are_distinct():
    ids = Ids()
    assert len({ids.make(MS) for _ in range(1 << COUNTER_BITS)}) == 1 << COUNTER_BITS


def test_two_processes_never_make_the_same_id():
    one, other = Ids(worker=0), Ids(worker=1)
    assert not {one.make(MS) for _ in range(4096)} & {other.make(MS) for _ in range(4096)}


def test_an_id_fits_into_a_big_integer_until_the_year_2100():
    assert Ids(worker=511).make(4_102_444_800_000) < 2**63


@pytest.mark.parametrize("worker", [-1, 1 << WORKER_BITS])
def test_a_worker_that_does_not_fit_is_refused(worker):
    with pytest.raises(ValueError, match=f"worker {worker}: 0 to 511"):
        Ids(worker)

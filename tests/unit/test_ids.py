"""Row ids start with the row's time."""

from __future__ import annotations

import pytest

from analytics.base.ids import COUNTER_BITS, MAX_ID, WORKER_BITS, Ids, first_id, numbered_id, time_ms
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


@pytest.mark.parametrize("text", ["1", "0017", str(MAX_ID)])
def test_the_id_of_a_numbered_row_is_read(text):
    assert numbered_id(text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1.0", " 1", "1\n", "٣", "²", str(MAX_ID + 1), "9" * 18, "9" * 5000, 1, None]
)
def test_what_no_numbered_row_can_have_is_no_id(text):
    assert numbered_id(text) is None

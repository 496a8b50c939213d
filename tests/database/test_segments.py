"""Saved segments: whose they are, and what becomes of them."""

from __future__ import annotations

import pytest

from analytics.access import accounts, members
from analytics.base.errors import InvalidInput
from analytics.query import segments
from analytics.query.filters import Match
from analytics.query.segment import Segment
from analytics.sites import store
from analytics.storage import schema
from tests.support.factories import NOW, added_site, rows

GERMANY = (Match("is", "country", ("DE",)), Match("contains", "page", ("Blog",), exact_case=False))
PHONES = (Match("is", "device", ("Mobile",)),)
ANN, BOB, NOBODY = 1, 2, 0


def save(database, name="Germany", given=GERMANY, *, site=1, person: int | None = ANN) -> Segment:
    return segments.save(database, site, person, name, given, now=NOW)


def names(database, person: int, site: int = 1) -> list[str]:
    return [one.name for one in segments.of_site(database, site, person)]


def test_everybody_sees_what_is_everybodys_and_their_own(database):
    kept = save(database, "  phones  in\tuse ", PHONES, person=None)
    mine = save(database)
    save(database, "another site's", site=2)
    assert segments.of_site(database, 1, ANN) == [mine, kept]
    assert (kept.name, kept.filters, mine.filters) == ("phones in use", PHONES, GERMANY)
    assert names(database, BOB) == names(database, NOBODY) == ["phones in use"]
    assert names(database, BOB, site=2) == []


def test_saved_again_a_segment_is_what_it_is_now_and_only_ones_own(database):
    save(database)
    save(database, person=BOB)
    save(database, person=None)
    save(database, given=PHONES)
    assert [one.filters for one in segments.of_site(database, 1, ANN)] == [GERMANY, PHONES]
    assert [one.filters for one in segments.of_site(database, 1, BOB)] == [GERMANY, GERMANY]


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (" ", GERMANY, "a name has 1 to 60 letters"),
        ("x" * 61, GERMANY, "a name has 1 to 60 letters"),
        ("a\0b", GERMANY, "a name has 1 to 60 letters"),
        ("Germany", (), "there is no filter to save"),
    ],
)
def test_what_cannot_be_saved_says_why(database, name, given, said):
    with pytest.raises(InvalidInput, match=said):
        save(database, name, given)
    assert names(database, ANN) == []


def test_a_site_has_room_for_two_hundred_of_each_person_and_two_hundred_of_everybody(database):
    for number in range(segments.MAX_SEGMENTS):
        save(database, f"segment {number}", PHONES)
    with pytest.raises(InvalidInput, match="room for 200 segments"):
        save(database, "one more", PHONES)
    save(database, "segment 7", GERMANY)  # in place of one
    save(database, "theirs", person=BOB)
    save(database, "everybody's", person=None)
    assert names(database, BOB) == ["everybody's", "theirs"]


def test_filters_that_no_address_can_hold_are_not_saved(database):
    many = tuple(Match("is", "page", (f"/{number}" * 400,)) for number in range(20))
    with pytest.raises(InvalidInput, match="a question has at most 16000 characters"):
        save(database, given=many)
    assert names(database, ANN) == []


def test_a_segment_that_cannot_be_read_is_left_out_and_can_be_removed(database):
    """As `%2A`, which counted as text and became a wildcard, once made an Overview that nobody could read."""
    save(database)
    spoilt = save(database, "spoilt", person=None)
    written = '[["matches","page",["/' + "*a" * 21 + '"]]]'
    with database.transaction() as connection:
        table = schema.segments
        connection.execute(table.update().where(table.c.id == spoilt.id).values(filters=written))
    assert names(database, ANN) == ["Germany"]
    assert segments.remove(database, 1, spoilt.id, ANN, shared=True) == "spoilt"


def test_one_removes_ones_own_and_an_admin_what_is_everybodys(database):
    mine, everybodys = save(database), save(database, "all", person=None)
    for number, person, shared in ((mine.id, BOB, True), (everybodys.id, ANN, False), (999, ANN, True)):
        with pytest.raises(InvalidInput, match="not here any more, or not yours"):
            segments.remove(database, 1, number, person, shared=shared)
    with pytest.raises(InvalidInput):
        segments.remove(database, 2, mine.id, ANN, shared=False)
    assert segments.remove(database, 1, mine.id, ANN, shared=False) == "Germany"
    assert segments.remove(database, 1, everybodys.id, BOB, shared=True) == "all"
    assert rows(database, schema.segments) == []


def test_a_site_and_a_person_take_theirs_with_them(database):
    site = added_site(database)
    for email in ("ann@example.com", "bob@example.com"):
        accounts.add_person(database, email, "owner", "correct horse battery", now=NOW)
    ann = members.find(database, "ann@example.com")
    save(database, site=site.id, person=ann.id)
    save(database, "all", site=site.id, person=None)
    members.remove(database, "ann@example.com")
    assert names(database, ann.id, site.id) == ["all"]
    store.remove(database, site.domain)
    assert rows(database, schema.segments) == []

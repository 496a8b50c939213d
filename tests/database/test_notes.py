"""Notes in a site's chart."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.base.errors import InvalidInput
from analytics.sites import notes, store
from analytics.sites.note import Note
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW, added_site, rows

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def add(database: Database, day: str, text: str = "a release", site: int = 1) -> Note:
    return notes.add(database, site, day, text, now=NOW)


def test_notes_of_the_wanted_days_are_listed_by_day(database):
    later = add(database, "2026-11-30")
    first, same = add(database, "2026-11-01", " two \t words "), add(database, "2026-11-01", "again")
    for day, site in (("2026-10-31", 1), ("2026-12-01", 1), ("2026-11-02", 2)):
        add(database, day, site=site)
    assert notes.of_site(database, 1, FIRST, LAST) == [first, same, later]
    assert first == Note(first.id, FIRST, "two words")


@pytest.mark.parametrize(
    ("day", "text", "fields"),
    [
        ("2026-02-30", "a", {"day"}),
        ("1970-01-01", "a", {"day"}),
        ("x" * 9_000, " ", {"day", "text"}),
        ("2026-11-01", "x" * 81, {"text"}),
        ("2026-11-01", "a\0b", {"text"}),
    ],
)
def test_every_wrong_field_of_a_note_is_named(database, day, text, fields):
    with pytest.raises(InvalidInput) as wrong:
        add(database, day, text)
    assert wrong.value.fields.keys() == fields
    assert rows(database, schema.notes) == []


def test_a_note_is_removed_from_its_own_site_alone(database):
    one = add(database, "2026-11-01")
    for site, number in ((2, one.id), (1, one.id + 1)):
        with pytest.raises(InvalidInput, match="not here any more"):
            notes.remove(database, site, number)
    notes.remove(database, 1, one.id)
    assert notes.of_site(database, 1, FIRST, LAST) == []


def test_a_site_takes_its_notes_with_it(database):
    site = added_site(database)
    add(database, "2026-11-01", site=site.id)
    store.remove(database, site.domain)
    assert rows(database, schema.notes) == []

"""What a gauge was at each hour, and which gauges cards show."""

from __future__ import annotations

from analytics.activity.readings import GaugeReading, ShownGauge, note_hour, readings, shown
from analytics.storage import schema
from tests.support.factories import NOW, added_site, rows
from tests.support.gauges import added_gauge, change_gauge

HOUR = 3_600  # NOW is a full hour


def test_the_first_value_of_an_hour_is_its_reading(database):
    site = added_site(database).id
    bookings, unseen = added_gauge(database, site), added_gauge(database, site, "Guests", 7, on_card=False)
    added_gauge(database, site, "Not counted yet", None)
    for at, value in ((NOW + 5, 31), (NOW + 50, 40), (NOW + HOUR, 41.5)):
        change_gauge(database, bookings, value, at)
        note_hour(database, [1], at)
    note_hour(database, [2], NOW + 2 * HOUR)  # another watch
    assert rows(database, schema.gauge_readings, "gauge_id", "hour", "site_id", "value") == [
        (bookings, NOW, site, 31),
        (bookings, NOW + HOUR, site, 41.5),
        (unseen, NOW, site, 7),
        (unseen, NOW + HOUR, site, 7),
    ]
    found = readings(database, site, [NOW - HOUR, NOW, NOW + HOUR])
    assert found[bookings] == GaugeReading("Bookings", 41.5, "", NOW + HOUR, {NOW: 31, NOW + HOUR: 41.5})
    assert found[unseen] == GaugeReading("Guests", 7, "", NOW)  # no card compares it
    assert readings(database, site)[bookings].hours == {}


def test_the_gauges_on_cards_are_shown_by_site(database):
    one, other = added_site(database).id, added_site(database, "other.example").id
    revenue = added_gauge(database, one, "Revenue", 12.5, currency="EUR")
    bookings = added_gauge(database, one)
    added_gauge(database, one, "Unseen", on_card=False)
    added_gauge(database, one, "Not counted yet", None)
    theirs = added_gauge(database, other, "Theirs", 1)
    assert shown(database, [one, other]) == {
        one: [
            ShownGauge(id=revenue, name="Revenue", value=12.5, currency="EUR", timestamp=NOW),
            ShownGauge(id=bookings, name="Bookings", value=31, currency=None, timestamp=NOW),
        ],
        other: [ShownGauge(id=theirs, name="Theirs", value=1, currency=None, timestamp=NOW)],
    }
    assert shown(database, []) == {}

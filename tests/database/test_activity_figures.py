"""The figures of the cards, written out by hand: on SQLite, PostgreSQL and the replica of either."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.activity.card import Card
from analytics.activity.figure import Figure, Figures, TickerEvent
from analytics.activity.figures import SETTLED_S, figures_at, gauge_hours, parts, read_figures, same_time
from analytics.activity.readings import GaugeReading
from analytics.activity.suggested import suggested
from analytics.calendar.period import Span
from analytics.query.backend import fetch_from
from analytics.storage import schema
from analytics.storage.database import Database
from collector.cache.answers import AnswerCache
from collector.cache.storage import AnswerStorage
from tests.support.factories import accepted, event, rows, site, stored
from tests.support.replica import facts

BERLIN = ZoneInfo("Europe/Berlin")
IN_BERLIN = site(timezone="Europe/Berlin")
SIGNUPS = Card(1, "stat", event="Signup")
EUROS = Card(2, "stat", measure="value", currency="EUR")
FRANCS = Card(3, "counter", measure="value", currency="CHF", event="Payment")
ALL = Card(4, "counter")
SECRET = b"a secret of thirty-two letters .."
DAY = Card(5, "counter", event="Signup", span="24h")
numbers = itertools.count(1)


def at(text: str, fold: int = 0) -> int:
    """The second at which clocks in Berlin show that time; `fold` 1: for the second time that day."""
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp())


def happens(database: Database, *moments: int, name: str = "Signup", **fields: Any) -> None:
    events = [event(f"event-{next(numbers):06}", at=one, name=name, visitor=one, **fields) for one in moments]
    stored(database, *events)


def pays(database: Database, moment: int, value: float, currency: str) -> None:
    happens(database, moment, name="Payment", value=value, currency=currency)


def read(ask, *cards: Card, now: int, of=IN_BERLIN) -> Figures:
    """The figures of events before `now`."""
    return read_figures(of, cards, facts(ask), now + SETTLED_S)


def test_numbers_of_today_are_compared_with_the_same_time_of_earlier_days(database, ask):
    now = at("2026-11-20 14:00")
    happens(database, at("2026-11-20 00:00"), at("2026-11-20 13:59:59"), now)  # what happens now is not counted yet
    happens(database, at("2026-11-19 00:00"), at("2026-11-19 13:59:59"), at("2026-11-19 14:00"))
    happens(database, at("2026-11-13 10:00"), at("2026-10-20 09:00"), at("2026-10-20 10:00"), at("2026-10-20 11:00"))
    stored(database, accepted(at=now - 60))  # a pageview is no event
    found = read(ask, SIGNUPS, ALL, now=now)
    line = [0] * 24
    line[0], line[10], line[23] = 1, 1, 1  # 14 to 15 yesterday, midnight, 13 to 14 today
    assert found == Figures(
        now,
        at("2026-11-21 00:00"),
        (Figure(SIGNUPS, 2, (2, 1, 3), tuple(line)), Figure(ALL, 2)),
    )


def test_amounts_are_summed_in_one_currency_only(database, ask):
    now = at("2026-11-20 14:00")
    pays(database, now - 60, 49.9, "EUR")
    pays(database, now - 7_300, 0.2, "EUR")
    pays(database, now - 50, 30, "CHF")
    pays(database, at("2026-11-19 13:00"), 100, "EUR")
    pays(database, at("2026-11-19 13:00"), 7, "CHF")
    happens(database, now - 40, name="Refund", value=-10.1, currency="EUR")
    happens(database, now - 30)
    euros, francs, both = read(ask, EUROS, FRANCS, ALL, now=now).cards
    assert (euros.now, euros.earlier) == (40.0, (100, 0, 0))
    assert (sum(euros.line), euros.line[-1], euros.line[-3]) == (39.8 + 0.2, 39.8, 0.2)
    assert (francs.now, both.now) == (30, 5)


def test_a_day_of_25_hours_is_compared_up_to_the_same_time_on_the_clock(database, ask):
    now = at("2026-10-25 12:00")  # thirteen hours after midnight
    happens(database, at("2026-10-25 00:30"), at("2026-10-25 02:30"), at("2026-10-25 02:30", fold=1))
    happens(database, at("2026-10-24 00:30"), at("2026-10-24 11:59:59"), at("2026-10-24 12:00"))
    happens(database, at("2026-10-24 13:00"), at("2026-10-18 11:00"), at("2026-10-18 13:00"))
    signups, day = read(ask, SIGNUPS, DAY, now=now).cards
    assert (signups.now, signups.earlier) == (3, (2, 1, 0))
    assert day.now == 4  # the last 86,400 s: since 13:00 by the clock of yesterday


def test_a_time_that_the_clocks_show_twice_is_compared_with_its_first(database, ask):
    now = at("2026-10-26 02:30")
    happens(database, at("2026-10-25 02:10"), at("2026-10-25 02:40"), at("2026-10-25 02:10", fold=1))
    happens(database, at("2026-10-26 02:29:59"))
    (signups,) = read(ask, SIGNUPS, now=now).cards
    assert (signups.now, signups.earlier) == (1, (1, 0, 0))


@pytest.mark.parametrize(
    ("now", "back", "then"),
    [
        ("2026-03-30 02:30", {"days": 1}, "2026-03-29 03:30"),  # skipped by the clocks
        ("2026-03-31 08:00", {"months": 1}, "2026-02-28 08:00"),
        ("2026-01-31 08:00:07", {"months": 1}, "2025-12-31 08:00:07"),
        ("2026-03-30 01:00", {"days": 7}, "2026-03-23 01:00"),
    ],
)
def test_the_same_time_of_an_earlier_day(now, back, then):
    assert same_time(at(now), BERLIN, **back) == at(then)


def test_a_span_is_asked_for_in_parts_that_end_at_full_hours():
    assert parts(Span(7_200, 7_200)) == []
    assert parts(Span(100, 200)) == [Span(100, 200)]
    assert parts(Span(7_200, 10_800)) == [Span(7_200, 10_800)]
    assert parts(Span(7_100, 14_500)) == [Span(7_100, 7_200), Span(7_200, 14_400), Span(14_400, 14_500)]


def test_only_the_running_hours_are_counted_again(database, config):
    asked, fetch = [], fetch_from(database)

    def counted(statement):
        asked.append(statement)
        return fetch(statement)

    kept = AnswerCache(AnswerStorage(config, SECRET), lambda _site_id, _end: "the same facts")
    backend, now = facts(counted)._replace(keep=kept.keep), at("2026-11-20 14:00:30")
    counts = []
    for later in (0, 0, 10, 3_600):
        read_figures(IN_BERLIN, [SIGNUPS, EUROS, FRANCS], backend, now + later)
        counts.append(len(asked))
        asked.clear()
    line, spans = 1, 4
    assert counts == [line + 2 * spans, 0, spans, line + 2 * spans]


def test_a_ticker_has_the_newest_events_of_its_name(database, ask):
    now = at("2026-11-20 14:00")
    for minutes, who in ((9, "Ada"), (8, "Bob"), (7, "Eve"), (6, "Kim")):
        happens(database, now - 60 * minutes, user_id=who, user_name=who, description="New account")
    pays(database, now - 30, 9, "EUR")
    happens(database, now - 31 * 86_400, name="Dispute")
    ticker, every, old = read(
        ask, *(Card(0, "ticker", event=name) for name in ("Signup", "", "Dispute")), now=now
    ).cards
    ids = {when: str(number) for number, when in rows(database, schema.events, "id", "at")}
    signups = [
        TickerEvent(ids[now - 60 * minutes], now - 60 * minutes, "Signup", "New account", who, None, "")
        for minutes, who in ((6, "Kim"), (7, "Eve"), (8, "Bob"))
    ]
    assert ticker.newest == tuple(signups)
    assert every.newest == (TickerEvent(ids[now - 30], now - 30, "Payment", "", "", 9.0, "EUR"), *signups[:2])
    assert old.newest == ()


def test_a_site_without_cards_gets_some_for_its_most_frequent_events(database, ask):
    now, backend = at("2026-11-20 14:00"), facts(ask)
    assert suggested(backend, IN_BERLIN, now) == []
    happens(database, *(now - 60 * nth for nth in range(1, 6)), name="Outbound Link: Click")
    happens(database, now - 86_400, now - 86_401, now - 10)
    pays(database, now - 60, 5, "EUR")
    pays(database, now - 61, 5, "EUR")
    pays(database, now - 62, 9_000, "JPY")
    happens(database, *(now - 90 * nth for nth in range(1, 9)), name="Search")
    happens(database, now - 20, now - 21, name="Invitation")
    happens(database, now - 8 * 86_400, name="Of last week")
    assert suggested(backend, IN_BERLIN, now) == [
        Card(0, "stat", measure="value", currency="EUR"),
        Card(0, "stat", event="Payment"),
        Card(0, "counter", event="Signup"),
        Card(0, "counter", event="Invitation"),
        Card(0, "ticker", event="Signup"),
    ]


def test_a_gauge_is_compared_with_its_readings_of_the_same_hour_on_earlier_days(ask):
    kept, gone = Card(1, "gauge", gauge_id=7), Card(2, "gauge", gauge_id=8)
    now = at("2026-11-20 14:37")
    hours = {
        at("2026-11-20 14:00"): 30.0,
        at("2026-11-20 12:00"): 29.0,  # nobody followed at 13:00
        at("2026-11-19 15:00"): 28.0,
        at("2026-11-19 14:00"): 27.0,
        at("2026-10-20 14:00"): 10.0,
    }
    gauges = {7: GaugeReading("Bookings", 31, "", now - 5, hours)}
    found = read_figures(IN_BERLIN, [kept, gone], facts(ask), now, gauges)
    first = Figure(kept, 31, (27.0, None, 10.0), (28.0, 29.0, 30.0), changed_at=now - 5)
    assert found.cards == (first, Figure(gone, None))


def test_a_gauge_without_readings_shows_what_it_is(ask):
    card = Card(1, "gauge", gauge_id=7)
    found = read_figures(site(), [card], facts(ask), at("2026-11-20 14:00"), {7: GaugeReading("Bookings", 31, "")})
    assert found.cards == (Figure(card, 31, (None, None, None)),)


def test_the_hours_of_a_gauge_are_the_last_24_and_those_of_earlier_days():
    now = at("2026-10-26 02:30")
    days = (at("2026-10-25 02:00"), at("2026-10-19 02:00"), at("2026-09-26 02:00"))
    assert gauge_hours(IN_BERLIN, now) == [*days, *range(at("2026-10-25 02:00", fold=1) + 3_600, now, 3_600)]


def test_the_figures_of_utc_end_at_midnight_there(ask):
    found = read(ask, now=int(datetime(2026, 11, 20, 14, tzinfo=UTC).timestamp()), of=site())
    assert found.ends == int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())


def test_a_second_of_the_past_has_what_had_happened_by_its_end_and_what_gauges_were_at_its_hour(database, ask):
    then = at("2026-11-20 14:00:03")
    happens(database, at("2026-11-20 09:00"), then, user_name="Ada")
    happens(database, then + 1, at("2026-11-20 15:00"))  # not yet
    happens(database, at("2026-11-19 14:00:03"), at("2026-11-19 14:00:04"), at("2026-11-13 08:00"))
    ticker, gauge = Card(6, "ticker", event="Signup"), Card(7, "gauge", gauge_id=1)
    hours = {at("2026-11-20 14:00"): 30.0, at("2026-11-19 14:00"): 27.0, at("2026-11-20 15:00"): 31.0}
    gauges = {1: GaugeReading("Bookings", 33, "", then + 60, hours)}
    found = figures_at(IN_BERLIN, (SIGNUPS, ticker, gauge), facts(ask), then, gauges)
    assert (found.until, found.ends) == (then + 1, at("2026-11-21 00:00"))
    signups, newest, bookings = found.cards
    assert (signups.now, signups.earlier) == (2, (1, 1, 0))
    assert [(one.at, one.who) for one in newest.newest][:2] == [(then, "Ada"), (at("2026-11-20 09:00"), "Ada")]
    assert bookings == Figure(gauge, 30.0, (27.0, None, None), (30.0,), changed_at=then + 60)

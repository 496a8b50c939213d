"""Who is active now: a person counts once, on the page seen last, until the window is over."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.base.ids import first_id
from analytics.live.beat import Beat, PageState
from analytics.live.presence import Presence
from analytics.live.state import LabelCount, LiveState, Others, PlaceCount
from tests.support.factories import NOW, beat

WINDOW = 60


def present(*beats: Beat, now: int = NOW) -> Presence:
    """The presence after these beats, one after the other."""
    presence = Presence(WINDOW)
    for one in beats:
        presence.take([one], now)
    return presence


def pages(presence: Presence) -> dict[str, int]:
    return {tally.label: tally.people for tally in presence.top_pages(100)}


def heads(presence: Presence) -> tuple[int, int]:
    """(active, signed in)"""
    return presence.active, presence.signed_in


# ── a person counts once ─────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_active_before_the_first_beat():
    nobody = LiveState(NOW, WINDOW, 0, 0, 0, (), (), Others(0, 0), (), Others(0, 0), (), Others(0, 0), ())
    assert present().state(NOW) == nobody


def test_a_visitor_on_several_tabs_counts_once_on_the_page_seen_last():
    presence = present(beat(1, 11, path="/a"), beat(1, 12, nth=1, path="/b"))
    assert (heads(presence), pages(presence)) == ((1, 0), {"/b": 1})
    presence.take([beat(1, 11, nth=2, path="/a")], NOW)
    assert (heads(presence), pages(presence)) == ((1, 0), {"/a": 1})


def test_a_user_on_two_devices_counts_once_on_the_page_seen_last():
    presence = present(beat(1, user_id="ann", path="/phone"), beat(2, nth=1, user_id="ann", path="/desk"))
    assert (heads(presence), pages(presence)) == ((1, 1), {"/desk": 1})


def test_two_visitors_count_twice_on_one_page():
    presence = present(beat(1), beat(2, nth=1))
    assert (heads(presence), pages(presence)) == ((2, 0), {"/": 2})


def test_signing_in_moves_the_visitor_with_all_tabs():
    presence = present(beat(1, 11), beat(1, 12, nth=1), beat(1, 11, nth=2, user_id="ann", path="/me"))
    assert (heads(presence), pages(presence)) == ((1, 1), {"/me": 1})


def test_signing_out_makes_the_person_anonymous():
    presence = present(beat(1, user_id="ann"), beat(1, nth=1))
    assert heads(presence) == (1, 0)


def test_signing_in_on_a_second_device_joins_the_two():
    presence = present(beat(1, user_id="ann"), beat(2, nth=1), beat(2, nth=2, user_id="ann"))
    assert heads(presence) == (1, 1)


def test_signing_out_on_one_of_two_devices_makes_two_people():
    presence = present(beat(1, user_id="ann"), beat(2, nth=1, user_id="ann"), beat(2, nth=2))
    assert heads(presence) == (2, 1)


def test_another_user_on_the_same_device_takes_the_place_of_the_first():
    presence = present(beat(1, 11, user_id="ann"), beat(1, 12, nth=1, user_id="bob", path="/b"))
    assert (heads(presence), pages(presence)) == ((1, 1), {"/b": 1})


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_leaves_is_gone_at_once():
    presence = present(beat(1), beat(1, nth=1, state=PageState.LEFT))
    assert (heads(presence), pages(presence)) == ((0, 0), {})


def test_leaving_one_of_two_tabs_shows_the_other():
    presence = present(beat(1, 11, path="/a"), beat(1, 12, nth=1, path="/b"), beat(1, 12, nth=2, state=PageState.LEFT))
    assert (heads(presence), pages(presence)) == ((1, 0), {"/a": 1})


def test_a_leave_is_no_beat_that_signs_anybody_out():
    left = beat(1, 12, nth=2, state=PageState.LEFT)
    presence = present(beat(1, 11, user_id="ann"), beat(1, 12, nth=1, user_id="ann"), left)
    assert heads(presence) == (1, 1)


def test_a_leave_of_a_page_that_nobody_knows_changes_nothing():
    assert heads(present(beat(1), beat(2, nth=1, state=PageState.LEFT))) == (1, 0)


def test_a_beat_that_was_overtaken_by_its_leave_brings_nobody_back():
    presence = present(beat(1, nth=1, state=PageState.LEFT), beat(1, nth=0))
    assert heads(presence) == (0, 0)


def test_who_comes_back_to_the_page_is_there_again():
    presence = present(beat(1), beat(1, nth=1, state=PageState.LEFT), beat(1, nth=2))
    assert heads(presence) == (1, 0)


def test_leaving_the_page_and_opening_the_next_is_one_person():
    """A navigation inside the site: the leave and the next pageview come together."""
    presence = present(beat(1, 11, path="/a"))
    presence.take([beat(1, 11, nth=1, state=PageState.LEFT), beat(1, 12, nth=2, path="/b")], NOW)
    assert (heads(presence), pages(presence)) == ((1, 0), {"/b": 1})


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_is_active_until_the_window_is_over_to_the_second():
    presence = present(beat(1))
    presence.expire(NOW + WINDOW - 1)
    assert heads(presence) == (1, 0)
    presence.expire(NOW + WINDOW)
    assert (heads(presence), pages(presence)) == ((0, 0), {})


def test_a_beat_keeps_a_person_for_another_window():
    presence = present(beat(1))
    presence.take([beat(1, at=NOW + 30)], NOW + 30)
    presence.expire(NOW + WINDOW + 29)
    assert heads(presence) == (1, 0)
    presence.expire(NOW + WINDOW + 30)
    assert heads(presence) == (0, 0)


def test_when_the_page_seen_last_expires_nothing_else_is_left():
    presence = present(beat(1, 11, path="/a"), now=NOW)
    presence.take([beat(1, 12, at=NOW + 20, path="/b")], NOW + 20)
    presence.expire(NOW + WINDOW)
    assert (heads(presence), pages(presence)) == ((1, 0), {"/b": 1})
    presence.expire(NOW + WINDOW + 20)
    assert (heads(presence), pages(presence)) == ((0, 0), {})


def test_a_signed_in_tab_expires_and_leaves_the_other_device_alone():
    presence = present(beat(1, user_id="ann", path="/a"))
    presence.take([beat(2, at=NOW + 20, user_id="ann", path="/b")], NOW + 20)
    presence.expire(NOW + WINDOW)
    assert (heads(presence), pages(presence)) == ((1, 1), {"/b": 1})


def test_a_beat_older_than_the_window_is_nobody():
    assert heads(present(beat(1, at=NOW - WINDOW))) == (0, 0)
    assert heads(present(beat(1, at=NOW - WINDOW + 1))) == (1, 0)


def test_a_late_beat_neither_moves_nor_signs_out_who_was_seen_after_it():
    presence = present(beat(1, 11, user_id="ann", path="/b"), beat(1, 12, at=NOW - 20, path="/a"))
    assert (heads(presence), pages(presence)) == ((1, 1), {"/b": 1})
    presence = present(beat(1, 11, user_id="ann", path="/b"), beat(1, 11, at=NOW - 20, path="/a"))
    assert (heads(presence), pages(presence)) == ((1, 1), {"/b": 1})


def test_a_beat_of_a_clock_that_is_ahead_counts_at_once_and_leaves_in_its_time():
    presence = present(beat(1, at=NOW + 5))
    assert heads(presence) == (1, 0)
    presence.expire(NOW + 5 + WINDOW)
    assert heads(presence) == (0, 0)


def test_a_clock_that_is_set_back_brings_nobody_back():
    presence = present(beat(1))
    presence.expire(NOW + WINDOW)
    presence.expire(NOW - WINDOW)
    assert heads(presence) == (0, 0)
    presence.take([beat(2, at=NOW - WINDOW)], NOW - WINDOW)
    assert heads(presence) == (1, 0)


# ── pages whose visitor changes ──────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_two_visitors_claim_belongs_to_the_later_one():
    """Nobody is left behind: neither now nor when the window is over."""
    presence = present(beat(1, 11, path="/a"), beat(2, 11, nth=1, path="/a"))
    assert (heads(presence), pages(presence)) == ((1, 0), {"/a": 1})
    presence.expire(NOW + WINDOW)
    assert (heads(presence), pages(presence)) == ((0, 0), {})


# ── what the state shows ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_state_has_the_page_and_the_source_of_each_person():
    berlin = {"country": "DE", "city": "Berlin", "lat": 52.5, "lon": 13.4}
    presence = present(
        beat(1, 11, path="/a", source="Bing", **berlin),
        beat(1, 12, nth=1, path="/b", source="Bing", **berlin),
        beat(2, nth=2, path="/b", user_id="ann", user_type="supplier", source="Google", country="", lat=None, lon=None),
        beat(3, nth=3, path="/b", user_id="bob", user_type="couple", source="Google", **berlin),
    )
    assert presence.state(NOW) == LiveState(
        at=NOW,
        window_s=WINDOW,
        active=3,
        signed_in=2,
        anonymous=1,
        user_types=(LabelCount("couple", 1), LabelCount("supplier", 1)),
        pages=(LabelCount("/b", 3),),
        other_pages=Others(0, 0),
        sources=(LabelCount("Google", 2), LabelCount("Bing", 1)),
        other_sources=Others(0, 0),
        countries=(LabelCount("DE", 2), LabelCount("", 1)),
        other_countries=Others(0, 0),
        places=(PlaceCount("DE", "Berlin", 52.5, 13.4, 2),),
    )


def test_lists_show_the_ten_first_and_count_the_others():
    presence = present(*(beat(n, nth=n, path=f"/{n % 12:02}") for n in range(24)), beat(24, nth=24, path="/11"))
    state = presence.state(NOW)
    assert state.pages == (LabelCount("/11", 3), *(LabelCount(f"/{n:02}", 2) for n in range(9)))
    assert state.other_pages == Others(people=4, others=2)


def test_visits_and_people_of_the_last_five_minutes_stay_after_they_have_left():
    presence = present(beat(1), beat(1, nth=1, state=PageState.LEFT), beat(2, at=NOW - 299), beat(3, at=NOW - 300))
    assert (presence.active, presence.recent_visits, presence.recent_people) == (0, 2, 2)
    presence.expire(NOW + 299)
    assert (presence.recent_visits, presence.recent_people, presence.empty) == (1, 1, False)
    presence.expire(NOW + 300)
    assert (presence.recent_visits, presence.recent_people, presence.empty) == (0, 0, True)


def test_a_clock_that_is_ahead_keeps_nobody_else_in_the_last_five_minutes():
    presence = present(beat(1, at=NOW + 200), beat(2, nth=1))
    presence.expire(NOW + 300)
    assert (presence.recent_visits, presence.recent_people) == (0, 0)


@pytest.mark.slow
def test_a_person_of_fifty_thousand_visitors_costs_no_more_than_another():
    """A template that writes user_id="guest" for everybody must not stop the collector."""
    presence = Presence(WINDOW)
    presence.take([beat(n, nth=n, user_id="guest") for n in range(20_000)], NOW)
    presence.take([beat(n, at=NOW + 1, nth=n, user_id="guest", path="/b") for n in range(20_000)], NOW + 1)
    assert (heads(presence), pages(presence)) == ((1, 1), {"/b": 1})


# ── against a recount ────────────────────────────────────────────────────────────────────────────────────────────────


def recount(beats: list[Beat], now: int) -> tuple[int, int, dict[str, int], dict[str, int]]:
    """Active, signed in, pages and user types, recounted from all beats by the words of the contract."""
    pages_of: dict[int, Beat] = {}
    for one in sorted(beats, key=lambda one: one.id):
        if one.at > now - WINDOW:
            pages_of[one.tab] = one
    latest_of_visitor: dict[int, Beat] = {}
    for one in sorted(pages_of.values(), key=lambda one: one.id):
        if one.state != PageState.LEFT:
            latest_of_visitor[one.visitor] = one
    shown: dict[str | int, Beat] = {}
    for one in sorted(latest_of_visitor.values(), key=lambda one: one.id):
        shown[one.visitor if one.user_id is None else one.user_id] = one
    return (
        len(shown),
        sum(one.user_id is not None for one in shown.values()),
        dict(Counter(one.path for one in shown.values())),
        dict(Counter(one.user_type for one in shown.values() if one.user_type)),
    )


def figures(presence: Presence, now: int) -> tuple[int, int, dict[str, int], dict[str, int]]:
    state = presence.state(now)
    assert state.anonymous == state.active - state.signed_in
    assert all(tally.people > 0 for tally in (*state.pages, *state.user_types, *state.sources, *state.countries))
    assert sum(tally.people for tally in state.sources) == state.active
    assert sum(place.people for place in state.places) == state.active
    return state.active, state.signed_in, dict(state.pages), dict(state.user_types)


moves = st.lists(
    st.tuples(
        st.integers(0, 40),  # seconds that pass before it comes in
        st.integers(0, 70) | st.just(0),  # how late it is
        st.integers(1, 3),  # visitor
        st.integers(1, 5),  # tab, of whichever visitor
        st.sampled_from([None, None, "ann", "bob"]),
        st.sampled_from([PageState.ACTIVE, PageState.IDLE, PageState.HIDDEN, PageState.LEFT]),
        st.sampled_from(["/a", "/b"]),
    ),
    max_size=25,
)


@given(moves)
@settings(max_examples=300, deadline=None)
def test_it_always_says_what_a_recount_of_the_beats_says(moves):
    presence, beats, now = Presence(WINDOW), [], NOW
    for number, (seconds, late, visitor, tab, user_id, state, path) in enumerate(moves):
        now += seconds
        row = {"id": first_id(now - late) + number, "user_type": "couple" if user_id == "bob" else ""}
        beats.append(beat(visitor, tab, at=now - late, user_id=user_id, state=state, path=path, **row))
        presence.take([beats[-1]], now)
        assert figures(presence, now) == recount(beats, now)
    presence.expire(now + WINDOW)
    assert figures(presence, now + WINDOW) == (0, 0, {}, {})
    presence.expire(now + 600)
    assert presence.empty


@given(moves, st.integers(1, 10))
@settings(max_examples=100, deadline=None)
def test_it_does_not_matter_how_beats_are_grouped(moves, size):
    beats = [
        beat(visitor, tab, at=NOW - late % 40, nth=number, user_id=user_id, state=state, path=path)
        for number, (_, late, visitor, tab, user_id, state, path) in enumerate(moves)
    ]
    grouped = Presence(WINDOW)
    for start in range(0, len(beats), size):
        grouped.take(beats[start : start + size], NOW)
    assert grouped.state(NOW) == present(*beats).state(NOW)


@pytest.mark.parametrize("window", [5, 60, 3600])
def test_the_window_is_in_the_state_and_is_respected(window):
    presence = Presence(window)
    presence.take([beat(1, at=NOW - window + 1), beat(2, at=NOW - window)], NOW)
    assert (presence.state(NOW).window_s, presence.active) == (window, 1)

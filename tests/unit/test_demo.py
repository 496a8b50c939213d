"""The demo's visitors: seeded, one site in past and present, and seen by the collector as people."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path
from statistics import mean
from urllib.parse import urlsplit

import pytest

from analytics.calendar.days import day_of, start_of
from collector.ingest import device, robot
from collector.ingest import event as payload
from collector.simulate import crowds, demo
from collector.simulate.behaviour import VISIT_S
from collector.simulate.demo import present_events
from collector.simulate.people import DEMO_DOMAIN, current_agent, make_people, sample_pages
from collector.simulate.traffic import DAY_S, PAST_S, SimulatedTraffic, make_traffic, people_at

NOW = int(datetime(2026, 11, 26, 15, 30, tzinfo=UTC).timestamp())  # a Thursday
HOUR_S = 3600
SEED = 7


@cache
def traffic(seed: int = SEED, now: int = NOW) -> SimulatedTraffic:
    return make_traffic(seed, now)


@cache
def visits(days_ago: int):
    return traffic().visits(day_of(NOW) - timedelta(days=days_ago))


def alone(days_ago: int):
    """The visits of those who came in no crowd."""
    return [visit for visit in visits(days_ago) if visit.visitor.entry != crowds.ENTRY]


def crowd_sizes(days_ago: int):
    """How many people came in each crowd of a day, by the second since `NOW` at which its first one came."""
    sizes, first = Counter(), -crowds.EVERY_S
    for begin in (visit.begin for visit in visits(days_ago) if visit.visitor.entry == crowds.ENTRY):
        first = begin if begin - first > crowds.ARRIVE_S else first
        sizes[first - NOW] += 1
    return sizes


@cache
def sent():
    """The events of the first two hours, each with its second since `NOW`; those of before have a `time`."""
    return list(takewhile(lambda event: event.due < 2 * HOUR_S, present_events(traffic(), NOW)))


def times():
    """(epoch s, body) of the events."""
    return [(body.get("time", NOW + due), body) for due, body in sent()]


def page_of(body):
    return body["id"] if body["type"] == "pageview" else body["pageview"]


def there(at):
    """How many of the planned visits are there at that moment (epoch s)."""
    days_ago = (day_of(NOW) - day_of(at)).days
    planned = [*visits(days_ago), *visits(days_ago + 1)]
    return sum(visit.begin <= at < visit.end for visit in planned)


def active(at):
    """How many people have an open page that was heard of in the last 60 s, at that second since `NOW`."""
    pages = {}
    for moment, body in times():
        if moment > NOW + at:
            break
        if body["type"] == "leave":
            pages.pop(page_of(body), None)
        else:
            pages[page_of(body)] = (moment, body.get("user_id") or (body["ip"], body["user_agent"]))
    return len({who for moment, who in pages.values() if moment > NOW + at - 60})


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_excerpt_is_page_views_of_many_addresses():
    hits = sample_pages()
    assert 900 <= len(hits) <= 1500
    assert len({hit.address for hit in hits}) > 600


def test_nobody_of_the_cast_looks_like_a_robot_or_like_2015():
    agents = {visitor.user_agent for visitor in make_people(sample_pages(), SEED)}
    assert [agent for agent in agents if robot.name_of(agent)] == []
    assert len({device.read(agent).browser for agent in agents}) >= 5
    assert not any(old in agent for agent in agents for old in ("MSIE", "Chrome/3", "Firefox/2", "NT 6."))


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"(Windows NT 6.1) {WEBKIT} Chrome/32.0.1700.107 Safari/537.36", ("Chrome", "Windows", "Desktop")),
        ("(compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)", ("Edge", "Windows", "Desktop")),
        ("(Macintosh; Intel Mac OS X 10.9; rv:27.0) Firefox/27.0", ("Firefox", "macOS", "Desktop")),
        ("(iPhone; CPU iPhone OS 7_0_4) Version/7.0 Mobile Safari/9537", ("Safari", "iOS", "Mobile")),
        ("(Android; Mobile; rv:27.0) Gecko/27.0 Firefox/27.0", ("Firefox", "Android", "Mobile")),
        ("Midori/0.2 (X11; Linux; U; fr-fr) WebKit/531.2+", ("Firefox", "GNU/Linux", "Desktop")),
    ],
)
def test_old_browser_becomes_todays_on_the_same_kind_of_device(old, new):
    found = device.read(current_agent(old))
    assert (found.browser, found.os, found.device) == new


def test_cast_has_signed_in_people_phones_and_sources_that_are_not_the_site_itself():
    people = make_people(sample_pages(), SEED)
    assert len({(visitor.address, visitor.user_agent) for visitor in people}) == len(people) > 3_000
    assert 0.25 < sum(visitor.signed_in for visitor in people) / len(people) < 0.45
    assert {visitor.user_type for visitor in people} == {"customer", "member"}
    assert 0.3 < sum(device.read(visitor.user_agent).device == "Mobile" for visitor in people) / len(people) < 0.5
    assert not any(urlsplit(visitor.referrer).netloc.endswith("semicomplete.com") for visitor in people)
    upright = {device.read(visitor.user_agent).device for visitor in people if visitor.screen[0] < visitor.screen[1]}
    assert upright == {"Mobile", "Tablet"}
    assert len({visitor.language for visitor in people}) > 5
    assert 0.2 < sum(visitor.referrer == "" for visitor in people) / len(people) < 0.5


# ── traffic ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_same_seed_and_moment_make_the_same_traffic():
    assert make_traffic(SEED, NOW).visits(day_of(NOW)) == visits(0)
    again = takewhile(lambda event: event.due < 20, present_events(make_traffic(SEED, NOW), NOW))
    assert list(again) == [event for event in sent() if event.due < 20]
    assert visits(0) not in (traffic(SEED + 1).visits(day_of(NOW)), traffic(now=NOW + 60).visits(day_of(NOW)))


def test_people_change_steadily_with_the_hour_and_the_weekday_and_grow_over_ten_weeks():
    minutes = [people_at(at, NOW) for at in range(NOW - 14 * DAY_S, NOW + DAY_S, 60)]
    assert max(abs(after / before - 1) for before, after in pairwise(minutes)) < 0.003
    assert 9 < min(minutes) < max(minutes) < 24
    day = [people_at(start_of(day_of(NOW)) + hour * HOUR_S, NOW) for hour in range(24)]
    assert 0.55 < min(day) / max(day) < 0.65
    assert people_at(NOW - 4 * DAY_S, NOW) < 0.85 * people_at(NOW, NOW)  # a Sunday
    assert people_at(NOW - 70 * DAY_S, NOW) == pytest.approx(0.3 * people_at(NOW, NOW))


def test_today_is_in_line_with_yesterday_at_the_same_hour():
    hours = [NOW - hour * HOUR_S for hour in range(1, 13)]
    today, yesterday = (
        [sum(begin <= visit.begin < begin + HOUR_S for visit in visits(days_ago)) for begin in begins]
        for days_ago, begins in ((0, hours), (1, [begin - DAY_S for begin in hours]))
    )
    assert sum(today) == pytest.approx(sum(yesterday), rel=0.08)
    assert all(0.7 < now / before < 1.4 for now, before in zip(today, yesterday, strict=True))


def test_people_at_the_same_time_are_visits_an_hour_times_their_duration():
    duration = mean(visit.end - visit.begin for visit in alone(1))
    assert duration == pytest.approx(VISIT_S, rel=0.06)
    expected = mean(people_at(at, NOW) for at in range(NOW - DAY_S, NOW, 600))
    assert mean(there(at) for at in range(NOW - DAY_S, NOW, 600)) == pytest.approx(expected, rel=0.12)  # with crowds
    assert len(alone(1)) * duration / DAY_S == pytest.approx(expected, rel=0.08)


def test_around_midnight_there_are_as_many_people_as_before():
    midnight = start_of(day_of(NOW))
    around = [there(midnight + minute * 60) for minute in range(-60, 60, 5)]
    assert mean(around[12:]) == pytest.approx(mean(around[:12]), rel=0.4)
    assert min(around) > 4


def test_nobody_comes_back_before_the_visit_is_over():
    ended = {}
    for visit in [*visits(2), *visits(1), *visits(0)]:
        browser = visit.visitor.address, visit.visitor.user_agent
        assert visit.begin - ended.get(browser, 0) > 30 * 60
        ended[browser] = visit.end


def test_visits_have_one_to_six_pages_of_which_some_have_an_action():
    assert {len(visit.pages) for visit in visits(1)} == {1, 2, 3, 4, 5, 6}
    pages = [page for visit in alone(1) for page in visit.pages]
    assert 0.15 < sum(page.action is not None for page in pages) / len(pages) < 0.21
    assert all(page.opened < page.action.at < page.closed for page in pages if page.action)


def test_crowds_come_less_than_once_an_hour_in_the_past_and_half_a_minute_after_the_begin():
    today, yesterday, weeks_ago = (crowd_sizes(days_ago) for days_ago in (0, 1, 63))
    assert 18 <= len(yesterday) <= 21
    assert {*today.values(), *yesterday.values()} == {crowds.PEOPLE}
    assert 3 <= mean(weeks_ago.values()) <= 5
    first = min(at for at in today if at > 0)
    assert crowds.FIRST_S <= first < crowds.FIRST_S + crowds.ARRIVE_S
    assert min(abs(at - first) for at in today if at != first) > crowds.EVERY_S / 2


@pytest.mark.parametrize("days_ago", [1, 4, 63])  # also on a Sunday, and when the site was small
def test_crowds_are_a_small_share_of_a_days_visits(days_ago):
    assert 1 - len(alone(days_ago)) / len(visits(days_ago)) < 0.1


def test_the_page_of_the_crowds_is_not_the_one_that_most_people_see():
    pages = Counter(urlsplit(page.path).path for visit in visits(4) for page in visit.pages)
    assert pages[crowds.PATH] < max(pages.values())


def test_of_a_crowd_one_signs_up_and_one_buys_the_dearest():
    (first,) = ([visit for visit in visits(0) if NOW < visit.begin < NOW + 60 and visit not in alone(0)],)
    actions = [page.action.fields["name"] for visit in first for page in visit.pages if page.action]
    assert sorted(actions) == ["Payment", "Signup"]
    assert all(60 < visit.end - visit.begin < 120 and visit.leaves for visit in first)


def test_a_demo_that_begins_just_before_midnight_has_its_first_crowd_on_that_day():
    midnight = start_of(day_of(NOW))
    late = make_traffic(SEED, midnight - 40)
    crowd = [one for one in late.visits(day_of(NOW) - timedelta(days=1)) if one.visitor.entry == crowds.ENTRY][-10:]
    assert len(crowd) == crowds.PEOPLE
    assert all(midnight - 40 < one.begin < midnight for one in crowd)


def test_ten_weeks_are_more_than_a_hundred_thousand_visits():
    assert len(traffic().earlier_days()) == 70
    assert 110_000 < 70 * mean(len(traffic().visits(day)) for day in traffic().earlier_days()[::7]) < 190_000


def test_today_is_the_day_in_which_the_past_hour_begins():
    midnight = start_of(day_of(NOW))
    assert traffic(now=midnight + PAST_S).today == day_of(NOW)
    assert traffic(now=midnight + PAST_S - 1).today == day_of(NOW) - timedelta(days=1)


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_event_is_one_that_the_collector_reads():
    bodies = [body for _, body in sent()][::5]
    for first in range(0, len(bodies), 100):
        batch = payload.read_body(json.dumps(bodies[first : first + 100]).encode())
        assert all(isinstance(event, payload.Event) and event.site == DEMO_DOMAIN for event in batch.events)


def test_visits_under_way_are_sent_whole_with_the_times_of_before():
    before = [body for due, body in sent() if "time" in body]
    assert {due for due, body in sent() if "time" in body} == {0.0}
    assert all(body["time"] < NOW for body in before)
    pages = {body["id"] for body in before if body["type"] == "pageview"}
    assert {page_of(body) for body in before} == pages
    assert len({(body["ip"], body["user_agent"]) for body in before}) == there(NOW)


def test_a_server_that_starts_later_gets_what_happened_meanwhile_with_its_time():
    late = list(takewhile(lambda event: event.due < 60, present_events(traffic(), NOW + 30)))
    assert sorted(page_of(body) for _, body in late) == sorted(page_of(body) for due, body in sent() if due < 90)
    assert any(NOW < body["time"] < NOW + 30 for _, body in late if "time" in body)


def test_as_many_people_are_active_as_are_there():
    assert active(0) == pytest.approx(there(NOW), abs=2)
    counts = [active(at) for at in range(0, 2 * HOUR_S, 300)]
    expected = [there(NOW + at) for at in range(0, 2 * HOUR_S, 300)]
    assert all(people == pytest.approx(planned, abs=4) for people, planned in zip(counts, expected, strict=True))
    assert 10 < min(counts) < max(counts) < 45


def test_events_are_in_order_and_nobody_on_a_page_is_silent_for_more_than_30_seconds():
    last = {}
    for earlier, later in pairwise(times()):
        assert earlier[0] <= later[0] + 0.001
    for moment, body in times():
        assert moment - last.get(page_of(body), moment) <= 30.01
        last[page_of(body)] = moment


def test_nobody_is_heard_of_on_a_page_after_leaving_it():
    left = set()
    for _, body in sent():
        assert page_of(body) not in left
        if body["type"] == "leave":
            left.add(page_of(body))


def test_feed_has_every_kind_of_event_with_what_it_shows():
    events = [body for _, body in sent() if body["type"] == "event"]
    assert {body["name"] for body in events} >= {"Signup", "Download", "Search", "Outbound"}
    assert all(body["description"] for body in events)
    assert len({body["id"] for body in events}) == len(events)
    payment = next(body for body in events if body["name"] == "Payment")
    assert (payment["currency"], payment["value"] > 0) == ("EUR", True)
    first, last = payment["user_id"].split(".")
    assert payment["user_name"] == f"{first.title()} {last[0].upper()}."


def test_who_signs_up_is_signed_in_from_then_on():
    known = {}
    for _, body in sent():
        visit = page_of(body).partition("p")[0]
        if known.get(visit):
            assert "user_id" in body
        known[visit] = "user_id" in body
    signups = [body for _, body in sent() if body.get("name") == "Signup"]
    assert signups
    assert all("user_id" in body for body in signups)


def test_states_are_mostly_active():
    states = Counter(body["state"] for _, body in sent() if body["type"] == "heartbeat")
    assert set(states) == {"active", "idle", "hidden"}
    assert states["active"] > 0.75 * states.total()


def test_notice_names_the_source_and_its_licence():
    notice = (Path(demo.__file__).parents[1] / "data" / "demo-access.NOTICE.md").read_text(encoding="utf-8")
    assert "elastic/examples" in notice
    assert "Apache License, Version 2.0" in notice

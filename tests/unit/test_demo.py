"""The demo's crowd: lively, seeded, and seen by the collector as people."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import islice, pairwise, takewhile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from collector.ingest import device, robot
from collector.ingest import event as payload
from collector.simulate import demo
from collector.simulate.demo import PAST_S, past_events, present_events
from collector.simulate.people import DEMO_DOMAIN, current_agent, make_people, sample_pages

NOW = 1_763_650_000.5
SEED = 7


@cache
def lived():
    """(the past as bodies, the next 20 minutes as steps)"""
    hits = sample_pages()
    return list(past_events(hits, SEED, NOW)), list(
        takewhile(lambda step: step.due < 1200, present_events(hits, SEED, NOW))
    )


def page_of(body):
    return body["id"] if body["type"] == "pageview" else body["pageview"]


def active(sent, at):
    """How many people have an open page that was heard of in the last 60 s; `sent` is (s, body), in order."""
    pages = {}
    for due, body in takewhile(lambda one: one[0] <= at, sent):
        if body["type"] == "leave":
            pages.pop(page_of(body), None)
        else:
            pages[page_of(body)] = (due, body.get("user_id") or (body["ip"], body["user_agent"]))
    return len({who for due, who in pages.values() if due > at - 60})


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
    assert len(set(people)) == len(people) > 900
    assert 0.25 < sum(visitor.signed_in for visitor in people) / len(people) < 0.45
    assert {visitor.user_type for visitor in people} == {"customer", "member"}
    assert 0.3 < sum(device.read(visitor.user_agent).device == "Mobile" for visitor in people) / len(people) < 0.5
    assert not any(urlsplit(visitor.referrer).netloc.endswith("semicomplete.com") for visitor in people)
    upright = {device.read(visitor.user_agent).device for visitor in people if visitor.screen[0] < visitor.screen[1]}
    assert upright == {"Mobile", "Tablet"}
    assert len({visitor.language for visitor in people}) > 5
    assert 0.2 < sum(visitor.referrer == "" for visitor in people) / len(people) < 0.5


def test_same_seed_and_moment_make_the_same_crowd():
    hits = sample_pages()
    again = list(takewhile(lambda step: step.due < 20, present_events(hits, SEED, NOW)))
    assert again == lived()[1][: len(again)]
    other = list(islice(past_events(hits, SEED + 1, NOW), 100))
    later = list(islice(past_events(hits, SEED, NOW + 60), 100))
    ids = [{page_of(body) for body in crowd} for crowd in (lived()[0], other, later)]
    assert not (ids[0] & ids[1] | ids[0] & ids[2])


def test_every_event_is_one_that_the_collector_reads():
    past, coming = lived()
    bodies = past[::20] + [step.body for step in coming[::10]]
    for first in range(0, len(bodies), 100):
        batch = payload.read_body(json.dumps(bodies[first : first + 100]).encode())
        assert all(isinstance(event, payload.Event) and event.site == DEMO_DOMAIN for event in batch.events)


def test_past_lies_in_the_65_minutes_before_now_in_order_and_is_not_much():
    times = [body["time"] for body in lived()[0]]
    assert int(NOW) - PAST_S <= times[0]
    assert times[-1] <= NOW
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert 10_000 < len(times) < 40_000


def test_60_to_140_people_are_active_at_any_time():
    past, coming = lived()
    all_of_it = [(body["time"] - NOW, body) for body in past] + [(step.due, step.body) for step in coming]
    counts = [active(all_of_it, at) for at in range(-3600, 1200, 300)]
    assert all(60 <= people <= 140 for people in counts)
    assert max(counts) - min(counts) > 15


def test_without_the_past_the_crowd_is_there_within_8_seconds():
    coming = [(step.due, step.body) for step in lived()[1]]
    assert active(coming, 0.5) < 20
    assert 60 <= active(coming, 8) <= 140


def test_steps_are_in_order_and_nobody_on_a_page_is_silent_for_more_than_30_seconds():
    coming = lived()[1]
    assert all(earlier.due <= later.due for earlier, later in pairwise(coming))
    last = {}
    for due, body in coming:
        assert due - last.get(page_of(body), due) <= 30.001
        last[page_of(body)] = due


def test_nobody_is_heard_of_on_a_page_after_leaving_it():
    left = set()
    for body in [*lived()[0], *(step.body for step in lived()[1])]:
        assert page_of(body) not in left
        if body["type"] == "leave":
            left.add(page_of(body))


def test_visits_have_one_to_six_pages():
    pages = Counter(body["id"].partition("p")[0] for body in lived()[0] if body["type"] == "pageview")
    assert set(pages.values()) == {1, 2, 3, 4, 5, 6}


def test_feed_has_every_kind_of_event_with_what_it_shows():
    events = [body for body in lived()[0] if body["type"] == "event"]
    assert {body["name"] for body in events} == {"Signup", "Payment", "Download", "Search", "Outbound"}
    assert all(body["description"] for body in events)
    assert len({body["id"] for body in events}) == len(events)
    payment = next(body for body in events if body["name"] == "Payment")
    assert (payment["currency"], payment["value"] > 0) == ("EUR", True)
    assert payment["user_name"].split()[0].lower() == payment["user_id"].split(".")[0]


def test_who_signs_up_is_signed_in_from_then_on():
    bodies = lived()[0]
    known = {}
    for body in bodies:
        visit = page_of(body).partition("p")[0]
        if known.get(visit):
            assert "user_id" in body
        known[visit] = "user_id" in body
    signups = [body for body in bodies if body.get("name") == "Signup"]
    assert all("user_id" in body for body in signups)


def test_states_are_mostly_active():
    states = Counter(body["state"] for body in lived()[0] if body["type"] == "heartbeat")
    assert set(states) == {"active", "idle", "hidden"}
    assert states["active"] > 0.75 * states.total()


def test_notice_names_the_source_and_its_licence():
    notice = (Path(demo.__file__).parents[1] / "data" / "demo-access.NOTICE.md").read_text(encoding="utf-8")
    assert "elastic/examples" in notice
    assert "Apache License, Version 2.0" in notice


def test_of_the_past_only_those_who_are_still_on_a_page_come_again():
    bodies, _ = lived()
    kept = demo.open_page_events(bodies, NOW)
    pages = {page_of(body) for body in kept}
    assert {page_of(body) for body in kept if body["type"] == "pageview"} == pages
    assert 40 <= len(pages) <= 160
    assert not any(body["type"] == "leave" for body in kept)
    assert [body["time"] for body in kept] == sorted(body["time"] for body in kept)
    assert kept == [body for body in bodies if page_of(body) in pages]

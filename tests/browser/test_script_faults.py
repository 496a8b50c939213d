"""What trying the site script showed: what a page gives that is no text, addresses and titles that change late."""

from __future__ import annotations

import pytest
from visited_site import Answer

WARNED = "window.said = []; console.warn = (text) => said.push(text);"


@pytest.mark.parametrize(("given", "sent"), [("3", "3"), ("0", "0"), ("true", "true"), ("['a']", "a"), ("10n", "10")])
def test_a_user_type_that_is_no_text_is_made_one(visitor, given, sent):
    visitor.open()
    visitor.seen += 1
    visitor.settle()
    visitor.run(f"footfall('identify', 7, {{user_type: {given}}})")
    assert [(event["user_id"], event["user_type"]) for event in visitor.events()] == [("7", sent)]


@pytest.mark.parametrize("given", ["{}", "Symbol('x')", "Object.create(null)", "{toString() { throw 1 }}"])
def test_what_cannot_be_made_text_is_left_out_and_said_once(visitor, given):
    visitor.open("/", head=WARNED)
    visitor.seen += 1
    visitor.settle()
    visitor.run(f"footfall('identify', 'u1', {{user_type: {given}}})")
    visitor.settle()
    visitor.run(f"footfall('event', 'Click', {{props: {{size: {given}, fine: 1}}}})")
    [beat], [event] = (request.events for request in visitor.requests(2))
    assert (beat["user_id"], "user_type" in beat, event["props"]) == ("u1", False, {"fine": 1})
    assert visitor.run("return said") == ["Footfall: wrong user_type", "Footfall: wrong size"]


def test_typing_into_a_search_field_is_one_pageview(visitor):
    visitor.open("/search")
    visitor.seen += 1
    for letters in ("s", "sh", "sho", "shoe", "shoes", "shoes "):
        visitor.run("history.replaceState({}, '', '/search?q=' + arguments[0])", letters)
        visitor.pass_time(1)
    assert visitor.told_nothing()
    visitor.run("history.pushState(0, '', '/search?q=boots')")
    visitor.pass_time(1)
    assert visitor.types() == ["leave", "pageview", "heartbeat"]


@pytest.mark.parametrize(
    ("before", "after", "attributes", "count"),
    [
        ("/a/?utm_source=x&gclid=1", "/a", "", 0),
        ("/a/", "/a", "", 0),
        ("/a", "/a/", "", 0),
        ("/a", "/b", "", 1),
        ("/h1#/x", "/h1#/y", "", 0),
        ("/h2#/x", "/h2#/y", "data-hash", 1),
        ("/h3#/x?q=1", "/h3#/x?q=2", "data-hash", 0),
    ],
)
def test_replace_state_is_a_pageview_only_where_it_names_another_page(visitor, before, after, attributes, count):
    visitor.open(before, attributes)
    visitor.seen += 1
    visitor.settle()
    visitor.run("history.replaceState(0, '', arguments[0])", after)
    visitor.pass_time(1)
    assert len(visitor.requests(count) if count else []) == count
    assert visitor.told_nothing()


def test_a_title_that_is_set_late_comes_with_a_later_beat_and_the_old_one_never(visitor):
    visitor.open("/one")
    visitor.seen += 1
    visitor.settle()
    visitor.run("history.pushState(0, '', '/two')")
    visitor.pass_time(0.7)
    visitor.run("document.title = 'Two'")
    _, pageview, first = visitor.events()
    visitor.pass_time(30)
    [later] = visitor.events()
    assert (pageview["title"], first["title"], later["title"]) == ("", "", "Two")
    assert later["pageview"] == pageview["id"]


def test_a_page_that_closes_early_takes_its_late_title_along(visitor):
    visitor.open("/one")
    visitor.seen += 1
    visitor.settle()
    visitor.run("history.pushState(0, '', '/two')")
    visitor.pass_time(0.7)
    visitor.seen += 1
    visitor.run("document.title = 'Two'")
    visitor.go()
    assert [(event["type"], event["title"]) for event in visitor.events()] == [("leave", "Two")]


def test_a_title_that_stays_is_that_of_each_page(visitor):
    visitor.open("/one")
    visitor.seen += 1
    visitor.settle()
    visitor.run("history.pushState(0, '', '/two')")
    visitor.pass_time(1)
    visitor.seen += 1
    visitor.pass_time(30)
    assert [event["title"] for event in visitor.events()] == ["Home"]


def test_a_page_with_lines_for_two_sites_counts_for_both(visitor):
    other = visitor.site.replace("site", "other")
    source = visitor.collector.origin + "/js/footfall.js"
    visitor.open("/", body=f'<script defer src="{source}" data-site="{other}"></script>')
    assert [event["type"] for event in visitor.events()] == ["pageview", "heartbeat"]
    [arrival] = visitor.collector.wait(other, 1)
    visitor.settle()
    visitor.run("footfall('event', 'Click')")
    assert [event["name"] for event in visitor.events()] == ["Click"]
    [_, clicked] = visitor.collector.wait(other, 2)
    assert ([event["type"] for event in arrival.events], clicked.events[0]["name"]) == (
        ["pageview", "heartbeat"],
        "Click",
    )


def test_what_the_collector_refuses_is_said_in_the_console_once(visitor):
    refusal = Answer(422, {}, b'{"error": {"code": "wrong_field", "message": "no", "field": "user_type"}}')
    visitor.answer_with(refusal, refusal)
    visitor.open("/", head=WARNED)
    visitor.seen += 1
    visitor.pass_time(30)
    visitor.seen += 1
    visitor.settle()
    assert visitor.run("return said") == ["Footfall: wrong " + refusal.body.decode()]

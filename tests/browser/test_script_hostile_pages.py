"""The site script on pages that take its names away: elements, constants, patched prototypes, broken wrappers."""

from __future__ import annotations

import pytest

NAMES = (
    *("title", "referrer", "hidden", "hasFocus", "documentElement", "currentScript", "querySelector", "prerendering"),
    *("baseURI", "addEventListener", "visibilityState", "forms", "location", "cookie", "body", "head"),
)
CLOBBERING = (
    *(f'<img name="{name}" alt="">' for name in NAMES),
    *(f'<form name="{name}"><input name="title"><input name="matches"></form>' for name in NAMES),
    '<object name="hasFocus"></object><embed name="hidden">',
    '<form id="footfall"><input name="on"><input name="q"></form>',
    '<a id="footfall" name="footfall"></a><a id="footfall" name="q"></a>',
    *(f'<div id="{name}"></div>' for name in ("screen", "fetch", "history", "performance", "JSON", "URL")),
)
GLOBALS = (
    *("history", "performance", "screen", "navigator", "fetch", "JSON", "URL", "Math", "Date", "Reflect"),
    *("setTimeout", "clearTimeout", "addEventListener", "crypto", "Uint32Array", "Intl", "RegExp", "console", "name"),
    *("localStorage", "scrollY", "innerHeight", "AbortController", "AbortSignal", "Document", "Promise", "Array"),
    *("String", "Number", "footfall", "Set", "page", "global", "self", "globalThis"),
)
ARRAY = (
    "['concat','filter','find','forEach','includes','indexOf','join','map','push','reduce','slice','some','toString']"
)
TEXT = "['endsWith','includes','replace','slice','split','startsWith','trim','match','toString']"
PATCHED = (
    "Array.prototype.toJSON = function () { return '[' + this + ']' }",
    "Object.prototype.toJSON = function () { return '' + this }",
    "String.prototype.toJSON = Number.prototype.toJSON = function () { return 7 }",
    "Object.prototype.extend = Array.prototype.each = String.prototype.strip = function () {}",
    "Object.prototype.hash = Object.prototype.manual = Object.prototype.exclude = ''",
    f"for (const name of {ARRAY}) Array.prototype[name] = () => {{ throw new Error(name) }}",
    f"for (const name of {ARRAY}) Array.prototype[name] = () => undefined",
    f"for (const name of {TEXT}) String.prototype[name] = () => {{ throw new Error(name) }}",
    "for (const name of ['test', 'exec']) RegExp.prototype[name] = () => false",
    "Object.keys = Object.assign = Object.entries = Array.from = Array.isArray = () => { throw new Error('no') }",
    "Document.prototype.querySelector = () => { throw new Error('no') }",
)
REPLACED = (
    "var screen = 'home', performance = {}, scrollY = 'top', innerHeight = null",
    "function performance() {} function URLSearchParams() {}",
    "performance.now = () => { throw new Error('no') }",
    "Object.defineProperty(window, 'crypto', {value: {}})",
    "window.AbortController = window.AbortSignal = undefined",
    "window.Intl = {}",
    "console.warn = console.error = undefined",
    "history.pushState = history.replaceState = () => { throw new Error('no') }",
)


def opened(visitor, head="", body=""):
    """The pageview and the heartbeat of a page with a title; errors of the page itself do not count."""
    visitor.open("/page?a=1", head=head, body=body)
    return visitor.events()


def counted_as_usual(visitor, events) -> bool:
    pageview, heartbeat = events
    return (pageview["type"], pageview["url"], pageview["title"], heartbeat["type"], heartbeat["state"]) == (
        "pageview",
        visitor.origin + "/page?a=1",
        "Home",
        "heartbeat",
        "active",
    )


@pytest.mark.parametrize("body", CLOBBERING)
def test_elements_that_take_names_of_the_document_hide_nothing(visitor, body):
    assert counted_as_usual(visitor, opened(visitor, body=body))
    visitor.go()
    assert [(event["type"], event["scroll"]) for event in visitor.events()] == [("leave", 100)]


@pytest.mark.parametrize("name", GLOBALS)
def test_constants_of_the_page_shadow_nothing(visitor, name):
    assert counted_as_usual(visitor, opened(visitor, head=f"const {name} = 'of the page'"))


@pytest.mark.parametrize("head", PATCHED)
def test_patched_prototypes_change_nothing(visitor, head):
    click = "addEventListener('load', () => footfall('event', 'Click', {props: {size: 4}, value: 2}))"
    visitor.open("/page?a=1", head=f"{click};{head}")
    arrival, clicked = (request.events for request in visitor.requests(2))
    visitor.driver.get(visitor.origin + "/nowhere")  # the driver itself needs those prototypes
    assert counted_as_usual(visitor, arrival)
    assert [(event["name"], event["props"], event["value"]) for event in clicked] == [("Click", {"size": 4}, 2)]


@pytest.mark.parametrize("head", REPLACED)
def test_replaced_globals_lose_no_visit(visitor, head):
    assert counted_as_usual(visitor, opened(visitor, head=head))


@pytest.mark.parametrize(
    "broken",
    [
        "window.fetch = () => { throw new Error('no') }",
        "window.fetch = async () => { throw new Error('no') }",
        "window.fetch = () => undefined",
        "window.fetch = async () => ({stored: 1})",
        "window.fetch = () => ({then: (done) => done({ok: true})})",
    ],
)
def test_a_wrapper_that_has_broken_fetch_loses_no_visit(visitor, broken):
    assert counted_as_usual(visitor, opened(visitor, head=broken))


@pytest.mark.parametrize("broken", ["() => { throw new Error('no') }", "() => undefined", "() => false"])
def test_a_wrapper_that_has_broken_beacons_loses_no_leave(visitor, broken):
    assert counted_as_usual(visitor, opened(visitor, head=f"navigator.sendBeacon = {broken}"))
    visitor.go()
    assert visitor.types() == ["leave"]

"""Who wants no motion gets none: on no page, while it loads, and when something new comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import Reader, add_owner, add_site, come
from stream_server import until

from analytics.base.config import Config
from callbacks.table import PAGES
from callbacks.table import SITE as DOMAIN
from tests.support.serving import SITE, Server, serving

REDUCED = ("prefers-reduced-motion", "reduce")

# Runs before the page: notes every animation and transition that begins, whatever element it is on.
WATCH = """
window.moved = [];
for (const kind of ["animationstart", "transitionrun"])
  addEventListener(kind, ({target, animationName, propertyName, pseudoElement}) =>
    moved.push(`${animationName || propertyName} on ${target.id || target.className}${pseudoElement}`), true);
"""

# What has begun, runs now, or would begin once its element changes.
MOTION = """
const timed = (n, pseudo) => {
  const style = getComputedStyle(n, pseudo), lasts = (times) => times.split(", ").some((time) => parseFloat(time) > 0);
  const named = style.animationName || "none";  // what is not drawn, as a title within a <use>, has no style at all
  return named !== "none" || lasts(style.transitionDuration) || style.scrollBehavior === "smooth";
};
const parts = [...document.querySelectorAll("*")].flatMap((n) => ["", "::before", "::after"].map((part) => [n, part]));
const ready = parts.filter(([n, part]) => timed(n, part || null)).map(([n, part]) => n.outerHTML.slice(0, 80) + part);
return [...window.moved, ...document.getAnimations().map((one) => one.animationName || "a transition"), ...ready];
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        add_site(running, SITE)
        come(running, SITE, ["ann"], "/plans", timezone="Europe/Lisbon")
        yield running


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    with signed_in.prepared(WATCH):
        yield signed_in


def drawn(reader: Reader) -> None:
    until(lambda: reader.texts("h1") and not reader.run("return document.querySelector('.ff-skel, ._dash-loading')"))


@pytest.mark.parametrize("address", [page.address.replace(DOMAIN, SITE) for page in PAGES])
def test_nothing_moves_on_a_page(reader, address):
    with reader.preferring(*REDUCED):
        reader.open(address)
        drawn(reader)
        assert reader.run(MOTION) == []


def test_nothing_moves_when_somebody_comes_a_menu_opens_or_the_theme_changes(reader, server):
    with reader.preferring(*REDUCED):
        reader.open_live(SITE)
        drawn(reader)
        come(server, SITE, ["bob"], "/late", timezone="Asia/Tokyo")
        until(lambda: "/late" in " ".join(reader.texts("#feed > li")))
        reader.click("#site-menu button")
        reader.click("#theme")
        reader.click(".ff-foot [data-opens]")
        assert reader.run(MOTION) == []


def test_nothing_moves_in_the_card_and_at_the_door(reader, server):
    token = server.tell("embed add", site=SITE, hosts=["127.0.0.1"], expires="1d").split("token=")[1].split('"')[0]
    with reader.preferring(*REDUCED):
        reader.open(f"/embed/live?token={token}")
        until(lambda: reader.run("return document.getElementById('active')"))
        assert reader.run(MOTION) == []
        reader.open("/invitation?token=none")
        assert reader.texts("h1") == ["Not found"]
        assert reader.run(MOTION) == []


def test_for_everybody_else_something_does_move(reader):
    reader.open_live(SITE)
    drawn(reader)
    until(lambda: any("ff-ring" in one for one in reader.run(MOTION)))

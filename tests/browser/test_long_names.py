"""Long names on a phone, in a real browser: no two that differ look alike, wherever they are listed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest
from reader import PHONE, Reader, add_owner, add_site, come
from stream_server import until

from analytics.base.config import Config
from layouts.components import markup
from tests.support.serving import AGENT, Server, event, pageview, serving

SITE = "the-shop-of-a-company-with-a-long-name.shops.example"
NAMES = ("anchor", "button", "candle", "dahlia", "easter")
PATHS = [f"/collections/spring-and-summer/everything-for-the-garden/items/{name}-01" for name in NAMES]
CAMPAIGNS = [f"newsletter of the second week of march for all customers, variant {name}" for name in NAMES]
EVENTS = [f"Form of the page with everything for the garden submitted: {name}" for name in NAMES]
SOURCES = [f"news.of-the-garden-and-everything-in-it.{name}.example" for name in NAMES]
PEOPLE = [f"maximiliane.von-und-zu-hohenstein@department-of-{name}.example.com" for name in NAMES]
SHOP = "garden-shop.example"
OVERVIEW = f"/overview/{SITE}?period=today"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"), active_window_s=600)) as running:
        add_owner(running)
        for domain in (SITE, SHOP):
            add_site(running, domain, "UTC")
        furnish(running)
        yield running


def furnish(server: Server) -> None:
    """Long names of everything that pages list: five of each, which differ in their last letters alone."""
    key = server.tell("key add", name="The key of the importer in the garden department", scope="ingest", site=SITE)
    for number, (name, path) in enumerate(zip(NAMES, PATHS, strict=True)):
        server.tell("user add", email=PEOPLE[number], role="viewer", password="correct horse battery", on=[SITE])
        tagged = f"{path}?utm_source=newsletter&utm_campaign={CAMPAIGNS[number].replace(' ', '+')}"
        come(server, SITE, [name], tagged, user_id=PEOPLE[number], user_type=f"customer of the garden, {name}")
        come(server, SITE, [f"referred by {name}"], path, referrer=f"https://{SOURCES[number]}/")
        sent = event(f"event-of-{name}", EVENTS[number], path, SITE, description="sent", user_name=PEOPLE[number])
        who = {"pageview": f"page-of-{name}", "user_id": PEOPLE[number]}
        assert server.collect(sent | who, {"User-Agent": f"{AGENT} {name}"}).status == 202
        earlier = pageview(f"earlier-{name}", path, SITE, ip=f"198.51.100.{number}", user_agent=AGENT)
        earlier["time"] = int(time.time()) - 300
        assert server.collect(earlier, {"Authorization": f"Bearer {key}"}).status == 202
    come(server, SHOP, ["a customer"])
    server.tell("embed add", site=SITE, hosts=[f"panel-of-the-garden-department.{SITE}"], expires="365d")


# What can be seen of each such element: its letters within every box that cuts them off.
SEEN = """
const cuts = ({overflowX, clipPath}) => overflowX !== "visible" || clipPath !== "none";
const shown = (node) => {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT), range = document.createRange();
  let seen = "";
  while (walker.nextNode()) {
    const text = walker.currentNode, boxes = [];
    for (let n = text.parentElement; n && n !== document.body; n = n.parentElement)
      if (cuts(getComputedStyle(n))) boxes.push(n.getBoundingClientRect());
    for (let at = 0; at < text.length; at++) {
      range.setStart(text, at);
      range.setEnd(text, at + 1);
      const letter = range.getBoundingClientRect();
      if (boxes.every((box) => letter.left >= box.left - 1 && letter.right <= box.right + 1)) seen += text.data[at];
    }
  }
  return seen;
};
return [...document.querySelectorAll(arguments[0])].filter((node) => node.checkVisibility()).map(shown)"""


def seen(reader: Reader, selector: str) -> list[str]:
    return reader.run(SEEN, selector)


def go(reader: Reader, address: str) -> None:
    """Opens a page and waits until it is drawn."""
    reader.open(address)
    until(lambda: reader.texts("h1") and not reader.run("return document.querySelector('.ff-skel, ._dash-loading')"))


def told_apart(reader: Reader, selector: str, names: Sequence[str]) -> list[str]:
    """What is seen of the rows with these names; asserts that no two look alike."""
    until(lambda: {*names} <= {*reader.texts(selector)})
    found = dict(zip(reader.texts(selector), seen(reader, selector), strict=True))
    looks = [found[name] for name in names]
    assert len({*looks}) == len(names), looks
    return looks


LISTS = [
    (OVERVIEW, "[data-part=pages] .ff-lbl", PATHS),
    (f"{OVERVIEW}&pages=entry", "[data-part=pages] .ff-lbl", PATHS),
    (f"{OVERVIEW}&sources=campaign", "[data-part=sources] .ff-lbl", CAMPAIGNS),
    (OVERVIEW, "[data-part=sources] .ff-lbl", SOURCES),
    (OVERVIEW, "[data-part=events] .ff-lbl", EVENTS),
    (f"{OVERVIEW}&details=page", "#overview-details .ff-lbl", PATHS),
    (f"{OVERVIEW}&details=campaign", "#overview-details .ff-lbl", CAMPAIGNS),
    (f"/live/{SITE}", "#pages td:first-child", PATHS),
    (f"/live/{SITE}", "#sources td:first-child", SOURCES),
    (f"/live/{SITE}", ".ff-ev:not(.is-event) .ff-ev-t", PATHS),
    (f"/live/{SITE}", ".ff-ev.is-event .ff-ev-t", [f"{name} sent" for name in EVENTS]),
    (f"/live/{SITE}", ".ff-ev-m .ff-who", PEOPLE),
    ("/people", ".ff-rows td:first-child bdi", PEOPLE),
]


@pytest.mark.parametrize("address", dict.fromkeys(address for address, _, _ in LISTS))
def test_names_that_differ_in_their_ends_are_told_apart_and_on_a_phone_read_whole(reader, address):
    go(reader, address)
    for of, selector, names in LISTS:
        if of == address:
            told_apart(reader, selector, names)
            with reader.sized(PHONE):
                assert told_apart(reader, selector, names) == names


CUT_OFF = """
const form = document.getElementById(arguments[0]);
const menu = form.closest(".ff-pop").getBoundingClientRect();
return [...form.querySelectorAll("select, input, [role=option] .ff-num, .ff-btn")]
  .filter((node) => node.getBoundingClientRect().right > menu.right).map((node) => node.className)"""


@pytest.mark.parametrize(("address", "form"), [(OVERVIEW, "overview-filter"), (f"/live/{SITE}", "live-filter")])
def test_the_form_of_a_filter_has_room_for_long_values(reader, address, form):
    go(reader, address)
    reader.click("[data-key=filter]")
    option = f"#{form} [role=option] bdi"
    told_apart(reader, option, PATHS)
    assert reader.run(CUT_OFF, form) == []
    reader.shoot(form)


def test_a_name_without_an_end_takes_a_few_lines_on_a_go(reader, server):
    path = "/" + "/".join(f"{number:04}" for number in range(300))
    come(server, SITE, ["a wanderer"], path)
    with reader.sized(PHONE):
        go(reader, f"/live/{SITE}")
        until(lambda: path in reader.texts("#pages td:first-child"))
        row = "return [...document.querySelectorAll('#pages tbody tr')].find((row) => row.textContent.includes('0299'))"
        assert reader.run(f"{row}.offsetHeight") < 150
        (look,) = [look for look in seen(reader, "#pages td:first-child") if look.startswith("/0000")]
        assert look.endswith("0299")
        assert reader.too_wide() == []


REWIND = """
const slider = document.getElementById("rewind-slider");
slider.value = Number(slider.max) - 120;
slider.dispatchEvent(new Event("input", {bubbles: true}));
"""


def test_a_rewound_page_says_on_a_phone_of_which_site_and_of_when_it_is(reader):
    with reader.sized(PHONE):
        go(reader, f"/live/{SHOP}")
        until(lambda: reader.run("return document.getElementById('rewind-slider')"))
        reader.run(REWIND)
        until(lambda: (reader.text("status-text") or "").startswith("Rewound to "))
        assert seen(reader, ".ff-site .ff-trunc") == [SHOP]
        assert [f"Rewound to {time}" for time in seen(reader, "#status-text")] == [reader.text("status-text")]
        assert reader.too_wide() == []
        reader.shoot("rewound-on-a-phone")


def test_pages_and_scripts_cut_a_name_at_the_same_place(reader):
    go(reader, f"/live/{SHOP}")
    for name in [*PATHS, *EVENTS, *PEOPLE, SITE, "x" * 33, "/ü/" + "😀" * 40, "a b\n" * 20]:
        halves = [half.children for half in markup.name(name).children]
        assert reader.run("return footfall.write.halves(arguments[0])", name) == halves
        assert "".join(halves) == name
    for name in ["/short", "😀" * 32]:
        assert reader.run("return footfall.write.halves(arguments[0])", name) == [markup.name(name).children]

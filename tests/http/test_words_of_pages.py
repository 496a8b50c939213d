"""Text that is in no catalogue: every page, with every text of the catalogues in brackets, and what stands outside."""

from __future__ import annotations

import gettext
import json
import re
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest
from house import House, open_house

from analytics.access import invitations
from analytics.base import countries, language, words
from analytics.base.config import Config
from analytics.notify.event_fields import as_text
from analytics.notify.trials import INVENTED, INVENTED_ALERT
from analytics.storage import schema
from callbacks import table
from collector.card import card
from layouts import plain
from layouts.overview import page
from tests.support import catalogues, loose_text
from tests.support.history import keep_history
from tests.support.loose_text import NAMES

SITE, EMPTY, NOWHERE = "example.com", "quiet.example", "nowhere.example"
DAYS = "?period=2026-03-10,2026-03-12"
QUESTIONS = (
    *(DAYS, "?period=7d", "?period=all", "?period=nonsense", "?filter=country:is:DE&rows=entry"),
    *(f"{DAYS}&rows=pages", f"{DAYS}&rows=sources&compare=year", f"{DAYS}&metric=bounce_rate&interval=hour"),
)
PAGES = [address.address.replace("<domain>", domain) for address in table.PAGES for domain in (SITE, EMPTY)]
PLAIN = ("/sign-in", "/setup", "/invitation?token=x", "/nowhere")

# What is no text: attributes and properties by name, and values that are names, dates, numbers with their units.
KEYS = re.compile(
    r"^(?:className|class_name|id|href|src|type|namespace|name|style|role|rel|target|method|action|htmlFor|html_for|value|key"
    r"|autocomplete|inputMode|color|placement|size|scope|dateTime|data-.*|aria-(?!label$|roledescription$).*|search|of|by"
    r"|sort|url|link|file|way|change|icon|look|each|sign|mode|config|layout|xaxis|yaxis|template|line|marker|colorscale|uid"
    r"|uirevision|hoverlabel|figure|customdata|autoComplete|labelledby|pattern|n_clicks|toggle_class_name|accept|kind"
    r"|form|exact|names|clears|closes|again|only|kinds|graph|persistence_type|controls|stream|all_at|placement"
    r"|spellCheck|draggable|list|inputmode|trend|shape|hoverinfo|fill|fillcolor|locationmode|locations|visible|page)$"
)
CODE = ("Code", "Pre", "Kbd")
NO_TEXT = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b"
    r"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    r"|\b(?:January|February|March|April|June|July|August|September|October|November|December)\b"
    r"|[?&]\S+|\S+=\S*|\S*[./@]\S*|\bff_\w+|<[^>]*>|\d+\w*|\b(?:AM|PM|am|pm)\b|polygon\(.*\)"
)


class InBrackets(gettext.NullTranslations):
    """Every text of the catalogues in brackets; other texts as they are."""

    def __init__(self) -> None:
        super().__init__()
        known = [each.id for each in catalogues.template() if each.id]
        self._known = {text for each in known for text in ([each] if isinstance(each, str) else each)}

    def gettext(self, text: str) -> str:
        return f"⟦{text}⟧" if text in self._known else text

    def ngettext(self, one: str, several: str, n: int) -> str:
        return self.gettext(one if n == 1 else several)

    def pgettext(self, context: str, text: str) -> str:
        return self.gettext(text)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """The application with a site that has history and one that has nothing; an owner is signed in."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), columnar=False)) as house:
        for domain in (SITE, EMPTY):
            house.add_site(domain)
        keep_history(house.service.database)
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        words.use(words.ENGLISH, InBrackets())
        yield house
        words.use(words.ENGLISH, None)


def outside(text: str, known: Collection[str] = ()) -> list[str]:
    """The lines of a text that have a word outside all brackets which is no name, date or number."""
    while (bare := re.sub("⟦[^⟦⟧]*⟧", lambda found: "\n" * found[0].count("\n"), text)) != text:
        text = bare
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if any(has_word(part) for part in line.split(" · ") if part.strip() not in known)]


def has_word(line: str) -> bool:
    line = NO_TEXT.sub("", line)
    for name in NAMES:
        line = line.replace(name, "")
    return bool(re.search(r"[A-Za-z]{2,}", line))


def texts(value: Any, known: Collection[str]) -> Iterator[str]:
    """The texts of a layout, or of the answer to a callback, as JSON."""
    if isinstance(value, str):
        yield from outside(value, known)
    elif isinstance(value, Mapping):
        if value.get("type") in CODE:
            return
        for name, inner in value.items():
            if name == "children":
                yield from outside("\n".join(pieces(inner)), known)
                yield from properties(inner, known)
            elif not KEYS.match(name):
                yield from texts(inner, known)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, known)


def pieces(children: Any) -> Iterator[str]:
    """The text of an element, piece by piece: a sentence may begin in one and end in another."""
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, str):
            yield child.replace("\n", " ")
        elif isinstance(child, Mapping) and child.get("type") not in CODE:
            yield from pieces(child.get("props", {}).get("children"))


def properties(children: Any, known: Collection[str]) -> Iterator[str]:
    """The texts of the properties of the elements below, which `pieces` leaves out."""
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, Mapping) and child.get("type") not in CODE:
            props = child.get("props", {})
            yield from texts({name: inner for name, inner in props.items() if name != "children"}, known)
            yield from properties(props.get("children"), known)


def stored(house: House) -> set[str]:
    """What people and visitors wrote, and what rules say of it: it is in no language of ours."""
    with house.service.database.read() as connection:
        rows = [row for each in schema.metadata.sorted_tables for row in connection.execute(each.select())]
        events = [row._asdict() for row in connection.execute(schema.events.select())]
    written = {part for row in rows for value in row if isinstance(value, str) for part in (value, value.upper())}
    said = {f"{one['name']}: {as_text(one['value'])} {one['currency']}" for one in (*events, INVENTED)}
    names = {language.name(tag) for tag in language.LANGUAGES} | {countries.name(code) for code in countries.CODES}
    areas = plain.zones()
    places = {place for zones in areas.values() for _, place in zones}
    return written | said | names | areas.keys() | places | {"localhost", INVENTED_ALERT["title"]}


@pytest.mark.parametrize("path", dict.fromkeys([*PAGES, f"/live/{NOWHERE}"]))
def test_a_page_has_no_text_outside(house, path):
    drawn = json.loads(house.drawn(house.browsers["owner"], path))
    assert sorted(set(texts(drawn, stored(house)))) == []


def answers(house: House, output: str) -> Iterator[Any]:
    """What a callback answers for each site and question."""
    asks = any(one["id"] == "url" for one in house.app.callback_map[house.served[output]]["inputs"])
    many = dict.fromkeys(("ranking", "lists"), page.LISTS)
    for domain in (SITE, EMPTY):
        for search in QUESTIONS if asks else ("",):
            given = {
                "data-site": domain,
                "search": search,
                "n_clicks": 1,
                "n_intervals": 1,
                "asked": {"by": "source", "search": ""},
            }
            answer = house.call(house.browsers["owner"], output, many, **given)
            if answer.status_code == 200:
                yield answer.json


def callbacks(house: House) -> list[str]:
    return sorted(name for name in house.served if not name.endswith("data-answer") and name != "root.children")


def test_no_callback_answers_text_outside(house):
    known, found = stored(house), {}
    for output in callbacks(house):
        found[output] = sorted({text for answer in answers(house, output) for text in texts(answer, known)})
    assert {name: some for name, some in found.items() if some} == {}


def test_no_form_answers_text_outside(house):
    fields = {
        "name": "",
        "domain": "not a domain",
        "email": "nobody",
        "role": "king",
        "timezone": "Mars",
        "hosts": "a b",
    }
    fields |= {
        "addresses": "x",
        "paths": "x",
        "retention_days": "many",
        "scope": "root",
        "expires": "never",
        "day": "x",
    }
    forms = [name.partition("-answer.")[0] for name in house.served if name.endswith("data-answer")]
    found = {}
    for form in forms:
        if form in ("sign-out", "delete-site"):
            continue
        data = {"number": 7, "fields": fields}
        answer = house.call(house.browsers["owner"], f"{form}-answer.data-answer", **{"data": data, "data-site": SITE})
        if answer.status_code == 200:
            said = json.loads(answer.json["response"][f"{form}-answer"]["data-answer"])
            found[f"form {form}"] = sorted(set(texts([said.get("wrong"), said.get("message")], set())))
    assert {name: some for name, some in found.items() if some} == {}


@pytest.mark.parametrize("path", PLAIN)
def test_a_plain_page_has_no_text_outside(house, path):
    browser = house.browsers["owner"] if path == "/nowhere" else house.app.server.test_client()
    document = browser.get(path, headers={"Accept": "text/html"}).text
    assert sorted(set(outside("\n".join(loose_text.pieces(document)), stored(house)))) == []


@pytest.mark.parametrize("form", [{}, {"email": "nobody", "password": "short"}], ids=["empty", "wrong"])
def test_an_invitation_has_no_text_outside(house, form):
    site_id = house.service.sites.get(SITE).id
    token = invitations.invite(house.service.database, "viewer", site_id, by=0, now=int(time.time()))[1]
    browser = house.app.server.test_client()
    sent = {"data": form | {"token": token}} if form else {"query_string": {"token": token}}
    answer = (browser.post if form else browser.get)("/invitation", headers={"Accept": "text/html"}, **sent)
    assert answer.status_code == (422 if form else 200)
    assert outside("\n".join(loose_text.pieces(answer.text)), stored(house)) == []


def test_refusals_have_no_text_outside(house):
    viewer = house.join("viewer@example.com", "viewer")
    assert sorted(set(texts(json.loads(house.drawn(viewer, f"/settings/{SITE}/general")), stored(house)))) == []
    wrong = house.app.server.test_client().post("/sign-in", data={"email": "a@b.example", "password": "x"})
    foreign = viewer.post("/account", headers={"Sec-Fetch-Site": "cross-site", "Accept": "text/html"})
    assert (wrong.status_code, foreign.status_code) == (401, 403)
    for answer in (wrong, foreign):
        assert outside("\n".join(loose_text.pieces(answer.text)), stored(house)) == []


def test_the_document_and_the_frame_have_no_text_outside(house):
    document = house.browsers["owner"].get("/").text
    assert "⟦Loading…⟧" in document
    assert list(texts(house.browsers["owner"].get("/_dash-layout").json, set())) == []
    failed = json.loads(
        house.browsers["owner"].get("/_dash-layout").json["props"]["children"][1]["props"]["data-failed"]
    )
    assert list(texts(failed, set())) == []


def test_the_card_has_no_text_outside():
    live = {"active_sessions": 3, "authenticated_users": 1, "anonymous_sessions": 2, "window_s": 60, "top_pages": []}
    words.use(words.ENGLISH, InBrackets())
    given: dict[str, Any] = {"token": "t", "theme": "", "zone": "UTC", "demo": True}
    shown = card.render(SITE, live | {"as_of": 1_795_000_000}, [], **given).decode()
    off = card.render_off("").decode()
    words.use(words.ENGLISH, None)
    for html in (shown, off):
        assert outside("\n".join(loose_text.pieces(html)), [SITE]) == []

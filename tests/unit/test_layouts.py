"""What the pages say: components rendered to JSON, words and numbers compared whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

import plotly.utils
import pytest

from analytics.base import language
from analytics.base.words import ngettext
from analytics.live.state import Concurrency, LabelCount, LiveState, Others, PlaceCount
from layouts import shell
from layouts.components import figures, label_counts, states
from layouts.pages import concurrents, first, live, live_parts
from layouts.settings import cards
from layouts.settings.snippet import Doubts

BERLIN = ZoneInfo("Europe/Berlin")
AT = 1_795_181_528  # Fri 20 Nov 2026, 14:32:08 in Berlin
SNIPPET = '<script defer src="https://stats.example.com/js/footfall.js" data-site="example.com"></script>'


class Site(NamedTuple):
    domain: str = "example.com"
    timezone: str = "Europe/Berlin"
    demo: bool = False
    uuid: str = "11111111-1111-4111-8111-111111111111"


NOBODY = LiveState(AT, 60, 0, 0, 0, (), (), Others(0, 0), (), Others(0, 0), (), Others(0, 0), ())
SOME = LiveState(
    at=AT,
    window_s=60,
    active=128,
    signed_in=34,
    anonymous=94,
    user_types=(LabelCount("supplier", 19), LabelCount("couple", 11)),
    pages=(LabelCount("/", 100), LabelCount("/prices", 22)),
    other_pages=Others(6, 6),
    sources=(LabelCount("Google", 127),),
    other_sources=Others(1, 1),
    countries=(LabelCount("US", 1_041), LabelCount("", 3)),
    other_countries=Others(31, 9),
    places=(PlaceCount("US", "New York", 40.71, -74, 1_041), PlaceCount("DE", "", 51.2, 10.4, 1)),
)
QUIET_DAY = Concurrency((), None, None)

# ── reading what was rendered ─────────────────────────────────────────────────────────────────────


def nodes(rendered: object) -> Iterator[dict]:
    """Every component in what Dash would send, outermost first."""
    yield from _nodes(json.loads(json.dumps(rendered, cls=plotly.utils.PlotlyJSONEncoder)))


def _nodes(part: object) -> Iterator[dict]:
    if isinstance(part, list):
        for each in part:
            yield from _nodes(each)
    elif isinstance(part, dict):
        yield part
        yield from _nodes(part["props"].get("label"))  # of a menu
        yield from _nodes(part["props"].get("children"))


def props(rendered: object, **wanted: str) -> list[dict]:
    """The properties of the components that have all the wanted ones."""
    found = (node["props"] for node in nodes(rendered))
    return [each for each in found if all(each.get(key) == value for key, value in wanted.items())]


def one(rendered: object, **wanted: str) -> dict:
    (found,) = props(rendered, **wanted)
    return found


def text(rendered: object) -> str:
    """What a reader reads, pieces parted by bars."""
    return "|".join(_pieces(json.loads(json.dumps(rendered, cls=plotly.utils.PlotlyJSONEncoder))))


def _pieces(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        part = part["props"].get("children")
    if isinstance(part, list):
        for each in part:
            yield from _pieces(each)
    elif isinstance(part, dict):
        yield from _pieces(part)
    elif part not in (None, ""):
        yield str(part)


# ── figures ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "before", "seen", "said", "kind"),
    [
        (128, 110, "↑ 16%", "up 16%, better", "ff-up"),
        (94, 110, "↓ 15%", "down 15%, worse", "ff-worse"),
        (0, 5, "↓ 100%", "down 100%, worse", "ff-worse"),
        (110, 110, "0%", "unchanged", "ff-flat"),
        (1_000, 1_001, "0%", "unchanged", "ff-flat"),
        (9, 1, "↑ 800%", "up 800%, better", "ff-up"),
        (12, 1, "↑ ×12", "12 times as many, better", "ff-up"),
        (7_191, 1, "↑ ×7,191", "7,191 times as many, better", "ff-up"),
    ],
)
def test_change_is_an_arrow_a_figure_and_words_for_screen_readers(now, before, seen, said, kind):
    change = figures.change(now, before)
    assert text(change) == f"{seen}|{said}"
    assert one(change, className="ff-vh")["children"] == said
    assert one(change, children=seen)["aria-hidden"] == "true"
    assert kind in next(nodes(change))["props"]["className"]


@pytest.mark.parametrize(
    ("now", "before", "is_few", "expected"),
    [
        (999, 1_000, False, ("ff-flat", "↓ 0.1%", "down 0.1%")),
        (985, 1_000, False, ("ff-worse", "↓ 1.5%", "down 1.5%, worse")),
        (4, 3, True, ("ff-flat", "↑ 33.3%", "up 33.3%")),
        (968, 1, True, None),
        (968, 1, False, ("ff-up", "↑ ×968", "968 times as many, better")),
    ],
)
def test_a_small_change_is_not_judged_and_many_times_a_few_are_not_written(now, before, is_few, expected):
    assert figures.delta(now, before, fine=True, is_few=is_few) == expected


@pytest.mark.parametrize("before", [None, 0])
def test_change_against_nothing_is_not_written(before):
    assert figures.change(128, before) is None


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (34, 128, "27%"),
        (94, 128, "73%"),
        (0, 9, "0%"),
        (9, 9, "100%"),
        (1, 999, "<1%"),
        (998, 999, ">99%"),
        (0, 0, ""),
    ],
)
def test_percent_never_rounds_to_none_or_all(part, whole, written):
    assert figures.percent(part, whole) == written


@pytest.mark.parametrize(
    ("seconds", "written"), [(60, "60 s"), (90, "90 s"), (120, "2 min"), (300, "5 min"), (301, "301 s")]
)
def test_window_is_in_seconds_or_whole_minutes(seconds, written):
    assert figures.window(seconds) == written


# ── lists that say what they leave out ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rest", "written"),
    [
        (Others(1, 1), "1 person on 1 other page"),
        (Others(2, 1), "2 people on 1 other page"),
        (Others(6, 6), "6 people on 6 other pages"),
        (Others(1_234, 1_000), "1,234 people on 1,000 other pages"),
    ],
)
def test_rest_has_right_plurals(rest, written):
    assert (
        text(
            label_counts.left_out(
                rest, ngettext("{people} on {n} other page", "{people} on {n} other pages", rest.others)
            )
        )
        == written
    )


def test_nobody_left_out_is_no_line():
    assert label_counts.left_out(Others(0, 0), "") is None


def test_rows_beyond_the_tenth_join_the_rest():
    pages = tuple(LabelCount(f"/{n}", 20 - n) for n in range(12))
    rendered = live_parts.pages(replace(SOME, pages=pages, other_pages=Others(6, 6)))
    assert [row["title"] for row in props(rendered) if "title" in row] == [f"/{n}" for n in range(10)]
    assert text(rendered).endswith("|25 people on 8 other pages")


# ── the parts of the Live page ────────────────────────────────────────────────────────────────────


def test_split_has_numbers_shares_and_bars_in_proportion():
    rendered = live_parts.split(SOME)
    assert text(rendered) == "Signed in|34|27%|Anonymous|94|73%"
    assert [one(rendered, id=f"split-{side}")["style"] for side in ("signed-in", "anonymous")] == [
        {"flex": 34},
        {"flex": 94},
    ]


def test_split_of_nobody_has_zeros_and_no_shares():
    assert text(live_parts.split(NOBODY)) == "Signed in|0|Anonymous|0"


def test_user_types_are_listed_and_the_rest_is_summed():
    types = tuple(
        LabelCount(name, people) for name, people in (("a", 9), ("b", 5), ("c", 4), ("d", 3), ("e", 2), ("f", 1))
    )
    assert text(live_parts.user_types(SOME)) == "supplier|19|couple|11"
    assert text(live_parts.user_types(replace(SOME, user_types=types))) == "a|9|b|5|c|4|d|3|2 more|3"
    assert live_parts.user_types(NOBODY) == []


def test_facts_are_an_hour_ago_and_the_peak_at_its_time_in_the_sites_zone():
    facts = live_parts.facts(SOME, Concurrency((), 110, (1_164, AT - 13_800)), BERLIN)
    assert text(facts) == "1 h ago|110| |↑ 16%|up 16%, better|Peak today|1,164| at 10:42"


def test_an_hour_ago_with_nobody_has_no_percentage():
    facts = live_parts.facts(SOME, Concurrency((), 0, (164, AT)), BERLIN)
    assert text(facts) == "1 h ago|0|Peak today|164| at 14:32"


def test_a_change_from_few_people_an_hour_ago_is_not_judged_and_many_times_them_not_written():
    many = live_parts.facts(SOME, Concurrency((), 9, (164, AT)), BERLIN)
    assert text(many) == "1 h ago|9|Peak today|164| at 14:32"
    few = live_parts.facts(replace(SOME, active=12), Concurrency((), 9, (164, AT)), BERLIN)
    assert text(few) == "1 h ago|9| |↑ 33%|up 33%|Peak today|164| at 14:32"


def test_facts_that_are_not_known_are_dashes():
    assert text(live_parts.facts(NOBODY, QUIET_DAY, BERLIN)) == "1 h ago|–|Peak today|–"


def test_a_present_above_the_stored_peak_is_the_peak():
    facts = live_parts.facts(SOME, Concurrency((), None, (120, AT - 600)), BERLIN)
    assert text(facts).endswith("Peak today|128| at 14:32")


def test_a_peak_that_is_not_known_yet_is_not_invented():
    assert text(live_parts.facts(SOME, Concurrency((), None, None), BERLIN)).endswith("Peak today|–")


def test_pages_are_rows_with_a_bar_against_the_largest():
    rendered = live_parts.pages(SOME)
    assert text(rendered) == "Page|Share|Now|/|100|/prices|22|6 people on 6 other pages"
    assert [bar["style"] for bar in props(rendered, className="ff-mini")] == [{"--w": "100%"}, {"--w": "22%"}]


def test_sources_say_from_where():
    assert text(live_parts.sources(SOME)) == "Source|Share|Now|Google|127|1 person from 1 other source"


def test_a_quiet_site_says_so_calmly_in_every_list():
    for part in (live_parts.pages, live_parts.sources, live_parts.places):
        assert "Nobody here right now" in text(part(NOBODY))
    assert live_parts.active_now(NOBODY) == "0"
    assert props(live_parts.places(NOBODY), className="ff-map-list") == []


def test_hostile_labels_stay_text():
    label = '/<script>alert("1")</script>\u202e' + "x" * 3_000
    state = replace(
        SOME,
        pages=(LabelCount(label, 1),),
        sources=(LabelCount(label, 1),),
        user_types=(LabelCount(label, 1),),
        places=(PlaceCount("US", label, 0, 0, 1),),
    )
    for part in (live_parts.pages, live_parts.sources, live_parts.user_types, live_parts.places_table):
        rendered = part(state)
        (holder,) = [node for node in nodes(rendered) if node["type"] == "Bdi"]
        assert text(holder).replace("|", "").startswith(label)
        assert "dangerously_allow_html" not in json.dumps(rendered, cls=plotly.utils.PlotlyJSONEncoder)
        assert [node for node in nodes(rendered) if node["type"] in ("A", "Script", "Markdown", "Iframe")] == []


def test_countries_by_name_with_unknown_and_the_rest():
    rendered = one(live_parts.places(SOME), className="ff-map-list")
    assert text(rendered["children"]) == "United States|1,041|Unknown|3|9 more|31"


def test_the_scale_of_the_dots_comes_from_the_largest_place_and_ends_in_people():
    rendered = one(live_parts.places(SOME), className="ff-map-size")
    assert text(rendered["children"]) == "50|200|1,000 people"
    lone = replace(SOME, places=(PlaceCount("DE", "", 51.2, 10.4, 1),))
    assert text(one(live_parts.places(lone), className="ff-map-size")["children"]) == "1 person"


def test_a_map_of_more_places_than_dots_says_so():
    assert props(live_parts.places(SOME), className="ff-map-few") == []
    many = replace(SOME, places=tuple(PlaceCount("DE", f"Town {n}", 51.2, 10.4, n + 1) for n in range(342)))
    assert (
        text(one(live_parts.places(many), className="ff-map-few")["children"]) == "Dots: the 120 largest of 342 places"
    )


def test_the_tables_of_the_figures_have_their_numbers():
    assert text(live_parts.places_table(SOME)) == "Place|Active|New York, United States|1,041|Germany|1"
    minutes = live_parts.minutes_table(SOME, Concurrency(((AT - 60, 7), (AT - 30 * 60 - 1, 1)), None, None), BERLIN)
    assert text(minutes) == "Minute|Active|14:32|128|14:31|7"


def test_a_table_of_very_many_places_ends_with_what_it_leaves_out():
    many = tuple(PlaceCount("DE", f"Town {n}", 51, 10, 1) for n in range(5_000))
    assert text(live_parts.places_table(replace(SOME, places=many))).endswith("|4,880 other places|4,880")


# ── whole pages ───────────────────────────────────────────────────────────────────────────────────

LIVE_IDS = {
    "live",
    "notice",
    "notice-since",
    "try-now",
    "clock",
    "active-now",
    "active-said",
    "signed-in",
    "anonymous",
    "split-signed-in",
    "split-anonymous",
    "signed-in-share",
    "anonymous-share",
    "user-types",
    "facts",
    "trend",
    "world",
    "map",
    "pages",
    "sources",
    "feed",
    "tick",
    "nudge",
    "refresh",
    "drawing",
    "fallback",
    "split",
}


def ids(rendered: object) -> list[str]:
    return [node["props"]["id"] for node in nodes(rendered) if "id" in node["props"]]


def test_the_live_page_has_every_agreed_id_once():
    found = ids(live.page(Site()))
    assert set(found) >= LIVE_IDS
    assert len(found) == len(set(found))


def test_the_live_page_tells_its_script_what_to_listen_to():
    root = one(live.page(Site("exämple & co"), window_s=90), id="live")
    assert {key: value for key, value in root.items() if key.startswith("data-")} == {
        "data-site": "exämple & co",
        "data-stream": "/api/live/stream?site=ex%C3%A4mple%20%26%20co",
        "data-timezone": "Europe/Berlin",
        "data-filters": "",
        "data-ticks": "tick rewind-tick activity-tick alert-tick",
    }
    assert one(root["children"], id="tick")["interval"] == 10_000
    assert one(root["children"], id="notice")["hidden"] is True


BUTTONS = {"refresh", "wall", "wall-leave", "try-now", "rewind-live", "rewind-play", "rewind-speed"}
TEXTS = {
    *("clock", "notice-since", "unread-since", "active-now", "active-said", "facts", "split", "user-types", "trend-of"),
    *("split-signed-in", "split-anonymous", "signed-in", "signed-in-share", "anonymous", "anonymous-share"),
    *("map-title", "pages-title", "sources-title", "rewind-at", "rewind-ago", "activity-age"),
    *(f"{figure}-{part}" for figure in ("trend", "world", "day") for part in ("words", "open", "table")),
}


@pytest.mark.parametrize("page", [live.page, concurrents.page])
def test_no_box_counts_the_clicks_within_it(page):
    html = [node["props"] for node in nodes(page(Site())) if node["namespace"] == "dash_html_components"]
    counting = {each["id"] for each in html if "id" in each and not each.get("disable_n_clicks")}
    assert counting <= BUTTONS | TEXTS


def test_every_live_number_prints_its_window():
    said = text(live.page(Site(), window_s=300))
    assert said.count("last 5 min") == 4  # active now, map, pages, sources
    assert "seen in the last 5 min" in said
    assert "60 s" not in said


def test_the_first_paint_has_no_number():
    assert not any(piece.replace(",", "").isdigit() for piece in text(live.page(Site())).split("|"))


def test_a_site_before_its_first_visit_shows_the_line_to_paste():
    page = first.page(Site(), SNIPPET, Doubts("script-src https://stats.example.com"))
    root = one(page, id="first-visit")
    assert (root["data-site"], root["data-stream"]) == ("example.com", "/api/live/stream?site=example.com")
    assert root["data-then"] == "live"
    assert one(page, className="ff-btn ff-btn-primary")["data-copy"] == SNIPPET
    shown, policy = (node["props"]["children"] for node in nodes(page) if node["type"] == "Pre")
    assert policy == "script-src https://stats.example.com"
    assert text(shown).replace("|", "") == SNIPPET
    assert one(page, id="greeting")["hidden"] is True


SITES = (
    shell.SiteLink("example.com", "The shop", "/?site=example.com", 1_280),
    shell.SiteLink("b.example", "b.example", "/?site=b.example", None),
)


def framed(**changed: object) -> object:
    tabs = [
        shell.Link("Live", "/live/example.com", "activity", True),
        shell.Link("Settings", "/settings/x", "settings"),
    ]
    more = [shell.Link("All 1,000 sites", "/sites", "globe")]
    given = {
        "title": "Live · The shop · Footfall",
        "version": "1.2.3",
        "sites": SITES,
        "more": more,
        "current": "example.com",
        "email": "jordan@example.com",
        "tabs": tabs,
    }
    return shell.shell(live.page(Site()), **{**given, **changed})


def test_the_frame_has_switcher_with_counts_tabs_status_and_account():
    frame = framed()
    links = [
        (link["href"], text(link.get("children")))
        for link in props(one(frame, className="ff-header")["children"])
        if "href" in link
    ]
    assert links == [
        ("/", "Footfall"),
        ("/?site=example.com", "The shop|example.com|on show|1,280"),
        ("/?site=b.example", "b.example"),
        ("/sites", "All 1,000 sites"),
        ("/live/example.com", "Live"),
        ("/settings/x", "Settings"),
    ]
    assert [link["href"] for link in props(one(frame, id="tabs")["children"], **{"aria-current": "page"})] == [
        "/live/example.com"
    ]
    assert "Active in the last 60 s" in text(frame)
    assert one(frame, id="status")["role"] == "status"
    assert one(frame, id="status-text")["children"] == "Connecting…"
    assert len(ids(frame)) == len(set(ids(frame)))
    assert (
        text(one(frame, className="ff-foot")["children"])
        == "Footfall 1.2.3|No cookies, no IP addresses on disk|?| shortcuts"
    )


def test_signing_out_is_a_post():
    (form,) = [node["props"] for node in nodes(framed()) if node["type"] == "Form"]
    assert (form["action"], form["method"], text(form["children"])) == ("/sign-out", "POST", "Sign out")


def test_a_public_dashboard_has_no_account_menu():
    frame = framed(email=None)
    assert "Sign out" not in text(frame)
    assert props(frame, className="ff-avatar") == []


def test_no_site_on_show_means_no_tabs():
    frame = shell.shell(states.no_sites(True), title="All sites", version="1")
    assert text(one(frame, id="tabs")["children"]) == ""
    assert text(one(frame, id="site-menu")["children"]) == ""


@pytest.mark.parametrize(("may_add", "ways"), [(True, ["/sites/add"]), (False, [])])
def test_who_sees_no_site_is_told_what_to_do(may_add, ways):
    page = states.no_sites(may_add)
    assert [node["props"]["href"] for node in nodes(page) if "href" in node["props"]] == ways
    assert ("Ask an owner" in text(page)) is not may_add


def test_a_failed_card_says_so_and_offers_another_try():
    rendered = states.failed("Sources could not be read", "The rest of the page is not affected.")
    assert text(rendered) == "Sources could not be read|The rest of the page is not affected.|Try again"
    assert one(rendered, className="ff-btn ff-retry")["type"] == "button"
    assert next(nodes(rendered))["props"]["role"] == "alert"


def test_a_skeleton_is_as_many_rows_as_asked_for():
    assert len(props(states.skeleton(10), className="ff-skel")) == 10


# ── languages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def written_in():
    """Writes the figures of this test in a language."""
    yield language.write_in
    language.write_in(language.DEFAULT)


@pytest.mark.parametrize(
    ("tag", "seen"),
    [
        (
            "de-DE",
            ("12.345", "12.345 Personen", "27\xa0%", "<1\xa0%", ">99\xa0%", "14:32", "↑ 16\xa0%|16\xa0% mehr, besser"),
        ),
        ("en-US", ("12,345", "12,345 people", "27%", "<1%", ">99%", "2:32\xa0PM", "↑ 16%|up 16%, better")),
        ("it-IT", ("12.345", "12.345 people", "27%", "<1%", ">99%", "14:32", "↑ 16%|up 16%, better")),
    ],
)
def test_figures_are_written_in_the_readers_language(written_in, tag, seen):
    written_in(tag)
    assert (
        figures.count(12_345),
        figures.people(12_345),
        figures.percent(34, 128),
        figures.percent(1, 999),
        figures.percent(998, 999),
        figures.time_of_day(AT, BERLIN),
        text(figures.change(128, 110)),
    ) == seen


def test_in_a_language_without_words_they_stay_english_and_the_page_names_it_for_its_scripts(written_in):
    written_in("it-IT")
    busy = replace(SOME, active=12_345, signed_in=12_000, anonymous=345)
    assert text(live_parts.facts(busy, Concurrency((), 11_000, (20_000, AT)), BERLIN)) == (
        "1 h ago|11.000| |↑ 12%|up 12%, better|Peak today|20.000| at 14:32"
    )
    assert next(nodes(shell.shell(live.page(Site()), title="Live", version="1")))["props"]["data-language"] == "it-IT"


def test_a_day_is_for_machines_too(written_in):
    written_in("de-DE")
    assert one(figures.day(AT, BERLIN), dateTime="2026-11-20T14:32:08+01:00")["children"] == "20.11.2026"


# ── demo ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_demo_site_is_marked_on_its_live_page_and_in_the_switcher():
    badge = {"children": "Demo", "className": "ff-badge is-demo", "title": "Made-up visitors"}
    assert one(live.page(Site(demo=True)), className="ff-badge is-demo") == badge
    assert props(live.page(Site()), className="ff-badge is-demo") == []
    links = [
        shell.SiteLink("demo.example", "Demo", "/live/demo.example", 7, True),
        shell.SiteLink("a.com", "a.com", "/live/a.com", 1),
    ]
    assert props(shell.site_menu(links, [], "demo.example", 60), className="ff-badge is-demo") == [badge, badge]
    assert props(shell.site_menu(links, [], "a.com", 60), className="ff-badge is-demo") == [badge]


# ── cards ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_card_can_be_revoked_while_it_is_on(written_in):
    written_in("en-GB")
    rows = [
        cards.CardRow(3, ("a.com", "b.com:3000"), AT, AT + 86_400, "on"),
        cards.CardRow(2, ("<b>.com",), AT, AT + 86_400, "expired"),
        cards.CardRow(1, ("c.com",), AT, AT + 86_400, "off"),
    ]
    assert text(cards.lists(rows)) == (
        "On pages of|State|Since|Until|a.com, b.com:3000|On|20 Nov 2026|21 Nov 2026|Revoke|"
        "<b>.com|Expired|20 Nov 2026|21 Nov 2026|c.com|Off|20 Nov 2026|21 Nov 2026"
    )
    lost = "Revoke the card on a.com, b.com:3000? It goes dark there within a second, for good."
    assert one(cards.lists(rows), children="Revoke")["data-confirm"] == lost


def test_the_preview_is_the_card_itself_in_both_themes_and_shapes():
    shown = [
        (node["props"]["src"], node["props"]["title"], node["props"]["height"])
        for node in nodes(cards.cards("a.com", []))
        if node["type"] == "Iframe"
    ]
    assert shown == [
        ("/embed/live?site=a.com&theme=light", "Active now on a.com, light, 360 × 260", 260),
        ("/embed/live?site=a.com&theme=dark", "Active now on a.com, dark, 360 × 260", 260),
        ("/embed/live?site=a.com&theme=light", "Active now on a.com, light, 260 × 72", 72),
        ("/embed/live?site=a.com&theme=dark", "Active now on a.com, dark, 260 × 72", 72),
    ]

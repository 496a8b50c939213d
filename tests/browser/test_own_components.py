"""Our own Dash components in a real browser, on a page of Dash that has nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from reader import Reader, chromium
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from stream_server import until
from werkzeug.serving import make_server

from layouts.footfall_components.ranking import Ranking

ASSETS = Path(__file__).parents[2] / "assets"
HOSTILE = '<img src=x onerror="alert(1)">'
ROWS = [
    {
        "key": "google",
        "label": "Google",
        "bar": 1,
        "number": "3",
        "share": "60%",
        "change": "is=google",
        "out": "not=g",
    },
    {"key": "none", "label": HOSTILE, "bar": 0.5, "number": "2", "share": "40%", "change": "is=none", "out": "not=n"},
    {"key": "live", "label": "Live", "bar": 0.1, "number": "1", "href": "/live"},
]
TABS = [
    {"key": "a", "label": "Sources", "change": "tab=", "chosen": True},
    {"key": "b", "label": "Channels", "change": "tab=b", "chosen": False},
]


@contextmanager
def serving(app: Dash) -> Iterator[str]:
    """The address of a Dash app that is served for the length of a block."""
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page() -> Component:
    return html.Main(
        [
            dcc.Location(id="url"),
            html.H1("Components"),
            html.Button("Turn round", id="turn"),
            html.Button("Empty", id="none"),
            html.P("", id="said"),
            html.P("", id="searched"),
            Ranking(id="list", label="Sources", rows=ROWS, heading="Source", tabs=TABS),
            Ranking(id="waiting", label="Waiting"),
        ]
    )


def declare(app: Dash) -> None:
    @app.callback(Output("said", "children"), Input("list", "clicked"), prevent_initial_call=True)
    def say(clicked: dict) -> str:
        return f"{clicked['key']} {clicked['out']} {clicked['times']}"

    @app.callback(Output("searched", "children"), Input("url", "search"))
    def search(found: str) -> str:
        return found

    @app.callback(Output("list", "rows"), Input("turn", "n_clicks"), State("list", "rows"), prevent_initial_call=True)
    def turn(_: int, rows: list) -> list:
        return rows[::-1]

    @app.callback(
        Output("list", "rows", allow_duplicate=True),
        Output("list", "empty"),
        Input("none", "n_clicks"),
        prevent_initial_call=True,
    )
    def none(_: int) -> tuple:
        return [], {"title": "No sources", "hint": HOSTILE, "link": "All time", "change": "period=all"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Reader]:
    left_out: dict[str, Any] = {"assets_ignore": r"theme\.js|plain\..*", "assets_path_ignore": ["words"]}
    app = Dash("components", assets_folder=str(ASSETS), serve_locally=True, **left_out)
    app.layout = page
    declare(app)
    with serving(app) as url, chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield Reader(driver, SimpleNamespace(url=url))


@pytest.fixture
def reader(browser) -> Iterator[Reader]:
    browser.open("/?period=7d")
    until(lambda: browser.texts("#list tbody tr") and browser.text("searched"))
    yield browser
    assert browser.complaints() == []


def row(key: str) -> str:
    return f"#list [data-key={key}]"


def test_rows_are_text_with_a_bar_and_links_that_can_be_opened_in_a_new_tab(reader):
    assert reader.texts("#list tbody td:first-child") == ["Google", HOSTILE, "Live"]
    assert reader.texts("#list tbody td.ff-num") == ["60% 3", "40% 2", " 1"]
    assert reader.run("return [...document.querySelectorAll('#list .ff-fill')].map((n) => n.style.cssText)") == [
        "--w: 1;",
        "--w: 0.5;",
        "--w: 0.1;",
    ]
    links = "return [...document.querySelectorAll('#list .ff-lbl')].map((n) => n.getAttribute('href'))"
    assert reader.run(links) == ["/?period=7d&is=google", "/?period=7d&is=none", "/live"]
    assert reader.run("return document.querySelectorAll('img').length") == 0
    assert len(reader.texts("#waiting .ff-skel")) == 9


def test_a_click_changes_the_address_and_tells_the_callbacks(reader):
    reader.click(row("google"))
    reader.see("searched", "?period=7d&is=google")
    reader.see("said", "google False 1")

    link = reader.driver.find_element(By.CSS_SELECTOR, row("none"))
    ActionChains(reader.driver).key_down(Keys.SHIFT).click(link).key_up(Keys.SHIFT).perform()
    reader.see("searched", "?period=7d&is=google&not=n")
    reader.see("said", "none True 2")
    reader.click('#list [aria-label="Exclude Google"]')
    reader.see("searched", "?period=7d&is=google&not=g")
    reader.driver.back()
    reader.see("searched", "?period=7d&is=google&not=n")
    assert len(reader.driver.window_handles) == 1


def test_the_focus_stays_on_its_row_when_the_list_is_drawn_again(reader):
    reader.run(f"document.querySelector('{row('live')}').focus(); document.getElementById('turn').click()")
    until(lambda: reader.texts("#list tbody td:first-child") == ["Live", HOSTILE, "Google"])
    assert reader.run("return document.activeElement.dataset.key") == "live"
    reader.run("document.getElementById('none').click()")
    until(lambda: reader.texts("#list .ff-void b") == ["No sources"])
    assert reader.run("return document.activeElement.id") == "list", "its row is gone"
    assert reader.texts("#list .ff-void p") == [HOSTILE]
    reader.click("#list .ff-link")
    reader.see("searched", "?period=all")


def test_arrow_keys_go_from_tab_to_tab(reader):
    reader.run("document.querySelector('#list [role=tab]').focus()")
    ActionChains(reader.driver).send_keys(Keys.ARROW_LEFT).perform()
    reader.see("searched", "?period=7d&tab=b")
    assert reader.run("return document.activeElement.dataset.key") == "b"


def test_hundreds_of_rows_are_drawn_at_once(reader):
    many = """
      const done = arguments[0], begun = performance.now();
      const row = (n) => ({key: n, label: `/page-${n}`, bar: 0.5, number: n, change: `is=${n}`, out: `not=${n}`});
      const rows = Array.from({length: 500}, (_, n) => row(String(n)));
      new MutationObserver((_, watching) => {
        if (document.querySelectorAll("#list tbody tr").length < 500) return;
        watching.disconnect();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
      }).observe(document.getElementById("list"), {childList: true, subtree: true});
      dash_clientside.set_props("list", {rows});"""
    took = reader.driver.execute_async_script(many)
    assert took < 600, f"{took:.0f} ms"

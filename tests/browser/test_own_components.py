"""Our own Dash components in a real browser, in an application of Dash that has nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.testing.composite import DashComposite
from selenium.webdriver import ActionChains, Keys

from layouts.footfall_components.ranking import Ranking
from tests.support.proxy import free_port

ASSETS = Path(__file__).parents[2] / "assets"
SECONDS = 20  # to wait at most
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


@pytest.fixture(autouse=True)
def _served(dash_duo) -> Iterator[None]:
    """The page is served and drawn; at the end of each test the console has no error."""
    left_out: dict[str, Any] = {
        "assets_ignore": r"theme\.js|plain\..*|.*\.scss",
        "assets_path_ignore": ["plotly", "words"],
    }
    app = Dash("components", assets_folder=str(ASSETS), **left_out)
    app.layout = page
    declare(app)
    dash_duo.wait_timeout = SECONDS
    dash_duo.start_server(app, navigate=False, start_timeout=SECONDS, port=free_port())
    dash_duo.wait_for_page(f"{dash_duo.server.url}/?period=7d", timeout=SECONDS)
    dash_duo.wait_for_text_to_equal("#searched", "?period=7d")
    yield
    assert dash_duo.get_logs() == []


def row(key: str) -> str:
    return f"#list [data-key={key}]"


def texts(dash_duo: DashComposite, selector: str) -> list[str]:
    """The text of each such element, in the order of the page."""
    return [found.get_attribute("textContent") for found in dash_duo.find_elements(selector)]


def focused(dash_duo: DashComposite, attribute: str) -> str:
    return dash_duo.driver.switch_to.active_element.get_attribute(attribute)


def test_rows_are_text_with_a_bar_and_links_that_can_be_opened_in_a_new_tab(dash_duo):
    assert texts(dash_duo, "#list tbody td:first-child") == ["Google", HOSTILE, "Live"]
    assert texts(dash_duo, "#list tbody td.ff-num") == ["60% 3", "40% 2", " 1"]
    bars = [bar.get_attribute("style") for bar in dash_duo.find_elements("#list .ff-fill")]
    assert bars == ["--w: 1;", "--w: 0.5;", "--w: 0.1;"]
    links = [link.get_dom_attribute("href") for link in dash_duo.find_elements("#list .ff-lbl")]
    assert links == ["/?period=7d&is=google", "/?period=7d&is=none", "/live"]
    dash_duo.wait_for_no_elements("img")
    assert len(texts(dash_duo, "#waiting .ff-skel")) == 9


def test_a_click_changes_the_address_and_tells_the_callbacks(dash_duo):
    dash_duo.find_element(row("google")).click()
    dash_duo.wait_for_text_to_equal("#searched", "?period=7d&is=google")
    dash_duo.wait_for_text_to_equal("#said", "google False 1")

    link = dash_duo.find_element(row("none"))
    ActionChains(dash_duo.driver).key_down(Keys.SHIFT).click(link).key_up(Keys.SHIFT).perform()
    dash_duo.wait_for_text_to_equal("#searched", "?period=7d&is=google&not=n")
    dash_duo.wait_for_text_to_equal("#said", "none True 2")
    dash_duo.find_element('#list [aria-label="Exclude Google"]').click()
    dash_duo.wait_for_text_to_equal("#searched", "?period=7d&is=google&not=g")
    dash_duo.driver.back()
    dash_duo.wait_for_text_to_equal("#searched", "?period=7d&is=google&not=n")
    assert len(dash_duo.driver.window_handles) == 1


def test_the_focus_stays_on_its_row_when_the_list_is_drawn_again(dash_duo):
    focus = "document.querySelector(arguments[0]).focus(); document.getElementById('turn').click()"
    dash_duo.driver.execute_script(focus, row("live"))
    dash_duo.wait_for_text_to_equal("#list tbody tr:first-child td:first-child", "Live")
    assert texts(dash_duo, "#list tbody td:first-child") == ["Live", HOSTILE, "Google"]
    assert focused(dash_duo, "data-key") == "live"
    dash_duo.driver.execute_script("document.getElementById('none').click()")
    dash_duo.wait_for_text_to_equal("#list .ff-void b", "No sources")
    assert focused(dash_duo, "id") == "list", "its row is gone"
    assert texts(dash_duo, "#list .ff-void p") == [HOSTILE]
    dash_duo.find_element("#list .ff-link").click()
    dash_duo.wait_for_text_to_equal("#searched", "?period=all")


def test_arrow_keys_go_from_tab_to_tab(dash_duo):
    dash_duo.driver.execute_script("document.querySelector('#list [role=tab]').focus()")
    ActionChains(dash_duo.driver).send_keys(Keys.ARROW_LEFT).perform()
    dash_duo.wait_for_text_to_equal("#searched", "?period=7d&tab=b")
    assert focused(dash_duo, "data-key") == "b"


@pytest.mark.alone
def test_hundreds_of_rows_are_drawn_at_once(dash_duo):
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
    took = dash_duo.driver.execute_async_script(many)
    assert took < 600, f"{took:.0f} ms"

"""The one observer of the document: what it calls scripts for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stream_server import StreamServer, stream_server, until

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
<script src="/assets/lib/document.js"></script>
<script>
window.said = [];
footfall.watch(".bad", () => { throw new Error("on purpose"); });
footfall.watch(".one", (node) => { said.push(`came ${node.id}`); return () => said.push(`went ${node.id}`); });
footfall.watch("#value", ({dataset}) => said.push(`is ${dataset.value}`), "data-value");
</script>
<main id="main"><p class="one" id="first"></p><p id="value" data-value="1"></p></main>"""


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with stream_server() as running:
        yield running


def after(browser, script: str, expected: list[str]) -> None:
    """Runs the script and waits until the page has said this since."""
    browser.execute_script("said = []; " + script)
    until(lambda: browser.execute_script("return said") == expected)


def test_scripts_are_called_for_elements_that_come_change_and_go(browser, server):
    browser.get(server.page("/", PAGE))
    until(lambda: browser.execute_script("return said") == ["came first", "is 1"])
    after(browser, "main.insertAdjacentHTML('beforeend', '<div><b class=one id=inner></b></div>')", ["came inner"])
    after(browser, "value.dataset.value = '2'; value.title = 'of no interest'", ["is 2"])
    after(browser, "main.append(first)", [])  # moved within the page
    after(browser, "first.remove(); value.dataset.value = '3'", ["went first", "is 3"])
    after(browser, "main.replaceChildren()", ["went inner"])


def test_a_script_that_fails_stops_no_other(browser, server):
    browser.get(server.page("/", PAGE))
    until(lambda: browser.execute_script("return said") == ["came first", "is 1"])
    after(browser, "main.insertAdjacentHTML('beforeend', '<b class=\"bad one\" id=both></b>')", ["came both"])
    assert any("on purpose" in entry["message"] for entry in browser.get_log("browser"))


def test_a_script_that_comes_late_is_called_for_what_is_there(browser, server):
    browser.get(server.page("/", PAGE))
    until(lambda: browser.execute_script("return said") == ["came first", "is 1"])
    watch = "footfall.watch('#first', ({dataset}) => said.push(`late ${dataset.late}`), 'data-late'); "
    after(browser, watch, ["late undefined"])
    after(browser, "first.dataset.late = 'yes'", ["late yes"])

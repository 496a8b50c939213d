"""Signing in and out in a real browser, and what happens to pages that are open then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from reader import FAINT, OWNER, PASSWORD, PHONE, UNNAMED, Reader, add_owner, add_site, come
from selenium.common import WebDriverException
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        add_site(running, SITE)
        come(running, SITE, ["ann"])
        yield running


@pytest.fixture
def stranger(anonymous) -> Iterator[Reader]:
    """A reader without a login; at the end the console is empty and there was no request to another host."""
    anonymous.driver.get("about:blank")  # a page that is open would notice that its login is gone
    anonymous.command("Network.clearBrowserCookies")
    anonymous.complaints()
    yield anonymous
    assert anonymous.complaints() == []
    assert anonymous.foreign_requests() == []


def give(reader: Reader, email: str, password: str) -> None:
    reader.type("email", email)
    reader.type("password", password)
    reader.click("button[type=submit]")


def test_a_stranger_is_asked_to_sign_in_and_gets_the_page_that_was_wanted(stranger):
    stranger.open(f"/live/{SITE}")
    stranger.at_sign_in(f"/live/{SITE}")
    assert stranger.run("return document.activeElement.id") == "email"
    give(stranger, OWNER, "not the password")
    until(lambda: stranger.texts("[role=alert]") == ["That e-mail and password do not belong together."])
    assert [one for one in stranger.complaints() if "401" not in one] == []
    assert stranger.run("return [email.value, password.value, document.activeElement.id]") == [OWNER, "", "password"]
    ActionChains(stranger.driver).send_keys(PASSWORD, Keys.ENTER).perform()
    stranger.at(f"/live/{SITE}")
    stranger.see("status-text", "Live")
    cookies = stranger.driver.get_cookies()
    assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Lax")]
    stranger.open("/sign-in")
    stranger.at("/")
    stranger.see("status-text", "Live")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_can_be_read_named_and_held_in_a_hand(stranger, theme):
    with stranger.preferring("prefers-color-scheme", theme):
        stranger.open("/sign-in")
        assert (stranger.run(UNNAMED), stranger.run(FAINT)) == ([], [])
        stranger.shoot("sign-in")
        with stranger.sized(PHONE):
            assert stranger.too_wide() == []


def test_a_password_can_be_looked_at_while_it_is_typed(stranger):
    stranger.open("/sign-in")
    stranger.type("password", PASSWORD)
    kinds = []
    for _ in range(2):
        stranger.click("[data-shows=password]")
        kinds.append(
            stranger.run("const b = document.querySelector('[data-shows]'); return [password.type, b.ariaLabel]")
        )
    assert kinds == [["text", "Hide the password"], ["password", "Show the password"]]


def test_signing_out_ends_the_login_and_the_way_back(stranger):
    stranger.sign_in()
    stranger.open_live(SITE)
    stranger.click("#account button")
    assert stranger.texts("#account bdi") == [OWNER]
    stranger.click("#account form button")
    stranger.at_sign_in()
    assert stranger.driver.get_cookies() == []
    stranger.driver.back()
    stranger.at_sign_in(f"/live/{SITE}")


SIGN_OUT_SLOWLY = """
const [done] = arguments, form = document.querySelector("#account form");
form.addEventListener("submit", (event) => event.preventDefault());  // the next page is long in coming
form.requestSubmit();
fetch(form.action, {method: "POST"}).then(() => setTimeout(done, 300));  // a lost stream asks why within 125 ms
"""


def test_the_page_that_signs_out_asks_nothing_of_the_login_that_ends(stranger):
    stranger.sign_in()
    stranger.open_live(SITE)
    stranger.see("status-text", "Live")
    stranger.requests()
    stranger.driver.execute_async_script(SIGN_OUT_SLOWLY)
    assert [url for url in stranger.requests() if "/api/" in url] == []
    assert [line for line in stranger.complaints() if "/api/" in line] == []  # an interval of the page may have ticked


def test_signing_out_in_one_tab_leads_the_others_to_sign_in(stranger):
    stranger.sign_in()
    stranger.open_live(SITE)
    with stranger.another_window():
        stranger.open("/")
        stranger.click("#account button")
        stranger.click("#account form button")
        stranger.at_sign_in()
    stranger.at_sign_in(f"/live/{SITE}")
    assert all("401" in complaint for complaint in stranger.complaints())
    give(stranger, OWNER, PASSWORD)
    stranger.at(f"/live/{SITE}")


def test_a_call_without_a_login_leads_to_sign_in_instead_of_an_error(stranger):
    with stranger.cut_off_from("*/api/live/stream*"):
        stranger.sign_in()
        stranger.open(f"/live/{SITE}")
        until(lambda: stranger.text("active-now"))
        stranger.driver.delete_all_cookies()
        with suppress(WebDriverException):  # the page polls meanwhile, and may have left
            stranger.run("const button = document.querySelector('#refresh'); if (button) button.click()")
        stranger.at_sign_in(f"/live/{SITE}")
    stranger.complaints()

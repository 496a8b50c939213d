"""Settings, people, keys and the account, as an owner uses them in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import FAINT, OWNER, PASSWORD, UNNAMED, Reader, add_owner, add_site, chromium
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stream_server import until

from analytics.config import Config
from tests.serving import SITE, Server, serving

OTHER = "other.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        for domain in (SITE, OTHER):
            add_site(running, domain)
        yield running


@pytest.fixture(scope="module")
def signed_in(server, tmp_path_factory) -> Iterator[Reader]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        reader = Reader(driver, server)
        reader.sign_in()
        yield reader


@pytest.fixture
def owner(signed_in) -> Iterator[Reader]:
    """The owner; at the end the console is empty and no other host was asked for anything."""
    yield signed_in
    assert signed_in.complaints() == []
    assert signed_in.foreign_requests() == []


def see(reader: Reader, path: str, heading: str) -> None:
    """Opens a page of the dashboard and waits until it is drawn."""
    reader.open(path)
    until(lambda: heading in reader.texts("h2"))


def choose(reader: Reader, selector: str, value: str) -> None:
    field = reader.driver.find_element(By.CSS_SELECTOR, selector)
    field.send_keys("")  # as people do, who look at a choice before they make it
    Select(field).select_by_value(value)


def says(reader: Reader, form: str, words: str) -> None:
    """Waits for this in the line that says what became of the form."""
    until(lambda: any(words in text for text in reader.texts(f"#{form} .ff-form-state, [data-state-of={form}]")))


def looks_right(reader: Reader, name: str) -> None:
    reader.looks_right()
    reader.shoot(name)


def test_the_tabs_lead_to_the_settings_and_they_are_saved(owner):
    owner.open(f"/live/{SITE}")
    owner.click("#tabs a:nth-child(2)")
    owner.at(f"/settings/{SITE}/general")
    until(lambda: "General" in owner.texts("h2"))
    looks_right(owner, "general")
    owner.type("general-name", "The shop")
    choose(owner, "#general-week_start", "sunday")
    owner.click("#general [type=submit]")
    says(owner, "general", "Saved at")
    owner.type("general-name", "The other shop")
    assert owner.texts("#general .ff-form-state") == [""]  # not saved any more
    see(owner, f"/settings/{SITE}/general", "General")
    shown = (
        "return [document.getElementById('general-name').value, document.getElementById('general-week_start').value]"
    )
    assert owner.run(shown) == ["The shop", "sunday"]


def test_what_is_wrong_stands_beside_its_field_and_is_said_to_screen_readers(owner):
    see(owner, f"/settings/{SITE}/general", "General")
    owner.type("general-retention_days", "many")
    owner.click("#general [type=submit]")
    says(owner, "general", "Not saved")
    words = "Give whole days from 1 to 3,650, or nothing"
    assert owner.texts("#general-retention_days-note .ff-wrong") == [words]
    field = """const n = document.activeElement;
        return [n.id, n.ariaInvalid, document.getElementById(n.getAttribute('aria-describedby')).innerText]"""
    assert owner.run(field) == ["general-retention_days", "true", words]
    looks_right(owner, "general-wrong")
    owner.type("general-retention_days", "")
    owner.click("#general [type=submit]")
    says(owner, "general", "Saved at")
    assert owner.run("return document.querySelectorAll('[aria-invalid=true]').length") == 0


def test_a_site_is_deleted_after_its_name_was_typed(owner, server):
    add_site(server, "gone.example")
    see(owner, "/settings/gone.example/general", "Delete this site")
    disabled = "return document.querySelector('#delete-site [type=submit]').disabled"
    owner.type("delete-site-typed", "gone.exampl")
    assert owner.run(disabled)
    owner.type("delete-site-typed", "gone.example")
    assert not owner.run(disabled)
    owner.click("#delete-site [type=submit]")
    until(lambda: "/settings/" not in owner.driver.current_url)
    until(lambda: owner.texts("#site-menu bdi"))
    assert "gone.example" not in owner.texts("#site-menu bdi")


def test_somebody_invited_to_a_site_sees_it_and_no_other(owner, server, tmp_path):
    see(owner, f"/settings/{SITE}/people", "Invite somebody")
    owner.type("invite-email", "ann@example.com")
    owner.click("#invite [type=submit]")
    until(lambda: owner.text("invite-link"))
    says(owner, "invite", "Send this link yourself")
    until(lambda: "ann@example.com" in owner.texts("#people bdi"))
    looks_right(owner, "people")
    link = owner.text("invite-link").removeprefix(server.url)
    with chromium(tmp_path / "profile") as driver:
        ann = Reader(driver, server)
        ann.open(link)
        assert (ann.run(UNNAMED), ann.run(FAINT)) == ([], [])
        assert ann.run("return email.value") == "ann@example.com"
        ann.shoot("invitation")
        ann.type("password", PASSWORD)
        ann.click("button[type=submit]")
        ann.at(f"/live/{SITE}")
        until(lambda: ann.texts("#tabs a") == ["Live"])
        assert set(ann.texts("#site-menu bdi")) == {SITE}
        ann.open(f"/live/{OTHER}")
        until(lambda: ann.texts("h1") == ["Page not found"])
        ann.open(f"/settings/{SITE}/general")
        until(lambda: ann.texts("h1") == ["Not for your role"])
        ann.shoot("not-for-your-role")
        assert ann.complaints() == []
    see(owner, f"/settings/{SITE}/people", "People")
    row = "#people tr:has([title='ann@example.com'])"
    choose(owner, f"{row} select", "admin")
    says(owner, "person-role", "ann@example.com is changed")
    owner.click(f"{row} button")
    owner.click("dialog .ff-btn-danger")
    says(owner, "person-remove", "ann@example.com is removed")
    until(lambda: "ann@example.com" not in owner.texts("#people bdi"))


def test_a_role_that_is_not_taken_goes_back_to_what_it_was(owner, server):
    server.tell("user add", email="bob@example.com", role="owner", password=PASSWORD)
    see(owner, "/people", "Everybody")
    looks_right(owner, "everybody")
    row = "#people tr:has([title='bob@example.com'])"
    server.tell("user remove", email="bob@example.com")
    choose(owner, f"{row} select", "viewer")
    says(owner, "person-role", "not here any more")
    assert owner.run("return document.querySelector(arguments[0]).value", f"{row} select") == "owner"


def test_a_key_is_shown_once_and_removed_after_a_question(owner):
    see(owner, f"/settings/{SITE}/keys", "Add a key")
    owner.type("key-name", "shop server")
    owner.click("#key [type=submit]")
    until(lambda: (owner.text("new-key") or "").startswith("ff_"))
    until(lambda: owner.texts("#keys bdi") == ["shop server"])
    looks_right(owner, "keys")
    see(owner, f"/settings/{SITE}/keys", "Add a key")
    assert owner.text("new-key") == ""
    owner.click("[data-form=key-remove] button")
    owner.shoot("key-remove")
    owner.click("dialog .ff-btn:not(.ff-btn-danger)")
    assert owner.texts("#keys bdi") == ["shop server"]
    assert owner.run("return document.activeElement.textContent") == "Remove"
    owner.click("[data-form=key-remove] button")
    owner.click("dialog .ff-btn-danger")
    says(owner, "key-remove", "shop server is removed")
    until(lambda: "No key yet" in owner.text("keys"))


def test_a_password_is_changed_and_the_other_browsers_are_signed_out(owner, server):
    other = {"Cookie": server.sign_in(OWNER, PASSWORD)}
    owner.open("/")
    owner.click("#account summary")
    assert owner.texts("#account a") == ["People", "Demo traffic", "Account"]
    owner.click("#account a[href='/account']")
    owner.at("/account")
    until(lambda: "Password" in owner.texts("h2"))
    looks_right(owner, "account")
    owner.type("password-old", PASSWORD)
    owner.type("password-new", "battery staple correct")
    owner.click("#password [type=submit]")
    says(owner, "password", "Changed")
    assert owner.run("return document.getElementById('password-new').value") == ""
    assert server.request("GET", "/_dash-layout", headers=other).status == 401
    owner.click("#sign-out button[data-value=everywhere]")
    owner.click("dialog .ff-btn-danger")
    owner.at_sign_in()
    assert server.sign_in(OWNER, "battery staple correct")


def test_a_form_that_the_server_refuses_says_that_it_is_not_saved(owner, server):
    server.tell("user reset", email=OWNER, password=PASSWORD)
    owner.sign_in()
    see(owner, f"/settings/{SITE}/general", "General")
    owner.driver.delete_all_cookies()
    owner.click("#general [type=submit]")
    says(owner, "general", "Not saved: the server refused it.")
    said = [line for line in owner.complaints() if "dash_renderer" not in line]  # it reads the answer twice
    assert ["401" in line for line in said] == [True]

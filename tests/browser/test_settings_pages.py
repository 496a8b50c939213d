"""Settings, people, cards, keys, demo traffic and the account, as an owner uses them in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from reader import FAINT, OWNER, PASSWORD, PHONE, UNNAMED, Reader, add_owner, add_site, chromium, come, go, open_shop
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stream_server import until

from analytics.base import language
from analytics.base.config import Config
from analytics.storage import schema
from tests.support.serving import SITE, Server, rows, serving

OTHER = "other.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        for domain in (SITE, OTHER):
            add_site(running, domain)
        yield running


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
    owner.click("#tabs a[href^='/settings/']")
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


BESIDE = """return [...document.querySelectorAll('.ff-side a')].filter((link) => {
    const {left, right, top} = link.getBoundingClientRect();
    return left < 0 || right > innerWidth || top < 0 || top > innerHeight;
  }).map((link) => link.textContent)"""


def test_on_a_phone_every_section_is_in_sight_also_with_long_names(owner):
    see(owner, f"/settings/{SITE}/keys", "API keys")
    with owner.sized(PHONE):
        assert owner.run(BESIDE) == []
        owner.run("for (const link of document.querySelectorAll('.ff-side a')) link.append('-Einstellungen')")
        assert owner.run(BESIDE) == []
        assert owner.too_wide() == []
        current = "return document.querySelector('.ff-side [aria-current]').textContent"
        assert owner.run(current) == "API keys-Einstellungen"


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
        until(lambda: ann.texts("#tabs a") == ["Live", "Overview", "Concurrents", "Alerts"])
        ways = "return [...document.querySelectorAll('#site-menu a')].map((way) => way.getAttribute('href'))"
        assert ann.run(ways) == [f"/live/{SITE}"]
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
    owner.click("#confirm-yes")
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
    owner.click("#confirm-no")
    assert owner.texts("#keys bdi") == ["shop server"]
    assert owner.run("return document.activeElement.textContent") == "Remove"
    owner.click("[data-form=key-remove] button")
    owner.click("#confirm-yes")
    says(owner, "key-remove", "shop server is removed")
    until(lambda: "No key yet" in owner.text("keys"))


def in_frame(reader: Reader, number: int, script: str) -> object:
    """What a script says inside one of the page's frames."""
    reader.driver.switch_to.frame(number)
    try:
        return reader.run(script)
    finally:
        reader.driver.switch_to.default_content()


ACTIVE = "const n = document.getElementById('active'); return n && n.textContent"
GROUND = "return getComputedStyle(document.querySelector('main')).backgroundColor"


def test_a_card_is_made_and_shown_on_another_panel_until_it_is_revoked(owner, server):
    come(server, SITE, ["ann", "bob"])
    with open_shop() as panel:
        host = panel.url.removeprefix("http://")
        see(owner, f"/settings/{SITE}/cards", "Make a card")
        owner.click("#card [type=submit]")
        says(owner, "card", "Not saved")
        assert owner.texts("#card-hosts-note .ff-wrong") == ["Give 1 to 20 hosts whose pages may show the card"]
        owner.type("card-hosts", f"panel.example.com\n{panel.url}/admin")
        owner.click("#card [type=submit]")
        until(lambda: (owner.text("new-card") or "").startswith("<iframe "))
        until(lambda: owner.texts("#cards bdi") == [f"panel.example.com, {host}"])
        assert owner.run("return document.querySelector('.ff-once [data-copy]').dataset.copy") == "#new-card"
        until(lambda: [in_frame(owner, n, ACTIVE) for n in (0, 1)] == ["2", "2"])
        assert [in_frame(owner, n, GROUND) for n in (0, 1)] == ["rgb(255, 255, 255)", "rgb(17, 22, 27)"]
        looks_right(owner, "cards")
        panel.body = owner.text("new-card")
        with owner.another_window():
            owner.driver.get(panel.url + "/")
            until(lambda: in_frame(owner, 0, ACTIVE) == "2")
            come(server, SITE, ["eve"])
            until(lambda: in_frame(owner, 0, ACTIVE) == "3")
            shown = owner.driver.current_window_handle
            owner.driver.switch_to.window(owner.window)
            owner.click("[data-form=card-revoke] button")
            owner.shoot("card-revoke")
            owner.click("#confirm-yes")
            says(owner, "card-revoke", f"The card on panel.example.com, {host} is off")
            owner.driver.switch_to.window(shown)
            off = "return document.querySelector('main').textContent"
            until(lambda: in_frame(owner, 0, off) == "This card is switched off")
        assert all("404" in line for line in owner.complaints())  # that is how the card on the panel learns of it
        until(lambda: owner.texts("#cards .ff-badge") == ["Off"])
        assert owner.run("return document.querySelectorAll('[data-form=card-revoke]').length") == 0
        see(owner, f"/settings/{SITE}/cards", "Make a card")
        assert owner.text("new-card") == ""
    go(server, SITE, ["ann", "bob", "eve"])
    owner.requests()  # those of the panel, which is another host


def test_the_theme_is_the_systems_until_one_is_chosen_and_again_afterwards(owner):
    theme = "return document.documentElement.dataset.bsTheme"
    pressed = "return document.querySelector('#themes [aria-pressed=true]').textContent"
    with owner.preferring("prefers-color-scheme", "dark"):
        see(owner, "/account", "Appearance")
        until(lambda: owner.run(pressed) == "System")
        assert owner.run(theme) == "dark"
        owner.click("[data-theme=light]")
        assert (owner.run(pressed), owner.run(theme)) == ("Light", "light")
        see(owner, "/account", "Appearance")
        until(lambda: owner.run(pressed) == "Light")
        owner.click("#theme")
        assert (owner.run(pressed), owner.run(theme)) == ("Dark", "dark")
        owner.click("[data-theme=system]")
    until(lambda: owner.run(theme) == "light")
    see(owner, "/account", "Appearance")
    until(lambda: owner.run(pressed) == "System")


def test_words_dates_and_numbers_are_written_in_the_language_that_is_chosen(owner, server):
    see(owner, "/account", "Language")
    assert "12,345" in owner.text("language-language-note")
    choose(owner, "#language-language", "de-DE")
    owner.click("#language [type=submit]")
    until(lambda: "12.345" in (owner.text("language-language-note") or ""))
    looks_right(owner, "account-german")
    assert owner.run("return document.documentElement.lang") == "de"
    assert owner.texts("h1") == ["Konto"]
    assert owner.run("return footfall.say('Copied') + footfall.say('Saved at {time}', {time: '9:00'})") == (
        "KopiertGespeichert um 9:00"
    )
    come(server, SITE, ["amy"], timezone="Europe/Berlin", value=1234.5, currency="EUR")
    owner.open_live(SITE)
    assert owner.texts("#tabs a")[:2] == ["Live", "Überblick"]
    zoom_in = "return (document.querySelector('#trend .modebar-btn') || {dataset: {}}).dataset.title"
    until(lambda: owner.run(zoom_in) == "Vergrößern")
    until(lambda: re.fullmatch(r"\w\w\., \d+\. \w+\.? 20\d\d, \d\d:\d\d:\d\d · Europe/Berlin", owner.text("clock")))
    until(lambda: owner.text("anonymous-share") == "100\xa0%")
    see(owner, "/account", "Sprache")
    choose(owner, "#language-language", "")
    owner.click("#language [type=submit]")
    until(lambda: "12,345" in (owner.text("language-language-note") or ""))
    go(server, SITE, ["amy"])


def test_the_scripts_write_as_the_server_does(owner):
    script = """const [tags, ms] = arguments, page = document.querySelector("[data-language]");
        const before = page.dataset.language;
        const found = tags.map((tag) => { page.dataset.language = tag;
            return [0, 999, 1234, 1234567].map(footfall.write.count).concat(footfall.write.percent(27),
                footfall.write.time(ms, "Europe/Berlin"), footfall.write.time(ms, "Europe/Berlin", true)); });
        page.dataset.language = before;
        return found;"""
    moment = datetime(2026, 11, 20, 14, 32, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    owner.open("/account")
    until(lambda: owner.texts("h2"))
    seen = dict(
        zip(language.LANGUAGES, owner.run(script, language.LANGUAGES, int(moment.timestamp() * 1000)), strict=True)
    )
    for tag, (*numbers, share, time, with_seconds) in seen.items():
        assert numbers == [language.count(n, tag) for n in (0, 999, 1234, 1_234_567)]
        assert share == language.percent(27, tag)
        if tag in {"en-GB", "en-US", "de-DE", "fr-FR", "da-DK"}:  # of others it may change with the browser
            times = [language.time_of_day(moment, tag, seconds=exact).split() for exact in (False, True)]
            assert [time.split(), with_seconds.split()] == times  # browsers differ in which space stands before PM


def test_demo_traffic_comes_is_marked_stops_and_leaves_nothing(owner, server):
    before = rows(server.config, "SELECT domain FROM sites ORDER BY domain")
    owner.open("/")
    owner.click("#account button")
    owner.click("#account a[href='/demo']")
    owner.at("/demo")
    until(lambda: owner.texts("#demo .ff-badge") == ["Off"])
    looks_right(owner, "demo-off")
    owner.click("[data-form=demo-start] button")
    says(owner, "demo-start", "They are coming")
    until(lambda: owner.texts("#demo .ff-badge") == ["Running"])
    looks_right(owner, "demo-on")
    owner.click("#demo a")
    owner.at("/live/demo.example")
    until(lambda: int(owner.text("active-now") or 0) > 3, 60)
    assert owner.texts(".ff-toolbar .ff-badge, #site-menu button .ff-badge") == ["Demo", "Demo"]
    looks_right(owner, "demo-live")
    see(owner, "/settings/demo.example/cards", "Preview")
    until(lambda: int(in_frame(owner, 0, ACTIVE) or 0) > 3)
    assert in_frame(owner, 0, "return document.querySelector('.ff-demo').textContent") == "Demo"
    owner.open("/demo")
    owner.click("[data-form=demo-stop] button")
    says(owner, "demo-stop", "They have left")
    until(lambda: owner.texts("#demo .ff-badge") == ["Off"])
    owner.open("/live/demo.example")
    until(lambda: owner.text("active-now") == "0")
    owner.open("/demo")
    site_id = rows(server.config, "SELECT id FROM sites WHERE domain = 'demo.example'")[0][0]
    assert count_of(server, site_id) > 100
    owner.click("[data-form=demo-remove] button")
    owner.shoot("demo-remove")
    owner.click("#confirm-yes")
    says(owner, "demo-remove", "Nothing of it is left")
    assert count_of(server, site_id) == 0
    assert rows(server.config, "SELECT domain FROM sites ORDER BY domain") == before
    owner.open("/live/demo.example")
    until(lambda: owner.texts("h1") == ["Page not found"])


def count_of(server: Server, site_id: int) -> int:
    """How many rows of all tables are about that site, but for those that tell copies that its rows are gone."""
    about = [table for table in schema.metadata.sorted_tables if "site_id" in table.c]
    tables = [table.name for table in about if table is not schema.changes]
    return sum(rows(server.config, f"SELECT count(*) FROM {name} WHERE site_id = {site_id}")[0][0] for name in tables)


def test_a_password_is_changed_and_the_other_browsers_are_signed_out(owner, server):
    other = {"Cookie": server.sign_in(OWNER, PASSWORD)}
    owner.open("/")
    owner.click("#account button")
    assert owner.texts("#account a") == ["People", "Events without a site", "Demo traffic", "Notifications", "Account"]
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
    owner.click("#confirm-yes")
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

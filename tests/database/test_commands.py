"""The administrator's commands: what they change, and what they say."""

from __future__ import annotations

import ipaddress
import re
import ssl
from dataclasses import replace

import pytest

from analytics.access import accounts, api_keys, embeds, first_owner
from analytics.base.errors import InvalidInput
from analytics.commands import registry
from analytics.commands.command import CommandContext, seconds
from analytics.commands.rule import rule_test
from analytics.notify import channels, failed_rules, rules, shipped
from analytics.notify.outbound.outside import Outside
from analytics.sites import store
from analytics.storage import schema
from tests.support.factories import NOW, accepted, count, event, one_by_one
from tests.support.receiver import answer, receiving

ADDRESS = "https://stats.example.com"


def run(database, name: str, /, **options) -> str:
    return registry.run(database, ADDRESS, name, options)


def add_site(database, domain: str = "example.com", **options) -> str:
    return run(database, "site add", **{"domain": domain, "name": "", "timezone": "UTC"} | options)


# ── sites ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_adding_a_site_prints_its_snippet(database):
    assert add_site(database, "https://Example.com/") == (
        "example.com is added. Put this into the head of its pages:\n\n"
        '<script defer src="https://stats.example.com/js/footfall.js" data-site="example.com"></script>'
    )


def test_sites_are_listed_in_columns(database):
    assert run(database, "site list") == "No site yet. `.venv/bin/python app.py site add DOMAIN` adds one."
    add_site(database, "example.org", name="The Shop", timezone="Asia/Kathmandu")
    add_site(database)
    first, second = (site.uuid for site in store.all_sites(database))
    assert run(database, "site list") == (
        "DOMAIN       NAME         TIME ZONE       IDENTITY  UUID\n"
        f"example.com  example.com  UTC             daily     {first}\n"
        f"example.org  The Shop     Asia/Kathmandu  daily     {second}"
    )


def test_a_site_is_changed(database):
    add_site(database)
    options = {"identity": "browser", "hosts": ["shop.example.net"], "name": None, "excluded_paths": ()}
    assert run(database, "site set", domain="example.com", **options) == "example.com is changed."
    changed = store.find(database, "example.com")
    assert (changed.identity, changed.hosts, changed.name) == ("browser", ("shop.example.net",), "example.com")


def test_changing_nothing_is_an_error(database):
    add_site(database)
    with pytest.raises(InvalidInput, match="nothing to change"):
        run(database, "site set", domain="example.com", hosts=(), name=None)


def test_removing_a_site_removes_all_of_its_data_and_nothing_else(database):
    add_site(database)
    add_site(database, "example.org")
    gone, stays = (store.find(database, domain).id for domain in ("example.com", "example.org"))
    one_by_one(database, accepted(site_id=gone), accepted(site_id=stays))
    assert run(database, "site remove", domain="example.com") == "example.com and all of its data are gone."
    tables = (schema.visits, schema.pageviews, schema.heartbeats, schema.outcomes)
    assert [count(database, table) for table in tables] == [1, 1, 1, 1]


@pytest.mark.parametrize(("added", "other"), [("example.com", "www.example.com"), ("www.example.com", "example.com")])
def test_a_site_is_found_under_its_other_name_but_removed_by_its_own_alone(database, added, other):
    add_site(database, added)
    assert run(database, "site set", domain=other, name="The Shop") == f"{added} is changed."
    with pytest.raises(InvalidInput, match=f"^there is no site {other}; is {added} meant\\?$"):
        run(database, "site remove", domain=other)
    assert store.find(database, other).name == "The Shop"


def test_a_site_that_is_not_there_is_named_with_those_that_are(database):
    add_site(database)
    for name, options in (
        ("site remove", {"domain": "example.org"}),
        ("site set", {"domain": "example.org", "name": "x"}),
        ("key add", {"name": "k", "scope": "stats", "site": "example.org"}),
        ("embed add", {"site": "example.org", "hosts": ["panel.example.com"], "expires": "30d"}),
    ):
        with pytest.raises(InvalidInput, match=r"there is no site example\.org; known: example\.com"):
            run(database, name, **options)


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_generated_password_is_shown_once(database):
    message = run(database, "user add", email="Ann@example.com", role="admin", password=None)
    found = re.fullmatch(r"ann@example\.com is added as admin\. The password, shown this once: (\S{16})", message)
    assert found
    assert found.group(1) not in run(database, "user list")


def test_a_chosen_password_is_not_shown(database):
    message = run(database, "user add", email="ann@example.com", role="owner", password="correct horse battery")
    assert message == "ann@example.com is added as owner."
    assert run(database, "user reset", email="ann@example.com", password="another horse battery") == (
        "ann@example.com has to sign in again."
    )


def test_people_are_listed(database):
    assert run(database, "user list") == (
        "Nobody yet. `.venv/bin/python app.py setup-link` prints the link with which the first person begins, "
        "`.venv/bin/python app.py user add EMAIL --role owner` adds somebody."
    )
    run(database, "user add", email="ann@example.com", role="owner", password="correct horse battery")
    assert run(database, "user list") == "E-MAIL           ROLE\nann@example.com  owner"
    assert [person.email for person in accounts.people(database)] == ["ann@example.com"]


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_is_printed_alone_and_works_until_it_is_removed(database):
    add_site(database)
    key = run(database, "key add", name="panel", scope="ingest", site="example.com")
    found = api_keys.KeyRing(database).find(key)
    assert found is not None
    assert (found.scope, found.site_id) == ("ingest", store.find(database, "example.com").id)
    assert run(database, "key forget", key=key) == "The key is gone."
    assert api_keys.KeyRing(database).find(key) is None


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────

LARGE = """{"name": "Large", "when": {"event": "payment", "where": [["value", ">", 100], ["props.plan", "=", "pro"]]},
"notify": {"priority": "high", "title": "{value} {currency} from {user_name}", "message": "On {site}", "link": "{path}",
"link_label": "Look"}}"""
BUSY = """{"name": "Busy", "when": {"metric": "active_sessions", "above": 100, "for_s": 60, "filters":
[["is", "country", ["DE"]]]}, "notify": {"priority": "low", "title": "Busy"}, "enabled": false}"""


def add_rule(database, definition: str) -> str:
    """The number of the new rule of example.com."""
    text = run(database, "rule add", site="example.com", definition=definition)
    return re.match(r"Rule (\d+), ", text)[1]


def test_rules_are_listed_with_what_they_wait_for(database):
    assert run(database, "rule list") == (
        "No rule yet. `.venv/bin/python app.py rule add --site DOMAIN --json FILE` adds one."
    )
    add_site(database)
    assert len(run(database, "rule list").splitlines()) == 1 + len(shipped.SHIPPED)
    for rule in rules.all_rules(database):
        run(database, "rule remove", rule_id=rule.id)
    large, busy = add_rule(database, LARGE), add_rule(database, BUSY)
    failed_rules.switch_off_all(database, {int(large): "it erred"}, now=NOW)
    listed = [re.split(r"  +", line) for line in run(database, "rule list").splitlines()]
    assert listed == [
        ["ID", "SITE", "NAME", "WHEN", "STATE"],
        [large, "example.com", "Large", "payment arrives and value > 100 and props.plan = pro", "off: it erred"],
        [busy, "example.com", "Busy", 'active_sessions where [["is", "country", ["DE"]]] is above 100 for 60 s', "off"],
    ]


def test_a_rule_is_tried_on_the_newest_events(database):
    add_site(database)
    site_id = store.find(database, "example.com").id
    number = add_rule(database, LARGE)
    begin = f"Rule {number}, Large, notifies when payment arrives and value > 100 and props.plan = pro.\n"
    assert run(database, "rule test", rule_id=int(number)) == begin + "It would notify of 0 of the newest 0 events."
    details = {"name": "Payment", "props": {"plan": "Pro"}, "currency": "EUR", "path": "/pay/é", "site_id": site_id}
    values = (90, 110, 120, 80)
    events = (event(f"event-{one:04}", at=NOW + one, value=one, user_name=f"Ann {one}", **details) for one in values)
    one_by_one(database, *events)
    assert run(database, "rule test", rule_id=int(number)) == (
        f"{begin}It would notify of 2 of the newest 4 events; of the newest one, of 2027-01-15 08:02:00 UTC:\n"
        "  120 EUR from Ann 120\n"
        "  On example.com\n"
        "  Look /pay/%C3%A9"
    )


MANY_PAGES = """{"name": "Many", "when": {"metric": "pageviews", "above": 1}, "notify": {"priority": "low",
"title": "{value} pageviews on {site}, more than {threshold}"}}"""


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (BUSY, ["It is 1 now, so it would not notify."]),
        (BUSY.replace('"above": 100', '"below": 2'), ["It is 1 now; if it stays so, it notifies:", "  Busy"]),
        (MANY_PAGES, ["It is 2 now; if it stays so, it notifies:", "  2 pageviews on example.com, more than 1"]),
        (MANY_PAGES.replace('"above"', '"change_above"'), ["There is no data now, so it would not notify."]),
    ],
)
def test_a_rule_on_a_metric_is_tried_on_its_value(database, definition, said):
    add_site(database)
    site_id = store.find(database, "example.com").id
    one_by_one(database, *(accepted(page_id=f"page-000{one}", site_id=site_id) for one in range(2)))
    number = int(add_rule(database, definition))
    text = rule_test(CommandContext(database, ADDRESS, NOW + 1), number)
    assert text.splitlines()[1:] == said


def test_the_line_of_a_share_is_in_percent_as_in_the_statistics_api(database):
    add_site(database)
    one_by_one(database, accepted(site_id=store.find(database, "example.com").id))
    definition = MANY_PAGES.replace('"pageviews", "above": 1', '"bounce_rate", "above": 99.5')
    text = rule_test(CommandContext(database, ADDRESS, NOW + 1), int(add_rule(database, definition)))
    assert text.splitlines()[1] == "It is 100 now; if it stays so, it notifies:"


def test_a_rule_is_removed_once(database):
    add_site(database)
    number = int(add_rule(database, LARGE))
    assert run(database, "rule remove", rule_id=number) == "The rule Large is removed."
    for name in ("rule remove", "rule test"):
        with pytest.raises(InvalidInput, match=f"there is no rule {number}; `rule list` shows them"):
            run(database, name, rule_id=number)


def test_a_wrong_rule_says_which_field(database):
    add_site(database)
    with pytest.raises(InvalidInput, match="notify: is required"):
        run(database, "rule add", site="example.com", definition='{"name": "x", "when": {"event": "y"}}')


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────────


LOOPBACK = Outside((ipaddress.ip_network("127.0.0.0/8"),), None, ssl.create_default_context(), base_url=ADDRESS)


def run_outside(database, name: str, /, outside: Outside = LOOPBACK, **options) -> str:
    return registry.run(database, ADDRESS, name, options, outside=lambda: outside)


def add_channel(database, kind: str, to: str, **options) -> tuple[int, str]:
    """The number of the new channel of example.com, and what was said of it."""
    text = run_outside(database, "channel add", site="example.com", kind=kind, to=to, **options)
    return int(re.match(r"Channel (\d+), ", text)[1]), text


def test_channels_are_listed_and_removed(database):
    assert run(database, "channel list") == (
        "No channel yet. `.venv/bin/python app.py channel add --site DOMAIN --kind KIND --to ADDRESS` adds one."
    )
    add_site(database)
    secret = "whsec_" + "a" * 32
    hook, text = add_channel(database, "webhook", "http://127.0.0.1/x", secret=secret, name="Shop")
    assert text == f"Channel {hook}, Shop, is added. It signs with {secret}"
    mail, text = add_channel(database, "email", "Ann@example.com")
    assert text == f"Channel {mail}, email {mail}, is added."
    channels.disable(database, mail, now=NOW)
    assert [re.split(r"  +", line) for line in run(database, "channel list").splitlines()] == [
        ["ID", "SITE", "KIND", "NAME", "TO", "STATE"],
        [str(hook), "example.com", "webhook", "Shop", "http://127.0.0.1/x", "on"],
        [str(mail), "example.com", "email", "-", "ann@example.com", "off: switched off"],
    ]
    assert run(database, "channel remove", channel_id=hook) == "The channel Shop is removed."
    with pytest.raises(InvalidInput, match=f"there is no channel {hook}; `channel list` shows them"):
        run_outside(database, "channel test", channel_id=hook)


def test_a_webhook_without_a_secret_gets_one_that_is_printed(database):
    add_site(database)
    number, text = add_channel(database, "webhook", "http://127.0.0.1/x")
    assert text == (
        f"Channel {number}, webhook {number}, is added. It signs with {channels.get(database, number).secret}"
    )


def test_an_address_that_leads_inwards_is_refused(database):
    add_site(database)
    options = {"site": "example.com", "kind": "webhook", "to": "http://127.0.0.1/x"}
    with pytest.raises(InvalidInput, match=r"^to: 127\.0\.0\.1 leads to an address that is not public"):
        run_outside(database, "channel add", outside=replace(LOOPBACK, allowed=()), **options)
    assert channels.all_channels(database) == []


def test_a_test_says_what_was_answered(database):
    add_site(database)
    with receiving() as receiver:
        receiver.replies = [answer(200, "thank you"), answer(500, "broken")]
        hook, _ = add_channel(database, "webhook", receiver.url)
        mail, _ = add_channel(database, "email", "ann@example.com")
        said = [run_outside(database, "channel test", channel_id=one) for one in (hook, hook, mail)]
    none = "there is no mail server: FOOTFALL_SMTP_URL is empty"
    assert said == ["Sent: 200 thank you", "Not sent: 500 broken", f"Not sent: {none}"]
    assert [registry.BY_NAME["channel test"].failed(text) for text in said] == [False, True, True]


def test_without_an_address_of_the_dashboard_a_second_line_says_that_messages_have_no_links(database):
    add_site(database)
    no_links = "\nMessages have no links: FOOTFALL_BASE_URL is empty, so the address of the dashboard is unknown."
    options = {"site": "example.com", "kind": "email", "to": "ann@example.com"}
    added = run_outside(database, "channel add", outside=replace(LOOPBACK, base_url=""), **options)
    number = channels.all_channels(database)[0].id
    assert added == f"Channel {number}, email {number}, is added.{no_links}"
    tried = run_outside(database, "channel test", outside=replace(LOOPBACK, base_url=""), channel_id=number)
    assert tried == f"Not sent: there is no mail server: FOOTFALL_SMTP_URL is empty{no_links}"
    assert registry.BY_NAME["channel test"].failed(tried)


# ── cards ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_adding_a_card_prints_the_line_to_paste(database):
    add_site(database)
    line = run(database, "embed add", site="example.com", hosts=["panel.example.com"], expires="30d")
    assert re.fullmatch(
        r'<iframe src="https://stats\.example\.com/embed/live\?token=[\w.-]{20,}" title="Active now on example\.com" '
        r'width="360" height="260" style="border:0;color-scheme:light" loading="lazy"></iframe>',
        line,
    )


def test_a_small_card_that_leads_to_the_dashboard(database):
    add_site(database)
    options = {"site": "example.com", "hosts": ["panel.example.com"], "expires": "30d", "small": True, "link": True}
    line = run(database, "embed add", **options)
    assert re.search(r'\?token=[\w.-]{20,}&amp;link=1" .* width="260" height="72" ', line)


def test_cards_are_listed_with_their_fate(database):
    assert (
        run(database, "embed list")
        == "No card yet. `.venv/bin/python app.py embed add --site DOMAIN --host HOST` adds one."
    )
    add_site(database)
    for hosts in (["panel.example.com", "admin.example.com"], ["other.example.com"]):
        run(database, "embed add", site="example.com", hosts=hosts, expires="365d")
    first, second = sorted(embed.id for embed in embeds.all_embeds(database))
    assert run(database, "embed revoke", embed_id=first) == f"Card {first} is off."
    head, *lines = run(database, "embed list").splitlines()
    assert head.split() == ["ID", "SITE", "HOSTS", "EXPIRES", "STATE"]
    listed = sorted([line.split()[0], line.split()[-1]] for line in lines)
    assert listed == [[str(first), "off"], [str(second), "on"]]


@pytest.mark.parametrize(
    ("text", "expected"), [("30m", 1800), ("1h", 3600), ("12h", 43_200), ("30d", 2_592_000), ("4w", 2_419_200)]
)
def test_durations_are_read(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "1.5d", "30", "30s", "30M", "99999d", "30 d"])
def test_what_is_no_duration_is_an_error(text):
    with pytest.raises(InvalidInput, match="is no duration; give one like 30m, 12h, 30d or 4w"):
        seconds(text)


def test_the_set_up_link_is_printed_until_somebody_has_an_account(database):
    context = {"secret": b"k" * 48}
    link = registry.run(database, "https://stats.example.com", "setup-link", {}, **context)
    assert link == f"https://stats.example.com/setup?token={first_owner.setup_token(b'k' * 48)}"
    assert registry.run(database, "https://stats.example.com", "setup-link", {}, **context) == link
    accounts.add_person(database, "ann@example.com", "viewer", "correct horse battery", now=1)
    with pytest.raises(
        InvalidInput, match=r"somebody has an account already.* app\.py user reset EMAIL` gives a new pass"
    ):
        registry.run(database, "https://stats.example.com", "setup-link", {}, **context)

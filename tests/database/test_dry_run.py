"""A trial: what each step would say, and that nothing remains of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.base import errors
from analytics.base.config import Config
from analytics.sites import store
from analytics.storage import schema
from analytics.storage.database import Database
from collector.ingest.dry_run import READ_STEP, SamplePageview, Verdict, dry_run
from collector.ingest.geo import Places, open_places
from collector.ingest.pipeline import STEPS
from tests.support.factories import AGENT, NOW, added_site, count, kit

MS = NOW * 1000
NAMES = [step.__name__ for step in STEPS]
GOOD = SamplePageview("https://example.com/a?utm_source=letter", "https://www.google.com/", AGENT, "81.2.69.160")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory) -> Iterator[tuple[Database, Places]]:
    folder = tmp_path_factory.mktemp("data")
    database, places = Database(Config(data_dir=folder)), open_places(None, folder)
    added_site(database)
    store.change(
        database,
        store.find(database, "example.com"),
        excluded_addresses=["10.0.0.0/8"],
        excluded_paths=["/admin/**"],
        excluded_hosts=["staging.example.com"],
    )
    yield database, places
    places.close()
    database.close()


@pytest.fixture
def tried(embedded):
    """Tries a sample on the site."""
    database, places = embedded
    steps = kit(database, places, per_minute=1)
    site = store.find(database, "example.com")
    return lambda sample: dry_run(steps, site, sample, MS)


def test_a_good_pageview_passes_every_step_and_shows_what_would_be_stored(tried):
    trial = tried(GOOD)
    assert trial.verdicts == tuple(Verdict(name, "passed") for name in [READ_STEP, *NAMES])
    assert trial.stored
    origin = trial.origin
    assert (trial.host, trial.path, origin.source, origin.channel) == ("example.com", "/a", "letter", "Referral")
    assert (origin.country, origin.browser, origin.os, origin.device) == ("GB", "Chrome", "GNU/Linux", "Desktop")


@pytest.mark.parametrize(
    ("changes", "step", "reason", "name"),
    [
        ({"url": "https://a.staging.example.com/"}, "host_included", "excluded_host", ""),
        ({"url": "https://evil.example/"}, "host_allowed", "unlisted_host", "evil.example"),
        ({"opted_out": True}, "not_opted_out", "opted_out", ""),
        ({"user_agent": "curl/8"}, "not_a_robot", "bot", "curl"),
        ({"user_agent": ""}, "not_a_robot", "bot", "unnamed"),
        ({"datacenter": True}, "not_from_a_datacenter", "datacenter", ""),
        ({"referrer": "http://semalt.com"}, "referrer_clean", "spam_referrer", ""),
        ({"address": " 10.1.2.3 "}, "address_included", "excluded_address", ""),
        ({"url": "https://example.com/admin/x"}, "path_included", "excluded_path", ""),
    ],
)
def test_the_step_that_stops_it_says_why_and_the_later_ones_are_not_reached(tried, changes, step, reason, name):
    trial = tried(GOOD._replace(**changes))
    at = NAMES.index(step)
    assert trial.verdicts == (
        *(Verdict(passed, "passed") for passed in [READ_STEP, *NAMES[:at]]),
        Verdict(step, "stopped", reason, name),
        *(Verdict(later, "not reached") for later in NAMES[at + 1 :]),
    )
    assert not trial.stored
    assert trial.path, "what would be made of it is told all the same"


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "example.com/a", "https://example.com/" + "x" * 5_000])
def test_what_is_no_page_reaches_no_step(tried, url):
    trial = tried(GOOD._replace(url=url))
    assert trial.verdicts == (
        Verdict(READ_STEP, "stopped", "wrong_field"),
        *(Verdict(one, "not reached") for one in NAMES),
    )
    assert (trial.stored, trial.host, trial.path) == (False, "", "")


@pytest.mark.parametrize("address", ["", "nowhere", "1.2.3", "<b>"])
def test_what_is_no_address_is_the_asker_s_mistake(tried, address):
    with pytest.raises(errors.InvalidInput, match="no address"):
        tried(GOOD._replace(address=address))


def test_trials_use_up_no_rate_and_leave_nothing(embedded, tried):
    database, _ = embedded
    for _ in range(5):
        assert tried(GOOD).stored
        assert not tried(GOOD._replace(referrer="http://semalt.com")).stored
    tables = (schema.outcomes, schema.robots, schema.unlisted_hosts, schema.visits, schema.salts)
    assert [count(database, table) for table in tables] == [0] * 5

"""Referrer spam: which hosts are known, and what is remembered of those who came from there."""

from __future__ import annotations

import pytest

from collector.ingest import source, spam
from collector.ingest.spam import MAX_PAGES, Spammers, open_spammers


@pytest.fixture(scope="module")
def known() -> Spammers:
    return open_spammers(None)


@pytest.mark.parametrize(
    "referrer",
    [
        "http://semalt.com/",
        "https://WWW.Semalt.com/project_crawl.php?u=http://example.com",
        "https://77.semalt.com.:443/x",
        "http://непереводимая.рф/",
        "http://semalt.com/" + "x" * 5_000,
    ],
)
def test_a_known_host_and_what_is_below_it_are_spammers(known, referrer):
    assert known.is_spam(referrer)


@pytest.mark.parametrize(
    "referrer",
    [
        "",
        "https://example.com/semalt.com",
        "https://notsemalt.com/",
        "https://semalt.com.example.com/",
        "https://ok.ru/feed",
        "android-app://semalt.com",
        "nonsense",
        "https://",
        "\ud800",
    ],
)
def test_everybody_else_is_none(known, referrer):
    assert not known.is_spam(referrer)


def test_no_source_that_has_a_name_is_on_the_list():
    hosts = spam.BUNDLED.read_text("utf-8").split()
    assert len(hosts) > 250
    assert [host for host in hosts if source._by_host(host)] == []


def test_a_file_of_one_s_own_takes_the_place_of_the_list(tmp_path):
    file = tmp_path / "spammers.txt"
    file.write_text("# mine\n\nspam.example\n  Other.Example  \nno host\n")
    own = open_spammers(file)
    asked = ("http://spam.example", "http://a.other.example", "http://semalt.com", "http://host/")
    assert [own.is_spam(referrer) for referrer in asked] == [True, True, False, False]


def test_an_empty_file_switches_it_off(tmp_path):
    (tmp_path / "none.txt").touch()
    assert not open_spammers(tmp_path / "none.txt").is_spam("http://semalt.com")


def test_pages_are_remembered_for_their_site_and_only_so_many(known):
    spammers = Spammers(())
    assert (1, "page-0000") not in spammers.pages
    for number in range(MAX_PAGES + 1):
        spammers.remember(1, f"page-{number:04}")
    spammers.remember(1, None)
    remembered = [(1, "page-0000"), (1, "page-0001"), (1, f"page-{MAX_PAGES}"), (2, "page-0001"), (1, None)]
    assert [page in spammers.pages for page in remembered] == [False, True, True, False, False]

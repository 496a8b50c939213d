"""Which source and channel a visit gets. People compare these when they migrate: the cases are the facts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.ingest import source
from collector.ingest.page_url import PageUrl, read
from collector.ingest.source import CHANNELS, Source, classify

DIRECT = Source("", "Direct", "", "", "", "", "", "")


def came(query: str = "", referrer: str | None = None, host: str = "example.com") -> Source:
    page = read(f"https://{host}/?{query}")
    assert page is not None
    return classify(page, referrer)


def named(found: Source) -> tuple[str, str]:
    return found.source, found.channel


def test_nothing_is_direct():
    assert came() == DIRECT
    assert came(referrer="") == DIRECT


def test_every_field_of_a_tagged_visit():
    tags = "utm_source=ig&utm_medium=cpc&utm_campaign=May&utm_content=Blue&utm_term=Shoes"
    assert came(tags, "https://l.instagram.com/?u=x") == Source(
        "Instagram", "Paid Social", "l.instagram.com", "ig", "cpc", "May", "Blue", "Shoes"
    )


# Referrers


@pytest.mark.parametrize(
    ("referrer", "stored"),
    [
        ("https://facebook.com", "facebook.com"),
        ("https://facebook.com/page/", "facebook.com/page"),
        ("https://www.facebook.com/page?token=1#x", "facebook.com/page"),
        ("HTTPS://ann:pw@WWW.Facebook.com:443/Page", "facebook.com/Page"),
        (" https://facebook.com/page ", "facebook.com/page"),
        ("https://facebook.com/ann@example.com/", "facebook.com/:redacted"),
    ],
)
def test_referrer_is_host_and_path(referrer, stored):
    assert came(referrer=referrer) == DIRECT._replace(source="Facebook", channel="Organic Social", referrer=stored)


@pytest.mark.parametrize("host", ["example.com", "www.example.com"])
@pytest.mark.parametrize("referrer", ["https://example.com/a", "http://www.example.com/", "https://EXAMPLE.com:81"])
def test_referrer_from_the_pages_own_host_is_none(host, referrer):
    assert came(referrer=referrer, host=host) == DIRECT


def test_referrer_from_another_subdomain_of_the_site_counts():
    assert named(came(referrer="https://blog.example.com/")) == ("blog.example.com", "Referral")


@pytest.mark.parametrize(
    "referrer",
    [
        "http://localhost:4000/",
        "http://app.localhost/",
        "http://127.0.0.1:8050/",
        "http://[::1]/",
        "ftp://wat",
        "javascript:alert(1)",
        " java\tscript:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "chrome-extension://abcdefgh/popup.html",
        "android-app://",
        "android-app://<b>",
        "facebook.com",
        "//facebook.com/",
        "https://",
        "https://\ud800/",
        "https://facebook.com/\x00",
        "https://face book.com/",
        "(direct)",
        "\x00",
        "http://[::1",
    ],
)
def test_referrer_that_is_no_web_page_of_others_is_none(referrer):
    assert came(referrer=referrer) == DIRECT


def test_referrer_is_cut_at_2000_characters():
    found = came(referrer="https://blog.test/" + "a" * 2_500)
    assert found.referrer == "blog.test/" + "a" * 1_990
    assert came(referrer="https://blog.test/" + "a" * 100_000) == found


def test_unknown_android_app_is_kept_whole():
    assert came(referrer="android-app://some.android.app") == DIRECT._replace(
        source="android-app://some.android.app", channel="Referral", referrer="android-app://some.android.app"
    )


def test_known_android_app_is_its_source():
    assert came(referrer="android-app://com.reddit.frontpage/") == DIRECT._replace(
        source="Reddit", channel="Organic Social", referrer="android-app://com.reddit.frontpage"
    )
    assert named(came(referrer="android-app://com.Slack")) == ("Slack", "Organic Social")


YANDEX = (
    "yandex.com.tr",
    "yandex.kz",
    "yandex.uz",
    "yandex.fr",
    "yandex.eu",
    "yandex.tm",
    "yandex.ru",
    "ya.ru",
)


@pytest.mark.parametrize(
    ("host", "expected", "channel"),
    [
        *((host, "Yandex", "Organic Search") for host in YANDEX),
        ("www.google.com", "Google", "Organic Search"),
        ("google.co.uk", "Google", "Organic Search"),
        ("www.google.com.au", "Google", "Organic Search"),
        ("search.brave.com", "Brave", "Organic Search"),
        ("duckduckgo.com", "DuckDuckGo", "Organic Search"),
        ("sogou.com", "Sogou", "Organic Search"),
        ("m.sogou.com", "Sogou", "Organic Search"),
        ("wap.sogou.com", "Sogou", "Organic Search"),
        ("ecosia.org", "Ecosia", "Organic Search"),
        ("perplexity.ai", "Perplexity", "Organic Search"),
        ("chatgpt.com", "ChatGPT", "Organic Search"),
        ("gemini.google.com", "Gemini", "Organic Search"),
        ("en.wikipedia.org", "Wikipedia", "Referral"),
        ("en.m.wikipedia.org", "Wikipedia", "Referral"),
        ("m.facebook.com", "Facebook", "Organic Social"),
        ("l.facebook.com", "Facebook", "Organic Social"),
        ("t.co", "Twitter", "Organic Social"),
        ("t.me", "Telegram", "Organic Social"),
        ("webk.telegram.org", "Telegram", "Organic Social"),
        ("statics.teams.cdn.office.net", "Microsoft Teams", "Organic Social"),
        ("news.ycombinator.com", "Hacker News", "Organic Social"),
        ("app.slack.com", "Slack", "Organic Social"),
        ("github.com", "GitHub", "Organic Social"),
        ("m.youtube.com", "Youtube", "Organic Video"),
        ("vimeo.com", "Vimeo", "Organic Video"),
        ("mail.google.com", "Gmail", "Email"),
        ("mail.yahoo.co.jp", "Yahoo! Mail", "Email"),
        ("temu.com", "temu.com", "Organic Shopping"),
        ("www.amazon.co.jp", "Amazon", "Organic Shopping"),
        ("betalist.com", "betalist.com", "Referral"),
        ("ycombinator.com", "ycombinator.com", "Referral"),
        ("notfacebook.com", "notfacebook.com", "Referral"),
        ("facebook.com.evil.test", "facebook.com.evil.test", "Referral"),
        ("google.evil.com", "google.evil.com", "Referral"),
        ("alice.github.io", "alice.github.io", "Referral"),
        ("google", "google", "Referral"),
        ("com", "com", "Referral"),
    ],
)
def test_referrer_host_names_the_source(host, expected, channel):
    assert named(came(referrer=f"https://{host}/")) == (expected, channel)


# Tags


@pytest.mark.parametrize("query", ["utm_source=betalist", "ref=betalist", "source=betalist"])
def test_utm_source_ref_and_source_all_name_the_source(query):
    assert came(query, "https://betalist.com") == Source(
        "betalist", "Referral", "betalist.com", "betalist", "", "", "", ""
    )


def test_utm_source_goes_before_source_and_that_before_ref():
    assert came("ref=c&source=b&utm_source=a").utm_source == "a"
    assert came("ref=c&source=b").utm_source == "b"


@pytest.mark.parametrize(
    ("tag", "expected", "channel"),
    [
        ("ig", "Instagram", "Organic Social"),
        ("fb", "Facebook", "Organic Social"),
        ("FaceBook", "Facebook", "Organic Social"),
        ("yt", "Youtube", "Organic Video"),
        ("yt-ads", "Youtube", "Paid Video"),
        ("Reddit-ads", "Reddit", "Paid Social"),
        ("twitter-ads", "Twitter", "Paid Social"),
        ("google_ads", "Google", "Paid Search"),
        ("Google-ads", "Google", "Paid Search"),
        ("googleads", "Google", "Paid Search"),
        ("Adwords", "Google", "Paid Search"),
        ("amazon-ads", "Amazon", "Paid Shopping"),
        ("perplexity", "Perplexity", "Organic Search"),
        ("chatgpt.com", "ChatGPT", "Organic Search"),
        ("www.google.co.uk", "Google", "Organic Search"),
        ("walmart", "Walmart", "Organic Shopping"),
        ("threads", "Threads", "Organic Social"),
        ("firebase", "firebase", "Mobile Push Notifications"),
        ("email", "email", "Email"),
        ("sms", "sms", "SMS"),
        ("%25balle%25", "%balle%", "Referral"),
        ("%22quoted%22", '"quoted"', "Referral"),
        ("Spring-Roads", "Spring-Roads", "Referral"),
        ("ads", "ads", "Referral"),
        ("a.b..c.", "a.b..c.", "Referral"),
    ],
)
@pytest.mark.parametrize("key", ["utm_source", "source"])
def test_utm_source_is_an_alias_an_advertiser_a_host_or_itself(key, tag, expected, channel):
    found = came(f"{key}={tag}")
    assert named(found) == (expected, channel)
    assert found.utm_source == tag.replace("%25", "%").replace("%22", '"')


# Click ids


@pytest.mark.parametrize(
    ("query", "referrer", "expected"),
    [
        ("gclid=x", "https://google.com", ("Google", "Paid Search", "(gclid)")),
        ("gbraid=x", "https://google.com", ("Google", "Paid Search", "(gbraid)")),
        ("gclid=x&utm_source=google", None, ("Google", "Paid Search", "(gclid)")),
        ("gclid=x&utm_medium=brand", "https://google.com", ("Google", "Paid Search", "brand")),
        ("msclkid=x", "https://bing.com", ("Bing", "Paid Search", "(msclkid)")),
        ("gclid=x", "https://duckduckgo.com", ("DuckDuckGo", "Organic Search", "")),
        ("msclkid=x", "https://google.com", ("Google", "Organic Search", "")),
        ("gclid=x", None, ("", "Direct", "")),
        ("fbclid=x", "https://facebook.com", ("Facebook", "Organic Social", "")),
        ("gclid=", "https://google.com", ("Google", "Organic Search", "")),
    ],
)
def test_click_id_makes_a_visit_from_its_own_network_a_paid_one(query, referrer, expected):
    found = came(query, referrer)
    assert (found.source, found.channel, found.utm_medium) == expected


# Channels


@pytest.mark.parametrize(
    ("query", "channel"),
    [
        ("utm_campaign=cross-network", "Cross-network"),
        ("utm_source=google&utm_campaign=Summer-Cross-Network-1&utm_medium=cpc", "Cross-network"),
        ("utm_campaign=shop", "Organic Shopping"),
        ("utm_campaign=summer-shopping", "Organic Shopping"),
        ("utm_campaign=eshop", "Organic Shopping"),
        ("utm_source=newsletter&utm_campaign=workshop", "Referral"),
        ("utm_campaign=shop&utm_medium=cpc", "Paid Shopping"),
        ("utm_source=walmart&utm_medium=paid", "Paid Shopping"),
        ("utm_source=google&utm_medium=paid", "Paid Search"),
        ("utm_source=DuckDuckGo&utm_medium=paid", "Paid Search"),
        ("utm_source=google&utm_medium=CPC", "Paid Search"),
        ("utm_source=bing&utm_medium=ppc", "Paid Search"),
        ("utm_source=facebook&utm_medium=paid-social", "Paid Social"),
        ("utm_source=facebook&utm_medium=retargeting", "Paid Social"),
        ("utm_source=youtube&utm_medium=paid", "Paid Video"),
        ("utm_source=vimeo", "Organic Video"),
        ("utm_medium=video", "Organic Video"),
        ("utm_medium=banner", "Display"),
        ("utm_medium=display", "Display"),
        ("utm_medium=cpm", "Display"),
        ("utm_medium=expandable", "Display"),
        ("utm_medium=interstitial", "Display"),
        ("utm_source=google&utm_medium=cpm&gclid=x", "Display"),
        ("utm_source=google&utm_medium=display&gclid=x", "Display"),
        ("utm_source=blog&utm_medium=cpc", "Paid Other"),
        ("utm_medium=paid", "Paid Other"),
        ("utm_medium=social", "Organic Social"),
        ("utm_medium=social+media", "Organic Social"),
        ("utm_medium=organic", "Organic Search"),
        ("utm_medium=email", "Email"),
        ("utm_medium=e-mail", "Email"),
        ("utm_source=blog&utm_medium=Email", "Email"),
        ("utm_source=mailchimp", "Email"),
        ("utm_medium=affiliate", "Affiliates"),
        ("utm_medium=audio", "Audio"),
        ("utm_medium=sms", "SMS"),
        ("utm_medium=app-push", "Mobile Push Notifications"),
        ("utm_medium=example-mobile", "Mobile Push Notifications"),
        ("utm_medium=web-notification", "Mobile Push Notifications"),
        ("utm_medium=referral", "Referral"),
        ("utm_medium=app", "Referral"),
        ("utm_medium=link", "Referral"),
        ("utm_source=somebody", "Referral"),
        ("utm_medium=something", "Direct"),
        ("utm_campaign=something", "Direct"),
    ],
)
def test_channel_follows_source_medium_and_campaign(query, channel):
    assert came(query).channel == channel


@pytest.mark.parametrize("medium", ["banner", "display", "cpm", "expandable", "interstitial"])
def test_display_medium_stays_display_with_a_google_click_id_and_referrer(medium):
    assert named(came(f"utm_medium={medium}&gclid=x", "https://google.com")) == ("Google", "Display")


def test_there_are_18_channels():
    assert {name for name, _ in CHANNELS} == {
        *("Direct", "Cross-network", "Display", "Email", "Affiliates", "Referral", "Audio", "SMS"),
        *("Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Paid Other"),
        *("Organic Shopping", "Organic Social", "Organic Video", "Organic Search"),
        "Mobile Push Notifications",
    }
    assert len(CHANNELS) == 18


# The table


def test_every_host_tag_and_app_of_the_table_leads_to_its_source():
    table = source._TABLE
    for host, known in table.hosts.items():
        assert came(referrer=f"https://www.{host.replace('*', 'de')}/").source == known.name
    for tag, known in table.tags.items():
        assert classify(PageUrl("example.com", "/", {"utm_source": tag.upper()}), None).source == known.name
    for app, known in table.apps.items():
        assert came(referrer=f"android-app://{app}").source == known.name


def test_table_has_at_least_130_sources_of_known_kinds_written_in_lower_case():
    table = source._TABLE
    known = {*table.hosts.values()}
    assert len({one.name for one in known}) >= 130
    assert {one.kind for one in known} == {"search", "ai", "social", "video", "shopping", "email", "other"}
    assert all(key == key.lower() for index in table for key in index)


def test_a_key_that_two_sources_claim_stops_the_start(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[search]\n"One" = { hosts = ["a.test"] }\n"Two" = { hosts = ["a.test"] }\n', "utf-8")
    with pytest.raises(ValueError, match=r"'a\.test' is both One and Two"):
        source._load(path)


# Anything at all


anything = st.text(st.characters(exclude_categories=()), max_size=60)
schemes = st.sampled_from(["", "https://", "http://", "android-app://", "https://a.test/", "javascript:", "//"])
referrers = st.none() | st.tuples(schemes, anything).map("".join)
queries = st.dictionaries(
    st.sampled_from(["utm_source", "utm_medium", "utm_campaign", "ref", "gclid"]), anything.filter(bool)
)


@settings(max_examples=150, deadline=None)
@given(referrer=referrers, query=queries)
def test_any_text_is_classified_and_bounded(referrer, query):
    found = classify(PageUrl("example.com", "/", query), referrer)
    assert found.channel in dict(CHANNELS)
    assert len(found.referrer) <= source.MAX_REFERRER
    assert len(found.source) <= 255
    assert found.referrer.encode().decode() == found.referrer
    assert not re.search(r"[\x00-\x1f\x7f]|^(javascript|data):", found.referrer)


def test_cache_is_bounded_and_holds_no_long_referrer():
    before = source._classify_cached.cache_info()
    came(referrer="https://blog.test/" + "a" * 1_000)
    assert source._classify_cached.cache_info() == before
    assert before.maxsize is not None

"""Which user agents are robots', and the names that they are counted by."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from crawlerdetect import CrawlerDetect
from crawlerdetect.providers import crawlers, exclusions

from collector.ingest import robot
from collector.ingest.robot import NAMES, UNNAMED, name_of
from collector.ingest.robot_patterns import AUTOMATED, MARKS, SERVICES, SHAPES

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML}"
PEOPLE = (
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36",
    f"{WINDOWS} Ferdium/6.7.4 Chrome/124.0.6367.207 Electron/30.0.9 Safari/537.36",
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Linux; Android 9; CUBOT P30) Chrome/80.0",
    f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {KHTML} Chrome/114.0.0.0 Safari/537.36  ArkWeb/4.1.6.1 Mobile",
    f"Mozilla/5.0 (PC; OpenHarmony 5.0) {KHTML} Chrome/114.0 Safari/537.36  ArkWeb/4.1.6.1 HuaweiBrowser/5.1.3.311",
    f"Mozilla/5.0 (Linux; Android 14; Quest 3) {KHTML} OculusBrowser/33.0 Chrome/126.0 VR Safari/537.36",
    f"{IPHONE} Version/26.2 Mobile/15E148 DuckDuckGo/26 Safari/604.1",
)
ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    f"{IPHONE} Version/8.0 Mobile/12F70 Safari/600.1.4 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
    f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} HeadlessChrome/126.0.0.0 Safari/537.36",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Tiny Tiny RSS/1.11 (http://tt-rss.org/)",
    "UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/",
    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "Java/1.8.0_402",
    "Ruby",
    "GuzzleHttp/7",
)
DECEIVERS = (  # near misses, odd cases and what only one of the two steps of crawlerdetect catches
    *(
        "cubot",
        "Mozilla/5.0 (Linux; Android 9; CUBOT P30) Chrome/80.0",
        "CUBOTbot",
        "cubocubott",
        "boLinuxt",
        "sLinuxpider",
    ),
    *(
        "BOT",
        "bOt",
        "ſpider",
        "spıder",
        "SPİDER",
        "\u212arawler",
        "crawl\u212a",
        "web\u017fhag",
        "ﬁndlink",
        "вот",
        "ß" * 40,
    ),
    *(
        "YandexSearch",
        "Yandex",
        "YandexYandexSearch",
        '"Yandex"',
        "YandexModule2",
        "Ruby",
        "xRuby",
        "xRuby/1",
        "b0t",
        "b0t ",
        "xb0t",
    ),
    *(
        "DebugBear",
        "DebugBear ",
        "DebugBear\n",
        "xDebugBear/1",
        "Go 1.1 package http",
        "Go 1.x package http",
        "Mozilla",
        "Mozilla/5.0",
    ),
    *(
        "Java x outbrain",
        "Java\noutbrain",
        "OPPO A33",
        "OPPO A3",
        "Dart/3",
        "Dart/x",
        "x Dart/3",
        "like Gecko",
        "likeGecko",
        "like like Gecko",
    ),
    *(
        "CPU OS 15_6 like Mac OS X",
        "CPU iPhone OS like Mac OS X",
        "Opera Mini/6.5.27510/34.1624",
        "Opera Mini/6.5/34.",
        "x86_bot",
        "x86_",
    ),
    *(
        "\t bot \t",
        "\0",
        "\0bot",
        "\ud800",
        "\ud800bot",
        "😀",
        "（bot）",
        "Zend\\Http\\Client",
        "Zend/Http/Client",
        "Y!J-ABC",
        "y!j-a1c",
    ),
)


def reference(agent: str) -> bool:
    """crawlerdetect's own verdict."""
    return bool(CrawlerDetect().isCrawler(agent))


OURS = re.compile("|".join((*AUTOMATED, *SERVICES)), re.IGNORECASE)


def added(agent: str) -> bool:
    """Whether it is a robot by what we know besides."""
    plain = agent.strip().lower()
    shaped = any(shape.search(plain) for shape in SHAPES) or any(mark in plain for mark in MARKS)
    return shaped or bool(OURS.search(agent))


def differing(agents: list[str]) -> list[tuple[str, bool]]:
    return [
        (agent, bool(name_of(agent))) for agent in agents if bool(name_of(agent)) != (reference(agent) or added(agent))
    ]


def words(patterns: list[str]) -> list[str]:
    """Each pattern as plain text that mostly matches it."""
    return [re.sub(r"\\(?![dsw])|[\^$()?*+]", "", pattern).replace(r"[\d.]", "1.0") for pattern in patterns]


def test_people_are_no_robots():
    assert {agent: name_of(agent) for agent in PEOPLE} == dict.fromkeys(PEOPLE, "")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        (f"{IPHONE} Safari/600.1.4 (compatible; GoogleBot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("AdsBot-Google-Mobile (+http://www.google.com/mobile/adsbot.html)", "AdsBot-Google"),
        (f"Mozilla/5.0 {KHTML}; compatible; ChatGPT-User/1.0; +https://openai.com/bot", "ChatGPT-User"),
        ("meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)", "Meta"),
        (
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "Google image proxy",
        ),
        ("curl/8.5.0", "curl"),
        ("Java/1.8.0_402", "Java"),
        ("Mozilla/5.0 (compatible; Foo_Crawler-2/1.7; +http://foo.example)", "foo_crawler-2"),
        ("Hello from Palo Alto Networks, find out more", "hello from palo alto networks"),
        ("PHP/8.1", "php"),
        ("bot-203-0-113-7/1.0", "bot"),
        ("crawler_5d41402abc4b2a76/1.0", "crawler_dabcba"),
    ],
)
def test_a_robot_is_counted_by_the_name_that_it_gives(agent, name):
    assert name_of(agent) == name


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} HeadlessChrome/126.0.0.0 Safari/537.36", "Headless Chrome"),
        ("Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 PhantomJS/2.1.1 Safari/538.1", "PhantomJS"),
        (f"{WINDOWS} Cypress/13.6.0 Chrome/114.0.5735.289 Electron/25.8.4 Safari/537.36", "Cypress"),
        (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Puppeteer", "Puppeteer"),
        ("Playwright/1.48.0 (x64; ubuntu 22.04) node/20.17", "Playwright"),
        ("Mozilla/5.0 Selenium", "Selenium"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} Chrome/127.0.0.0 Safari/537.36 Chrome-Lighthouse", "Lighthouse"),
    ],
)
def test_an_automated_browser_that_says_so_is_a_robot(agent, name):
    assert name_of(agent) == name


APPLICATION = "{} Chrome/138.0.7204.35 Electron/37.1.0 Safari/537.36"
WEB_VIEW = f"Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP2A; wv) {KHTML} Version/4.0 Chrome/138.0.7204.35"


@pytest.mark.parametrize(
    "agent",
    [
        f"{WINDOWS} {APPLICATION.format('Slack/4.44.63')} Slack_SSB/4.44.63",
        f"{WINDOWS} {APPLICATION.format('Teams/1.7.00.1')}",
        f"{WINDOWS} {APPLICATION.format('discord/1.0.9201')}",
        f"{WINDOWS} {APPLICATION.format('obsidian/1.8.10')}",
        f"{WINDOWS} {APPLICATION.format('WhatsApp/2.2550.1')}",
        f"{WINDOWS} {APPLICATION.format('Mattermost/5.12.1')}",
        f"{WINDOWS} {APPLICATION.format('Feedly/1.0')}",
        f"{WINDOWS} {APPLICATION.format('an-unheard-of-reader/3.0')}",
        f"{IPHONE} Mobile/15E148 Slack/25.07.10",
        f"{IPHONE} Mobile/15E148 WhatsApp/2.25.19",
        f"{IPHONE} Mobile/15E148 Outlook-iOS/5.2525",
        f"{WEB_VIEW} Mobile Safari/537.36 Grammarly/2.9",
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KHTML} Version/18.5 NetNewsWire/6.1.9",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.5; ms-office; MSOffice 16)",
        "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.5.0",
    ],
)
def test_who_reads_pages_in_an_application_is_a_person(agent):
    assert name_of(agent) == ""


@pytest.mark.parametrize(
    "model", ["Spider 8", "VR BOT 700", "X-Bot_Senior Build/O11019", "Speedy Reader 5", "C Bot Tab 90", "Crony-7000"]
)
def test_a_device_may_be_called_like_a_robot(model):
    assert name_of(f"Mozilla/5.0 (Linux; Android 13; {model}) {KHTML} Chrome/138.0.0.0 Mobile Safari/537.36") == ""
    assert (
        name_of(f"Mozilla/5.0 (Linux; U; Android 9; de-de; {model}; wv) {KHTML} Chrome/138.0.0.0 Safari/537.36") == ""
    )


def test_a_maker_of_televisions_is_no_robot():
    television = "Mozilla/5.0 (Linux; Web0S) {} Chrome/108.0.0.0 Safari/537.36 HbbTV/1.7.1 (+DRM;BOTECH;TV 5;1.0;)"
    assert name_of(television.format(KHTML)) == ""


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{WINDOWS} Cypress/15.0.0 Chrome/138.0.0.0 Electron/37.1.0 Safari/537.36", "Cypress"),
        (f"{WINDOWS} shop-crawler/2.0 Chrome/138.0.0.0 Electron/37.1.0 Safari/537.36", "shop-crawler"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slackbot"),
        ("WhatsApp/2.23.20.0", "WhatsApp"),
        (f"Mozilla/5.0 (Linux; Android 13; Foobot/2.1) {KHTML} Chrome/138.0.0.0 Safari/537.36", "foobot"),
        (f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {KHTML} Chrome/138.0 Mobile (compatible; Bot/1)", "bot"),
        (f"Mozilla/5.0 (Linux; Android 13; Catchpoint) {KHTML} Chrome/138.0.0.0 Mobile Safari/537.36", "catchpoint"),
    ],
)
def test_a_robot_hides_in_no_application_and_no_device(agent, name):
    assert name_of(agent) == name


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"Mozilla/5.0 {KHTML[:-1]}; compatible; Perplexity-User/1.0; +https://perplexity.ai/user)", "Perplexity-User"),
        (f"Mozilla/5.0 {KHTML[:-1]}; compatible; Sorting-Hat/3) Chrome/138.0.0.0 Safari/537.36", "sorting-hat"),
        (f"{KHTML}; compatible; Sorting-Hat/3", "sorting-hat"),
        ("Mozilla/5.0 (compatible; Quillfeather/1.0; +https://quill.example)", "quillfeather"),
        ("Mozilla/5.0 (compatible; +https://quill.example/why)", "quill.example"),
        ("Mozilla/5.0 (compatible)", UNNAMED),
        ("Mozilla/5.0 (Morning/1.0)", "morning"),
        ("Mozilla/5.0 (ask post@quill.example)", "quill"),
        ("Mozilla/5.0", UNNAMED),
        ("Quillfeather/1.0 +http://quill.example/", "quillfeather"),
        (f"{WINDOWS} Chrome/138.0.0.0 Safari/537.36 (https://quill.example/study)", "quill.example"),
        ("Quillfeather 2 (ask: post@quill.example)", "quill"),
        ("Quillfeather 2 (post[at]quill.example)", "quillfeather"),
        ("{{.agent}}", "agent"),
        ("Mozilla/5.0 (${jndi:ldap://127.0.0.1/a})", "jndi ldap"),
        ("node", "node"),
        ("Hello, nobody", "hello"),
        (f"{WINDOWS} Chrome/W.X.Y.Z Safari/537.36", "w.x.y.z"),
    ],
)
def test_an_agent_of_no_browser_s_shape_is_a_robot(agent, name):
    assert name_of(agent) == name


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{WINDOWS} Chrome/138.0.0.0 Safari/537.36 PTST/SpeedCurve/250601.1", "WebPageTest"),
        (f"{WINDOWS} Chrome/138.0.0.0 Safari/537.36 PTST/250601.1", "WebPageTest"),
        (f"Mozilla/5.0 (X11; Linux x86_64; Catchpoint) {KHTML} Chrome/138.0.0.0 Safari/537.36", "catchpoint"),
        (
            f"Mozilla/5.0 (X11; Linux x86_64; Splunk Synthetics) {KHTML} Chrome/138.0.0.0 Safari/537.36",
            "synthetics",
        ),
        (f"{WINDOWS} Chrome/138.0.0.0 Safari/537.36; Manus-User/1.0", "manus-user"),
        ("Prometheus/3.4.0", "prometheus"),
        ("meta-externalagent/1.1", "Meta"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/138.0 (via some.example - mail.ukr.net proxy)", "mail.ukr.net proxy"),
        ("Valve/Steam HTTP Client 1.0 (SteamChatURLLookup)", "steam http client"),
        ("Quill Health-Check 3 (eu-west)", "health-check"),
        ("port-scanner/1.0", "port-scanner"),
    ],
)
def test_monitors_tests_and_previews_are_robots_by_name(agent, name):
    assert name_of(agent) == name


def test_the_client_of_umami_is_the_owners_own_and_no_robot():
    """It sends what a server of the site's owner has to tell, and says so; another of that shape is a robot."""
    assert name_of("Mozilla/5.0 Umami/v20.20.2") == ""
    assert name_of("Mozilla/5.0 Quillfeather/v20.20.2") == "quillfeather"


def test_a_scanner_of_paper_is_an_application():
    assert name_of(f"{WEB_VIEW} Mobile Safari/537.36 CamScanner/6.90.5") == ""


HOSTILE = (
    *("(linux", "(android (", "a@", "@a", "like gecko) ", "mozilla/5.0 (compatible; "),
    *("hbbtv/1 (", "scan", "a.-", "1.", "electron/"),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_agent_takes_long_to_read(piece):
    agent = ("electron/1 like gecko) bot " + piece * 1_024)[: robot.MAX_USER_AGENT]
    robot.warm_up()
    start = time.process_time()
    robot.name_cached.__wrapped__(agent)
    assert time.process_time() - start < 0.02


@pytest.mark.parametrize("agent", ["", " ", "\t\n", "\u00a0"])
def test_an_empty_agent_is_a_robot_without_a_name(agent):
    assert name_of(agent) == UNNAMED


def test_every_known_name_is_found_where_the_agent_is_a_robot_s():
    assert {name for key, name in NAMES.items() if name_of(f"bot {key}/1.0") != name} == set()


@pytest.mark.parametrize("agent", ["<b>bot</b>", "a\0bot\u202e", "x" * 900 + "bot", "bot" + "y" * 900, "-bot-"])
def test_whatever_somebody_calls_himself_the_name_is_short_and_plain(agent):
    assert re.fullmatch(r"[a-z0-9][a-z0-9 ._-]{0,39}", name_of(agent))


def test_verdicts_are_those_of_crawlerdetect_on_agents_made_to_deceive():
    assert differing([*DECEIVERS, *ROBOTS, *PEOPLE]) == []


def test_verdicts_are_those_of_crawlerdetect_on_every_word_it_knows():
    robots, harmless = words(crawlers.data), words(exclusions.data)
    assert len(robots) > 1_400
    assert differing(robots) == []
    assert differing([f"{word}{robots[3 * at]}" for at, word in enumerate(harmless)]) == []


def test_verdicts_are_those_of_crawlerdetect_on_real_agents():
    log = Path(robot.__file__).parents[1] / "data" / "demo-access.log"
    agents = {line.rsplit('"', 2)[1] for line in log.read_text("utf-8").splitlines() if line.endswith('"')}
    assert len(agents) > 50
    assert differing(sorted(agents - {"", "-"})[:250]) == []


def test_verdicts_are_those_of_crawlerdetect_on_words_thrown_together():
    chance = random.Random(2)
    pieces = [*words(exclusions.data) * 8, *words(crawlers.data), *" /;.,()1234567890-_bdoprstwy" * 20]
    agents = ["".join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(300)]
    halved = [agent[len(agent) // 3 :] for agent in agents]
    assert differing([agent for agent in agents + halved if agent.strip()]) == []


def test_an_agent_is_read_as_far_as_1024_characters():
    assert name_of("1" + "x" * 1_020 + "bot")
    assert not name_of("1" + "x" * 1_021 + "bot")


def test_no_more_agents_are_remembered_than_the_size_says():
    assert robot.name_cached.cache_info().maxsize == robot.CACHE_SIZE == 8_192
